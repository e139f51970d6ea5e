using System.Collections.Immutable;
using System.Net;
using MutualAuth.Evidence;
using MutualAuth.Names;
using MutualAuth.Paths;
using MutualAuth.Testing;
using MutualAuth.Tests.Support;
using MutualAuth.Validation;

namespace MutualAuth.Tests.Paths;

/// <summary>
/// Constraints of the operator's on an anchor whose certificate has none (RFC 5280 §6.1.1, RFC 5937 §3.2), and the policies of a path.
/// </summary>
public sealed class AnchorConstraintsTests
{
    private const string Gold = "1.3.6.1.4.1.55555.10";
    private const string Silver = "1.3.6.1.4.1.55555.20";
    private const string Any = "2.5.29.32.0";

    private TestAuthority _root = null!;
    private TestAuthority _intermediate = null!;

    [OneTimeSetUp]
    public void Make_the_authorities()
    {
        _root = new TestAuthority("Root");
        _intermediate = _root.IssueIntermediate("Intermediate", spec => spec with { Policies = [Gold, Silver] });
    }

    [OneTimeTearDown]
    public void Dispose_of_them()
    {
        _intermediate.Dispose();
        _root.Dispose();
    }

    [TestCase("dns corp.example", "dns a.corp.example", true)]
    [TestCase("dns corp.example", "dns corp.example", true)]
    [TestCase("dns corp.example", "dns evilcorp.example", false)]
    [TestCase("dns corp.example", "dns *.corp.example", true)]
    [TestCase("dns CORP.example", "dns a.corp.EXAMPLE", true)]
    [TestCase("dns corp.example", "uri spiffe://other.example/a", true)]
    [TestCase("uri corp.example", "uri spiffe://corp.example/a", true)]
    [TestCase("uri corp.example", "uri spiffe://other.example/a", false)]
    [TestCase("email corp.example", "email a@corp.example", true)]
    [TestCase("email corp.example", "email a@other.example", false)]
    [TestCase("email a@corp.example", "email b@corp.example", false)]
    [TestCase("ip 10.0.0.0/8", "ip 10.1.2.3", true)]
    [TestCase("ip 10.0.0.0/8", "ip 11.1.2.3", false)]
    [TestCase("ip fd00::/9", "ip fd00::1", true)]
    [TestCase("ip fd00::/9", "ip fd80::1", false)]
    [TestCase("directory O=Corp", "subject O=Corp,CN=a", true)]
    [TestCase("directory O=Corp", "subject O=Other,CN=a", false)]
    public void Only_permitted_names_are_accepted_below_the_anchor_and_the_same_as_excluded_ones_are_not(string subtree, string name, bool isIn)
    {
        using var leaf = Leaf(name);
        var tree = GeneralSubtree.Parse(subtree);
        var isOtherForm = subtree.Split(' ')[0] != name.Split(' ')[0] && !name.StartsWith("subject", StringComparison.Ordinal);

        Judge(leaf, new AnchorConstraints { PermittedSubtrees = [tree] }).Should().Be(isIn ? null : RejectionReason.NameConstraintViolated);
        Judge(leaf, new AnchorConstraints { ExcludedSubtrees = [tree] })
            .Should().Be(isIn && !isOtherForm ? RejectionReason.NameConstraintViolated : null);
        Judge(leaf).Should().BeNull("the anchor's certificate says nothing");
    }

    [Test]
    public void Every_constraint_holds_beside_the_others_and_beside_those_in_certificates()
    {
        using var narrow = _root.IssueIntermediate(
            "Narrow", spec => spec with { NameConstraints = new NameConstraints { Permitted = [GeneralName.Dns("a.example")] } });
        using var leaf = narrow.Issue(spec => spec with { DnsNames = ["x.a.example"] });
        using var other = narrow.Issue(spec => spec with { DnsNames = ["x.b.example"] });
        var (all, a, b) = (Permit("dns example"), Permit("dns a.example"), Permit("dns b.example"));

        Judge(leaf, all).Should().BeNull();
        Judge(leaf, all, a).Should().BeNull();
        Judge(leaf, a, b).Should().Be(RejectionReason.NameConstraintViolated);
        Judge(other, all).Should().Be(RejectionReason.NameConstraintViolated, "the authority's own constraint holds too");
        Judge(other, b).Should().Be(RejectionReason.NameConstraintViolated);
    }

