using MutualAuth.Certificates;
using MutualAuth.Testing;
using MutualAuth.Trust;
using MutualAuth.Validation;

namespace MutualAuth.Tests.Support;

/// <summary>One authority, a server and a client that it issued, and the options with which they accept each other. Tests change one fact of it.</summary>
public sealed class World : IDisposable
{
    private readonly TestCertificate _server;
    private readonly TestCertificate _client;

    public World()
    {
        Authority = new TestAuthority("Ours");
        Foreign = new TestAuthority("Theirs");
        _server = Authority.IssueServer("server.test", "127.0.0.1");
        _client = Authority.IssueClient("client.test");
        ServerIdentity = ToIdentity(_server);
        ClientIdentity = ToIdentity(_client);
        Trust = TrustAnchors.From(Authority.AsTrustAnchors);
    }

    public TestAuthority Authority { get; }

    /// <summary>An authority that nobody here trusts.</summary>
    public TestAuthority Foreign { get; }

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
        _server.Dispose();
        _client.Dispose();
        Authority.Dispose();
        Foreign.Dispose();
    }
}
