using CsCheck;
using MutualAuth.Names;

namespace MutualAuth.Tests.Names;

public sealed class DnsNameMatcherTests
{
    private static readonly string s_label63 = new('a', 63);

    // What the certificate presents, what was dialled, the verdict (RFC 9525 §6.3).
    [TestCase("server.example.org", "server.example.org", true)]
    [TestCase("SERVER.Example.ORG", "server.example.org", true)]
    [TestCase("server.example.org", "SERVER.EXAMPLE.org.", true)]
    [TestCase("server.example.org", "other.example.org", false)]
    [TestCase("example.org", "server.example.org", false)]
    [TestCase("server.example.org", "example.org", false)]
    [TestCase("evilserver.example.org", "server.example.org", false)]
    [TestCase("server.example.org.evil.test", "server.example.org", false)]
    [TestCase("server.example.org.", "server.example.org", false)]
    [TestCase(".server.example.org", "server.example.org", false)]
    [TestCase(".example.org", "server.example.org", false)]
    [TestCase("server..example.org", "server.example.org", false)]
    [TestCase(" server.example.org", "server.example.org", false)]
    [TestCase("server.example.org\0", "server.example.org", false)]
    [TestCase("server.example.org\0.evil.test", "server.example.org", false)]
    [TestCase("server.example.org\n", "server.example.org", false)]
    [TestCase("\u017Ferver.example.org", "server.example.org", false)]
    [TestCase("\u212Aelvin.example.org", "kelvin.example.org", false)]
    [TestCase("*.example.org", "server.example.org", true)]
    [TestCase("*.EXAMPLE.org", "server.example.org", true)]
    [TestCase("*.example.org", "xn--bcher-kva.example.org", true)]
    [TestCase("xn--bcher-kva.example.org", "xn--bcher-kva.example.org", true)]
    [TestCase("b\u00FCcher.example.org", "xn--bcher-kva.example.org", false)]
    [TestCase("*.example.org", "example.org", false)]
    [TestCase("*.example.org", "a.server.example.org", false)]
    [TestCase("*.example.org", "server.example.com", false)]
    [TestCase("*.example.org.", "server.example.org", false)]
    [TestCase("*", "localhost", false)]
    [TestCase("*", "server.example.org", false)]
    [TestCase("*.", "localhost", false)]
    [TestCase("*.org", "example.org", false)]
    [TestCase("*.localhost", "server.localhost", false)]
    [TestCase("*.co.uk", "example.co.uk", false)]
    [TestCase("*.CO.uk", "example.co.uk", false)]
    [TestCase("*.example.co.uk", "www.example.co.uk", true)]
    [TestCase("*.com.au", "example.com.au", false)]
    [TestCase("*.shop.uk", "www.shop.uk", true)]
    [TestCase("*.co.example", "www.co.example", true)]
    [TestCase("*..org", "example.org", false)]
    [TestCase("*.*.org", "server.example.org", false)]
    [TestCase("*.*.example.org", "a.server.example.org", false)]
    [TestCase("server.*.org", "server.example.org", false)]
    [TestCase("s*.example.org", "server.example.org", false)]
    [TestCase("*r.example.org", "server.example.org", false)]
    [TestCase("s*r.example.org", "server.example.org", false)]
    [TestCase("xn--*.example.org", "xn--bcher-kva.example.org", false)]
    [TestCase("**.example.org", "server.example.org", false)]
    [TestCase("*example.org", "server.example.org", false)]
    [TestCase("*.example.org\0", "server.example.org", false)]
    [TestCase("192.0.2.1", "server.example.org", false)]
    [TestCase("", "server.example.org", false)]
    public void A_presented_name_matches_only_as_the_standard_allows(string presented, string dialled, bool verdict) =>
        DnsNameMatcher.Matches(presented, DnsName.Parse(dialled)).Should().Be(verdict);

    [Test]
    public void A_presented_name_that_is_too_long_matches_nothing()
    {
        var parent = string.Join('.', s_label63, s_label63, s_label63, new string('b', 59));
        var dialled = DnsName.Parse("a." + parent);

        DnsNameMatcher.Matches("*." + parent, dialled).Should().BeTrue();
        DnsNameMatcher.Matches("a." + parent + ".a", dialled).Should().BeFalse();
        DnsNameMatcher.Matches(new string('a', 100_000), dialled).Should().BeFalse();
    }

    [TestCase("server.example.org", true)]
    [TestCase("SERVER.example.org", true)]
    [TestCase("*.example.org", false)]
    [TestCase("server.example.org.", false)]
    public void An_exact_comparison_gives_a_wildcard_no_meaning(string presented, bool verdict) =>
        DnsNameMatcher.MatchesExactly(presented, DnsName.Parse("server.example.org")).Should().Be(verdict);

    [Test]
    public void Whatever_matches_is_the_name_itself_or_a_wildcard_over_its_parent()
    {
        var dialled = DnsName.Parse("a.b.c");
        Gen.OneOf(Gen.String[Gen.Char["aAbBcC.*\0é"], 0, 7], Gen.String).Sample(presented =>
            DnsNameMatcher.Matches(presented, dialled).Should().Be(presented.ToUpperInvariant() is "A.B.C" or "*.B.C"));
    }
}
