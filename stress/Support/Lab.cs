using System.Net;
using System.Net.Security;
using MutualAuth.Testing;

namespace MutualAuth.Stress.Support;

/// <summary>An authority, a server and a client of it, and what a process can say about itself.</summary>
internal sealed class Lab : IDisposable
{
    internal const string ServerName = "server.test";

    /// <summary>After how long something that should have happened is counted as not happening.</summary>
    internal static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    /// <summary>glibc checks the heap in this run, which makes every allocation several times as dear.</summary>
    internal static bool HasHeapChecks { get; } = Environment.GetEnvironmentVariable("MALLOC_CHECK_") is not null;

    private readonly TestCertificate _server;
    private readonly TestCertificate _client;

    internal Lab()
    {
        _server = Authority.IssueServer(ServerName);
        _client = Authority.IssueClient("client.test");
        ServerIdentity = _server.ToIdentity();
        ClientIdentity = _client.ToIdentity();
        Trust = Authority.ToTrustAnchors();
    }

    internal TestAuthority Authority { get; } = new();

    internal Identity ServerIdentity { get; }

    internal Identity ClientIdentity { get; }

    internal TrustAnchors Trust { get; }

    internal Meters Meters { get; } = new();

    internal CountingLog Log { get; } = new();

    internal MutualTlsServerOptions ServerOptions => new()
    {
        Identity = ServerIdentity,
        Trust = Trust,
        Authorization = Authorize.AnyTrustedPeer,
        LoggerFactory = Log,
    };

    internal MutualTlsClientOptions ClientOptions => new() { Identity = ClientIdentity, Trust = Trust, Authorization = Authorize.ServerName };

    /// <summary>A client that speaks one version of TLS alone.</summary>
    internal MutualTlsClient ClientOf(bool tls13, TimeSpan? handshakeTimeout = null) => new(ClientOptions with
    {
        HandshakeTimeout = handshakeTimeout ?? ClientOptions.HandshakeTimeout,
        CipherSuites = tls13
            ? [TlsCipherSuite.TLS_AES_256_GCM_SHA384, TlsCipherSuite.TLS_AES_128_GCM_SHA256]
            : [TlsCipherSuite.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, TlsCipherSuite.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256],
    });

    internal static MutualTlsListenerOptions Listening(MutualTlsServerOptions options) =>
        new() { Server = new MutualTlsServer(options), EndPoint = new IPEndPoint(IPAddress.Loopback, 0) };

    internal static int PortOf(MutualTlsListener listener) => ((IPEndPoint)listener.LocalEndPoint).Port;

    /// <summary>Waits until nothing of a listener is left, and counts what is.</summary>
    internal async Task DemandRestAsync(Figures figures, int port)
    {
        figures.Fault("sockets-left", await TcpTable.LeftOpenAsync(port, Patience / 2));
        figures.Fault("registry-left", await Meters.LeftAsync(Patience / 2));
    }

    public void Dispose()
    {
        _server.Dispose();
        _client.Dispose();
        Authority.Dispose();
        Meters.Dispose();
        Log.Dispose();
    }
}
