using System.Formats.Asn1;
using MutualAuth.Paths;
using MutualAuth.Testing;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Paths;

/// <summary>RFC 5280 §6.1 with the graph of RFC 9618.</summary>
public sealed class PolicyTests
{
    private const string Gold = "1.3.6.1.4.1.55555.10";
    private const string Silver = "1.3.6.1.4.1.55555.20";
    private const string Bronze = "1.3.6.1.4.1.55555.30";
    private const string Any = "2.5.29.32.0";

    private static readonly ValidationProfile s_gold = ValidationProfile.MutualTls with { RequiredPolicies = [Gold] };

    private TestAuthority _root = null!;

    [OneTimeSetUp]
    public void Make_the_root() => _root = new TestAuthority("Root");

    [OneTimeTearDown]
    public void Dispose_of_the_root() => _root.Dispose();

    [Test]
    public void What_was_valid_for_one_peer_of_an_authority_is_not_taken_for_the_next_that_differs()
    {
        using var issuing = _root.IssueIntermediate("Issuing", spec => spec with { Policies = [Gold, Silver] });
        using var gold = issuing.Issue(spec => spec with { Policies = [Gold] });
        using var silver = issuing.Issue(spec => spec with { Policies = [Silver] });
        using var none = issuing.Issue(spec => spec with { DnsNames = ["none.test"] });
        using var bronze = issuing.Issue(spec => spec with { Policies = [Bronze] });
        var authority = issuing.Read();
        var trust = TestPaths.Trusting(_root);
        var constrained = trust.WithConstraints(new AnchorConstraints { RequiredPolicies = [Gold] });
        var validator = new PathValidator();

        for (var again = 0; again < 2; again++)
        {
            Policies(gold, trust).Should().Be(Gold);
            Policies(gold, trust).Should().Be(Gold);
            Policies(silver, trust).Should().Be(Silver);
            Policies(none, trust).Should().BeEmpty();
            Policies(bronze, trust).Should().BeEmpty();
            Policies(gold, constrained).Should().Be(Gold);
            Policies(silver, constrained).Should().Be(nameof(RejectionReason.PolicyRequired));
            Policies(none, constrained).Should().Be(nameof(RejectionReason.PolicyRequired));
        }

        string Policies(TestCertificate leaf, TrustAnchors anchors)
        {
            var result = validator.Validate(leaf.Read(), [authority], anchors, PeerRole.Client, TimeProvider.System.GetUtcNow());
            return result.Rejection?.Reason.ToString() ?? string.Join(' ', result.Policies);
        }
    }

    [TestCase(Gold, Gold, true)]
    [TestCase(Any, Gold, true)]
    [TestCase(Gold, Any, true)]
    [TestCase(Any, Any, true)]
    [TestCase(Silver, Gold, false)]
    [TestCase(Gold, Silver, false)]
    [TestCase(Gold, null, false)]
    [TestCase(null, Gold, false)]
    public void A_required_policy_must_hold_for_the_whole_path(string? ofIntermediate, string? ofLeaf, bool isGood)
    {
        using var intermediate = Authority(ofIntermediate);
        using var leaf = intermediate.Issue(spec => spec with { Policies = ofLeaf is null ? [] : [ofLeaf] });

        TestPaths.Validate(leaf, TestPaths.Trusting(_root)).Rejection.Should().BeNull();
        TestPaths.Validate(leaf, TestPaths.Trusting(_root), s_gold).Reason().Should().Be(isGood ? null : RejectionReason.PolicyRequired);
    }

