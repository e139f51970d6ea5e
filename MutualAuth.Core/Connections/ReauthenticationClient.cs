using MutualAuth.Confirmation;
using MutualAuth.Credentials;

namespace MutualAuth.Connections;

/// <summary>Answers every re-authentication that the server of a connection asks for, from a password, a token source or whatever logs in.</summary>
/// <remarks>
/// Give it each of the server's messages of this kind, and send what it returns. Used by one thread at a time. A token source is asked again in each
/// conversation.
/// </remarks>
/// <example>
/// <code>
/// using var answers = new ReauthenticationClient(connection, Login.WithToken(currentToken));
/// if (await answers.AnswerAsync(await ReceiveAsync()) is { } reply)
/// {
///     await SendAsync(reply);
/// }
/// </code>
/// </example>
public sealed class ReauthenticationClient : IDisposable
{
    private readonly MutualTlsConnection _connection;
    private readonly ClientCredentials _credentials;
    private StepUpResponder? _responder;

    /// <summary>Makes the answering side of a connection.</summary>
    /// <param name="connection">A client's connection.</param>
    /// <param name="credentials">What to answer with: usually what the client logged in with.</param>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    public ReauthenticationClient(MutualTlsConnection connection, ClientCredentials credentials)
    {
        ArgumentNullException.ThrowIfNull(connection);
        ArgumentNullException.ThrowIfNull(credentials);
        _connection = connection;
        _credentials = credentials;
    }

    /// <summary>Whether the last conversation that is over succeeded; null while none is.</summary>
    public bool? IsConfirmed { get; private set; }

    /// <summary>Why the last conversation failed, as this side sees it; null when it succeeded, or none is over.</summary>
    public Rejection? Rejection { get; private set; }

    /// <summary>Takes a message of the server's.</summary>
    /// <param name="message">The message, whatever the server sent.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>What to send to the server; null for nothing.</returns>
    /// <exception cref="InvalidOperationException">The connection is a server's.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> was cancelled.</exception>
    public async ValueTask<byte[]?> AnswerAsync(ReadOnlyMemory<byte> message, CancellationToken cancellationToken = default)
    {
        var begins = message.Length > 0 && message.Span[0] == (byte)FrameType.Mechanisms;
        if (_responder is null || begins)
        {
            Dispose();
            _responder = _connection.AnswerReauthentication(_credentials);
        }

        try
        {
            var answer = await _responder.AnswerAsync(message, cancellationToken).ConfigureAwait(false);
            if (_responder.IsOver)
            {
                (IsConfirmed, Rejection) = (_responder.IsConfirmed, _responder.Rejection);
                Dispose();
            }

            return answer;
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Ends the conversation that runs, and wipes what it holds.</summary>
    public void Dispose()
    {
        _responder?.Dispose();
        _responder = null;
    }
}
