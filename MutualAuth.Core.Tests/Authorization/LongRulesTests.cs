using MutualAuth.Authorization;
using MutualAuth.Reloading;

namespace MutualAuth.Tests.Authorization;

/// <summary>Whether a rule looks at facts is asked at each handshake: a rule of many names must not be gone through for that.</summary>
public sealed class LongRulesTests
{
    private const int Many = 1000;

    [Test]
    public void Whether_a_rule_of_many_parts_asks_for_facts_is_known_without_going_through_them([Values] bool isAny)
    {
        CountingRule.Asked = 0;
        var rule = Together(isAny, Enumerable.Range(0, Many).Select(_ => new CountingRule()));
        var first = CountingRule.Asked;

        for (var handshake = 0; handshake < 10; handshake++)
        {
            Assert.That(rule.AsksForFacts, Is.False);
        }

        Assert.Multiple(() =>
        {
            Assert.That(first, Is.LessThanOrEqualTo(Many));
            Assert.That(CountingRule.Asked, Is.EqualTo(first));
        });
    }

    [Test]
    public void A_part_that_is_replaced_by_one_that_asks_for_facts_is_noticed([Values] bool isAny, [Values] bool isNested)
    {
        var source = new ReplaceableAuthorization(Authorize.Dns("one.test"));
        AuthorizationRule[] parts = [.. Enumerable.Range(0, Many).Select(_ => new CountingRule()), Authorize.From(source)];
        var rule = Together(isAny, parts);
        rule = isNested ? Together(!isAny, [new CountingRule(), rule]) : rule;

        Assert.That(rule.AsksForFacts, Is.False);
        source.Replace(Authorize.WhereFacts("patched", _ => true));
        Assert.That(rule.AsksForFacts, Is.True);
        source.Replace(Authorize.Dns("one.test"));
        Assert.That(rule.AsksForFacts, Is.False);
    }

    private static AuthorizationRule Together(bool isAny, IEnumerable<AuthorizationRule> rules) =>
        isAny ? Authorize.AnyOf(rules) : Authorize.AllOf(rules);

    private sealed class CountingRule : AuthorizationRule
    {
        internal static int Asked { get; set; }

        internal override bool AsksForFacts
        {
            get
            {
                Asked++;
                return false;
            }
        }

        public override string ToString() => "a peer that counts";

        internal override Rejection? Examine(CertificateContext context, out PeerName? name)
        {
            name = null;
            return null;
        }

        internal override IEnumerable<IReloadable> Reloadables() => [];
    }
}
