using System.Security.Cryptography.X509Certificates;
using System.Text;
using MutualAuth.Certificates;
using MutualAuth.Paths;
using MutualAuth.Testing;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Asn1;

/// <summary>
/// Encodings that are not DER to the letter and change no meaning: the default profile lets them pass in every place of a path, the strict ones
/// refuse them.
/// Beside each stands a neighbour that does change a meaning, or may, and that nobody lets pass.
/// </summary>
public sealed class DerDeviationTests
{
    private const int Validity = 4;
    private const int Subject = 5;

    private const string AlternativeNames = "0603551d11";
    private const string Names = "300d820b636c69656e742e74657374";

    private static IEnumerable<TestCaseData> Slips =>
    [
        Slip("critical FALSE", "subjectAltName", Extension(AlternativeNames, Names, critical: "010100"),
            Extension(AlternativeNames, Names, critical: "010101")),
        Slip("cA FALSE", "basicConstraints", Extension("0603551d13", "3003010100"), Extension("0603551d13", "3003010101")),
        Slip("a usage and a zero bit", "keyUsage", Extension("0603551d0f", "03020680"), Extension("0603551d0f", "030206c1")),
        Slip("a usage and zero octets", "keyUsage", Extension("0603551d0f", "0304008000 00"), Extension("0603551d0f", "030400000000")),
        Slip("years of four digits before 2050", "validity", Times("18", "20"), Times("17", "20")),
        Slip("no alternative names of the issuer", "issuerAltName", Extension("0603551d12", "3000"), Extension("0603551d12", "0500")),
        Slip("no alternative names", "subjectAltName", Extension(AlternativeNames, "3000"), Extension(AlternativeNames, string.Empty)),
        Slip("no distribution points", "cRLDistributionPoints", Extension("0603551d1f", "3000"), Extension("0603551d1f", "30020500")),
        Slip("no points for changes", "freshestCRL", Extension("0603551d2e", "3000"), Extension("0603551d2e", "30020500")),
        Slip("no services of the issuer", "authorityInfoAccess", Extension("06082b06010505070101", "3000"),
            Extension("06082b06010505070101", "30023000")),
        Slip("no services of the subject", "subjectInfoAccess", Extension("06082b0601050507010b", "3000"),
            Extension("06082b0601050507010b", "30023000")),
        Slip("an issuer without a serial number", "authorityKeyIdentifier", Extension("0603551d23", "3005a103820161"),
            Extension("0603551d23", "3005a1030a0161")),
        Slip("no qualifiers of a policy", "certificatePolicies", Extension("0603551d20", "3008300606022a033000"),
            Extension("0603551d20", "300c300406022a03300406022a03")),
        Slip("attributes out of order", "subject", Field(Subject, Step("0603550403 0c0162", "0603550403 0c0161")),
            Field(Subject, Step("0603550403 0c0161", "0603550403 0c0161"))),
        Slip("a mail address beyond ASCII", "subject", Field(Subject, Step("06092a864886f70d010901 1603c3a440")),
            Field(Subject, Step("0603550403 0c02e461"))),
        Slip("Latin-1 in a PrintableString", "subject", Field(Subject, Step("060355040a 1302e461")), Field(Subject, Step("060355040a 1e03006161"))),
    ];

    [TestCaseSource(nameof(Slips))]
    public void The_default_profile_lets_it_pass_and_the_strict_ones_do_not(string where, Action<List<byte[]>> slip, Action<List<byte[]>> neighbour)
    {
        using var root = new TestAuthority("Root");
        using var plain = root.Issue(Client);
        using var leaf = root.Issue(spec => Client(spec) with { RewriteTbs = tbs => DerEdit.Sequence(tbs, slip) });
        using var other = root.Issue(spec => Client(spec) with { RewriteTbs = tbs => DerEdit.Sequence(tbs, neighbour) });

        TestPaths.Validate(leaf, TestPaths.Trusting(root)).Rejection.Should().BeNull();
        TestPaths.Validate(plain, TestPaths.Trusting(root), ValidationProfile.Rfc5280).Rejection.Should().BeNull();
        foreach (var strict in (ValidationProfile[])[ValidationProfile.Rfc5280, ValidationProfile.WebPki])
        {
            var rejection = TestPaths.Validate(leaf, TestPaths.Trusting(root), strict).Rejection;
            (rejection?.Reason).Should().Be(RejectionReason.CertificateMalformed);
            rejection!.Presented.Should().Contain(where);
            rejection.Element.Should().StartWith("leaf certificate");
        }

        Certificate.TryParse(other.RawCertificate, out _, out var problem).Should().BeFalse();
        problem!.Reason.Should().Be(RejectionReason.CertificateMalformed);
        problem.Presented.Should().Contain(where);
    }