    [Test]
    public void The_names_of_intermediates_are_constrained_too_and_those_of_the_anchor_are_not()
    {
        using var corp = _root.IssueIntermediate("Corp", spec => spec with { Subject = "CN=Corp,O=Corp" });
        using var foreign = _root.IssueIntermediate("Foreign", spec => spec with { Subject = "CN=Foreign,O=Other" });
        using var good = corp.Issue(spec => spec with { Subject = "CN=a,O=Corp", DnsNames = ["a.example"] });
        using var bad = foreign.Issue(spec => spec with { Subject = "CN=a,O=Corp", DnsNames = ["a.example"] });

        Judge(good, Permit("directory O=Corp")).Should().BeNull();
        Judge(bad, Permit("directory O=Corp")).Should().Be(RejectionReason.NameConstraintViolated);
    }

    [Test]
    public void An_anchor_that_is_itself_the_peer_is_constrained()
    {
        using var self = _root.Issue(spec => spec with { DnsNames = ["a.example"] });
        var trust = TrustAnchors.From(self.Certificate);

        TestPaths.Validate(self, trust.WithConstraints(Permit("dns a.example"))).Rejection.Should().BeNull();
        TestPaths.Validate(self, trust.WithConstraints(Permit("dns b.example"))).Reason().Should().Be(RejectionReason.NameConstraintViolated);
        TestPaths.Validate(self, trust.WithConstraints(new AnchorConstraints { RequireExplicitPolicy = true })).Reason()
            .Should().Be(RejectionReason.PolicyRequired);
    }

    [TestCase(0, 0, true)]
    [TestCase(0, 1, false)]
    [TestCase(1, 1, true)]
    [TestCase(1, 2, false)]
    [TestCase(2, 2, true)]
    public void No_more_authorities_than_allowed_stand_between(int allowed, int between, bool isGood)
    {
        var authority = _root;
        for (var depth = 0; depth < between; depth++)
        {
            authority = authority.IssueIntermediate($"Depth {depth}");
        }

        using var leaf = authority.Issue(spec => spec);

        Judge(leaf, new AnchorConstraints { MaximumIntermediates = allowed }).Should().Be(isGood ? null : RejectionReason.PathTooLong);
    }

    [Test]
    public void Another_anchor_that_allows_it_leads_to_the_peer_all_the_same()
    {
        using var other = new TestAuthority("Other");
        using var crossed = other.CrossSign(_intermediate);
        using var leaf = _intermediate.Issue(spec => spec with { DnsNames = ["a.example"] });
        var strict = _root.ToTrustAnchors().WithConstraints(Permit("dns b.example"));
        var path = new PathValidator();

        Validate(path, leaf, [crossed], strict).Should().Be(RejectionReason.NameConstraintViolated);
        Validate(path, leaf, [crossed], TrustAnchors.Together(strict, other.ToTrustAnchors())).Should().BeNull();
        Validate(path, leaf, [crossed], strict).Should().Be(RejectionReason.NameConstraintViolated, "what was verified before changes nothing");
    }

    // Initial inputs as in NIST's PKITS 4.8, 4.9, 4.10 and 4.12: the root says nothing, and the operator does.
    [TestCase(Gold, Gold, Gold, true)]
    [TestCase(Gold, Silver, Gold, false)]
    [TestCase(Any, Gold, Gold, true)]
    [TestCase(Gold, Any, Gold, true)]
    [TestCase(Silver, Silver, Gold, false)]
    [TestCase(null, null, Gold, false)]
    [TestCase(Silver, Silver, Any, true)]
    [TestCase(null, null, Any, false)]
    public void A_policy_of_the_anchors_must_hold_for_the_whole_path(string? ofIntermediate, string? ofLeaf, string wanted, bool isGood)
    {
        using var leaf = PolicyLeaf(ofIntermediate, ofLeaf);

        Judge(leaf, new AnchorConstraints { RequiredPolicies = [wanted] }).Should().Be(isGood ? null : RejectionReason.PolicyRequired);
    }

