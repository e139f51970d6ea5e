using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using MutualAuth.Certificates;
using MutualAuth.Evidence;
using MutualAuth.Paths;
using MutualAuth.Testing;
using MutualAuth.Tests.Support;
using MutualAuth.Validation;

namespace MutualAuth.Tests.Paths;

/// <summary>Anchors are names and keys: a bundle loads with what can be read, and says what it left out. What is cut or broken refuses it.</summary>
public sealed class BundlesTests
{
    private const int LeftOut = 1406;

    private TestAuthority _first = null!;
    private TestAuthority _second = null!;
    private TestAuthority _unreadable = null!;

    [OneTimeSetUp]
    public void Make_the_authorities()
    {
        _first = new TestAuthority("First");
        _second = new TestAuthority("Second");
        _unreadable = new TestAuthority("Unreadable", spec => spec with { RewriteTbs = WithOnesBehindTheEndOfItsUsage });
    }

    [OneTimeTearDown]
    public void Dispose_of_the_authorities()
    {
        _unreadable.Dispose();
        _second.Dispose();
        _first.Dispose();
    }

    private string Bundle => _first.CertificatePem + _unreadable.CertificatePem + _second.CertificatePem;

    [Test]
    public void What_cannot_be_read_is_left_out_and_named()
    {
        var anchors = TrustAnchors.FromPem(Bundle);

        anchors.Certificates.Should().Equal(_first.Read(), _second.Read());
        var left = anchors.LeftOut.Should().ContainSingle().Which;
        (left.Source, left.Position).Should().Be(("the text", 2));
        left.Thumbprint.Should().Be(_unreadable.Certificate.GetCertHashString(HashAlgorithmName.SHA256));
        left.Problem.Reason.Should().Be(RejectionReason.CertificateMalformed);
        left.ToString().Should().Contain("certificate 2").And.Contain("CN=Unreadable").And.Contain(left.Thumbprint).And.Contain("keyUsage")
            .And.MatchRegex("at byte [1-9][0-9]+");
        anchors.ToString().Should().EndWith("left out as unreadable: 1");
        anchors.WithIntermediates(_second.Certificate).LeftOut.Should().Equal(left);
        TrustAnchors.FromPem(_first.CertificatePem).LeftOut.Should().BeEmpty();
    }

    [Test]
    public void It_can_be_refused_instead()
    {
        using var folder = new TemporaryFolder();
        var path = folder.Write("bundle.pem", Bundle);

        foreach (var load in (Action[])[
            () => TrustAnchors.FromPem(Bundle, UnreadableAnchors.Refuse),
            () => TrustAnchors.FromPemFiles(UnreadableAnchors.Refuse, path),
            () => new TrustAnchorFiles([path], UnreadableAnchors.Refuse, folder.Options).Dispose(),
            () => TrustAnchors.FromStore(Copies(), UnreadableAnchors.Refuse)])
        {
            load.Should().Throw<MaterialException>().Which.Message.Should().Contain("certificate 2").And.Contain("CN=Unreadable");
        }

        TrustAnchors.FromPem(_first.CertificatePem, UnreadableAnchors.Refuse).Certificates.Should().ContainSingle();
        TrustAnchors.FromPemFiles(UnreadableAnchors.LeaveOut, path).Certificates.Should().HaveCount(2);
    }

    [Test]
    public void The_machines_roots_say_it_too()
    {
        var roots = TrustAnchors.FromStore(Copies(), UnreadableAnchors.LeaveOut);

        roots.Certificates.Should().Equal(_first.Read());
        roots.LeftOut.Should().ContainSingle().Which.Position.Should().Be(2);
    }

    [Test]
    public void A_bundle_of_which_nothing_can_be_read_is_refused()
    {
        var load = () => TrustAnchors.FromPem(_unreadable.CertificatePem);

        load.Should().Throw<MaterialException>().Which.Message.Should().Contain("CN=Unreadable").And.Contain("keyUsage");
    }

