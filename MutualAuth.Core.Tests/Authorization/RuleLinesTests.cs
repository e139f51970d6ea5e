using MutualAuth.Evidence;
using MutualAuth.Names;
using MutualAuth.Testing;
using MutualAuth.Tests.Support;
using MutualAuth.Validation;

namespace MutualAuth.Tests.Authorization;

/// <summary>Rules as lines of a configuration.</summary>
public sealed class RuleLinesTests
{
    [TestCase("client.test", true)]
    [TestCase("other.test", false)]
    public void Lines_let_in_whom_one_of_them_names(string name, bool isLetIn)
    {
        var rule = Authorize.Parse("# the clients", string.Empty, " dns client.test ", "uri urn:x:1", "upn alice@corp.test", "subject CN=a,O=b");

        (rule.Examine(new TestPeer { Dns = [name] }.Context()) is null).Should().Be(isLetIn);
        rule.ToString().Should().Contain("client.test").And.Contain("alice@corp.test");
    }

    [TestCase("any-trusted", true)]
    [TestCase("nobody", false)]
    public void The_lines_without_a_name_mean_everybody_and_nobody(string line, bool isLetIn) =>
        (Authorize.Parse(line).Examine(new TestPeer().Context()) is null).Should().Be(isLetIn);

    [TestCase("dns a_b.test", "Line 2: *underscore*")]
    [TestCase("dsn a.test", "Line 2: *Not a rule*upn NAME*")]
    [TestCase("other 1.2.3", "Line 2: *Not a rule*other TYPE TEXT*")]
    [TestCase("other x.y text", "Line 2: *object identifier*")]
    [TestCase("subject O=\"a,b\"", "Line 2: *write O=a?,b*")]
    [TestCase("subject ", "Line 2: *")]
    [TestCase("nobody", "*stands beside other rules*")]
    [TestCase("policy gold", "Line 2: *object identifier*")]
    [TestCase("policy", "Line 2: *Not a rule*policy OID*")]
    [TestCase("qualified site", "Line 2: *Not a type of qualified certificate*web, eseal or esign*")]
    [TestCase("qualified web in-device", "Line 2: *Not a type of qualified certificate*")]
    [TestCase("dns b.test &&", "Line 2: *Not a rule*")]
    [TestCase("&& dns b.test", "Line 2: *Not a rule*")]
    [TestCase("dns b.test && && dns c.test", "Line 2: *Not a rule*")]
    [TestCase("dns b.test && dsn c.test", "Line 2: Not a rule: \"dsn c.test\"*")]
    [TestCase("dns b.test&&dns c.test", "Line 2: *")]
    [TestCase("subject CN=Bread && Butter", "Line 2: *Not a rule*")]
    public void What_is_no_rule_is_said_with_its_line(string line, string message) =>
        FluentActions.Invoking(() => Authorize.Parse("dns a.test", line)).Should().Throw<FormatException>().WithMessage(message);

    [Test]
    public void A_line_has_sixteen_demands_at_most([Values(16, 17)] int count)
    {
        var reading = () => Authorize.Parse(string.Join(" && ", Enumerable.Repeat("dns a.test", count)));

        if (count == 16)
        {
            reading().Examine(new TestPeer { Dns = ["a.test"] }.Context()).Should().BeNull();
        }
        else
        {
            reading.Should().Throw<FormatException>().WithMessage("Line 1: *at most 16*17*");
        }
    }

    [TestCase("a.test", "192.0.2.1", true)]
    [TestCase("a.test", "192.0.2.2", false)]
    [TestCase("b.test", "192.0.2.1", false)]
    [TestCase("c.test", "192.0.2.2", true)]
    public void All_demands_of_one_line_must_be_met(string name, string address, bool isLetIn)
    {
        var rule = Authorize.Parse("dns a.test && ip 192.0.2.1", "dns c.test");

        (rule.Examine(new TestPeer { Dns = [name], Addresses = [address] }.Context()) is null).Should().Be(isLetIn);
    }

    [TestCase("1.2.3", "1.2.3", true)]
    [TestCase("1.2.3", "1.2.4", false)]
    public void A_policy_is_demanded_beside_a_name(string asserted, string demanded, bool isLetIn)
    {
        using var root = new TestAuthority("Root");
        using var peer = root.Issue(spec => spec with { DnsNames = ["client.test"], Policies = [asserted] });
        var stage = new CertificateStage(new CertificateStageOptions
        {
            Trust = root.ToTrustAnchors(),
            Authorization = Authorize.Parse($"dns client.test && policy {demanded}"),
        });

        var verdict = stage.Judge(new PeerEvidence(PeerRole.Client, [peer.RawCertificate]), TimeProvider.System.GetUtcNow());

        (RevocationWorld.RejectionOf(verdict)?.Reason).Should().Be(isLetIn ? null : RejectionReason.NotAuthorized);
    }

    [TestCase("qualified web", true)]
    [TestCase("qualified web qscd", false)]
    [TestCase("qualified eseal", false)]
    [TestCase("qualified esign", false)]
    public void A_type_of_qualified_certificate_is_demanded(string line, bool isLetIn)
    {
        using var root = new TestAuthority("Root");
        using var peer = root.Issue(spec => spec with
        {
            DnsNames = ["client.test"],
            Extensions = [new QualifiedStatements { Types = [3] }.ToExtension()],
        });
        var stage = new CertificateStage(new CertificateStageOptions { Trust = root.ToTrustAnchors(), Authorization = Authorize.Parse(line) });

        var verdict = stage.Judge(new PeerEvidence(PeerRole.Client, [peer.RawCertificate]), TimeProvider.System.GetUtcNow());

        (RevocationWorld.RejectionOf(verdict) is null).Should().Be(isLetIn);
    }

    [Test]
    public void No_rule_at_all_is_a_mistake() =>
        FluentActions.Invoking(() => Authorize.Parse("# nothing")).Should().Throw<FormatException>().WithMessage("*no line is a rule*");

    [TestCase("O=\"a,b\"", @"O=a\,b")]
    [TestCase("CN=x, O=\"Example, Inc.\", C=DE", @"CN=x, O=Example\, Inc., C=DE")]
    [TestCase("O=\"say \"\"hi\"\"\"", "O=say \\\"hi\\\"")]
    public void A_name_as_dotnet_prints_it_is_answered_by_what_to_write(string printed, string escaped)
    {
        FluentActions.Invoking(() => DistinguishedName.Parse(printed)).Should().Throw<FormatException>()
            .Which.Message.Should().EndWith($"write {escaped}.");
        DistinguishedName.TryParse(escaped, out _).Should().BeTrue();
    }

    [TestCase("O=\"a", "Values are escaped")]
    [TestCase("/O=Example/CN=client", "separated by commas")]
    public void Other_forms_have_a_hint_too(string text, string hint) =>
        FluentActions.Invoking(() => DistinguishedName.Parse(text)).Should().Throw<FormatException>().WithMessage($"*{hint}*");
}