    [TestCase(Gold, Gold, true)]
    [TestCase(Gold, Silver, false)]
    [TestCase(null, null, false)]
    [TestCase(Any, Any, true)]
    public void An_explicit_policy_may_be_any_and_must_be_there(string? ofIntermediate, string? ofLeaf, bool isGood)
    {
        using var leaf = PolicyLeaf(ofIntermediate, ofLeaf);

        Judge(leaf, new AnchorConstraints { RequireExplicitPolicy = true }).Should().Be(isGood ? null : RejectionReason.PolicyRequired);
        Judge(leaf, new AnchorConstraints()).Should().BeNull();
    }

    [TestCase(Any, Gold, false)]
    [TestCase(Gold, Any, false)]
    [TestCase(Gold, Gold, true)]
    public void Any_policy_counts_for_nothing_where_it_is_inhibited(string ofIntermediate, string ofLeaf, bool isGood)
    {
        using var leaf = PolicyLeaf(ofIntermediate, ofLeaf);

        Judge(leaf, new AnchorConstraints { RequiredPolicies = [Gold], InhibitAnyPolicy = true })
            .Should().Be(isGood ? null : RejectionReason.PolicyRequired);
    }

    [Test]
    public void No_policy_is_mapped_where_that_is_inhibited()
    {
        using var mapping = _root.IssueIntermediate(
            "Mapping", spec => spec with { Policies = [Gold], Extensions = [PolicyExtensions.Mapping((Gold, Silver))] });
        using var leaf = mapping.Issue(spec => spec with { Policies = [Silver] });
        var gold = new AnchorConstraints { RequiredPolicies = [Gold] };

        Judge(leaf, gold).Should().BeNull();
        Judge(leaf, gold with { InhibitPolicyMapping = true }).Should().Be(RejectionReason.PolicyRequired);
    }

    [TestCase(Gold, Gold, true)]
    [TestCase(Gold, Silver, false)]
    [TestCase(Any, Silver, true)]
    [TestCase(Silver, Any, true)]
    public void Policies_of_profile_and_anchor_must_meet(string ofProfile, string ofAnchor, bool isGood)
    {
        using var leaf = _intermediate.Issue(spec => spec with { Policies = [Gold, Silver] });
        var trust = _root.ToTrustAnchors().WithConstraints(new AnchorConstraints { RequiredPolicies = [ofAnchor] });

        TestPaths.Validate(leaf, trust, ValidationProfile.MutualTls with { RequiredPolicies = [ofProfile] }).Reason()
            .Should().Be(isGood ? null : RejectionReason.PolicyRequired);
    }

    private static IEnumerable<TestCaseData> ValidPolicies()
    {
        yield return Case([Gold], [Gold], [], [Gold]);
        yield return Case([Gold, Silver], [Gold], [], [Gold]);
        yield return Case([Gold, Silver], [Silver, Gold], [], [Gold, Silver]);
        yield return Case([Any], [Silver], [], [Silver]);
        yield return Case([Gold], [Any], [], [Gold]);
        yield return Case([Any], [Any], [], [Any]);
        yield return Case([Any], [Any], [Gold], [Gold]);
        yield return Case([Gold, Silver], [Gold, Silver], [Silver], [Silver]);
        yield return Case([Gold], [Silver], [], []);
        yield return Case([], [Gold], [], []);
        yield return Case([Gold], [], [], []);

        static TestCaseData Case(string[] ofIntermediate, string[] ofLeaf, string[] wanted, string[] valid) =>
            new(ofIntermediate, ofLeaf, wanted, valid);
    }

