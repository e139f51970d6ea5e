using Microsoft.Extensions.Time.Testing;
using MutualAuth.Certificates;
using MutualAuth.Evidence;
using MutualAuth.Testing;
using MutualAuth.Tests.Support;
using MutualAuth.Validation;

namespace MutualAuth.Tests.Authorization;

/// <summary>Payment service providers and other organizations by their qualified certificates.</summary>
public sealed class QualifiedRuleTests
{
    private const string Bank = "organizationIdentifier=PSDGB-FCA-123456,O=Bank,C=GB";

    private static readonly TestAuthority s_authority = new("Qualified", timeProvider: new FakeTimeProvider(TestPeer.Now));

    private static readonly QualifiedStatements s_provider = QualifiedStatements.ThirdPartyProvider;

    private static IEnumerable<TestCaseData> Providers()
    {
        static TestCaseData Case(string what, string subject, QualifiedStatements? statements, RejectionReason? reason) =>
            new TestCaseData(subject, statements, reason).SetArgDisplayNames(what);
        yield return Case("a provider with the role", Bank, s_provider, null);
        yield return Case("a provider with another role", Bank, s_provider with { Roles = [(2, "PSP_PI")] }, RejectionReason.QcStatementMissing);
        yield return Case("a bank without roles", Bank, s_provider with { Roles = [] }, RejectionReason.QcStatementMissing);
        yield return Case("a role that is not known", Bank, s_provider with { Roles = [(9, "PSP_XX")] }, RejectionReason.QcStatementMissing);
        yield return Case("no statements", Bank, null, RejectionReason.QcStatementMissing);
        yield return Case("not qualified", Bank, s_provider with { IsCompliant = false }, RejectionReason.QcStatementMissing);
        yield return Case("a certificate for seals", Bank, s_provider with { Types = [2] }, RejectionReason.QcStatementMissing);
        yield return Case("for seals and web sites", Bank, s_provider with { Types = [2, 3] }, null);
        yield return Case("for nothing", Bank, s_provider with { Types = [] }, RejectionReason.QcStatementMissing);
        yield return Case("malformed", Bank, s_provider with { Roles = [(3, "PSP_PI")] }, RejectionReason.QcStatementsMalformed);
        yield return Case("another authority", Bank, s_provider with { AuthorityId = "GB-PRA" }, RejectionReason.CompetentAuthorityMismatch);
        yield return Case("another country", Bank, s_provider with { AuthorityId = "IE-FCA" }, RejectionReason.CompetentAuthorityMismatch);
        yield return Case("no identifier", "O=Bank,C=GB", s_provider, RejectionReason.CompetentAuthorityMismatch);
        yield return Case("a malformed identifier", "organizationIdentifier=PSDGB-123456", s_provider, RejectionReason.CompetentAuthorityMismatch);
        yield return Case("two identifiers", $"organizationIdentifier=VATGB-1,{Bank}", s_provider, RejectionReason.CompetentAuthorityMismatch);
        yield return Case("an identifier of a trade register", "organizationIdentifier=NTRGB-01234567,O=Bank", s_provider, null);
    }

    [TestCaseSource(nameof(Providers))]
    public void A_provider_is_accepted_with_its_role_in_everything_that_the_standard_has(
        string subject, QualifiedStatements? statements, RejectionReason? reason)
    {
        var role = Authorize.Psd2Role(Psd2Role.AccountInformation);
        foreach (var rule in (AuthorizationRule[])[role, Authorize.AllOf(role), Authorize.Parse("psd2-role PSP_AI")])
        {
            var verdict = Judge(rule, subject, statements);

            ((verdict as CertificateVerdict.Rejected)?.Rejection.Reason).Should().Be(reason);
            (verdict is CertificateVerdict.Accepted).Should().Be(reason is null);
        }
    }

    [Test]
    public void A_provider_is_called_by_its_number()
    {
        var peer = Judge(Authorize.Psd2Role(Psd2Role.AccountInformation), Bank, s_provider)
            .Should().BeOfType<CertificateVerdict.Accepted>().Subject.Peer;

        peer.Name.Should().Be("organization:PSDGB-FCA-123456");
        peer.ProvenNames.Should().Contain(PeerName.OrganizationIdentifier("PSDGB-FCA-123456"));
        peer.Certificate!.QcStatements!.Psd2!.Roles.Should().Contain(Psd2Role.AccountInformation);
    }

