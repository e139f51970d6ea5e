using System.Runtime.Versioning;
using System.Security.Cryptography;
using MutualAuth.Expiry;
using MutualAuth.Testing;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Hardware;

/// <summary>Identities whose private key cannot leave its TPM: OpenSSL's provider for TPM 2.0 before software TPMs. No engine is used.</summary>
[UnsupportedOSPlatform("windows")]
[Platform("Linux")]
[CancelAfter(120000)]
[NonParallelizable] // it sets the environment of the process
public sealed class SoftTpmTests
{
    private readonly List<SoftTpm> _tpms = [];
    private Workshop _workshop = null!;
    private bool _signs;

    [SetUp]
    public void SetUp() => _workshop = new Workshop();

    [TearDown]
    public void TearDown()
    {
        _workshop?.Dispose();
        _tpms.ForEach(tpm => tpm.Dispose());
        _tpms.Clear();
    }

    [Test]
    [TestCase("ecc256", "rsa2048")]
    [TestCase("rsa2048", "ecc256")]
    public async Task Both_ends_authenticate_with_keys_that_stay_in_their_TPM(string serverKey, string clientKey)
    {
        var server = Hold(serverKey, Workshop.ServerName, ExtendedKeyUsage.ServerAuth);
        var client = Hold(clientKey, Workshop.ClientName, ExtendedKeyUsage.ClientAuth);

        await using var ends = await ShakeAsync(server, client);

        if (MustNotSign(ends.Server))
        {
            return;
        }

        ends.Server.Accepted.Peer.Name.Should().Be(Workshop.ClientName);
        ends.Client.Accepted.Peer.Name.Should().Be(Workshop.ServerName);
        ends.Client.Accepted.IsConfirmed.Should().BeTrue("the server has accepted the client's signature");
    }

    [Test]
    public async Task A_key_of_the_TPM_whose_certificate_is_of_another_authority_is_refused()
    {
        using var elsewhere = new Workshop();
        var client = Hold("ecc256", Workshop.ClientName, ExtendedKeyUsage.ClientAuth, elsewhere);

        await using var ends = await ShakeAsync(Load(_workshop.Server()), client);

        if (MustNotSign(ends.Client))
        {
            return;
        }

        ends.Server.Refusal.Reason.Should().Be(RejectionReason.UnknownAuthority);
        ends.Client.Refusal.PeerReason.Should().Be(PublicReason.UnknownCa);
    }

    [Test]
    public async Task A_certificate_is_renewed_while_its_key_stays_in_the_TPM()
    {
        var (uri, publicKey) = MakeKey("ecc256");
        using var key = new ECDsaOpenSsl(SafeEvpPKeyHandle.OpenKeyFromProvider("tpm2", uri));
        var first = Issue(_workshop, publicKey, Workshop.ServerName, ExtendedKeyUsage.ServerAuth);
        using var files = IdentityFiles.FromPem(first, key, new IdentityCheck { Role = PeerRole.Server });
        var old = files.Current.Certificate;

        File.Move(Issue(_workshop, publicKey, Workshop.ServerName, ExtendedKeyUsage.ServerAuth), first, overwrite: true);

        files.Reload().Should().BeTrue();
        files.Current.Certificate.Should().NotBe(old);
        await using var ends = await ShakeAsync(files, Load(_workshop.Client()));
        if (MustNotSign(ends.Server))
        {
            return;
        }

        ends.Client.Accepted.Peer.Certificate.Should().Be(files.Current.Certificate);
    }

    [Test]
    public void A_certificate_of_another_key_is_told_from_the_TPMs_own()
    {
        var (uri, _) = MakeKey("ecc256");
        var other = _workshop.Server();

        var loading = () => Identity.FromOpenSslProvider(other.Chain, "tpm2", uri);

        loading.Should().Throw<MaterialException>().Which.Problem.Should().Be(MaterialProblem.KeyMismatch);
    }

    [Test]
    [TestCase("tpm2", "handle:0x8100ffff")]
    [TestCase("no-such-provider", "handle:0x81000007")]
    public void A_key_that_cannot_be_opened_is_a_sentence(string provider, string uri)
    {
        Start();
        var loading = () => Identity.FromOpenSslProvider(_workshop.Server().Chain, provider, uri);

        var problem = loading.Should().Throw<MaterialException>().Which;
        problem.Problem.Should().Be(MaterialProblem.NoKey);
        problem.Message.Should().Contain(provider).And.Contain(uri);
    }

    /// <summary>With an old provider the handshake fails at the end whose key it is, which says that the key cannot be used.</summary>
    private bool MustNotSign(End owner)
    {
        if (!_signs)
        {
            owner.Refusal.Reason.Should().Be(RejectionReason.CryptographyFailed, owner.Refusal.Message);
        }

        return !_signs;
    }

    private Identity Hold(string keyType, string name, string usage, Workshop? workshop = null)
    {
        var (uri, publicKey) = MakeKey(keyType);
        return Identity.FromOpenSslProvider(Issue(workshop ?? _workshop, publicKey, name, usage), "tpm2", uri);
    }

    // Each key in a TPM of its own: a software one talks to one provider at a time, and each open key has its own.
    private (string Uri, byte[] PublicKey) MakeKey(string keyType)
    {
        var tpm = Start();
        _signs = tpm.SignsForTls;
        return tpm.MakeKey(keyType);
    }

    private SoftTpm Start()
    {
        var tpm = SoftTpm.Start();
        _tpms.Add(tpm);
        tpm.Choose();
        return tpm;
    }

    private static string Issue(Workshop workshop, byte[] publicKey, string name, string usage)
    {
        using var certificate = workshop.Issue(name, usage, spec => spec with { RawPublicKey = publicKey });
        return workshop.Write($"{Guid.NewGuid():N}.pem", certificate.ChainPem);
    }

    private static Identity Load(TestCertificateFiles files) => Identity.FromPemFiles(files.Chain, files.Key);

    private Task<ConnectedPair> ShakeAsync(IIdentitySource server, IIdentitySource client)
    {
        var trust = TrustAnchors.FromPemFiles(_workshop.Trust);
        return ConnectedPair.ShakeAsync(
            new MutualTlsClientOptions { Identity = ClientIdentity.From(client), Trust = trust, Authorization = Authorize.ServerName },
            new MutualTlsServerOptions { Identity = server, Trust = trust, Authorization = Authorize.Dns(Workshop.ClientName) });
    }
}