    [TestCase(Gold, Gold, true)]
    [TestCase(Any, Silver, true)]
    [TestCase(Any, Any, true)]
    [TestCase(Silver, Gold, false)]
    [TestCase(Gold, null, false)]
    [TestCase(null, null, false)]
    public void Any_policy_as_the_required_one_means_that_any_will_do_and_one_is_needed(string? ofIntermediate, string? ofLeaf, bool isGood)
    {
        using var intermediate = Authority(ofIntermediate);
        using var leaf = intermediate.Issue(spec => spec with { Policies = ofLeaf is null ? [] : [ofLeaf] });

        foreach (var required in new[] { new[] { Any }, [Bronze, Any] })
        {
            TestPaths.Validate(leaf, TestPaths.Trusting(_root), ValidationProfile.MutualTls with { RequiredPolicies = [.. required] }).Reason()
                .Should().Be(isGood ? null : RejectionReason.PolicyRequired);
        }
    }

    [Test]
    public void An_authority_can_require_a_policy_of_those_below_it()
    {
        using var intermediate = Authority(Gold, Constraints(requireExplicit: 0, inhibitMapping: null));
        using var with = intermediate.Issue(spec => spec with { Policies = [Gold] });
        using var without = intermediate.Issue(spec => spec);

        TestPaths.Validate(with, TestPaths.Trusting(_root)).Rejection.Should().BeNull();
        TestPaths.Validate(without, TestPaths.Trusting(_root)).Reason().Should().Be(RejectionReason.PolicyRequired);
    }

    [Test]
    public void A_missing_policy_is_told_with_the_certificate_that_lacks_it()
    {
        using var upper = Authority(Gold, Constraints(requireExplicit: 0, inhibitMapping: null));
        using var lacking = upper.IssueIntermediate("Lacking");
        using var having = upper.IssueIntermediate("Having", spec => spec with { Policies = [Gold] });
        using var below = lacking.Issue(spec => spec with { Policies = [Gold] });
        using var leaf = having.Issue(spec => spec);

        TestPaths.Validate(below, TestPaths.Trusting(_root)).Rejection!.Element.Should().StartWith("intermediate");
        TestPaths.Validate(leaf, TestPaths.Trusting(_root)).Rejection!.Element.Should().StartWith("leaf");
    }

    [TestCase(2, true)]
    [TestCase(3, false)]
    public void A_policy_is_required_once_so_many_authorities_have_passed(int skip, bool isRefused)
    {
        using var upper = Authority(Gold, Constraints(requireExplicit: skip, inhibitMapping: null));
        using var first = upper.IssueIntermediate("First", spec => spec with { Policies = [Gold] });
        using var leaf = first.Issue(spec => spec);

        TestPaths.Validate(leaf, TestPaths.Trusting(_root)).Reason().Should().Be(isRefused ? RejectionReason.PolicyRequired : null);
    }

    [TestCase(0, null, true)]
    [TestCase(0, Gold, false)]
    [TestCase(1, null, false)]
    public void A_peer_can_require_a_policy_of_its_own_certificate(int requireExplicit, string? policy, bool isRefused)
    {
        using var leaf = _root.Issue(
            spec => spec with { Policies = policy is null ? [] : [policy], Extensions = [Constraints(requireExplicit, inhibitMapping: null)] });

        TestPaths.Validate(leaf, TestPaths.Trusting(_root)).Reason().Should().Be(isRefused ? RejectionReason.PolicyRequired : null);
    }

    [Test]
    public void A_mapping_carries_a_policy_into_the_domain_below()
    {
        using var mapping = Authority(Gold, PolicyExtensions.Mapping((Gold, Silver)));
        using var silver = mapping.Issue(spec => spec with { Policies = [Silver] });
        using var gold = mapping.Issue(spec => spec with { Policies = [Gold] });

        TestPaths.Validate(silver, TestPaths.Trusting(_root), s_gold).Rejection.Should().BeNull();
        TestPaths.Validate(gold, TestPaths.Trusting(_root), s_gold).Reason().Should().Be(RejectionReason.PolicyRequired);
    }

    [Test]
    public void A_mapping_out_of_any_policy_makes_the_policy()
    {
        using var mapping = Authority(Any, PolicyExtensions.Mapping((Gold, Silver)));
        using var silver = mapping.Issue(spec => spec with { Policies = [Silver] });
        using var bronze = mapping.Issue(spec => spec with { Policies = [Bronze] });

        TestPaths.Validate(silver, TestPaths.Trusting(_root), s_gold).Rejection.Should().BeNull();
        TestPaths.Validate(bronze, TestPaths.Trusting(_root), s_gold).Reason().Should().Be(RejectionReason.PolicyRequired);
    }

