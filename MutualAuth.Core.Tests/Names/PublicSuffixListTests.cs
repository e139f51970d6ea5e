using MutualAuth.Names;

namespace MutualAuth.Tests.Names;

public sealed class PublicSuffixListTests
{
    private const string List = """
        // ===BEGIN ICANN DOMAINS===
        com
        // uk : a comment
        uk
        co.uk    and what follows
        *.ck
        !www.ck
        公司.cn
        // ===END ICANN DOMAINS===
        // ===BEGIN PRIVATE DOMAINS===
        github.io
        // ===END PRIVATE DOMAINS===
        after.test
        """;

    [TestCase("com", true)]
    [TestCase("example.com", false)]
    [TestCase("co.uk", true)]
    [TestCase("example.co.uk", false)]
    [TestCase("ck", true)]
    [TestCase("any.ck", true)]
    [TestCase("www.ck", false)]
    [TestCase("a.any.ck", false)]
    [TestCase("xn--55qx5d.cn", true)]
    [TestCase("github.io", false)]
    [TestCase("after.test", true)]
    [TestCase("unheard-of", true)]
    [TestCase("com.au", false)]
    public void A_list_says_which_domains_are_suffixes(string domain, bool isSuffix) =>
        PublicSuffixList.Parse(List).Contains(DnsName.Parse(domain)).Should().Be(isSuffix);

    [TestCase("com", true)]
    [TestCase("co.uk", true)]
    [TestCase("com.au", true)]
    [TestCase("org.test", false)]
    [TestCase("shop.uk", false)]
    [TestCase("example.co.uk", false)]
    public void Without_a_list_the_usual_kinds_below_countries_are_suffixes(string domain, bool isSuffix) =>
        PublicSuffixList.BuiltIn.Contains(DnsName.Parse(domain)).Should().Be(isSuffix);

    [TestCase("")]
    [TestCase("// nothing but comments")]
    [TestCase("!www.ck")]
    [TestCase("com\n*.*.ck")]
    [TestCase("com\n-.ck")]
    [TestCase("<html>")]
    public void What_is_no_list_is_refused(string text) =>
        FluentActions.Invoking(() => PublicSuffixList.Parse(text)).Should().Throw<MaterialException>();

    [Test]
    public void A_list_without_measure_is_refused() =>
        FluentActions.Invoking(() => PublicSuffixList.Parse(new string('a', (4 << 20) + 1))).Should().Throw<MaterialException>();
}
