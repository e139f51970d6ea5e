using System.Net;
using MutualAuth.Testing;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Paths;

/// <summary>RFC 5280 §4.2.1.10: a root with one constraint, a leaf with one name.</summary>
public sealed class NameConstraintTests
{
    private const string SmtpUtf8Mailbox = "1.3.6.1.5.5.7.8.9";

    private static readonly byte[] s_utf8Text = [0x0c, 0x06, (byte)'a', (byte)'@', (byte)'b', (byte)'.', (byte)'c', (byte)'d'];

    [TestCase("example.com", "example.com", true)]
    [TestCase("example.com", "EXAMPLE.com", true)]
    [TestCase("example.com", "a.b.example.com", true)]
    [TestCase("example.com", "badexample.com", false)]
    [TestCase("example.com", "example.com.evil", false)]
    [TestCase("example.com", "*.example.com", true)]
    [TestCase("a.example.com", "*.example.com", false)]
    [TestCase("", "anything.test", true)]
    [TestCase("example.com", "a_b.example.com", true)]
    [TestCase("example.com", "a..example.com", false)]
    [TestCase(".example.com", "a.example.com", true)]
    [TestCase("*.example.com", "a.example.com", false)]
    public void Permitted_dns(string constraint, string name, bool isAllowed) =>
        Judge(Permit(GeneralName.Dns(constraint)), GeneralName.Dns(name)).Should().Be(isAllowed);

    [TestCase("example.com", "example.com", false)]
    [TestCase("example.com", "a.example.com", false)]
    [TestCase("example.com", "example.org", true)]
    [TestCase("a.example.com", "*.example.com", false)]
    [TestCase("a.b.example.com", "*.example.com", true)]
    [TestCase("example.com", "*.a.example.com", false)]
    [TestCase("", "anything.test", false)]
    public void Excluded_dns(string constraint, string name, bool isAllowed) =>
        Judge(Exclude(GeneralName.Dns(constraint)), GeneralName.Dns(name)).Should().Be(isAllowed);

    [TestCase("10.0.0.0/8", "10.1.2.3", true)]
    [TestCase("10.0.0.0/8", "11.1.2.3", false)]
    [TestCase("10.0.0.0/8", "::ffff:10.1.2.3", false)]
    [TestCase("fd00::/8", "fd12::1", true)]
    [TestCase("fd00::/8", "fe12::1", false)]
    [TestCase("0.0.0.0/0", "8.8.8.8", true)]
    public void Permitted_address(string range, string address, bool isAllowed) =>
        Judge(Permit(GeneralName.AddressRange(IPNetwork.Parse(range))), GeneralName.Address(IPAddress.Parse(address))).Should().Be(isAllowed);

    [Test]
    public void A_mask_with_a_hole_is_refused() =>
        Judge(Permit(GeneralName.Raw(7, new byte[] { 10, 0, 0, 0, 255, 0, 255, 0 })), GeneralName.Address(IPAddress.Parse("10.1.0.1")))
            .Should().BeFalse();

    [TestCase("example.com", "a@example.com", true)]
    [TestCase("example.com", "a@mail.example.com", false)]
    [TestCase(".example.com", "a@mail.example.com", true)]
    [TestCase(".example.com", "a@example.com", false)]
    [TestCase("a@example.com", "a@EXAMPLE.com", true)]
    [TestCase("a@example.com", "A@example.com", false)]
    [TestCase("example.com", "a@b@example.com", false)]
    [TestCase("example.com", "@example.com", false)]
    public void Permitted_mailbox(string constraint, string name, bool isAllowed) =>
        Judge(Permit(GeneralName.Email(constraint)), GeneralName.Email(name)).Should().Be(isAllowed);

    [TestCase("domain.test", "spiffe://domain.test/workload", true)]
    [TestCase("domain.test", "spiffe://DOMAIN.test:8443/workload", true)]
    [TestCase("domain.test", "spiffe://user@domain.test/workload", true)]
    [TestCase("domain.test", "spiffe://domain.test@evil.test/workload", false)]
    [TestCase("domain.test", "spiffe://a.domain.test/workload", false)]
    [TestCase(".domain.test", "spiffe://a.domain.test/workload", true)]
    [TestCase("domain.test", "https://10.0.0.1/", false)]
    [TestCase("domain.test", "https://[::1]/", false)]
    [TestCase("domain.test", "urn:uuid:1", false)]
    public void Permitted_uri(string constraint, string name, bool isAllowed) =>
        Judge(Permit(GeneralName.Uri(constraint)), GeneralName.Uri(name)).Should().Be(isAllowed);