    [Test]
    public void Files_that_are_followed_log_it_at_the_start_and_on_each_reload()
    {
        using var folder = new TemporaryFolder();
        using var log = new EventLog();
        using var files = new TrustAnchorFiles([folder.Write("bundle.pem", Bundle)], folder.Options with { LoggerFactory = log });

        var said = log.Drain().Should().ContainSingle(entry => entry.Id == LeftOut).Which;
        said.Values["Count"].Should().Be(1);
        said.Values["LeftOut"].Should().BeOfType<string>().Which.Should().Contain("CN=Unreadable");

        folder.Rename("bundle.pem", _second.CertificatePem);
        folder.Settle();
        log.Drain().Should().NotContain(entry => entry.Id == LeftOut);
        files.Current.LeftOut.Should().BeEmpty();

        folder.Rename("bundle.pem", Bundle);
        folder.Settle();
        log.Drain().Should().ContainSingle(entry => entry.Id == LeftOut);

        folder.Rename("bundle.pem", Bundle[..^40]);
        folder.Settle();
        files.LastFailure!.Message.Should().Contain("PEM block 3 is broken");
        files.Current.Certificates.Should().HaveCount(2, "the last good one stays");
    }

    [Test]
    public void A_fixed_set_is_logged_by_the_stage_that_uses_it()
    {
        using var log = new EventLog();

        _ = Stage(TrustAnchors.FromPem(Bundle), ValidationProfile.MutualTls, log);
        log.Drain().Should().ContainSingle(entry => entry.Id == LeftOut);
        _ = Stage(TrustAnchors.FromPem(_first.CertificatePem), ValidationProfile.MutualTls, log);
        log.Drain().Should().NotContain(entry => entry.Id == LeftOut);
    }

    [Test]
    public void Whatever_is_cut_off_is_refused_or_leaves_whole_blocks()
    {
        var bundle = _first.CertificatePem.TrimEnd() + "\n" + _second.CertificatePem.TrimEnd();
        var between = bundle.IndexOf("-----END", StringComparison.Ordinal) + "-----END CERTIFICATE-----".Length;
        for (var length = 0; length <= bundle.Length; length++)
        {
            var load = () => TrustAnchors.FromPem(bundle[..length]);
            if (length == bundle.Length)
            {
                load().Certificates.Should().HaveCount(2);
            }
            else if (length is var cut && (cut == between || cut == between + 1))
            {
                load().Certificates.Should().HaveCount(1);
            }
            else
            {
                load.Should().Throw<MaterialException>($"{length} characters are there");
            }
        }
    }

    private static IEnumerable<TestCaseData> OtherForms()
    {
        static TestCaseData Case(string name, Func<BundlesTests, byte[]> content, params string[] says) =>
            new TestCaseData(content, says).SetArgDisplayNames(name);

        yield return Case("DER", tests => tests._first.Certificate.RawData, "TrustAnchors.FromDer", "openssl x509 -inform DER -in");
        yield return Case(
            "PKCS#12",
            tests => tests._first.Certificate.Export(X509ContentType.Pkcs12),
            "PKCS#12",
            "openssl pkcs12 -in");
        yield return Case("a Java key store", _ => Convert.FromHexString("feedfeed00000002"), "keytool -list -rfc -keystore");
        yield return Case("a list", tests => tests._first.IssueCrl().Raw.ToArray(), "a revocation list in DER");
        yield return Case(
            "a key", _ => Encoding.ASCII.GetBytes("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"), "\"PRIVATE KEY\"");
        yield return Case(
            "a trusted certificate",
            _ => Encoding.ASCII.GetBytes("-----BEGIN TRUSTED CERTIFICATE-----\nAAAA\n-----END TRUSTED CERTIFICATE-----\n"),
            "openssl x509 -in");
    }