    [TestCaseSource(nameof(ValidPolicies))]
    public void The_policies_of_the_path_are_a_result(string[] ofIntermediate, string[] ofLeaf, string[] wanted, string[] valid)
    {
        using var authority = _root.IssueIntermediate("Policies", spec => spec with { Policies = ofIntermediate });
        using var leaf = authority.Issue(spec => spec with { Policies = ofLeaf });
        var constraints = new AnchorConstraints { RequiredPolicies = [.. wanted] };

        TestPaths.Validate(leaf, _root.ToTrustAnchors().WithConstraints(constraints)).Policies.Should().Equal(valid);
    }

    /// <summary>The policies are those of the domain of the anchor, not those that the peer's certificate names.</summary>
    [Test]
    public void A_mapped_policy_is_told_as_the_anchor_knows_it()
    {
        using var mapping = _root.IssueIntermediate(
            "Mapping", spec => spec with { Policies = [Gold], Extensions = [PolicyExtensions.Mapping((Gold, Silver))] });
        using var leaf = mapping.Issue(spec => spec with { Policies = [Silver] });

        TestPaths.Validate(leaf, TestPaths.Trusting(_root)).Policies.Should().Equal(Gold);
    }

    [Test]
    public void A_peer_has_its_policies_and_a_rule_decides_by_them()
    {
        using var leaf = _intermediate.Issue(spec => spec with { Policies = [Gold] });
        var stage = new CertificateStageOptions { Trust = _root.ToTrustAnchors(), Authorization = Authorize.Policy(Gold) };

        var accepted = (CertificateVerdict.Accepted)Stage(stage);
        accepted.Peer.Policies.Should().Equal(Gold);
        Authorize.Policy(Silver).Examine(accepted.Peer, TimeProvider.System.GetUtcNow())!.Reason.Should().Be(RejectionReason.NotAuthorized);
        Authorize.Policy(Gold).Examine(accepted.Peer, TimeProvider.System.GetUtcNow()).Should().BeNull();

        var other = stage with { Authorization = Authorize.Policy(Silver) };
        RevocationWorld.RejectionOf(Stage(other))!.Reason.Should().Be(RejectionReason.NotAuthorized);
        FluentActions.Invoking(() => Authorize.Policy("gold")).Should().Throw<FormatException>();

        CertificateVerdict Stage(CertificateStageOptions options) => new CertificateStage(options).Judge(
            new PeerEvidence(PeerRole.Client, [leaf.RawCertificate, .. leaf.RawChain]), TimeProvider.System.GetUtcNow());
    }

    [Test]
    [CancelAfter(20_000)]
    public void Policies_of_everything_to_everything_do_not_explode_as_a_result_either(CancellationToken cancellationToken)
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

