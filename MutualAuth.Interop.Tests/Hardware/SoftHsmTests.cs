using System.Net;
using System.Runtime.Versioning;
using System.Security.Cryptography;
using MutualAuth.Expiry;
using MutualAuth.Testing;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Hardware;

/// <summary>
/// Identities whose private key cannot leave its token: OpenSSL's engine for PKCS#11, and its provider, before SoftHSM. Where there is no provider,
/// loading says so.
/// </summary>
[TestFixture(Engine)]
[TestFixture("provider")]
[UnsupportedOSPlatform("windows")]
[Platform("Linux")]
[CancelAfter(120000)]
[NonParallelizable] // it sets the environment of the process
public sealed class SoftHsmTests(string way)
{
    private const string Engine = "engine";
    private const string Curve = "EC:prime256v1";
    private const string Rsa = "rsa:2048";

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
    public async Task Both_ends_authenticate_with_keys_that_stay_in_their_token([Values] bool serverHasRsa)
    {
        if (MustNotOpen())
        {
            return;
        }

        var server = Hold(serverHasRsa ? Rsa : Other, Workshop.ServerName, ExtendedKeyUsage.ServerAuth);
        var client = Hold(serverHasRsa ? Other : Rsa, Workshop.ClientName, ExtendedKeyUsage.ClientAuth);

        await using var connection = await ShakeAsync(server, client);

        connection.Peer.Name.Should().Be(Workshop.ServerName);
        connection.IsConfirmed.Should().BeTrue("the server has accepted the client's signature");
    }

    [Test]
    public async Task A_certificate_is_renewed_while_its_key_stays_in_the_token()
    {
        if (MustNotOpen())
        {
            return;
        }

        var (uri, publicKey) = _token.MakeKey(Other);
        using var key = OpenOther(uri);
        var first = Issue(publicKey, Workshop.ServerName, ExtendedKeyUsage.ServerAuth);
        using var files = IdentityFiles.FromPem(first, key, new IdentityCheck { Role = PeerRole.Server });
        var old = files.Current.Certificate;

        File.Move(Issue(publicKey, Workshop.ServerName, ExtendedKeyUsage.ServerAuth), first, overwrite: true);

        files.Reload().Should().BeTrue();
        files.Current.Certificate.Should().NotBe(old);
        await using var connection = await ShakeAsync(files, Hold(Other, Workshop.ClientName, ExtendedKeyUsage.ClientAuth));
        connection.Peer.Certificate.Should().Be(files.Current.Certificate);
    }

    [Test]
    public void A_certificate_of_another_key_is_told_from_the_tokens_own()
    {
        if (MustNotOpen())
        {
            return;
        }

        var (uri, _) = _token.MakeKey(Other);
        var other = _workshop.Server();

        var loading = () => Load(other.Chain, uri);

        loading.Should().Throw<MaterialException>().Which.Problem.Should().Be(MaterialProblem.KeyMismatch);
    }

    [Test]
    [TestCase("pkcs11", "ee")]
    [TestCase("no-such-module", "01")]
    public void A_key_that_cannot_be_opened_is_a_sentence_without_the_PIN(string module, string id)
    {
        var loading = () => Load(_workshop.Server().Chain, SoftToken.Uri(id), module);

        var problem = loading.Should().Throw<MaterialException>().Which;
        problem.Problem.Should().Be(MaterialProblem.NoKey);
        problem.Message.Should().NotContain("2468");
    }

    /// <summary>The platform cannot read the public half of such a key, and so nobody can tell whose it is.</summary>
    [Test]
    public void A_key_on_a_curve_does_not_load_through_the_provider()
    {
        if (way == Engine || MustNotOpen())
        {
            return;
        }

        var loading = () => Hold(Curve, Workshop.ServerName, ExtendedKeyUsage.ServerAuth);

        loading.Should().Throw<MaterialException>().Which.Problem.Should().Be(MaterialProblem.KeyMismatch);
    }

    private string Other => way == Engine ? Curve : Rsa;

    /// <summary>Debian 12 has no package of the provider.</summary>
    private bool MustNotOpen()
    {
        if (way == Engine || SoftToken.HasProvider)
        {
            return false;
        }

        var loading = () => Hold(Rsa, Workshop.ServerName, ExtendedKeyUsage.ServerAuth);
        var problem = loading.Should().Throw<MaterialException>().Which;
        problem.Problem.Should().Be(MaterialProblem.NoKey);
        problem.Message.Should().Contain("provider").And.NotContain("2468");
        return true;
    }

    private Identity Hold(string keyType, string name, string usage)
    {
        var (uri, publicKey) = _token.MakeKey(keyType);
        return Load(Issue(publicKey, name, usage), uri);
    }

    private AsymmetricAlgorithm OpenOther(string uri) => way == Engine
        ? new ECDsaOpenSsl(SafeEvpPKeyHandle.OpenPrivateKeyFromEngine("pkcs11", uri))
        : new RSAOpenSsl(SafeEvpPKeyHandle.OpenKeyFromProvider("pkcs11", uri));

    private Identity Load(string chain, string uri, string module = "pkcs11") =>
        way == Engine ? Identity.FromOpenSslEngine(chain, module, uri) : Identity.FromOpenSslProvider(chain, module, uri);

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
