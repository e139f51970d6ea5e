using MutualAuth.Names;
using MutualAuth.Tests.Support;

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
    public void What_is_no_rule_is_said_with_its_line(string line, string message) =>
        FluentActions.Invoking(() => Authorize.Parse("dns a.test", line)).Should().Throw<FormatException>().WithMessage(message);

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
