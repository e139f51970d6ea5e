using System.Net;
using System.Threading.Channels;

namespace MutualAuth.Testing;

/// <summary>
/// An authority, a pair, and a server of that pair that listens on the loopback interface: what the tests of a class share, in whatever framework.
/// It answers with what it reads; derive from it for a server that does something else.
/// </summary>
/// <remarks>
/// <para>It is ready when the constructor returns, so that <c>IClassFixture</c> of xUnit takes it as it is.</para>
/// <para>Safe for concurrent use. Disposing of it ends the server and every connection, and disposes of the pair and the authority. It throws what
/// <see cref="ServeAsync"/> threw, unless that was the end of a connection.</para>
/// </remarks>
public class MutualTlsFixture : IAsyncDisposable, IDisposable
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(30);

    private readonly Channel<HandshakeException> _failures = Channel.CreateUnbounded<HandshakeException>();
    private readonly CancellationTokenSource _stop = new();
    private readonly MutualTlsListener _listener;
    private readonly Task _accepting;
    private int _disposed;

    /// <summary>Makes an authority and a pair, and starts the server.</summary>
    public MutualTlsFixture()
        : this(static pair => pair)
    {
    }

    /// <summary>Makes an authority and a pair, changes what the two sides want, and starts the server.</summary>
    /// <param name="change">Returns the pair with other options, by <c>with</c>.</param>
    /// <exception cref="ArgumentNullException"><paramref name="change"/> is null.</exception>
    /// <exception cref="ArgumentException">The options contradict themselves.</exception>
    protected MutualTlsFixture(Func<TestPair, TestPair> change)
    {
        ArgumentNullException.ThrowIfNull(change);
        Authority = new TestAuthority();
        Pair = change(Authority.CreatePair());
        _listener = MutualTlsListener.Start(new MutualTlsListenerOptions
        {
            EndPoint = new IPEndPoint(IPAddress.Loopback, 0),
            Server = new MutualTlsServer(Pair.Server),
            OnHandshakeFailed = failure => _failures.Writer.TryWrite(failure),
        });
        EndPoint = (IPEndPoint)_listener.LocalEndPoint;
        _accepting = Task.Run(AcceptAsync);
    }

    /// <summary>The authority that both sides trust. It belongs to the fixture.</summary>
    public TestAuthority Authority { get; }

    /// <summary>The options of both sides, to start from. It belongs to the fixture.</summary>
    public TestPair Pair { get; }

    /// <summary>Where the server listens.</summary>
    public IPEndPoint EndPoint { get; }

    /// <summary>Connects to the server.</summary>
    /// <param name="client">The client's options, such as <c>fixture.Pair.Client with { … }</c>; null for those of the pair.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>The connection, which the caller disposes.</returns>
    /// <exception cref="HandshakeException">A side rejects the other, or the handshake fails.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> was cancelled.</exception>
    public Task<MutualTlsConnection> ConnectAsync(MutualTlsClientOptions? client = null, CancellationToken cancellationToken = default) =>
        new MutualTlsClient(client ?? Pair.Client).ConnectAsync(EndPoint, Pair.ServerName, cancellationToken);

    /// <summary>
    /// The next failed handshake as the server saw it, with the reason that the client is not told: each once, in their order, whichever test
    /// caused it.
    /// </summary>
    /// <param name="cancellationToken">Gives up. Without it the wait ends after 30 s.</param>
    /// <exception cref="TimeoutException">No handshake failed within 30 s.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> was cancelled.</exception>
    /// <exception cref="ObjectDisposedException">The fixture was disposed meanwhile.</exception>
    public async Task<HandshakeException> NextFailureAsync(CancellationToken cancellationToken = default)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(s_patience);
        try
        {
            return await _failures.Reader.ReadAsync(patience.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new TimeoutException("No handshake failed at the server.");
        }
        catch (ChannelClosedException)
        {
            throw new ObjectDisposedException(nameof(MutualTlsFixture));
        }
    }

    /// <summary>As <see cref="DisposeAsync"/>, for frameworks that know no other. It waits.</summary>
    public void Dispose()
    {
        Task.Run(() => DisposeAsync().AsTask()).GetAwaiter().GetResult();
        GC.SuppressFinalize(this);
    }

    /// <summary>Ends the server and every connection, and disposes of the pair and the authority.</summary>
    /// <exception cref="TimeoutException"><see cref="ServeAsync"/> has not ended within 30 s.</exception>
    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
        {
            return;
        }

        try
        {
            await _stop.CancelAsync().ConfigureAwait(false);
            await _listener.DisposeAsync().ConfigureAwait(false);
            await _accepting.WaitAsync(s_patience).ConfigureAwait(false);
        }
        finally
        {
            _failures.Writer.TryComplete();
            _stop.Dispose();
            Pair.Dispose();
            Authority.Dispose();
        }
    }

    /// <summary>What the server does with a connection. Default: it answers with what it reads.</summary>
    /// <param name="connection">The connection, which is disposed afterwards.</param>
    /// <param name="cancellationToken">Ends with the fixture.</param>
    protected virtual Task ServeAsync(MutualTlsConnection connection, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(connection);
        return connection.Stream.CopyToAsync(connection.Stream, cancellationToken);
    }

    private async Task AcceptAsync()
    {
        var serving = new List<Task>();
        await foreach (var connection in _listener.AcceptAllAsync().ConfigureAwait(false))
        {
            serving.RemoveAll(task => task.IsCompletedSuccessfully);
            serving.Add(Task.Run(() => HandleAsync(connection)));
        }

        await Task.WhenAll(serving).ConfigureAwait(false);
    }

    private async Task HandleAsync(MutualTlsConnection connection)
    {
        await using (connection.ConfigureAwait(false))
        {
            try
            {
                await ServeAsync(connection, _stop.Token).ConfigureAwait(false);
            }
            catch (Exception exception) when (exception is IOException || _stop.IsCancellationRequested)
            {
                // The client has gone, or the fixture ends.
            }
        }
    }
}