    [TestCase("O=Ours", "CN=client,O=Ours", true)]
    [TestCase("O=Ours", "CN=client,O=  OURS ", true)]
    [TestCase("O=Ours", "CN=client,O=Theirs", false)]
    [TestCase("O=Ours", "O=Ours", true)]
    [TestCase("OU=Unit,O=Ours", "CN=client,O=Ours", false)]
    public void Permitted_subject(string constraint, string subject, bool isAllowed)
    {
        using var root = Root(Permit(GeneralName.Directory(constraint)));
        using var leaf = root.Issue(spec => spec with { Subject = subject });

        (TestPaths.Validate(leaf, TestPaths.Trusting(root)).Rejection is null).Should().Be(isAllowed);
    }

    [TestCase("CN=m\u00fcller", "CN=mu\u0308ller")]
    [TestCase("CN=m\u00fcller", "CN=M\u00dcLLER")]
    public void An_excluded_subject_in_another_unicode_form_is_excluded(string constraint, string subject)
    {
        using var root = Root(Exclude(GeneralName.Directory(constraint)));
        using var hit = root.Issue(spec => spec with { Subject = subject });
        using var miss = root.Issue(spec => spec with { Subject = "CN=miller" });

        TestPaths.Validate(hit, TestPaths.Trusting(root)).Reason().Should().Be(RejectionReason.NameConstraintViolated);
        TestPaths.Validate(miss, TestPaths.Trusting(root)).Rejection.Should().BeNull();
    }

    [Test]
    public void A_form_that_is_not_constrained_is_free() =>
        Judge(Permit(GeneralName.Dns("example.com")), GeneralName.Email("a@elsewhere.test")).Should().BeTrue();

    [Test]
    public void A_constraint_of_one_form_says_nothing_of_a_name_of_another_that_reads_alike()
    {
        var (ours, mail) = (GeneralName.Dns("ours.test"), GeneralName.Email("theirs.test"));

        Judge(new() { Permitted = [ours, mail] }, GeneralName.Dns("theirs.test")).Should().BeFalse();
        Judge(new() { Permitted = [ours, mail] }, GeneralName.Dns("ours.test")).Should().BeTrue();
        Judge(new() { Excluded = [ours, mail] }, GeneralName.Dns("theirs.test")).Should().BeTrue();
        Judge(new() { Excluded = [ours, mail] }, GeneralName.Dns("ours.test")).Should().BeFalse();
    }

    [Test]
    public void A_form_that_is_constrained_and_cannot_be_compared_is_refused()
    {
        Judge(Permit(GeneralName.RegisteredId("1.2.3")), GeneralName.RegisteredId("1.2.3")).Should().BeFalse();
        Judge(Exclude(GeneralName.Other("1.2.3", s_utf8Text)), GeneralName.Other("1.2.4", s_utf8Text)).Should().BeFalse();
        Judge(Permit(GeneralName.RegisteredId("1.2.3")), GeneralName.Dns("a.test")).Should().BeTrue();
    }

