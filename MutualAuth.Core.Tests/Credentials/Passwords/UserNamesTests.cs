using MutualAuth.Credentials;

namespace MutualAuth.Tests.Credentials;

/// <summary>The one form of a name, for who is stored, for who claims it, and for whom somebody wants to act.</summary>
public sealed class UserNamesTests
{
    [TestCase("alice", "alice")]
    [TestCase("\u2168", "IX")]
    [TestCase("a b", "a b")]
    [TestCase("a#", "a#")]
    [TestCase("#a", null)]
    [TestCase(" a", null)]
    [TestCase("a ", null)]
    [TestCase("a\u00a0", null)] // another space
    [TestCase("a:b", null)]
    [TestCase(":", null)]
    [TestCase("\uff1a", null)] // a wide colon becomes one
    [TestCase("", null)]
    [TestCase("a\u007f", null)]
    [TestCase("\u0221", null)]
    public void A_name_that_is_stored(string name, string? prepared)
    {
        if (prepared is null)
        {
            FluentActions.Invoking(() => UserNames.Prepare(name)).Should().Throw<ArgumentException>();
        }
        else
        {
            UserNames.Prepare(name).Should().Be(prepared);
        }
    }

    [TestCase("\u2168", "IX")]
    [TestCase("a:b", "a:b")]
    [TestCase("\u0221", "\u0221")] // a query may hold what is not assigned yet
    [TestCase("a\u0007", null)]
    public void A_name_that_a_peer_claims(string name, string? prepared) => UserNames.FromPeer(name).Should().Be(prepared);

    [TestCase("\u2168", "IX")]
    [TestCase("a:b", "a:b")]
    [TestCase("\u0221", null)]
    [TestCase("a\u0007", null)]
    public void A_name_to_act_as(string name, string? prepared) => UserNames.ToIdentity(name).Should().Be(prepared);

    [TestCase('a', 255, true)]
    [TestCase('a', 256, false)]
    [TestCase('\u00e9', 127, true)]
    [TestCase('\u00e9', 128, false)]
    public void A_name_has_255_octets_at_most_whoever_says_it(char character, int length, bool isOne)
    {
        var name = new string(character, length);

        (UserNames.FromPeer(name) is not null).Should().Be(isOne);
        (UserNames.ToIdentity(name) is not null).Should().Be(isOne);
        var prepare = () => UserNames.Prepare(name);
        if (isOne)
        {
            prepare().Should().Be(name);
        }
        else
        {
            prepare.Should().Throw<ArgumentException>();
        }
    }
}
