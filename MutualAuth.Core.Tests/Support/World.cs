using MutualAuth.Testing;

namespace MutualAuth.Tests.Support;

/// <summary>
/// One authority, a server and a client that it issued, and the options with which they accept each other. Tests change one fact of it.
/// </summary>
public sealed class World : IDisposable
{
    public World()
    {
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

    public MutualTlsServerOptions ServerOptions => new()
    {
        Identity = ServerIdentity,
        Trust = Trust,
        Authorization = Authorize.AnyTrustedPeer,
    };

    public MutualTlsClientOptions ClientOptions => new()
    {
        Identity = ClientIdentity,
        Trust = Trust,
        Authorization = Authorize.ServerName,
    };

    public static Identity ToIdentity(TestCertificate certificate) => Identity.From(certificate.Certificate, certificate.Chain);

    public void Dispose()
    {
        ServerCertificate.Dispose();
        ClientCertificate.Dispose();
        Authority.Dispose();
        Foreign.Dispose();
    }
}
