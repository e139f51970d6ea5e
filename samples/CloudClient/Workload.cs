using System.Net;
using MutualAuth.Credentials;

namespace MutualAuth.Samples;

/// <summary>A workload's program: asks, and answers with its token when the service wants to see it again.</summary>
internal sealed class Workload : IAsyncDisposable
{
    private readonly string _name;
    private readonly ClientCredentials? _credentials;
    private readonly MutualTlsConnection _connection;
    private StepUpResponder? _responder;

    private Workload(string name, ClientCredentials? credentials, MutualTlsConnection connection)
    {
        _name = name;
        _credentials = credentials;
        _connection = connection;
    }

    internal static async Task<Workload> ConnectAsync(string name, MutualTlsClientOptions options, EndPoint service) =>
        new(name, options.Credentials, await new MutualTlsClient(options).ConnectAsync(service, "invoices.test"));

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

            await RenewAsync(message);
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
        _responder?.Dispose();
        return _connection.DisposeAsync();
    }

    private async Task RenewAsync(Message message)
    {
        _responder ??= _connection.AnswerReauthentication(_credentials!);
        if (await _responder.AnswerAsync(message.ToOctets()) is { } reply)
        {
            await Message.Of(StepUps.Word, reply).WriteAsync(_connection.Stream);
        }

        if (_responder.IsOver)
        {
            Console.WriteLine($"   {_name}: {(_responder.IsConfirmed ? "the service has taken the token" : $"{_responder.Rejection}")}");
            _responder.Dispose();
            _responder = null;
        }
    }
}