    [Test]
    public void Neither_an_anchor_nor_an_intermediate_is_refused_for_it()
    {
        using var root = new TestAuthority("Root", Sloppy);
        using var issuing = root.IssueIntermediate("Issuing", Sloppy);
        using var leaf = issuing.Issue(Client);

        TestPaths.Validate(leaf, TestPaths.Trusting(root)).Rejection.Should().BeNull();
        TestPaths.Validate(leaf, TestPaths.Trusting(root), ValidationProfile.Rfc5280).Reason().Should().Be(RejectionReason.CertificateMalformed);

        static CertificateSpec Sloppy(CertificateSpec spec) => spec with
        {
            RewriteTbs = tbs => DerEdit.Sequence(tbs, parts =>
            {
                Extension("0603551d0f", "03020006", critical: "0101ff")(parts);
                Times("18", "20")(parts);
            }),
        };
    }

    [Test]
    public void A_version_1_that_is_written_out_is_version_1()
    {
        using var root = new TestAuthority("Root");
        using var first = root.Issue(spec => spec with { DnsNames = [], RewriteTbs = tbs => DerEdit.Sequence(tbs, Version("a003020100")) });
        using var negative = root.Issue(spec => spec with { RewriteTbs = tbs => DerEdit.Sequence(tbs, Version("a0030201ff")) });

        first.Read().Version.Should().Be(1);
        TestPaths.Validate(first, TestPaths.Trusting(root), ValidationProfile.Rfc5280).Reason().Should().Be(RejectionReason.CertificateMalformed);
        Certificate.TryParse(negative.RawCertificate, out _, out _).Should().BeFalse();

        static Action<List<byte[]>> Version(string field) => parts =>
        {
            parts[0] = Convert.FromHexString(field);
            parts.RemoveAt(parts.Count - 1);
        };
    }

    [Test]
    public void A_minimum_of_0_in_name_constraints_may_be_written_out()
    {
        using var constrained = new TestAuthority("Root", Constrained("300da00b3009820474657374800100"));
        using var peer = constrained.Issue(Client);
        using var stranger = constrained.Issue(spec => Client(spec) with { DnsNames = ["client.other"] });

        TestPaths.Validate(peer, TestPaths.Trusting(constrained)).Rejection.Should().BeNull();
        TestPaths.Validate(stranger, TestPaths.Trusting(constrained)).Reason().Should().Be(RejectionReason.NameConstraintViolated);
        TestPaths.Validate(peer, TestPaths.Trusting(constrained), ValidationProfile.Rfc5280).Reason().Should().Be(
            RejectionReason.CertificateMalformed);

        using var unbounded = new TestAuthority("Root", Constrained("300da00b3009820474657374800101"));
        Certificate.TryParse(unbounded.AsCertificate.RawCertificate, out _, out _).Should().BeFalse("a minimum of 1 is another constraint");

        static Func<CertificateSpec, CertificateSpec> Constrained(string value) =>
            spec => spec with { RewriteTbs = tbs => DerEdit.Sequence(tbs, Extension("0603551d1e", value, critical: "0101ff")) };
    }

    [Test]
    public void A_sequence_of_no_extensions_is_none()
    {
        using var root = new TestAuthority("Root");
        using var bare = root.Issue(spec => Client(spec) with
        {
            RewriteTbs = tbs => DerEdit.Sequence(tbs, parts => parts[^1] = Convert.FromHexString("a3023000")),
        });

        TestPaths.Validate(bare, TestPaths.Trusting(root)).Reason().Should().Be(RejectionReason.WrongUsage);
        TestPaths.Validate(bare, TestPaths.Trusting(root), ValidationProfile.Rfc5280).Reason().Should().Be(RejectionReason.CertificateMalformed);
    }

