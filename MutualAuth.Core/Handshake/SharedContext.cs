using Microsoft.Extensions.Logging;
using MutualAuth.Platforms;
using MutualAuth.Telemetry;

namespace MutualAuth.Handshake;

/// <summary>
/// Whether the connections of a server may share one TLS context: only where no session of such a context can be resumed, because the process's
/// OpenSSL gives none. That is seen in a handshake with ourselves, not read from a setting: docs/decisions/0024.
/// </summary>
internal static class SharedContext
{
    private static volatile bool s_givesNoSessions;

    /// <summary>Begins to find out, once for the process, and answers when that is done.</summary>
    internal static async Task<bool> FindOut() =>
        s_givesNoSessions = (await OwnHandshakes.FindOut().ConfigureAwait(false)).GivesNoSessions;

    /// <summary>Begins to find out, and logs the answer when there is one. Until then each connection has a context of its own.</summary>
    internal static void Announce(ILogger logger) => _ = AnnounceAsync(logger);

    /// <summary>
    /// Whether this connection may take the shared context. A session of TLS 1.2 could be resumed by its identifier, so only a hello that leads to
    /// TLS 1.3 may. With suites of our own the platform makes a context for each connection anyway.
    /// </summary>
    internal static bool Suits(HandshakeOptions options, ClientHello hello) =>
        (s_givesNoSessions || options.SharesContextUnasked)
        && options.CipherSuites.IsEmpty
        && options.TlsVersions.Highest >= TlsVersion.Tls13
        && hello.Versions.Contains(ClientHello.Tls13);

    private static async Task AnnounceAsync(ILogger logger)
    {
        if (await FindOut().ConfigureAwait(false))
        {
            PlatformLog.ContextShared(logger);
        }
        else
        {
            PlatformLog.ContextPerConnection(logger);
        }
    }
}
