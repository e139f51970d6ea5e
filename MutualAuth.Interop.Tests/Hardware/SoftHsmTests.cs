using System.Net;
using System.Runtime.Versioning;
using System.Security.Cryptography;
using MutualAuth.Expiry;
using MutualAuth.Testing;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Hardware;

/// <summary>Identities whose private key cannot leave its token: OpenSSL's engine for PKCS#11 before SoftHSM.</summary>
[UnsupportedOSPlatform("windows")]
[Platform("Linux")]
[CancelAfter(120000)]
public sealed class SoftHsmTests
{
    private static readonly TimeSpan s_deadline = TimeSpan.FromSeconds(30);

    private Workshop _workshop = null!;
    private SoftToken _token = null!;

    [SetUp]
    public void SetUp()
    {
        _token = SoftToken.Open();
        _workshop = new Workshop();
    }

    [TearDown]
    public void TearDown() => _workshop?.Dispose();

    [Test]
    [TestCase("EC:prime256v1", "rsa:2048")]
    [TestCase("rsa:2048", "EC:prime256v1")]
    public async Task Both_ends_authenticate_with_keys_that_stay_in_their_token(string serverKey, string clientKey)
    {
        var server = Hold(serverKey, Workshop.ServerName, ExtendedKeyUsage.ServerAuth);
        var client = Hold(clientKey, Workshop.ClientName, ExtendedKeyUsage.ClientAuth);

        await using var connection = await ShakeAsync(server, client);

        connection.Peer.Name.Should().Be(Workshop.ServerName);
        connection.IsConfirmed.Should().BeTrue("the server has accepted the client's signature");
    }

    [Test]
    public async Task A_certificate_is_renewed_while_its_key_stays_in_the_token()
    {
        var (uri, publicKey) = _token.MakeKey("EC:prime256v1");
        using var key = new ECDsaOpenSsl(SafeEvpPKeyHandle.OpenPrivateKeyFromEngine("pkcs11", uri));
        var first = Issue(publicKey, Workshop.ServerName, ExtendedKeyUsage.ServerAuth);
        using var files = IdentityFiles.FromPem(first, key, new IdentityCheck { Role = PeerRole.Server });
        var old = files.Current.Certificate;

        File.Move(Issue(publicKey, Workshop.ServerName, ExtendedKeyUsage.ServerAuth), first, overwrite: true);

        files.Reload().Should().BeTrue();
        files.Current.Certificate.Should().NotBe(old);
        await using var connection = await ShakeAsync(files, Hold("EC:prime256v1", Workshop.ClientName, ExtendedKeyUsage.ClientAuth));
        connection.Peer.Certificate.Should().Be(files.Current.Certificate);
    }

    [Test]
    public void A_certificate_of_another_key_is_told_from_the_tokens_own()
    {
        var (uri, _) = _token.MakeKey("EC:prime256v1");
        var other = _workshop.Server();

        var loading = () => Identity.FromOpenSslEngine(other.Chain, "pkcs11", uri);

        loading.Should().Throw<MaterialException>().Which.Problem.Should().Be(MaterialProblem.KeyMismatch);
    }

    [Test]
    [TestCase("pkcs11", "ee")]
    [TestCase("no-such-engine", "01")]
    public void A_key_that_cannot_be_opened_is_a_sentence_without_the_PIN(string engine, string id)
    {
        var loading = () => Identity.FromOpenSslEngine(_workshop.Server().Chain, engine, SoftToken.Uri(id));

        var problem = loading.Should().Throw<MaterialException>().Which;
        problem.Problem.Should().Be(MaterialProblem.NoKey);
        problem.Message.Should().NotContain("2468");
    }

    private Identity Hold(string keyType, string name, string usage)
    {
        var (uri, publicKey) = _token.MakeKey(keyType);
        return Identity.FromOpenSslEngine(Issue(publicKey, name, usage), "pkcs11", uri);
    }

    private string Issue(byte[] publicKey, string name, string usage)
    {
        using var certificate = _workshop.Issue(name, usage, spec => spec with { RawPublicKey = publicKey });
        return _workshop.Write($"{Guid.NewGuid():N}.pem", certificate.ChainPem);
    }

    private async Task<MutualTlsConnection> ShakeAsync(IIdentitySource server, IIdentitySource client)
    {
        var trust = TrustAnchors.FromPemFiles(_workshop.Trust);
        await using var listener = MutualTlsListener.Start(new()
        {
            EndPoint = new IPEndPoint(IPAddress.Loopback, 0),
            Server = new MutualTlsServer(new() { Identity = server, Trust = trust, Authorization = Authorize.Dns(Workshop.ClientName) }),
        });
        var dialling = new MutualTlsClient(new() { Identity = ClientIdentity.From(client), Trust = trust, Authorization = Authorize.ServerName })
            .ConnectAsync(listener.LocalEndPoint, Workshop.ServerName);
        var connection = await dialling.WaitAsync(s_deadline);
        await using var served = await listener.AcceptAsync().AsTask().WaitAsync(s_deadline);
        served.Peer.Name.Should().Be(Workshop.ClientName);
        return connection;
    }
}
