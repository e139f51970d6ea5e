using System.Formats.Asn1;
using Microsoft.Extensions.Time.Testing;
using MutualAuth.Evidence;
using MutualAuth.Names;
using MutualAuth.Testing;
using MutualAuth.Tests.Support;
using MutualAuth.Validation;
using GeneralName = MutualAuth.Testing.GeneralName;

namespace MutualAuth.Tests.Authorization;

/// <summary>Services of a domain (SRVName, RFC 4985), as clients demand them of servers.</summary>
public sealed class ServiceRuleTests
{
    private const string Type = "1.3.6.1.5.5.7.8.7";

    private static readonly TestAuthority s_authority = new("Services", timeProvider: new FakeTimeProvider(TestPeer.Now));

    [TestCase("_imaps.example.org", true)]
    [TestCase("_IMAPS.EXAMPLE.org", true)]
    [TestCase("_imap.example.org", false)]
    [TestCase("_imaps.example.com", false)]
    [TestCase("_imaps.a.example.org", false)]
    [TestCase("_imaps.*.org", false)]
    [TestCase("_imaps.*.example.org", false)]
    [TestCase("*.example.org", false)]
    [TestCase("_imaps.example.org.", false)]
    [TestCase("imaps.example.org", false)]
    public void The_service_and_the_domain_must_be_those_that_are_demanded(string presented, bool isAccepted)
    {
        var rule = Authorize.Service("_imaps.example.org");
        AuthorizationRule[] spellings = [rule, Authorize.AnyOf(Authorize.Dns("a.test"), rule), Authorize.Parse("service _imaps.example.org")];
        foreach (var either in spellings)
        {
            var verdict = Judge([GeneralName.Service(presented)], either);

            (verdict as CertificateVerdict.Accepted)?.Peer.ProvenName.Should().Be(PeerName.OtherName(Type, "_imaps.example.org"));
            (verdict is CertificateVerdict.Rejected { Rejection.Reason: RejectionReason.NotAuthorized }).Should().Be(!isAccepted);
        }
    }

    [Test]
    public void A_dns_name_of_the_domain_is_no_service_and_is_hinted_at()
    {
        var rejected = Judge([GeneralName.Dns("example.org")], Authorize.Service("_imaps.example.org"));

        rejected.Should().BeOfType<CertificateVerdict.Rejected>().Which.Rejection.Hint.Should().Contain("dNSName");
    }

    [Test]
    public void A_service_that_is_no_ia5_string_is_none()
    {
        var utf8 = DerEdit.Encode(writer => writer.WriteCharacterString(UniversalTagNumber.UTF8String, "_imaps.example.org"));

        Judge([GeneralName.Other(Type, utf8)], Authorize.Service("_imaps.example.org")).Should().BeOfType<CertificateVerdict.Rejected>();
        Judge([GeneralName.Service("_imaps.example.org")], Authorize.Service("_imaps.example.org")).Should().BeOfType<CertificateVerdict.Accepted>();
    }

    [Test]
    public void The_parts_of_two_names_make_no_third() =>
        Judge([GeneralName.Service("_imaps.example.com"), GeneralName.Service("_pop3s.example.org")], Authorize.Service("_imaps.example.org"))
            .Should().BeOfType<CertificateVerdict.Rejected>();

    private static readonly TestCaseData[] s_constraints =
    [
        new TestCaseData(new NameConstraints { Permitted = [GeneralName.Dns("example.org")] }, "_imaps.example.org", true),
        new TestCaseData(new NameConstraints { Permitted = [GeneralName.Dns("example.org")] }, "_imaps.mail.example.org", true),
        new TestCaseData(new NameConstraints { Permitted = [GeneralName.Dns("example.org")] }, "_imaps.bank.example", false),
        new TestCaseData(new NameConstraints { Permitted = [GeneralName.Dns("example.org")] }, "_imaps.*.example.org", true),
        new TestCaseData(new NameConstraints { Permitted = [GeneralName.Dns("example.org")] }, "imaps", false),
        new TestCaseData(new NameConstraints { Excluded = [GeneralName.Dns("bank.example")] }, "_imaps.bank.example", false),
        new TestCaseData(new NameConstraints { Excluded = [GeneralName.Dns("bank.example")] }, "_imaps.a.BANK.example", false),
        new TestCaseData(new NameConstraints { Excluded = [GeneralName.Dns("bank.example")] }, "_imaps.example.org", true),
        new TestCaseData(new NameConstraints { Permitted = [GeneralName.Dns("example.org")] }, "_imaps.bank_1.example", false),
        new TestCaseData(new NameConstraints { Permitted = [GeneralName.Email("example.org")] }, "_imaps.example.org", true),
    ];

    [TestCaseSource(nameof(s_constraints))]
    public void An_authority_that_is_bound_to_domains_certifies_services_of_these_alone(NameConstraints constraints, string service, bool isAccepted)
    {
        using var bound = s_authority.IssueIntermediate("Bound", spec => spec with { NameConstraints = constraints });
        using var leaf = bound.Issue(spec => spec with
        { Subject = string.Empty, OtherNames = [GeneralName.Service(service)], ExtendedKeyUsages = [ExtendedKeyUsage.ServerAuth] });

        var verdict = Judge(Authorize.AnyTrustedPeer, leaf.RawCertificate, bound.AsCertificate.RawCertificate);

        ((verdict as CertificateVerdict.Rejected)?.Rejection.Reason).Should().Be(isAccepted ? null : RejectionReason.NameConstraintViolated);
    }

    private static CertificateVerdict Judge(GeneralName[] names, AuthorizationRule rule)
    {
        using var leaf = s_authority.Issue(spec => spec with { OtherNames = names, ExtendedKeyUsages = [ExtendedKeyUsage.ServerAuth] });
        return Judge(rule, leaf.RawCertificate);
    }

    private static CertificateVerdict Judge(AuthorizationRule rule, params ReadOnlyMemory<byte>[] certificates) =>
        new CertificateStage(new CertificateStageOptions { Trust = s_authority.ToTrustAnchors(), Authorization = rule })
            .Judge(new PeerEvidence(PeerRole.Server, [.. certificates]) { DialledName = ServerName.Parse("host.test") }, TestPeer.Now);
}
