using System.Collections.Immutable;
using MutualAuth.Evidence;

namespace MutualAuth.Tests;

public sealed class KeyExchangePolicyTests
{
    [TestCase(KeyExchangeGroup.X25519MLKem768, true, true)]
    [TestCase(KeyExchangeGroup.SecP384r1MLKem1024, true, true)]
    [TestCase(KeyExchangeGroup.MLKem1024, false, true)]
    [TestCase(KeyExchangeGroup.X25519, false, false)]
    [TestCase(null, false, false)]
    public void What_was_agreed_on_is_held_against_it(KeyExchangeGroup? group, bool isHybrid, bool isPostQuantum)
    {
        KeyExchangePolicy.Any.Examine(group).Should().BeNull();
        (KeyExchangePolicy.Hybrid.Examine(group) is null).Should().Be(isHybrid);
        (KeyExchangePolicy.PostQuantum.Examine(group) is null).Should().Be(isPostQuantum);
        (KeyExchangePolicy.Only(KeyExchangeGroup.X25519).Examine(group)?.Reason).Should().Be(
            group == KeyExchangeGroup.X25519 ? null : RejectionReason.KeyExchangeNotAllowed);
    }

    [TestCase(new[] { 0x11ec, 0x001d }, new[] { 0x0304, 0x0303 }, true, TestName = "A hybrid offered in TLS 1.3")]
    [TestCase(new[] { 0x11ec, 0x001d }, new[] { 0x0303 }, false, TestName = "A hybrid offered in TLS 1.2, which has none")]
    [TestCase(new[] { 0x001d }, new[] { 0x0304, 0x0303 }, false, TestName = "No hybrid offered")]
    [TestCase(new int[0], new[] { 0x0304 }, false, TestName = "No group offered")]
    public void What_is_offered_is_held_against_it(int[] groups, int[] versions, bool isFine)
    {
        var hello = new ClientHello(null, [], [.. versions]) { KeyExchangeGroups = [.. groups.Select(group => (KeyExchangeGroup)group)] };

        KeyExchangePolicy.Any.Examine(hello).Should().BeNull();
        (KeyExchangePolicy.Hybrid.Examine(hello)?.Reason).Should().Be(isFine ? null : RejectionReason.KeyExchangeNotAllowed);
    }

    [Test]
    public void Policies_compare_by_what_they_allow()
    {
        KeyExchangePolicy.Only(KeyExchangeGroup.X25519, KeyExchangeGroup.Secp256r1).Should().Be(
            KeyExchangePolicy.Only(KeyExchangeGroup.Secp256r1, KeyExchangeGroup.X25519, KeyExchangeGroup.X25519));
        KeyExchangePolicy.Hybrid.Should().NotBe(KeyExchangePolicy.PostQuantum);
        KeyExchangePolicy.Any.ToString().Should().Be("any key exchange");
        KeyExchangePolicy.Hybrid.ToString().Should().Be("a key exchange by SecP256r1MLKEM768, X25519MLKEM768, SecP384r1MLKEM1024");
    }

    [Test]
    public void No_group_and_an_unknown_group_are_no_policy()
    {
        ((Func<object>)(() => KeyExchangePolicy.Only())).Should().Throw<ArgumentException>();
        ((Func<object>)(() => KeyExchangePolicy.Only((KeyExchangeGroup)0x2a2a))).Should().Throw<ArgumentException>();
        ((Func<object>)(() => KeyExchangePolicy.Only(null!))).Should().Throw<ArgumentNullException>();
    }

    [Test]
    public void Every_name_is_read_back_and_is_the_registry_s()
    {
        foreach (var group in Enum.GetValues<KeyExchangeGroup>())
        {
            KeyExchangeGroups.TryParse(group.ToText().ToUpperInvariant(), out var found).Should().BeTrue(group.ToText());
            found.Should().Be(group);
            group.ToText().Should().BeEquivalentTo($"{group}", "names differ in their case alone");
        }

        KeyExchangeGroup.X25519.ToText().Should().Be("x25519");
        KeyExchangeGroup.X25519MLKem768.ToText().Should().Be("X25519MLKEM768");
        KeyExchangeGroup.BrainpoolP256r1Tls13.ToText().Should().Be("brainpoolP256r1tls13");
        ((KeyExchangeGroup)0x2a2b).ToText().Should().Be("0x2a2b");
        KeyExchangeGroups.TryParse("0x001d", out _).Should().BeFalse();
        KeyExchangeGroups.TryParse(null, out _).Should().BeFalse();
    }

    [Test]
    public void A_policy_of_ML_KEM_alone_cannot_be_met_by_TLS_1_2()
    {
        KeyExchangePolicy.PostQuantum.ExamineHere(TlsVersion.Tls12).Should().Contain("allow TLS 1.3");
        KeyExchangePolicy.Only(KeyExchangeGroup.X25519, KeyExchangeGroup.X25519MLKem768).ExamineHere(TlsVersion.Tls12).Should().BeNull();
        KeyExchangePolicy.Any.ExamineHere(TlsVersion.Tls12).Should().BeNull();
    }
}
