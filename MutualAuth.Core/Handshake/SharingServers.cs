using MutualAuth.Collections;

namespace MutualAuth.Handshake;

/// <summary>
/// The servers, by the names they were authenticated under, for which a client may take one TLS context per identity: those that speak our
/// confirmation protocol in TLS 1.3 and gave no session when each connection had a context of its own: docs/decisions/0024.
/// </summary>
/// <remarks>Safe for use from many threads.</remarks>
internal sealed class SharingServers
{
    private const int Capacity = 1024;

    private readonly Lock _lock = new();
    private readonly BoundedCache<ServerName, bool> _servers = new(Capacity);

    /// <summary>Whether the next connection may take the shared context. With suites of our own the platform makes one for each anyway.</summary>
    internal bool Suits(HandshakeOptions options, ServerName? server)
    {
        if (server is null || !options.CipherSuites.IsEmpty || !OperatingSystem.IsLinux())
        {
            return false;
        }

        lock (_lock)
        {
            return _servers.TryGet(server, out var shares) && shares;
        }
    }

    /// <summary>
    /// The server has been authenticated. One that has sent no session is shared with from now on; one that leaves TLS 1.3 or the confirmation
    /// protocol is not any more.
    /// </summary>
    internal void Learn(ServerName? server, bool confirms, TlsVersion version, bool hasGivenSessions)
    {
        if (server is null)
        {
            return;
        }

        var suits = confirms && version >= TlsVersion.Tls13;
        lock (_lock)
        {
            var isKnown = _servers.TryGet(server, out var shares);
            if (isKnown ? shares && !suits : suits && !hasGivenSessions)
            {
                _servers.Set(server, suits);
            }
        }
    }

    /// <summary>There is a session of this server, which no client of ours wants: no context is shared for it.</summary>
    internal void GivesSessions(ServerName server)
    {
        lock (_lock)
        {
            _servers.Set(server, false);
        }
    }
}
