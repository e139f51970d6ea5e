using MutualAuth.Testing;

namespace MutualAuth.Tests.Support;

/// <summary>
/// One authority, a server and a client that it issued, and the options with which they accept each other. Tests change one fact of it.
/// </summary>
public sealed class World : IDisposable
{
    /// <summary>
    /// Time enough to close for tests in which a peer never ends its side, so that closing waits as long as it may. It is real time,
    /// whatever clock the options have.
    /// </summary>
    public static readonly TimeSpan Moment = TimeSpan.FromMilliseconds(50);

    private static readonly Lazy<World> s_shared = new(() => new World(ofItsOwn: true));

    private readonly bool _isOfItsOwn;

    /// <summary>
    /// With certificates that all such worlds share, for making them costs as much as a handshake. What a side remembers of a judgement is its
    /// server's or client's, and begins anew in each test.
    /// </summary>
    public World()
    {
        var shared = s_shared.Value;
        Authority = shared.Authority;
        Foreign = shared.Foreign;
        ServerCertificate = shared.ServerCertificate;
        ClientCertificate = shared.ClientCertificate;
        ServerIdentity = shared.ServerIdentity;
        ClientIdentity = shared.ClientIdentity;
        Trust = Authority.ToTrustAnchors();
    }

    /// <summary>With certificates that nobody else has, for a test that revokes them.</summary>
    public World(bool ofItsOwn)
    {
        _isOfItsOwn = ofItsOwn;
        Authority = new TestAuthority("Ours");
        Foreign = new TestAuthority("Theirs");
        ServerCertificate = Authority.IssueServer("server.test", "127.0.0.1");
        ClientCertificate = Authority.IssueClient("client.test");
        ServerIdentity = ToIdentity(ServerCertificate);
        ClientIdentity = ToIdentity(ClientCertificate);
        Trust = Authority.ToTrustAnchors();
    }

    public TestAuthority Authority { get; }

    /// <summary>An authority that no side trusts.</summary>
    public TestAuthority Foreign { get; }

    public TestCertificate ServerCertificate { get; }

    public TestCertificate ClientCertificate { get; }

    public Identity ServerIdentity { get; }

    public Identity ClientIdentity { get; }

    public TrustAnchors Trust { get; }

    /// <summary>How long closing waits for the peer, on both sides. Default: a second, as in the options.</summary>
    public TimeSpan CloseTimeout { get; init; } = TimeSpan.FromSeconds(1);

    public MutualTlsServerOptions ServerOptions => new()
    {
        Identity = ServerIdentity,
        Trust = Trust,
        Authorization = Authorize.AnyTrustedPeer,
        CloseTimeout = CloseTimeout,
    };

    public MutualTlsClientOptions ClientOptions => new()
    {
        Identity = ClientIdentity,
        Trust = Trust,
        Authorization = Authorize.ServerName,
        CloseTimeout = CloseTimeout,
    };

    public static Identity ToIdentity(TestCertificate certificate) => Identity.From(certificate.Certificate, certificate.Chain);

    public void Dispose()
    {
        if (!_isOfItsOwn)
        {
            return;
        }

        ServerCertificate.Dispose();
        ClientCertificate.Dispose();
        Authority.Dispose();
        Foreign.Dispose();
    }
}
