using MutualAuth.Paths;
using MutualAuth.Testing;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Paths;

/// <summary>
/// Name constraints as private authorities write them, under the profile that is made for these; and names that only
/// look different from excluded ones.
/// </summary>
public sealed class NameConstraintFormsTests
{
    private static readonly ValidationProfile[] s_strict =
        [
            ValidationProfile.Rfc5280,
            ValidationProfile.WebPki,
            ValidationProfile.MutualTls with { Form = CertificateForm.Rfc5280 },
            ValidationProfile.MutualTls with { Form = CertificateForm.WebPki },
        ];

    [TestCase(".example.com", "a.example.com", true)]
    [TestCase(".example.com", "a.b.EXAMPLE.com", true)]
    [TestCase(".example.com", "*.example.com", true)]
    [TestCase(".example.com", "*.a.example.com", true)]
    [TestCase(".example.com", "example.com", false)]
    [TestCase(".example.com", "aexample.com", false)]
    [TestCase(".example.com", "a.example.com.test", false)]
    [TestCase(".com", "example.com", true)]
    [TestCase("..example.com", "a.example.com", false)]
    [TestCase(".", "a.example.com", false)]
    [TestCase("*.example.com", "a.example.com", false)]
    [TestCase("example.com.", "a.example.com", false)]
    public void A_permitted_base_with_a_leading_dot_means_what_is_below_it(string constraint, string name, bool isAllowed) =>
        Judge(Permit(GeneralName.Dns(constraint)), GeneralName.Dns(name)).Should().Be(isAllowed ? null : RejectionReason.NameConstraintViolated);

    [TestCase(".example.com", "a.example.com", false)]
    [TestCase(".example.com", "a.b.example.com", false)]
    [TestCase(".example.com", "EXAMPLE.com", false)]
    [TestCase(".example.com", "*.example.com", false)]
    [TestCase(".example.com", "*.com", false)]
    [TestCase(".example.com", "aexample.com", true)]
    [TestCase(".example.com", "example.org", true)]
    [TestCase(".", "example.org", false)]
    public void An_excluded_base_with_a_leading_dot_means_the_domain_and_what_is_below_it(string constraint, string name, bool isAllowed) =>
        Judge(Exclude(GeneralName.Dns(constraint)), GeneralName.Dns(name)).Should().Be(isAllowed ? null : RejectionReason.NameConstraintViolated);

    [TestCase("example.com", "a_b.example.com", true)]
    [TestCase("example.com", "_a.example.com", true)]
    [TestCase("a_b.com", "x.a_b.com", true)]
    [TestCase("example.com", "a_b.example.org", false)]
    [TestCase("example.com", "a b.example.com", false)]
    public void An_underscore_is_a_letter_under_a_constraint_too(string constraint, string name, bool isAllowed) =>
        Judge(Permit(GeneralName.Dns(constraint)), GeneralName.Dns(name)).Should().Be(isAllowed ? null : RejectionReason.NameConstraintViolated);

    [TestCase("example.com", "a_b.example.com", false)]
    [TestCase("a_b.com", "x.A_B.com", false)]
    [TestCase("example.com", "a_b.example.org", true)]
    public void An_excluded_name_with_an_underscore_is_found(string constraint, string name, bool isAllowed) =>
        Judge(Exclude(GeneralName.Dns(constraint)), GeneralName.Dns(name)).Should().Be(isAllowed ? null : RejectionReason.NameConstraintViolated);

    [TestCase("my_domain.test", "spiffe://my_domain.test/a", true)]
    [TestCase(".my_domain.test", "spiffe://x.my_domain.test/a", true)]
    [TestCase("my_domain.test", "spiffe://my-domain.test/a", false)]
    public void A_trust_domain_may_have_an_underscore(string constraint, string uri, bool isAllowed) =>
        Judge(Permit(GeneralName.Uri(constraint)), GeneralName.Uri(uri)).Should().Be(isAllowed ? null : RejectionReason.NameConstraintViolated);

    [Test]
    public void A_mailbox_may_lie_in_a_domain_with_an_underscore() =>
        Judge(Permit(GeneralName.Email("my_domain.test")), GeneralName.Email("a@my_domain.test")).Should().BeNull();

    [Test]
    public void The_strict_profiles_know_neither()
    {
        foreach (var profile in s_strict)
        {
            Judge(Permit(GeneralName.Dns("example.com")), GeneralName.Dns("a.example.com"), profile).Should().NotBe(
                RejectionReason.NameConstraintViolated);
            Judge(Permit(GeneralName.Dns(".example.com")), GeneralName.Dns("a.example.com"), profile).Should().Be(
                RejectionReason.NameConstraintViolated);
            Judge(Permit(GeneralName.Dns("example.com")), GeneralName.Dns("a_b.example.com"), profile).Should().NotBeNull();
        }
    }

