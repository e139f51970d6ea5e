using System.Text;
using MutualAuth.Certificates;
using MutualAuth.Paths;

namespace MutualAuth.Tests.Paths;

/// <summary>What a host name, a mailbox and a URI look like, each beside a neighbour that differs in one character.</summary>
public sealed class NameSyntaxTests
{
    private static readonly string s_label = new('a', 63);

    private static IEnumerable<TestCaseData> DnsNames()
    {
        yield return Case("a", isOne: true);
        yield return Case("1", isOne: true);
        yield return Case("a.b", isOne: true);
        yield return Case("a-b.C-9", isOne: true);
        yield return Case("", isOne: false);
        yield return Case(".", isOne: false);
        yield return Case(".a", isOne: false);
        yield return Case("a.", isOne: false);
        yield return Case("a..b", isOne: false);
        yield return Case("-a", isOne: false);
        yield return Case("a-", isOne: false);
        yield return Case("a-.b", isOne: false);
        yield return Case("a.-b", isOne: false);
        yield return Case("a.b-", isOne: false);
        yield return Case("a b", isOne: false);
        yield return Case("a/b", isOne: false);
        yield return Case("a\u00e4", isOne: false);
        yield return Case(s_label, isOne: true);
        yield return Case($"{s_label}a", isOne: false);
        yield return Case($"{s_label}.{s_label}", isOne: true);
        yield return Case($"{s_label}.{s_label}.{s_label}.{s_label[..61]}", isOne: true);
        yield return Case($"{s_label}.{s_label}.{s_label}.{s_label[..62]}", isOne: false);

        static TestCaseData Case(string name, bool isOne) => new TestCaseData(name, isOne).SetArgDisplayNames(
            name.Length > 20 ? $"{name.Length} characters, ending in {name[^2..]}" : $"'{name}'", $"{isOne}");
    }

    [TestCaseSource(nameof(DnsNames))]
    public void A_host_name_is_one_to_the_letter(string name, bool isOne)
    {
        NameSyntax.IsDnsName(Encoding.Latin1.GetBytes(name)).Should().Be(isOne);
        NameSyntax.IsDnsName(Encoding.Latin1.GetBytes(name), allowUnderscore: true).Should().Be(isOne);
    }

    [TestCase("a_b.test", true)]
    [TestCase("_a.test", true)]
    [TestCase("a_.test", true)]
    [TestCase("a_b-.test", false)]
    [TestCase("a_+.test", false)]
    public void An_underscore_is_a_letter_only_where_it_is_allowed(string name, bool isOneWithUnderscores)
    {
        NameSyntax.IsDnsName(Encoding.ASCII.GetBytes(name), allowUnderscore: true).Should().Be(isOneWithUnderscores);
        NameSyntax.IsDnsName(Encoding.ASCII.GetBytes(name)).Should().BeFalse();
        NameSyntax.IsWellFormed(Name(GeneralNameForm.Email, $"x@{name}"), allowUnderscore: true).Should().Be(isOneWithUnderscores);
        NameSyntax.IsWellFormed(Name(GeneralNameForm.Email, $"x@{name}")).Should().BeFalse();
    }

    [TestCase("*.a.test", true)]
    [TestCase("*.a", true)]
    [TestCase("*", false)]
    [TestCase("*.", false)]
    [TestCase("*a.test", false)]
    [TestCase("a.*.test", false)]
    [TestCase("*.*.test", false)]
    public void A_wildcard_stands_for_the_first_label_and_for_all_of_it(string name, bool isOne) =>
        NameSyntax.IsWellFormed(Name(GeneralNameForm.Dns, name)).Should().Be(isOne);