    [TestCaseSource(nameof(OtherForms))]
    public void Another_form_is_named_with_the_way_out(Func<BundlesTests, byte[]> content, string[] says)
    {
        using var folder = new TemporaryFolder();
        File.WriteAllBytes(folder["other"], content(this));

        var load = () => TrustAnchors.FromPemFiles(folder["other"]);

        var message = load.Should().Throw<MaterialException>().Which.Message;
        message.Should().Contain(folder["other"]);
        says.Where(words => !message.Contains(words, StringComparison.Ordinal)).Should().BeEmpty(message);
    }

    [Test]
    public void A_refusal_names_the_place_in_the_list_the_subject_the_digest_the_extension_and_the_byte()
    {
        using var sloppy = _first.IssueIntermediate("Sloppy", spec => spec with { RewriteTbs = WithZerosBehindItsUsage });
        using var leaf = sloppy.IssueClient("client.test");
        using var spoilt = _first.Issue(spec => spec with { Subject = "CN=Spoilt", RewriteTbs = WithOnesBehindTheEndOfItsUsage });
        var trust = TrustAnchors.From(_first.Certificate);

        var strict = Judge(Stage(trust, ValidationProfile.Rfc5280), leaf.RawCertificate, sloppy.AsCertificate.RawCertificate);
        strict.Reason.Should().Be(RejectionReason.CertificateMalformed);
        strict.Element.Should().StartWith("certificate 2 of 2, ").And.Contain("CN=Sloppy").And.Contain($"SHA-256 {sloppy.Read().Thumbprint}");
        strict.Presented.Should().Contain("keyUsage").And.MatchRegex("at byte [1-9][0-9]+");

        var malformed = Judge(Stage(trust, ValidationProfile.MutualTls), spoilt.RawCertificate);
        malformed.Reason.Should().Be(RejectionReason.CertificateMalformed);
        malformed.Element.Should().StartWith("certificate 1 of 1, ").And.Contain("CN=Spoilt").And.MatchRegex("SHA-256 [0-9A-F]{64}$");
        malformed.Presented.Should().Contain("keyUsage").And.MatchRegex("at byte [1-9][0-9]+");
    }

    private List<X509Certificate2> Copies() =>
    [
        X509CertificateLoader.LoadCertificate(_first.Certificate.RawData),
        X509CertificateLoader.LoadCertificate(_unreadable.AsCertificate.RawCertificate.Span),
    ];

    private static CertificateStage Stage(TrustAnchors trust, ValidationProfile profile, EventLog? log = null)
    {
        var options = new CertificateStageOptions { Trust = trust, Authorization = Authorize.AnyTrustedPeer, Profile = profile };
        return new CertificateStage(log is null ? options : options with { LoggerFactory = log });
    }

    private static Rejection Judge(CertificateStage stage, params ReadOnlyMemory<byte>[] shown) =>
        stage.Judge(new PeerEvidence(PeerRole.Client, [.. shown]), TimeProvider.System.GetUtcNow())
            .Should().BeOfType<CertificateVerdict.Rejected>().Which.Rejection;

    // A key usage of one octet: 03 02, the number of unused bits, the bits.
    private static byte[] WithOnesBehindTheEndOfItsUsage(byte[] tbs) => WithUsage(tbs, unused: 7, bits: 0xff);

    private static byte[] WithZerosBehindItsUsage(byte[] tbs) => WithUsage(tbs, unused: 0, bits: 0x06);

    private static byte[] WithUsage(byte[] tbs, byte unused, byte bits)
    {
        var usage = tbs.AsSpan().IndexOf((ReadOnlySpan<byte>)[0x06, 0x03, 0x55, 0x1d, 0x0f]);
        var value = usage + tbs.AsSpan(usage).IndexOf((ReadOnlySpan<byte>)[0x03, 0x02]);
        (tbs[value + 2], tbs[value + 3]) = (unused, bits);
        return tbs;
    }
}