        TestPaths.Validate(leaf, TestPaths.Trusting(_root)).Policies.Should().BeEquivalentTo(policies);
    }

    [Test]
    public void The_same_anchor_with_two_constraints_is_refused()
    {
        var (a, b) = (_root.ToTrustAnchors().WithConstraints(Permit("dns a.example")), _root.ToTrustAnchors());

        FluentActions.Invoking(() => TrustAnchors.Together(a, b)).Should().Throw<MaterialException>();
        TrustAnchors.Together(a, _root.ToTrustAnchors().WithConstraints(Permit("dns a.example"))).Certificates.Should().HaveCount(1);
        FluentActions.Invoking(() => TrustAnchors.Together()).Should().Throw<MaterialException>();
    }

    [Test]
    public void Constraints_stay_with_helpers_and_after_a_reload()
    {
        using var folder = new TemporaryFolder();
        using var leaf = _intermediate.Issue(spec => spec with { DnsNames = ["a.example"] });
        using var other = new TestAuthority("Second");
        var path = folder.Write("root.pem", other.CertificatePem);
        using var files = new TrustAnchorFiles([path], Permit("dns b.example"), folder.Options);

        folder.Rename("root.pem", _root.CertificatePem);
        files.Reload().Should().BeTrue();

        TestPaths.Validate(leaf, files.Current).Reason().Should().Be(RejectionReason.NameConstraintViolated);
        TestPaths.Validate(leaf, files.Current.WithIntermediatesFromPem(_intermediate.CertificatePem)).Reason()
            .Should().Be(RejectionReason.NameConstraintViolated);
        files.Current.ToString().Should().Contain("constraints");
    }

    [TestCase("dns *.corp.example")]
    [TestCase("dns .corp.example")]
    [TestCase("dns corp..example")]
    [TestCase("uri spiffe://corp.example")]
    [TestCase("email a@b@corp.example")]
    [TestCase("ip 10.0.0.0")]
    [TestCase("ip 10.0.0.0/33")]
    [TestCase("directory no name")]
    [TestCase("host corp.example")]
    [TestCase("dns")]
    [TestCase("")]
    public void What_is_no_subtree_is_refused(string text) =>
        FluentActions.Invoking(() => GeneralSubtree.Parse(text)).Should().Throw<FormatException>();

    [Test]
    public void What_is_no_constraint_is_refused()
    {
        FluentActions.Invoking(() => new AnchorConstraints { RequiredPolicies = ["gold"] }).Should().Throw<ArgumentException>();
        FluentActions.Invoking(() => new AnchorConstraints { PermittedSubtrees = [null!] }).Should().Throw<ArgumentException>();
        FluentActions.Invoking(() => new AnchorConstraints { ExcludedSubtrees = default }).Should().Throw<ArgumentException>();
        FluentActions.Invoking(() => new AnchorConstraints { MaximumIntermediates = -1 }).Should().Throw<ArgumentOutOfRangeException>();
        FluentActions.Invoking(() => new AnchorConstraints { MaximumIntermediates = 33 }).Should().Throw<ArgumentOutOfRangeException>();
        GeneralSubtree.Parse("dns corp.example").Should().Be(GeneralSubtree.Dns("CORP.example")).And.NotBe(GeneralSubtree.Uri("corp.example"));
    }

    private static AnchorConstraints Permit(string subtree) => new() { PermittedSubtrees = [GeneralSubtree.Parse(subtree)] };

    private TestCertificate PolicyLeaf(string? ofIntermediate, string? ofLeaf)
    {
        var authority = _root.IssueIntermediate("Policy", spec => spec with { Policies = ofIntermediate is null ? [] : [ofIntermediate] });
        return authority.Issue(spec => spec with { Policies = ofLeaf is null ? [] : [ofLeaf] });
    }

    private TestCertificate Leaf(string name) => _root.Issue(spec => name.Split(' ', 2) switch
    {
        ["dns", var text] => spec with { Subject = "CN=a,O=Corp", DnsNames = [text] },
        ["uri", var text] => spec with { Subject = "CN=a,O=Corp", Uris = [text] },
        ["email", var text] => spec with { Subject = "CN=a,O=Corp", EmailAddresses = [text] },
        ["ip", var text] => spec with { Subject = "CN=a,O=Corp", IPAddresses = [IPAddress.Parse(text)] },
        [_, var text] => spec with { Subject = string.Join(',', text.Split(',').Reverse()), DnsNames = ["a.example"] },
        _ => spec,
    });

    private RejectionReason? Judge(TestCertificate leaf, params AnchorConstraints[] constraints) =>
        TestPaths.Validate(leaf, constraints.Aggregate(_root.ToTrustAnchors(), (trust, one) => trust.WithConstraints(one))).Reason();

    private static RejectionReason? Validate(PathValidator path, TestCertificate leaf, TestAuthority[] further, TrustAnchors trust) => path.Validate(
        MutualAuth.Certificates.Certificate.Parse(leaf.RawCertificate),
        [
            .. leaf.RawChain.Select(MutualAuth.Certificates.Certificate.Parse),
            .. further.Select(authority => MutualAuth.Certificates.Certificate.Parse(authority.Certificate.RawData)),
        ],
        trust,
        PeerRole.Client,
        TimeProvider.System.GetUtcNow()).Rejection?.Reason;
}