    [TestCase("PSDGB-FCA-123456", true)]
    [TestCase("PSDGB-FCA-12345", false)]
    [TestCase("PSDGB-FCA-123457", false)]
    [TestCase("VATGB-123456", false)]
    public void An_organization_is_known_by_its_one_number(string identifier, bool isAccepted)
    {
        var rule = Authorize.OrganizationIdentifier(identifier);
        AuthorizationRule[] spellings = [rule, Authorize.AnyOf(Authorize.Dns("a.test"), rule), Authorize.Parse($"organization {identifier}")];
        foreach (var either in spellings)
        {
            var verdict = Judge(either, Bank, null);

            (verdict as CertificateVerdict.Accepted)?.Peer.Name.Should().Be($"organization:{identifier}");
            (verdict is CertificateVerdict.Rejected { Rejection.Reason: RejectionReason.NotAuthorized }).Should().Be(!isAccepted);
            Judge(either, $"organizationIdentifier=VATGB-1,{Bank}", null).Should().BeOfType<CertificateVerdict.Rejected>();
        }
    }

    [TestCase(QcType.Website, false, true)]
    [TestCase(QcType.Website, true, true)]
    [TestCase(QcType.ElectronicSeal, false, false)]
    [TestCase(QcType.ElectronicSignature, false, false)]
    public void A_qualified_certificate_is_of_the_type_that_is_demanded(QcType type, bool inDevice, bool isAccepted)
    {
        var rule = Authorize.Qualified(type, inDevice);

        (Judge(rule, "CN=peer", new QualifiedStatements { KeyIsInQualifiedDevice = true }) is CertificateVerdict.Accepted).Should().Be(isAccepted);
        (Judge(rule, "CN=peer", new QualifiedStatements()) is CertificateVerdict.Accepted).Should().Be(isAccepted && !inDevice);
        Judge(rule, "CN=peer", null).Should().BeOfType<CertificateVerdict.Rejected>()
            .Which.Rejection.Reason.Should().Be(RejectionReason.QcStatementMissing);
    }

    [Test]
    public void Critical_statements_are_an_unknown_critical_extension_as_any_other() =>
        Judge(Authorize.AnyTrustedPeer, Bank, s_provider with { Critical = true }).Should().BeOfType<CertificateVerdict.Rejected>()
            .Which.Rejection.Reason.Should().Be(RejectionReason.UnknownCriticalExtension);

    [Test]
    public void Malformed_statements_trouble_no_rule_that_does_not_ask_for_them() =>
        Judge(Authorize.OrganizationIdentifier("PSDGB-FCA-123456"), Bank, s_provider with { AuthorityId = "FCA" })
            .Should().BeOfType<CertificateVerdict.Accepted>();

    [TestCase("psd2-role PSP_XX")]
    [TestCase("psd2-role psp_ai")]
    [TestCase("psd2-role")]
    [TestCase("organization bank")]
    [TestCase("service imaps.example.org")]
    public void A_line_that_means_nothing_is_no_rule(string line) =>
        FluentActions.Invoking(() => Authorize.Parse(line)).Should().Throw<FormatException>();

    [Test]
    public void Rules_of_what_does_not_exist_are_refused()
    {
        FluentActions.Invoking(() => Authorize.Psd2Role(0)).Should().Throw<ArgumentOutOfRangeException>();
        FluentActions.Invoking(() => Authorize.Qualified((QcType)4)).Should().Throw<ArgumentOutOfRangeException>();
        FluentActions.Invoking(() => ((Psd2Role)5).ToAbbreviation()).Should().Throw<ArgumentOutOfRangeException>();
    }

    private static CertificateVerdict Judge(AuthorizationRule rule, string subject, QualifiedStatements? statements)
    {
        using var leaf = s_authority.Issue(spec => spec with
        {
            Subject = subject,
            Extensions = statements is null ? [] : [statements.ToExtension()],
            ExtendedKeyUsages = [ExtendedKeyUsage.ClientAuth],
        });
        return new CertificateStage(new CertificateStageOptions { Trust = s_authority.ToTrustAnchors(), Authorization = rule })
            .Judge(new PeerEvidence(PeerRole.Client, [leaf.RawCertificate]), TestPeer.Now);
    }
}