    [TestCase("a@h", true)]
    [TestCase("a.b@h.test", true)]
    [TestCase("az09AZ!#$%&'*+-/=?^_`{|}~@h.test", true)]
    [TestCase("\"\"@h.test", true)]
    [TestCase("\" !#[]~\"@h.test", true)]
    [TestCase("\"a@b\"@h.test", true)]
    [TestCase("\"a\\\"b\"@h.test", true)]
    [TestCase("\"\\\\\"@h.test", true)]
    [TestCase("\"\\ \\~\"@h.test", true)]
    [TestCase("", false)]
    [TestCase("a", false)]
    [TestCase("h.test", false)]
    [TestCase("@h.test", false)]
    [TestCase("a@", false)]
    [TestCase("a@b@h.test", false)]
    [TestCase("a@h..test", false)]
    [TestCase("a@[192.0.2.1]", false)]
    [TestCase(".a@h.test", false)]
    [TestCase("a.@h.test", false)]
    [TestCase("a..b@h.test", false)]
    [TestCase("a b@h.test", false)]
    [TestCase("a,b@h.test", false)]
    [TestCase("a(b@h.test", false)]
    [TestCase("a\u007fb@h.test", false)]
    [TestCase("\u00e4@h.test", false)]
    [TestCase("\"@h.test", false)]
    [TestCase("\"a@h.test", false)]
    [TestCase("a\"@h.test", false)]
    [TestCase("a\"\"@h.test", false)]
    [TestCase("\"a\"b\"@h.test", false)]
    [TestCase("\"\\\"@h.test", false)]
    [TestCase("\"a\u001f\"@h.test", false)]
    [TestCase("\"a\u007f\"@h.test", false)]
    [TestCase("\"a\\\u001f\"@h.test", false)]
    [TestCase("\"a\\\u007f\"@h.test", false)]
    [TestCase("\"\u00e4\"@h.test", false)]
    public void A_mailbox_is_one_to_the_letter(string mailbox, bool isOne) =>
        NameSyntax.IsWellFormed(Name(GeneralNameForm.Email, mailbox)).Should().Be(isOne);

    [TestCase("a:", true)]
    [TestCase("urn:x", true)]
    [TestCase("a+b-c.9:x", true)]
    [TestCase("", false)]
    [TestCase("a", false)]
    [TestCase(":x", false)]
    [TestCase("1a:x", false)]
    [TestCase("+a:x", false)]
    [TestCase("a_b:x", false)]
    [TestCase("a b:x", false)]
    [TestCase("a: x", false)]
    [TestCase("a:x y", false)]
    [TestCase("a:x\u0000", false)]
    [TestCase("a:x\u001f", false)]
    [TestCase("a:x\u007f", false)]
    public void A_URI_has_a_scheme_and_no_space(string uri, bool isOne) => NameSyntax.IsWellFormed(Name(GeneralNameForm.Uri, uri)).Should().Be(isOne);

    [TestCase("s://h", "h")]
    [TestCase("spiffe://h.test/a/b", "h.test")]
    [TestCase("s://h?x/y", "h")]
    [TestCase("s://h#x", "h")]
    [TestCase("s://h\\x", "h")]
    [TestCase("s://h:80/x", "h")]
    [TestCase("s://user@h:80", "h")]
    [TestCase("s://user@more@h", "h")]
    [TestCase("s://user:word@h/x", "h")]
    [TestCase("s://h/x@y", "h")]
    [TestCase("s:h", null)]
    [TestCase("s:/h", null)]
    [TestCase("s://", null)]
    [TestCase("s:///h", null)]
    [TestCase("s://:80", null)]
    [TestCase("s://user@", null)]
    [TestCase("s://[::1]/x", null)]
    [TestCase("1s://h", null)]
    [TestCase("://h", null)]
    [TestCase("//h", null)]
    public void The_host_of_a_URI_stands_between_its_user_and_its_port(string uri, string? expected)
    {
        var has = NameSyntax.TryGetHost(Encoding.ASCII.GetBytes(uri), out var host);

        (has ? Encoding.ASCII.GetString(host) : null).Should().Be(expected);
    }

    [Test]
    public void A_form_without_text_has_been_read_already() =>
        NameSyntax.IsWellFormed(Name(GeneralNameForm.RegisteredId, "\u0001\u0002")).Should().BeTrue();

    private static GeneralName Name(GeneralNameForm form, string text) => new(form, Encoding.Latin1.GetBytes(text));
}