    [Test]
    public void Empty_alternative_names_beside_an_empty_subject_name_nobody()
    {
        using var root = new TestAuthority("Root");
        using var nobody = root.Issue(spec => Client(spec) with
        {
            RewriteTbs = tbs => DerEdit.Sequence(tbs, parts =>
            {
                parts[Subject] = [0x30, 0];
                Extension(AlternativeNames, "3000", critical: "0101ff")(parts);
            }),
        });

        TestPaths.Validate(nobody, TestPaths.Trusting(root)).Reason().Should().Be(RejectionReason.ProfileViolated);
    }

    [Test]
    public void The_order_of_a_set_does_not_count_and_text_beyond_its_alphabet_counts_octet_by_octet()
    {
        var sorted = Read("0603550403 0c0161", "0603550403 0c0162");
        var swapped = Read("0603550403 0c0162", "0603550403 0c0161");
        var mail = Read("06092a864886f70d010901 1603c3a440");

        swapped.Should().Be(sorted).And.NotBe(mail);
        mail.Should().Be(Read("06092a864886f70d010901 1603c3a440")).And.NotBe(Read("06092a864886f70d010901 0c03c3a440"));
        mail.ToString().Should().Be("1.2.840.113549.1.9.1=#1603c3a440");

        static MutualAuth.Names.DistinguishedName Read(params string[] attributes)
        {
            using var root = new TestAuthority("Root");
            using var leaf = root.Issue(spec => Client(spec) with { RewriteTbs = tbs => DerEdit.Sequence(tbs, Field(Subject, Step(attributes))) });
            return leaf.Read().Subject;
        }
    }

    private static CertificateSpec Client(CertificateSpec spec) => spec with
    {
        DnsNames = ["client.test"],
        ExtendedKeyUsages = [ExtendedKeyUsage.ClientAuth],
        KeyUsage = X509KeyUsageFlags.DigitalSignature,
        NotBefore = new DateTimeOffset(TimeProvider.System.GetUtcNow().Year - 1, 1, 1, 0, 0, 0, TimeSpan.Zero),
        NotAfter = new DateTimeOffset(2049, 1, 1, 0, 0, 0, TimeSpan.Zero),
    };

    /// <summary>Puts an extension in the place of the one of its kind, or behind the others.</summary>
    private static Action<List<byte[]>> Extension(string oid, string value, string critical = "") => parts =>
    {
        var tagged = parts[^1];
        var list = DerEdit.Sequence(tagged[(tagged.Length - Content(tagged).Length)..], extensions =>
        {
            extensions.RemoveAll(extension => Content(extension).AsSpan().StartsWith(Convert.FromHexString(oid)));
            extensions.Add(Element(0x30, [.. Convert.FromHexString(oid + critical), .. Element(0x04, Hex(value))]));
        });
        parts[^1] = Element(0xa3, list);
    };

    private static Action<List<byte[]>> Field(int index, byte[] encoding) => parts => parts[index] = encoding;

    /// <summary>A name of one step with these attributes, each an identifier and a value.</summary>
    private static byte[] Step(params string[] attributes) =>
        Element(0x30, Element(0x31, [.. attributes.SelectMany(attribute => Element(0x30, Hex(attribute)))]));

    /// <summary>The same times with another tag and digits in front.</summary>
    private static Action<List<byte[]>> Times(string tag, string century) => parts =>
        parts[Validity] = DerEdit.Sequence(parts[Validity], times =>
        {
            for (var i = 0; i < times.Count; i++)
            {
                times[i] = Element(Hex(tag)[0], Encoding.ASCII.GetBytes(century + Encoding.ASCII.GetString(Content(times[i]))[^13..]));
            }
        });

    private static byte[] Element(byte tag, byte[] content) =>
        content.Length < 0x80 ? [tag, (byte)content.Length, .. content]
        : content.Length < 0x100 ? [tag, 0x81, (byte)content.Length, .. content]
        : [tag, 0x82, (byte)(content.Length >> 8), (byte)content.Length, .. content];

    private static byte[] Content(byte[] element) => element[(element[1] < 0x80 ? 2 : element[1] - 0x80 + 2)..];

    private static byte[] Hex(string hex) => Convert.FromHexString(hex.Replace(" ", string.Empty, StringComparison.Ordinal));

    private static TestCaseData Slip(string name, string where, Action<List<byte[]>> slip, Action<List<byte[]>> neighbour) =>
        new TestCaseData(where, slip, neighbour).SetArgDisplayNames(name);
}
