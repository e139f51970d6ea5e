using CsCheck;
using MutualAuth.Names;

namespace MutualAuth.Tests.Names;

public sealed class SpiffeIdTests
{
    [TestCase("spiffe://example.org/api", "example.org", "/api")]
    [TestCase("spiffe://example.org/ns/billing/sa/API_1.2-x", "example.org", "/ns/billing/sa/API_1.2-x")]
    [TestCase("spiffe://td/...", "td", "/...")]
    [TestCase("spiffe://td/.a", "td", "/.a")]
    public void A_workload_is_read_as_its_trust_domain_and_path(string text, string trustDomain, string path)
    {
        var id = SpiffeId.Parse(text);

        id.TrustDomain.Should().Be(TrustDomain.Parse(trustDomain));
        id.Path.Should().Be(path);
        id.ToString().Should().Be(text);
    }

    [TestCase("")]
    [TestCase("spiffe:/example.org/api")]
    [TestCase("Spiffe://example.org/api")]
    [TestCase("https://example.org/api")]
    [TestCase("example.org/api")]
    [TestCase(" spiffe://example.org/api")]
    [TestCase("spiffe:///api")]
    [TestCase("spiffe://example.org")]
    [TestCase("spiffe://example.org/")]
    [TestCase("spiffe://Example.org/api")]
    [TestCase("spiffe://example.org:443/api")]
    [TestCase("spiffe://user@example.org/api")]
    [TestCase("spiffe://example.org/api/")]
    [TestCase("spiffe://example.org//api")]
    [TestCase("spiffe://example.org/a//b")]
    [TestCase("spiffe://example.org/./api")]
    [TestCase("spiffe://example.org/a/..")]
    [TestCase("spiffe://example.org/a%2Fb")]
    [TestCase("spiffe://example.org/api?x=1")]
    [TestCase("spiffe://example.org?x=1")]
    [TestCase("spiffe://example.org/api#x")]
    [TestCase("spiffe://example.org/a b")]
    [TestCase("spiffe://example.org/é")]
    [TestCase("spiffe://example.org/api\0")]
    [TestCase("spiffe://example.org/api\n")]
    public void What_is_not_a_workload_id_is_refused(string text)
    {
        SpiffeId.TryParse(text, out var id).Should().BeFalse();
        id.Should().BeNull();
        FluentActions.Invoking(() => SpiffeId.Parse(text)).Should().Throw<FormatException>();
    }

    [Test]
    public void Every_ascii_character_but_the_permitted_ones_is_refused_in_a_path()
    {
        for (var character = '\0'; character < 0x80; character++)
        {
            var permitted = char.IsAsciiLetterOrDigit(character) || character is '.' or '-' or '_' or '/';
            SpiffeId.TryParse($"spiffe://td/a{character}b", out _).Should().Be(permitted, "of U+{0:x4}", (int)character);
        }
    }

    [Test]
    public void It_holds_2048_characters_and_no_more()
    {
        SpiffeId.TryParse("spiffe://td/" + new string('a', 2048 - 12), out _).Should().BeTrue();
        SpiffeId.TryParse("spiffe://td/" + new string('a', 2049 - 12), out _).Should().BeFalse();
    }

    [TestCase("example.org", true)]
    [TestCase("evil-example.org", false)]
    [TestCase("org", false)]
    [TestCase("api.example.org", false)]
    public void A_workload_is_a_member_of_its_own_trust_domain_only(string trustDomain, bool member) =>
        SpiffeId.Parse("spiffe://example.org/api").IsMemberOf(TrustDomain.Parse(trustDomain)).Should().Be(member);

    [Test]
    public void Ids_are_compared_byte_by_byte()
    {
        SpiffeId.Parse("spiffe://td/api").Should().Be(SpiffeId.Parse("spiffe://td/api"));
        SpiffeId.Parse("spiffe://td/api").GetHashCode().Should().Be(SpiffeId.Parse("spiffe://td/api").GetHashCode());
        SpiffeId.Parse("spiffe://td/api").Should().NotBe(SpiffeId.Parse("spiffe://td/API"));
    }

    [Test]
    public void No_text_makes_it_throw_and_what_it_reads_is_read_back_the_same() =>
        Gen.OneOf(
            Gen.String,
            Gen.String[Gen.Char["a./:%A\0?"], 0, 12].Select(t => "spiffe://" + t),
            Gen.String[Gen.Char["aA./-_"], 0, 40].Select(t => "spiffe://td/" + t)).Sample(text =>
        {
            if (SpiffeId.TryParse(text, out var id))
            {
                id.ToString().Should().Be($"spiffe://{id.TrustDomain}{id.Path}");
                SpiffeId.Parse(id.ToString()).Should().Be(id);
            }
        });
}
