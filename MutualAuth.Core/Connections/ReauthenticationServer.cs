using System.Runtime.CompilerServices;
using MutualAuth.Credentials;

namespace MutualAuth.Connections;

/// <summary>
/// Asks the users of a server's connections to authenticate again in time, in messages that the application carries: one object for a server.
/// </summary>
/// <remarks>Safe for use from many threads. It keeps no connection alive.</remarks>
/// <example>
/// <code>
/// var reauthentication = new ReauthenticationServer();
/// var policy = new RevalidationPolicy { OnReauthenticationDue = reauthentication.WhenDue };
/// // for each connection, beside its other messages:
/// await using var served = reauthentication.Serve(connection, (message, token) =&gt; SendAsync(message));
/// await served.ReceiveAsync(await ReceiveAsync());
/// </code>
/// </example>
public sealed class ReauthenticationServer
{
    private readonly ConditionalWeakTable<MutualTlsConnection, ServedReauthentication> _served = [];

    /// <summary>Give this to <see cref="RevalidationPolicy.OnReauthenticationDue"/>: asks the user of the connection to authenticate again.</summary>
    /// <param name="connection">The connection. If it is not served yet, its user is asked as soon as it is.</param>
    /// <exception cref="ArgumentNullException"><paramref name="connection"/> is null.</exception>
    public void WhenDue(MutualTlsConnection connection)
    {
        ArgumentNullException.ThrowIfNull(connection);
        _served.GetValue(connection, static _ => new ServedReauthentication()).Ask();
    }

    /// <summary>Carries the re-authentication of this connection from now on.</summary>
    /// <param name="connection">A server's connection with a user.</param>
    /// <param name="send">
    /// Sends an opaque message to the client as one of the application's; it may be called at any time, beside the application's other messages,
    /// and must keep them apart. An exception ends the conversation; the connection ends at its deadline, unless it is asked again.
    /// </param>
    /// <returns>What takes the client's messages. Dispose of it with the connection.</returns>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    /// <exception cref="InvalidOperationException">No user has logged in, this side is the client, or the connection is served already.</exception>
    public ServedReauthentication Serve(MutualTlsConnection connection, Func<ReadOnlyMemory<byte>, CancellationToken, ValueTask> send)
    {
        ArgumentNullException.ThrowIfNull(connection);
        ArgumentNullException.ThrowIfNull(send);
        if (connection.Peer.User is null)
        {
            throw new InvalidOperationException("A re-authentication needs a user that has logged in.");
        }

        var served = _served.GetValue(connection, static _ => new ServedReauthentication());
        served.Serve(connection, send);
        return served;
    }
}

/// <summary>The re-authentication of one connection at the server. <see cref="ReauthenticationServer"/> makes it.</summary>
/// <remarks>Safe for use from many threads; one conversation runs at a time, and a new one abandons the one before.</remarks>
public sealed class ServedReauthentication : IAsyncDisposable
{
    private readonly SemaphoreSlim _turn = new(1);
    private readonly Lock _lock = new();
    private WeakReference<MutualTlsConnection>? _connection;
    private Func<ReadOnlyMemory<byte>, CancellationToken, ValueTask>? _send;
    private StepUpVerifier? _verifier;
    private bool _isWanted;
    private bool _isDisposed;

    internal ServedReauthentication()
    {
    }

    /// <summary>Why the last conversation failed; null when it succeeded, or none is over.</summary>
    public Rejection? Rejection { get; private set; }

    /// <summary>How many conversations have succeeded.</summary>
    public int Renewals { get; private set; }

    /// <summary>Asks the user to authenticate again now.</summary>
    /// <param name="cancellationToken">Gives up.</param>
    public async ValueTask BeginAsync(CancellationToken cancellationToken = default)
    {
        if (_connection is null || !_connection.TryGetTarget(out var connection))
        {
            return;
        }

        await _turn.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            await EndAsync().ConfigureAwait(false);
            if (_isDisposed)
            {
                return;
            }

            _verifier = connection.BeginReauthentication();
            await SendAsync(_verifier.FirstMessage, cancellationToken).ConfigureAwait(false);
            await NoteAsync().ConfigureAwait(false);
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <summary>Takes a message of the client's, and sends the answer.</summary>
    /// <param name="message">The message, whatever the client sent.</param>
    /// <param name="cancellationToken">Gives up, and ends the conversation.</param>
    /// <returns>False when nothing was asked: the message was passed over.</returns>
    public async ValueTask<bool> ReceiveAsync(ReadOnlyMemory<byte> message, CancellationToken cancellationToken = default)
    {
        await _turn.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (_verifier is not { } verifier)
            {
                return false;
            }

            if (await verifier.AnswerAsync(message, cancellationToken).ConfigureAwait(false) is { } answer)
            {
                await SendAsync(answer, cancellationToken).ConfigureAwait(false);
            }

            await NoteAsync().ConfigureAwait(false);
            return true;
        }
        catch
        {
            await EndAsync().ConfigureAwait(false);
            throw;
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <summary>Ends the conversation that runs, without consequences. No user is asked any more.</summary>
    public async ValueTask DisposeAsync()
    {
        await _turn.WaitAsync().ConfigureAwait(false);
        try
        {
            _isDisposed = true;
            await EndAsync().ConfigureAwait(false);
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <summary>A deadline is near.</summary>
    internal void Ask()
    {
        lock (_lock)
        {
            if (_send is null)
            {
                _isWanted = true;
                return;
            }
        }

        _ = AskAsync();
    }

    internal void Serve(MutualTlsConnection connection, Func<ReadOnlyMemory<byte>, CancellationToken, ValueTask> send)
    {
        lock (_lock)
        {
            if (_send is not null)
            {
                throw new InvalidOperationException("The connection is served already.");
            }

            _connection = new(connection);
            _send = send;
            if (!_isWanted)
            {
                return;
            }
        }

        _ = AskAsync();
    }

    private async Task AskAsync()
    {
        try
        {
            await Task.Yield();
            await BeginAsync().ConfigureAwait(false);
        }
        catch (Exception)
        {
            // It could not be sent: the connection is over, or will be at its deadline.
            await _turn.WaitAsync().ConfigureAwait(false);
            await EndAsync().ConfigureAwait(false);
            _turn.Release();
        }
    }

    private ValueTask SendAsync(ReadOnlyMemory<byte> message, CancellationToken cancellationToken) => _send!(message, cancellationToken);

    private async ValueTask NoteAsync()
    {
        if (_verifier is { IsOver: true } verifier)
        {
            Rejection = verifier.Rejection;
            Renewals += verifier.User is null ? 0 : 1;
            await EndAsync().ConfigureAwait(false);
        }
    }

    private async ValueTask EndAsync()
    {
        if (_verifier is { } verifier)
        {
            _verifier = null;
            await verifier.DisposeAsync().ConfigureAwait(false);
        }
    }
}
