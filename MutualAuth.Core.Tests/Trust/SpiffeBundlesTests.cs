using System.Security.Cryptography.X509Certificates;
using MutualAuth.Certificates;
using MutualAuth.Names;
using MutualAuth.Paths;
using MutualAuth.Testing;
using MutualAuth.Tests.Support;
using MutualAuth.Trust;

namespace MutualAuth.Tests.Trust;

public sealed class SpiffeBundlesTests
{
    private static readonly TrustDomain s_ours = TrustDomain.Parse("ours.test");
    private static readonly TrustDomain s_theirs = TrustDomain.Parse("theirs.test");

    private readonly TestAuthority _ours = new("Ours");
    private readonly TestAuthority _theirs = new("Theirs");

    [OneTimeTearDown]
    public void Dispose_of_the_authorities()
    {
        _ours.Dispose();
        _theirs.Dispose();
    }

    [TestCase("spiffe://ours.test/api", false, null)]
    [TestCase("spiffe://theirs.test/api", true, null)]
    [TestCase("spiffe://theirs.test/api", false, RejectionReason.UnknownAuthority, TestName = "Our authority cannot vouch for their workload")]
    [TestCase("spiffe://ours.test/api", true, RejectionReason.UnknownAuthority, TestName = "Their authority cannot vouch for our workload")]
    [TestCase(
        "spiffe://others.test/api", false, RejectionReason.UnknownAuthority, TestName = "A trust domain without a bundle has no trusted workload")]
    [TestCase("https://ours.test/api", false, RejectionReason.NotAnSvid)]
    public void An_authority_vouches_for_its_own_trust_domain_alone(string uri, bool byThem, RejectionReason? expected)
    {
        using var leaf = (byThem ? _theirs : _ours).Issue(spec => spec with { Uris = [uri] });

        Reason(Both(), leaf).Should().Be(expected);
    }

    [Test]
    public void Anchors_that_are_given_without_a_trust_domain_vouch_for_everybody()
    {
        using var leaf = _theirs.Issue(spec => spec with { Uris = ["spiffe://ours.test/api"] });

        Reason(TestPaths.Trusting(_ours, _theirs), leaf).Should().BeNull();
        Reason(Both(), leaf).Should().Be(RejectionReason.UnknownAuthority);
    }

    [Test]
    public void An_authority_of_the_same_name_and_another_key_does_not_help()
    {
        using var impostor = new TestAuthority("Ours");
        using var genuine = _ours.Issue(spec => spec with { Uris = ["spiffe://ours.test/api"] });
        using var forged = impostor.Issue(spec => spec with { Uris = ["spiffe://ours.test/api"] });
        var bundles = SpiffeBundles.From(
            KeyValuePair.Create(s_ours, TestPaths.Trusting(_ours)), KeyValuePair.Create(s_theirs, TestPaths.Trusting(impostor)));

        Reason(bundles, genuine).Should().BeNull();
        Reason(bundles, forged).Should().BeOneOf(RejectionReason.UnknownAuthority, RejectionReason.SignatureInvalid);
    }

    [Test]
    public void An_intermediate_that_their_authority_signed_helps_their_workloads_only()
    {
        using var intermediate = _theirs.IssueIntermediate();
        using var theirWorkload = intermediate.Issue(spec => spec with { Uris = ["spiffe://theirs.test/api"] });
        using var ourWorkload = intermediate.Issue(spec => spec with { Uris = ["spiffe://ours.test/api"] });
        var validator = new PathValidator();

        Reason(Both(), theirWorkload, validator).Should().BeNull();
        Reason(Both(), ourWorkload, validator).Should().Be(RejectionReason.UnknownAuthority, "a signature that was remembered is no trust");
    }

    [TestCase(X509KeyUsageFlags.DigitalSignature, null)]
    [TestCase(X509KeyUsageFlags.DigitalSignature | X509KeyUsageFlags.CrlSign, RejectionReason.NotAnSvid)]
    public void A_leaf_keeps_the_rules_for_svids(X509KeyUsageFlags usage, RejectionReason? expected)
    {
        using var leaf = _ours.Issue(spec => spec with { Uris = ["spiffe://ours.test/api"], KeyUsage = usage });

        Reason(Both(), leaf).Should().Be(expected);
    }

    [Test]
    public void No_bundle_accepts_nobody()
    {
        using var leaf = _ours.Issue(spec => spec with { Uris = ["spiffe://ours.test/api"] });

        Reason(SpiffeBundles.None, leaf).Should().Be(RejectionReason.UnknownAuthority);
        Reason(SpiffeBundles.From(), leaf).Should().Be(RejectionReason.UnknownAuthority);
        Reason(SpiffeBundles.From(s_ours, TestPaths.Trusting(_ours)), leaf).Should().BeNull();
    }

    /// <summary>The signature is wrong on purpose: only so can it be seen that it is not checked again.</summary>
    [Test]
    public void The_path_of_a_workload_that_is_judged_again_spares_its_signatures_and_nothing_else()
    {
        using var leaf = _ours.Issue(spec => spec with { Uris = ["spiffe://ours.test/api"], CorruptSignature = true });
        var shared = new SharedPaths();
        var again = new PathSearch(new PathValidator(), leaf.Read(), [], PeerRole.Client, TimeProvider.System.GetUtcNow())
        {
            WasAdmitted = true,
            Shared = shared,
        };
        again = again with { Verified = [again.Leaf, _ours.Read()] };

        Reason(Both(), leaf).Should().Be(RejectionReason.SignatureInvalid);
        var bundles = Both();
        Reason(bundles, again).Should().BeNull();
        Reason(bundles, again).Should().BeNull();
        shared.Followed.Should().Be(1);
        Reason(SpiffeBundles.From(s_ours, TestPaths.Trusting(_theirs)), again).Should().Be(RejectionReason.UnknownAuthority);
    }

    [Test]
    public void The_trust_domains_are_listed_in_order_and_each_once()
    {
        var twice = () => SpiffeBundles.From(
            KeyValuePair.Create(s_ours, TestPaths.Trusting(_ours)), KeyValuePair.Create(s_ours, TestPaths.Trusting(_theirs)));

        Both().TrustDomains.Should().Equal(s_ours, s_theirs);
        Both().TryGet(s_theirs, out var anchors).Should().BeTrue();
        anchors!.Certificates.Should().Equal(_theirs.Read());
        Both().TryGet(TrustDomain.Parse("others.test"), out _).Should().BeFalse();
        twice.Should().Throw<ArgumentException>();
    }

    private SpiffeBundles Both() =>
        SpiffeBundles.From(KeyValuePair.Create(s_theirs, TestPaths.Trusting(_theirs)), KeyValuePair.Create(s_ours, TestPaths.Trusting(_ours)));

    private static RejectionReason? Reason(ITrustSource trust, TestCertificate leaf, PathValidator? validator = null) =>
        Reason(trust, new PathSearch(
            validator ?? new PathValidator(),
            leaf.Read(),
            [.. leaf.RawChain.Select(der => Certificate.Parse(der))],
            PeerRole.Client,
            TimeProvider.System.GetUtcNow()));

    private static RejectionReason? Reason(ITrustSource trust, PathSearch search) => trust.FindPath(search).Reason();
}
