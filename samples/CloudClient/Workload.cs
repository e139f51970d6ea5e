using System.Net;
using MutualAuth.Connections;
using MutualAuth.Credentials;

namespace MutualAuth.Samples;

/// <summary>A workload's program: asks, and answers with its token when the service wants to see it again.</summary>
internal sealed class Workload : IAsyncDisposable
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(15);

    private readonly MutualTlsConnection _connection;
    private readonly ClientCredentials _credentials;
    private ReauthenticationClient _answers;

    private Workload(MutualTlsConnection connection, ClientCredentials credentials)
    {
        _connection = connection;
        _credentials = credentials;
        _answers = new ReauthenticationClient(connection, credentials);
    }

    /// <summary>Whom it has authenticated as the service.</summary>
    internal string Service => $"{_connection.Peer.SpiffeId}";

    internal static async Task<Workload> ConnectAsync(MutualTlsClientOptions options, EndPoint service)
    {
        var connection = await new MutualTlsClient(options).ConnectAsync(service, serverName: null); // known by its SPIFFE ID, not by a host name
        return new Workload(connection, options.Credentials!);
    }

    /// <summary>Reads the invoices once.</summary>
    internal async Task<string> ReadAsync()
    {
        await new Message("read", "-").WriteAsync(_connection.Stream);
        while (true)
        {
            var message = await ReceiveAsync();
            switch (message.Word)
            {
                case StepUps.Word:
                    await AnswerAsync(message);
                    break;
                case Session.Goodbye:
                    return $"the service ends the connection, {message.Value}";
                default:
                    return message.Value;
            }
        }
    }

    /// <summary>Shows its token again, as soon as the service asks for it.</summary>
    internal async Task<string> RenewAsync()
    {
        _answers.Dispose();
        _answers = new ReauthenticationClient(_connection, _credentials); // which has not confirmed anything yet
        bool? isConfirmed = null;
        while (isConfirmed is null)
        {
            isConfirmed = await AnswerAsync(await ReceiveAsync());
        }

        return isConfirmed == true ? "renewed" : $"not renewed, {_answers.Rejection}";
    }

    /// <summary>Waits until the service says why it ends the connection.</summary>
    internal async Task<string> WaitForEndAsync() => await ReceiveAsync() is { Word: Session.Goodbye, Value: var reason }
        ? $"the service ends the connection, {reason}"
        : "the service says something else";

    public ValueTask DisposeAsync()
    {
        _answers.Dispose();
        return _connection.DisposeAsync();
    }

    /// <returns>How it ended; null when there is more to come.</returns>
    private async Task<bool?> AnswerAsync(Message message)
    {
        if (message.Word != StepUps.Word)
        {
            throw new IOException($"The service says {message.Word} {message.Value}.");
        }

        if (await _answers.AnswerAsync(message.ToOctets()) is { } answer)
        {
            await Message.Of(StepUps.Word, answer).WriteAsync(_connection.Stream);
        }

        return _answers.IsConfirmed;
    }

    private async Task<Message> ReceiveAsync() =>
        await Message.ReadAsync(_connection.Stream).WaitAsync(s_patience) ?? throw new IOException("The service has hung up.");
}
