using System.Net;
using MutualAuth.Connections;

namespace MutualAuth.Samples;

/// <summary>A workload's program: asks, and answers with its token when the service wants to see it again.</summary>
internal sealed class Workload : IAsyncDisposable
{
    private readonly string _name;
    private readonly MutualTlsConnection _connection;
    private readonly ReauthenticationClient _answers;

    private Workload(string name, MutualTlsConnection connection, ReauthenticationClient answers)
    {
        _name = name;
        _connection = connection;
        _answers = answers;
    }

    internal static async Task<Workload> ConnectAsync(string name, MutualTlsClientOptions options, EndPoint service)
    {
        var connection = await new MutualTlsClient(options).ConnectAsync(service, "invoices.test");
        return new Workload(name, connection, new ReauthenticationClient(connection, options.Credentials!));
    }

    /// <summary>Reads the invoices once.</summary>
    internal async Task<string> ReadAsync()
    {
        await new Message("read", "-").WriteAsync(_connection.Stream);
        while (true)
        {
            var message = await Message.ReadAsync(_connection.Stream) ?? throw new IOException("The service has hung up.");
            if (message.Word != StepUps.Word)
            {
                return message.Value;
            }

            if (await _answers.AnswerAsync(message.ToOctets()) is { } answer)
            {
                await Message.Of(StepUps.Word, answer).WriteAsync(_connection.Stream);
            }

            if (_answers.IsConfirmed == false)
            {
                Console.WriteLine($"   {_name}: {_answers.Rejection}");
            }
        }
    }

    /// <summary>Reads them all the time, until a time has passed or the service ends the connection.</summary>
    internal async Task<string> ReadForAsync(TimeSpan time)
    {
        var until = DateTimeOffset.UtcNow + time;
        try
        {
            var read = await ReadAsync();
            while (DateTimeOffset.UtcNow < until)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(100));
                read = await ReadAsync();
            }

            return $"still connected, {read}";
        }
        catch (IOException)
        {
            return "the service has ended the connection";
        }
    }

    public ValueTask DisposeAsync()
    {
        _answers.Dispose();
        return _connection.DisposeAsync();
    }
}