    [Test]
    public void What_a_constraint_forbids_is_shown_as_it_reads()
    {
        Presented(Permit(GeneralName.RegisteredId("1.2.3")), GeneralName.RegisteredId("1.2.3")).Should().Contain("cannot be compared");
        Presented(Exclude(GeneralName.Other("1.2.3", s_utf8Text)), GeneralName.Other("1.2.4", s_utf8Text)).Should().Contain("cannot be compared");
        Presented(Exclude(GeneralName.Email("b.test")), GeneralName.Other(SmtpUtf8Mailbox, s_utf8Text)).Should().Contain("malformed");
        Presented(Permit(GeneralName.Dns("a.test")), GeneralName.Dns("b.test")).Should().Contain("b.test").And.Contain("no permitted");
        Presented(Permit(GeneralName.Uri("a.test")), GeneralName.Uri("s://b.test")).Should().Contain("s://b.test");
        Presented(Permit(GeneralName.Uri("a.test")), GeneralName.Uri("urn:x")).Should().Contain("without a host");
        Presented(Permit(GeneralName.Email("")), GeneralName.Email($"{new string('a', 65)}@b.test")).Should().Contain("longer than");
        Presented(Exclude(GeneralName.Dns("b.test")), GeneralName.Dns("a.b.test")).Should().Contain("excluded").And.Contain("a.b.test");
        Presented(Exclude(GeneralName.Directory("O=Theirs")), GeneralName.Directory("CN=x,O=Theirs")).Should().Contain("CN=x,O=Theirs");
        Presented(Permit(GeneralName.AddressRange(IPNetwork.Parse("10.0.0.0/8"))), GeneralName.Address(IPAddress.Parse("11.0.0.1"))).Should().Contain(
            "0B000001");

        static string Presented(NameConstraints constraints, GeneralName name)
        {
            using var root = Root(constraints);
            using var leaf = root.Issue(spec => spec with { OtherNames = [name] });
            return TestPaths.Validate(leaf, TestPaths.Trusting(root)).Rejection!.Presented;
        }
    }

    [Test]
    public void A_mailbox_beyond_ascii_counts_as_a_mailbox()
    {
        Judge(Permit(GeneralName.Email("b.cd")), GeneralName.Other(SmtpUtf8Mailbox, s_utf8Text)).Should().BeFalse();
        Judge(Permit(GeneralName.Dns("b.cd")), GeneralName.Other(SmtpUtf8Mailbox, s_utf8Text)).Should().BeTrue();
    }

    [Test]
    public void The_mailbox_of_a_subject_counts_where_there_are_no_alternative_names()
    {
        using var root = Root(Permit(GeneralName.Email("ours.test")));
        using var ours = root.Issue(spec => spec with { Subject = "E=a@ours.test" });
        using var theirs = root.Issue(spec => spec with { Subject = "E=a@theirs.test" });

        TestPaths.Validate(ours, TestPaths.Trusting(root)).Rejection.Should().BeNull();
        TestPaths.Validate(theirs, TestPaths.Trusting(root)).Reason().Should().Be(RejectionReason.NameConstraintViolated);
    }

    [Test]
    public void The_common_name_is_no_dns_name()
    {
        using var root = Root(Permit(GeneralName.Dns("ours.test")));
        using var leaf = root.Issue(spec => spec with { Subject = "CN=theirs.test", IPAddresses = [IPAddress.Loopback] });

        TestPaths.Validate(leaf, TestPaths.Trusting(root)).Rejection.Should().BeNull();
    }

    [Test]
    public void What_an_upper_authority_did_not_permit_a_lower_one_cannot_permit()
    {
        using var root = Root(Permit(GeneralName.Dns("ours.test")));
        using var wider = root.IssueIntermediate("Wider", spec => spec with { NameConstraints = Permit(GeneralName.Dns("test")) });
        using var inside = wider.IssueClient("a.ours.test");
        using var outside = wider.IssueClient("a.test");

        TestPaths.Validate(inside, TestPaths.Trusting(root)).Rejection.Should().BeNull();
        TestPaths.Validate(outside, TestPaths.Trusting(root)).Reason().Should().Be(RejectionReason.NameConstraintViolated);
    }

    private static bool Judge(NameConstraints constraints, GeneralName name)
    {
        using var root = Root(constraints);
        using var leaf = root.Issue(spec => spec with { OtherNames = [name] });
        var rejection = TestPaths.Validate(leaf, TestPaths.Trusting(root)).Rejection;
        rejection?.Reason.Should().Be(RejectionReason.NameConstraintViolated);
        return rejection is null;
    }

    private static TestAuthority Root(NameConstraints constraints) =>
        new("Root", spec => spec with { NameConstraints = constraints, Key = TestKey.Shared(KeyAlgorithm.EcdsaP256) });

    private static NameConstraints Permit(GeneralName name) => new() { Permitted = [name] };

    private static NameConstraints Exclude(GeneralName name) => new() { Excluded = [name] };
}
