using MutualAuth.Revocation;

namespace MutualAuth.Tests.Revocation;

/// <summary>The bounds of a policy, each at the bound and one step beyond, and what counts as relaxed.</summary>
public sealed class RevocationPolicyTests
{
    private static readonly RevocationPolicy s_policy = new() { Lists = RevocationLists.Empty };

    private static IEnumerable<TestCaseData> Policies()
    {
        yield return Case("the defaults", s_policy, isSound: true);
        yield return Case("a skew of nothing", s_policy with { ClockSkew = TimeSpan.Zero }, isSound: true);
        yield return Case("a skew below nothing", s_policy with { ClockSkew = TimeSpan.FromTicks(-1) }, isSound: false);
        yield return Case("a skew of an hour", s_policy with { ClockSkew = TimeSpan.FromHours(1) }, isSound: true);
        yield return Case("a skew above an hour", s_policy with { ClockSkew = TimeSpan.FromHours(1) + TimeSpan.FromTicks(1) }, isSound: false);
        yield return Case("a grace below nothing", s_policy with { DangerousGracePeriod = TimeSpan.FromTicks(-1) }, isSound: false);
        yield return Case("a grace of 366 days", s_policy with { DangerousGracePeriod = TimeSpan.FromDays(366) }, isSound: true);
        yield return Case(
            "a grace above 366 days", s_policy with { DangerousGracePeriod = TimeSpan.FromDays(366) + TimeSpan.FromTicks(1) }, isSound: false);
        yield return Case("a coverage that does not exist", s_policy with { Coverage = (RevocationCoverage)9 }, isSound: false);
        yield return Case("an answer to the unknown that does not exist", s_policy with { Unknown = (UnknownStatus)9 }, isSound: false);
        yield return Case("no lists", s_policy with { Lists = null! }, isSound: false);

        static TestCaseData Case(string name, RevocationPolicy policy, bool isSound) => new TestCaseData(policy, isSound).SetArgDisplayNames(name);
    }

    [TestCaseSource(nameof(Policies))]
    public void A_policy_keeps_its_bounds(RevocationPolicy policy, bool isSound) => policy.Problems().Count().Should().Be(isSound ? 0 : 1);

    [Test]
    public void What_accepts_more_than_the_defaults_is_relaxed_and_nothing_else()
    {
        s_policy.IsRelaxed.Should().BeFalse();
        (s_policy with { Coverage = RevocationCoverage.AuthoritiesOnly }).IsRelaxed.Should().BeFalse();
        (s_policy with { ClockSkew = TimeSpan.FromHours(1) }).IsRelaxed.Should().BeFalse();
        (s_policy with { Coverage = RevocationCoverage.LeafOnly }).IsRelaxed.Should().BeTrue();
        (s_policy with { Unknown = UnknownStatus.DangerouslyAllow }).IsRelaxed.Should().BeTrue();
        (s_policy with { DangerousGracePeriod = TimeSpan.FromTicks(1) }).IsRelaxed.Should().BeTrue();
    }
}
