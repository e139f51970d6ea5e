using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace MutualAuth.Directories;

/// <summary>How many wait for a place, in all pools of one verifier.</summary>
internal sealed class LdapQueue(int max)
{
    private int _waiting;

    internal bool TryEnter()
    {
        if (Interlocked.Increment(ref _waiting) <= max)
        {
            return true;
        }

        Interlocked.Decrement(ref _waiting);
        return false;
    }

    internal void Leave() => Interlocked.Decrement(ref _waiting);
}

/// <summary>No place was free, and too many waited for one.</summary>
internal sealed class LdapOverload : Exception;

/// <summary>Which servers failed a short while ago.</summary>
internal sealed class LdapHealth(LdapVerifierOptions options, ILogger logger)
{
    private readonly ConcurrentDictionary<LdapServer, long> _failed = new();

    /// <summary>All of them, those that failed last.</summary>
    internal IEnumerable<LdapServer> InOrder() => options.Servers.OrderBy(server => HasFailed(server) ? 1 : 0);

    internal void Failed(LdapServer server, LdapFailure failure)
    {
        _failed[server] = options.TimeProvider.GetTimestamp();
        DirectoryLog.ServerFailed(logger, server, failure.Message, options.RetryAfter);
    }

    internal void Answered(LdapServer server)
    {
        if (!_failed.IsEmpty && _failed.TryRemove(server, out _))
        {
            DirectoryLog.ServerAnswers(logger, server);
        }
    }

    private bool HasFailed(LdapServer server) =>
        _failed.TryGetValue(server, out var since) && options.TimeProvider.GetElapsedTime(since) < options.RetryAfter;
}

/// <summary>A bounded number of connections, which are used again.</summary>
/// <param name="options">The bounds.</param>
/// <param name="client">Judges the servers.</param>
/// <param name="queue">Who may wait.</param>
/// <param name="health">Which server to ask first.</param>
/// <param name="prepare">What a new connection needs before its first use; null for nothing.</param>
internal sealed class LdapPool(
    LdapVerifierOptions options,
    MutualTlsClient client,
    LdapQueue queue,
    LdapHealth health,
    Func<LdapConnection, CancellationToken, Task>? prepare) : IAsyncDisposable
{
    private readonly SemaphoreSlim _places = new(options.MaxConnections);
    private readonly ConcurrentStack<LdapConnection> _idle = new();
    private int _open;
    private int _mostOpen;
    private int _disposed;

    /// <summary>The most connections that were open at once.</summary>
    internal int MostOpen => _mostOpen;

    /// <summary>Called when a connection is about to be kept for its next use, for tests.</summary>
    internal Action? BeforeKeeping { get; set; }

    /// <summary>Does something on a connection: an unused one, else a new one to the first server that answers.</summary>
    /// <exception cref="LdapFailure">No server gave an answer.</exception>
    /// <exception cref="LdapOverload">Too many wait.</exception>
    internal async Task<T> UseAsync<T>(Func<LdapConnection, CancellationToken, Task<T>> work, CancellationToken cancellationToken)
    {
        if (!_places.Wait(0, CancellationToken.None))
        {
            if (!queue.TryEnter())
            {
                throw new LdapOverload();
            }

            try
            {
                await _places.WaitAsync(cancellationToken).ConfigureAwait(false);
            }
            finally
            {
                queue.Leave();
            }
        }

        try
        {
            return await OnOneAsync(work, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            _places.Release();
        }
    }

    public async ValueTask DisposeAsync()
    {
        // An exchange, and no mere write: a connection whose giving back does not see it yet is found among the idle ones here.
        Interlocked.Exchange(ref _disposed, 1);
        while (_idle.TryPop(out var connection))
        {
            await connection.DisposeAsync().ConfigureAwait(false);
        }
    }

    private async Task<T> OnOneAsync<T>(Func<LdapConnection, CancellationToken, Task<T>> work, CancellationToken cancellationToken)
    {
        while (_idle.TryPop(out var kept))
        {
            if (kept.IsEnding || options.TimeProvider.GetElapsedTime(kept.LastUse) > options.IdleTimeout)
            {
                Close(kept);
                continue;
            }

            try
            {
                return await OnAsync(kept, work, cancellationToken).ConfigureAwait(false);
            }
            catch (LdapFailure)
            {
                // The server may have closed it while it was idle, as all of them do in time: that says nothing of a new one. The others are
                // as old, and each would have to time out.
                CloseIdle();
            }
        }

        LdapFailure? last = null;
        foreach (var server in health.InOrder())
        {
            try
            {
                var connection = await LdapConnection.ConnectAsync(server, client, options.Timeout, options.TimeProvider, cancellationToken)
                    .ConfigureAwait(false);
                var open = Interlocked.Increment(ref _open);
                for (var most = _mostOpen; open > most; most = _mostOpen)
                {
                    Interlocked.CompareExchange(ref _mostOpen, open, most);
                }

                var answer = await OnAsync(
                    connection,
                    async (fresh, bounded) =>
                    {
                        if (prepare is not null)
                        {
                            await prepare(fresh, bounded).ConfigureAwait(false);
                        }

                        return await work(fresh, bounded).ConfigureAwait(false);
                    },
                    cancellationToken).ConfigureAwait(false);
                health.Answered(server);
                return answer;
            }
            catch (LdapFailure failure)
            {
                health.Failed(server, failure);
                last = failure;
            }
        }

        throw last ?? new LdapFailure("There is no server.");
    }

    private async Task<T> OnAsync<T>(
        LdapConnection connection, Func<LdapConnection, CancellationToken, Task<T>> work, CancellationToken cancellationToken)
    {
        var isWhole = false;
        try
        {
            var answer = await work(connection, cancellationToken).ConfigureAwait(false);
            isWhole = true;
            return answer;
        }
        finally
        {
            if (isWhole && _disposed == 0)
            {
                BeforeKeeping?.Invoke();
                _idle.Push(connection);
                if (Volatile.Read(ref _disposed) != 0)
                {
                    CloseIdle();
                }
            }
            else
            {
                Close(connection);
            }
        }
    }

    private void CloseIdle()
    {
        while (_idle.TryPop(out var connection))
        {
            Close(connection);
        }
    }

    private void Close(LdapConnection connection)
    {
        Interlocked.Decrement(ref _open);
        connection.Abort();
    }
}