    [Test]
    public void An_inhibited_mapping_ends_the_policy()
    {
        using var upper = Authority(Gold, Constraints(requireExplicit: null, inhibitMapping: 0));
        using var lower = upper.IssueIntermediate(
            "Lower", spec => spec with { Policies = [Gold], Extensions = [PolicyExtensions.Mapping((Gold, Silver))] });
        using var leaf = lower.Issue(spec => spec with { Policies = [Silver] });

        TestPaths.Validate(leaf, TestPaths.Trusting(_root), s_gold).Reason().Should().Be(RejectionReason.PolicyRequired);
    }

    [Test]
    public void An_inhibited_any_policy_counts_for_nothing()
    {
        using var upper = Authority(Gold, new CertificateExtension("2.5.29.54", true, new byte[] { 0x02, 0x01, 0x00 }));
        using var named = upper.Issue(spec => spec with { Policies = [Gold] });
        using var any = upper.Issue(spec => spec with { Policies = [Any] });

        TestPaths.Validate(named, TestPaths.Trusting(_root), s_gold).Rejection.Should().BeNull();
        TestPaths.Validate(any, TestPaths.Trusting(_root), s_gold).Reason().Should().Be(RejectionReason.PolicyRequired);
    }

    [TestCase(Any, Silver)]
    [TestCase(Gold, Any)]
    public void A_mapping_from_or_to_any_policy_is_refused(string from, string to)
    {
        using var mapping = Authority(Gold, PolicyExtensions.Mapping((from, to)));
        using var leaf = mapping.Issue(spec => spec with { Policies = [Gold] });

        TestPaths.Validate(leaf, TestPaths.Trusting(_root)).Reason().Should().Be(RejectionReason.PolicyRequired);
    }

    [Test]
    [CancelAfter(20000)]
    public void Mappings_of_everything_to_everything_do_not_explode(CancellationToken cancellationToken)
    {
        string[] policies = [.. Enumerable.Range(0, 30).Select(i => $"1.3.6.1.4.1.55555.99.{i}")];
        var all = PolicyExtensions.Mapping([.. policies.SelectMany(from => policies.Select(to => (from, to)))]);
        var authority = _root;
        for (var depth = 0; depth < 8; depth++)
        {
            authority = authority.IssueIntermediate($"Depth {depth}", spec => spec with { Policies = policies, Extensions = [all] });
        }

        using var leaf = authority.Issue(spec => spec with { Policies = policies });
        cancellationToken.ThrowIfCancellationRequested();

        TestPaths.Validate(leaf, TestPaths.Trusting(_root), ValidationProfile.MutualTls with { RequiredPolicies = [policies[7]] }).Rejection
            .Should().BeNull();
        TestPaths.Validate(leaf, TestPaths.Trusting(_root), s_gold).Reason().Should().Be(RejectionReason.PolicyRequired);
    }

    private TestAuthority Authority(string? policy, params CertificateExtension[] extensions) =>
        _root.IssueIntermediate("Intermediate", spec => spec with { Policies = policy is null ? [] : [policy], Extensions = extensions });

    private static CertificateExtension Constraints(int? requireExplicit, int? inhibitMapping)
    {
        var writer = new AsnWriter(AsnEncodingRules.DER);
        using (writer.PushSequence())
        {
            if (requireExplicit is { } require)
            {
                writer.WriteInteger(require, new Asn1Tag(TagClass.ContextSpecific, 0));
            }

            if (inhibitMapping is { } inhibit)
            {
                writer.WriteInteger(inhibit, new Asn1Tag(TagClass.ContextSpecific, 1));
            }
        }

        return new CertificateExtension("2.5.29.36", true, writer.Encode());
    }
}
