using CsCheck;
using MutualAuth.Names;

namespace MutualAuth.Tests.Names;

public sealed class TrustDomainTests
{
    [TestCase("example.org", "example.org")]
    [TestCase("spiffe://example.org", "example.org")]
    [TestCase("prod_1.example-2.org", "prod_1.example-2.org")]
    [TestCase("a", "a")]
    public void A_trust_domain_is_read_with_or_without_its_scheme(string text, string expected) =>
        TrustDomain.Parse(text).ToString().Should().Be(expected);

    [TestCase("")]
    [TestCase("spiffe://")]
    [TestCase("spiffe://example.org/")]
    [TestCase("spiffe://example.org/workload")]
    [TestCase("example.org/workload")]
    [TestCase("Example.org")]
    [TestCase("SPIFFE://example.org")]
    [TestCase("https://example.org")]
    [TestCase("example.org:8443")]
    [TestCase("user@example.org")]
    [TestCase("ex%61mple.org")]
    [TestCase("example.org?x")]
    [TestCase("example.org#x")]
    [TestCase("exämple.org")]
    [TestCase("example org")]
    [TestCase("example.org\0")]
    public void What_is_not_a_trust_domain_is_refused(string text)
    {
        TrustDomain.TryParse(text, out var trustDomain).Should().BeFalse();
        trustDomain.Should().BeNull();
        FluentActions.Invoking(() => TrustDomain.Parse(text)).Should().Throw<FormatException>();
    }

    [Test]
    public void It_holds_255_characters_and_no_more()
    {
        TrustDomain.TryParse(new string('a', 255), out _).Should().BeTrue();
        TrustDomain.TryParse(new string('a', 256), out _).Should().BeFalse();
    }

    [Test]
    public void Domains_are_compared_byte_by_byte()
    {
        TrustDomain.Parse("spiffe://example.org").Should().Be(TrustDomain.Parse("example.org"));
        TrustDomain.Parse("example.org").GetHashCode().Should().Be(TrustDomain.Parse("spiffe://example.org").GetHashCode());
        TrustDomain.Parse("example.org").Should().NotBe(TrustDomain.Parse("example.org."));
    }

    [Test]
    public void No_text_makes_it_throw_and_what_it_reads_is_read_back_the_same() =>
        Gen.OneOf(
            Gen.String, Gen.String[Gen.Char["az09.-_/:A%"], 0, 260], Gen.String[Gen.Char["ab./"], 0, 9].Select(t => "spiffe://" + t)).Sample(text =>
        {
            if (TrustDomain.TryParse(text, out var trustDomain))
            {
                TrustDomain.Parse(trustDomain.ToString()).Should().Be(trustDomain);
            }
        });
}