    // RFC 4518 §2: compatibility forms, and characters that are mapped to nothing.
    [TestCase("O=Evil", "O=\uff25\uff56\uff49\uff4c", "fullwidth letters")]
    [TestCase("O=Evil", "O=Ev\u00adil", "a soft hyphen")]
    [TestCase("O=Evil", "O=Ev\u200bil", "a zero width space")]
    [TestCase("O=Evil", "O=Evil\ufeff", "a byte order mark")]
    [TestCase("O=Evil", "O=Ev\u0001il", "a control character")]
    [TestCase("O=Evil", "O=Ev\u007fil", "a delete")]
    [TestCase("O=Evil", "O=\u2147vil", "a double-struck letter")]
    [TestCase("O=Evil Corp", "O=Evil \u200b Corp", "a zero width space between spaces")]
    [TestCase("O=Evil Corp", "O=Evil\u3000Corp", "an ideographic space")]
    [TestCase("O=\uff25\uff56\uff49\uff4c", "O=Evil", "a base in fullwidth letters")]
    [TestCase("O=Evil", "O=\U0001d404vil", "a mathematical letter beyond the plane")]
    [TestCase("O=office", "O=o\ufb03ce", "a ligature of three letters")]
    [TestCase("O=Evil+OU=Unit", "O=\uff25\uff56\uff49\uff4c+OU=Unit", "one of two attributes, which changes their order")]
    [TestCase("OU=A long unit+O=Evil", "OU=A long unit+O=\uff25vi\u00ad\u00ad\u00ad\u00ad\u00adl", "the other of two attributes")]
    public void An_excluded_subject_is_excluded_in_every_spelling(string constraint, string subject, string what)
    {
        using var root = new TestAuthority("Root", spec => spec with { NameConstraints = Exclude(GeneralName.Directory(constraint)) });
        using var hit = root.Issue(spec => spec with { Subject = subject });
        using var miss = root.Issue(spec => spec with { Subject = "O=M\u00fcller GmbH" });
        using var ascii = root.Issue(spec => spec with { Subject = "O=Good" });

        TestPaths.Validate(hit, TestPaths.Trusting(root)).Reason().Should().Be(RejectionReason.NameConstraintViolated, what);
        TestPaths.Validate(ascii, TestPaths.Trusting(root)).Rejection.Should().BeNull();
        if (System.Text.Ascii.IsValid(constraint))
        {
            TestPaths.Validate(miss, TestPaths.Trusting(root)).Rejection.Should().BeNull("it is provably another name");
        }
    }

    // Octets beyond ASCII in a string of ASCII: nobody can say what they spell, so nobody can say that they spell something else.
    [TestCase(0x13, "e461", 0x16, "e461", true, "the same octets in another type of string")]
    [TestCase(0x16, "c3a4", 0x13, "e4", true, "perhaps the same letter")]
    [TestCase(0x16, "c3a4", 0x0c, "6162", true, "a base that cannot be read excludes what may be it")]
    [TestCase(0x0c, "6162", 0x16, "c3a4", true, "a name that cannot be read may be the base")]
    [TestCase(0x0c, "6162", 0x0c, "6163", false, "two texts of ASCII that are not the same")]
    public void What_cannot_be_read_may_be_what_is_excluded(int baseType, string baseOctets, int type, string octets, bool isRefused, string what)
    {
        var constraints = Element(0x30, Element(0xa1, Element(0x30, Element(0xa4, Organization(baseType, baseOctets)))));
        using var root = new TestAuthority("Root", spec => spec with { Extensions = [new("2.5.29.30", true, constraints)] });
        using var leaf = root.Issue(spec => spec with { RawSubject = Organization(type, octets), DnsNames = ["a.test"] });

        TestPaths.Validate(leaf, TestPaths.Trusting(root)).Reason().Should().Be(isRefused ? RejectionReason.NameConstraintViolated : null, what);
    }

    private static byte[] Organization(int type, string octets) =>
        Element(0x30, Element(0x31, Element(0x30, [0x06, 0x03, 0x55, 0x04, 0x0a, .. Element((byte)type, Convert.FromHexString(octets))])));

    private static byte[] Element(byte tag, byte[] content) => [tag, (byte)content.Length, .. content];

    private static NameConstraints Permit(GeneralName name) => new() { Permitted = [name] };

    private static NameConstraints Exclude(GeneralName name) => new() { Excluded = [name] };

    private static RejectionReason? Judge(NameConstraints constraints, GeneralName name, ValidationProfile? profile = null)
    {
        using var root = new TestAuthority("Root", spec => spec with { NameConstraints = constraints });
        using var leaf = root.Issue(spec => spec with { Subject = string.Empty, OtherNames = [name] });
        return TestPaths.Validate(leaf, TestPaths.Trusting(root), profile).Reason();
    }
}
