using System.Security.Cryptography.X509Certificates;
using MutualAuth.Certificates;
using MutualAuth.Names;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Authorization;

public sealed class SvidRuleTests
{
    private static readonly TestPeer s_workload = new() { Uris = ["spiffe://example.org/api"] };

    private static IEnumerable<TestCaseData> BrokenSvids()
    {
        yield return Broken("no URI name", s_workload with { Uris = [] });
        yield return Broken("no URI name, but a DNS name", s_workload with { Uris = [], Dns = ["spiffe.example.org"] });
        yield return Broken("two SPIFFE IDs", s_workload with { Uris = ["spiffe://example.org/api", "spiffe://example.org/db"] });
        yield return Broken("another URI behind it", s_workload with { Uris = ["spiffe://example.org/api", "https://example.org/"] });
        yield return Broken("another URI before it", s_workload with { Uris = ["https://example.org/", "spiffe://example.org/api"] });
        yield return Broken("another scheme", s_workload with { Uris = ["https://example.org/api"] });
        yield return Broken("the trust domain itself", s_workload with { Uris = ["spiffe://example.org"] });
        yield return Broken("the root path", s_workload with { Uris = ["spiffe://example.org/"] });
        yield return Broken("percent-encoding", s_workload with { Uris = ["spiffe://example.org/a%2Fapi"] });
        yield return Broken("upper case", s_workload with { Uris = ["SPIFFE://example.org/api"] });
        yield return Broken("an authority", s_workload with { IsAuthority = true });
        yield return Broken("keyCertSign", s_workload with { KeyUsage = X509KeyUsageFlags.DigitalSignature | X509KeyUsageFlags.KeyCertSign });
        yield return Broken("cRLSign", s_workload with { KeyUsage = X509KeyUsageFlags.DigitalSignature | X509KeyUsageFlags.CrlSign });
    }

    [TestCase("spiffe://example.org/api", null)]
    [TestCase("spiffe://example.org/ap", RejectionReason.NotAuthorized)]
    [TestCase("spiffe://example.org/api/v1", RejectionReason.NotAuthorized)]
    [TestCase("spiffe://example.org/API", RejectionReason.NotAuthorized)]
    [TestCase("spiffe://example.com/api", RejectionReason.NotAuthorized)]
    public void A_workload_is_let_in_by_its_whole_id(string id, RejectionReason? expected)
    {
        Reason(Authorize.SpiffeId(id), s_workload).Should().Be(expected);
        Reason(Authorize.SpiffeId(SpiffeId.Parse(id)), s_workload).Should().Be(expected);
    }

    [TestCase("example.org", null)]
    [TestCase("spiffe://example.org", null)]
    [TestCase("ample.org", RejectionReason.NotAuthorized)]
    [TestCase("example.org.evil", RejectionReason.NotAuthorized)]
    public void A_workload_is_let_in_as_a_member_of_its_trust_domain(string trustDomain, RejectionReason? expected)
    {
        Reason(Authorize.MemberOf(trustDomain), s_workload).Should().Be(expected);
        Reason(Authorize.MemberOf(TrustDomain.Parse(trustDomain)), s_workload).Should().Be(expected);
    }

    [TestCaseSource(nameof(BrokenSvids))]
    public void What_is_not_an_svid_is_rejected_as_such(object peer)
    {
        var broken = (TestPeer)peer;

        Reason(Authorize.SpiffeId("spiffe://example.org/api"), broken).Should().Be(RejectionReason.NotAnSvid);
        Reason(Authorize.MemberOf("example.org"), broken).Should().Be(RejectionReason.NotAnSvid);
        SpiffeSvid.IdOf(broken.Certificate()).Should().BeNull();
    }

    [Test]
    public void A_workload_may_have_other_names_and_no_key_usage()
    {
        var peer = s_workload with { Dns = ["api.example.org"], Emails = ["api@example.org"], KeyUsage = null };

        Reason(Authorize.SpiffeId("spiffe://example.org/api"), peer).Should().BeNull();
        SpiffeSvid.IdOf(peer.Certificate()).Should().Be(SpiffeId.Parse("spiffe://example.org/api"));
    }

    private static RejectionReason? Reason(AuthorizationRule rule, TestPeer peer) => rule.Examine(peer.Context())?.Reason;

    private static TestCaseData Broken(string name, TestPeer peer) => new TestCaseData(peer).SetArgDisplayNames(name);
}
