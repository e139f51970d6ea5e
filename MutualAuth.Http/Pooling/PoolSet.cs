using System.Net;

namespace MutualAuth.Http.Pooling;

/// <summary>
/// The pools by authority. One without connections and requests is let go; one of which a connection must take no more is replaced.
/// </summary>
internal sealed class PoolSet(MutualTlsClient client, MutualTlsHttpOptions options) : IDisposable
{
    private readonly Lock _lock = new();
    private readonly Dictionary<Authority, AuthorityPool> _pools = [];
    private bool _isDisposed;

    internal int Count
    {
        get
        {
            lock (_lock)
            {
                return _pools.Count;
            }
        }
    }

    /// <summary>The pool for a request, to be returned once the request has its response or has failed.</summary>
    /// <exception cref="HttpRequestException">No server is expected there.</exception>
    internal AuthorityPool Rent(Authority authority)
    {
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_isDisposed, typeof(MutualTlsHttpHandler));
            if (_pools.TryGetValue(authority, out var pool) && pool.MayTakeRequests)
            {
                pool.Users++;
                return pool;
            }
        }

        // The application's function is not called under the lock.
        var made = Make(authority);
        AuthorityPool? chosen = null;
        AuthorityPool? former = null;
        lock (_lock)
        {
            if (!_isDisposed)
            {
                chosen = made;
                if (_pools.TryGetValue(authority, out var found))
                {
                    (chosen, former) = found.MayTakeRequests ? (found, null) : (made, found);
                }

                _pools[authority] = chosen;
                chosen.Users++;
            }
        }

        if (former is not null)
        {
            Retire(former); // its connections say so themselves, a moment later
        }

        if (chosen != made)
        {
            made.Dispose();
        }

        return chosen ?? throw new ObjectDisposedException(nameof(MutualTlsHttpHandler));
    }

    internal void Return(AuthorityPool pool) => Change(pool, static pool => pool.Users--);

    /// <summary>A connection of this pool has been opened.</summary>
    internal void Opened(AuthorityPool pool, MutualTlsConnection connection)
    {
        lock (_lock)
        {
            pool.Connections.Add(connection);
        }
    }

    /// <summary>A connection of this pool has been closed.</summary>
    internal void Closed(AuthorityPool pool, MutualTlsConnection connection) => Change(pool, pool => pool.Connections.Remove(connection));

    /// <summary>No request that begins from here on is sent over the connections of this pool. Those under way end.</summary>
    internal void Retire(AuthorityPool pool) => Change(pool, static pool => pool.IsRetired = true);

    public void Dispose()
    {
        AuthorityPool[] pools;
        lock (_lock)
        {
            _isDisposed = true;
            pools = [.. _pools.Values];
        }

        foreach (var pool in pools)
        {
            Retire(pool);
        }
    }

    private void Change(AuthorityPool pool, Action<AuthorityPool> change)
    {
        bool isOver;
        bool isIdle;
        lock (_lock)
        {
            change(pool);
            isIdle = pool.Users == 0;
            isOver = pool.Users == 0 && (pool.IsRetired || pool.Connections.Count == 0);
            if ((isOver || pool.IsRetired) && _pools.TryGetValue(pool.Authority, out var current) && current == pool)
            {
                _pools.Remove(pool.Authority);
            }
        }

        if (isOver)
        {
            pool.Dispose();
        }
        else if (isIdle)
        {
            pool.DropParked();
        }
    }

    private AuthorityPool Make(Authority authority)
    {
        var target = new MutualTlsHttpTarget();
        if (options.Target is { } choose)
        {
            target = choose(new DnsEndPoint(authority.Host, authority.Port))
                ?? throw new HttpRequestException(
                    HttpRequestError.ConnectionError,
                    $"No server is expected at {authority.Host}:{authority.Port}: {nameof(MutualTlsHttpOptions)}."
                        + $"{nameof(MutualTlsHttpOptions.Target)} names none.");
        }

        return new AuthorityPool(this, authority, target, target.Client ?? client, options);
    }
}
