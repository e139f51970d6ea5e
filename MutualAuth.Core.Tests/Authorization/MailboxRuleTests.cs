using System.Formats.Asn1;
using Microsoft.Extensions.Time.Testing;
using MutualAuth.Evidence;
using MutualAuth.Testing;
using MutualAuth.Tests.Support;
using MutualAuth.Validation;
using GeneralName = MutualAuth.Testing.GeneralName;

namespace MutualAuth.Tests.Authorization;

/// <summary>E-mail addresses as names of peers, in both forms that certificates have for them (RFC 5280, RFC 9598).</summary>
public sealed class MailboxRuleTests
{
    private const string Type = "1.3.6.1.5.5.7.8.9";

    private static readonly TestAuthority s_authority = new("Mailboxes", timeProvider: new FakeTimeProvider(TestPeer.Now));

    private static readonly TestCaseData[] s_names =
    [
        new TestCaseData("alice@example.org", GeneralName.Email("alice@EXAMPLE.org"), true),
        new TestCaseData("alice@example.org", GeneralName.Email("Alice@example.org"), false),
        new TestCaseData("alice@example.org", GeneralName.Email("alice@mail.example.org"), false),
        new TestCaseData("alice@example.org", GeneralName.SmtpUtf8Mailbox("alice@example.org"), false),
        new TestCaseData("älice@example.org", GeneralName.SmtpUtf8Mailbox("älice@Example.org"), true),
        new TestCaseData("älice@example.org", GeneralName.SmtpUtf8Mailbox("Älice@example.org"), false),
        new TestCaseData("älice@example.org", GeneralName.SmtpUtf8Mailbox("a\u0308lice@example.org"), false),
        new TestCaseData("älice@example.org", GeneralName.SmtpUtf8Mailbox("älice@example.com"), false),
        new TestCaseData("älice@example.org", GeneralName.SmtpUtf8Mailbox("\ufeffälice@example.org"), false),
        new TestCaseData("älice@xn--bcher-kva.example", GeneralName.SmtpUtf8Mailbox("älice@xn--bcher-kva.example"), true),
        new TestCaseData("älice@xn--bcher-kva.example", GeneralName.SmtpUtf8Mailbox("älice@bücher.example"), false),
        new TestCaseData("älice@example.org", GeneralName.Other(Type, Ia5("alice@example.org")), false),
    ];

    [TestCaseSource(nameof(s_names))]
    public void An_address_is_that_one_in_the_form_that_is_right_for_it(string demanded, GeneralName presented, bool isAccepted)
    {
        var rule = Authorize.Email(demanded);
        foreach (var either in (AuthorizationRule[])[rule, Authorize.AnyOf(Authorize.Dns("a.test"), rule), Authorize.Parse($"email {demanded}")])
        {
            var verdict = Judge(either, Issue(spec => spec with { OtherNames = [presented] }));

            (verdict as CertificateVerdict.Accepted)?.Peer.Name.Should().Be($"email:{demanded}");
            (verdict is CertificateVerdict.Rejected { Rejection.Reason: RejectionReason.NotAuthorized }).Should().Be(!isAccepted);
        }
    }

    [Test]
    public void Another_case_is_hinted_at() =>
        Judge(Authorize.Email("alice@example.org"), Issue(spec => spec with { EmailAddresses = ["Alice@example.org"] }))
            .Should().BeOfType<CertificateVerdict.Rejected>().Which.Rejection.Hint.Should().Contain("Alice@example.org");

    [Test]
    public void A_malformed_one_is_no_name()
    {
        var verdict = Judge(
            Authorize.AnyTrustedPeer,
            Issue(spec => spec with { Subject = string.Empty, OtherNames = [GeneralName.SmtpUtf8Mailbox("alice@example.org")] }));

        verdict.Should().BeOfType<CertificateVerdict.Accepted>().Which.Peer.ProvenName.Kind.Should().Be(PeerNameKind.Certificate);
    }

    private static readonly TestCaseData[] s_constraints =
    [
        new TestCaseData(new NameConstraints { Permitted = [GeneralName.Email("example.org")] }, "ä@example.org", true),
        new TestCaseData(new NameConstraints { Permitted = [GeneralName.Email("example.org")] }, "ä@EXAMPLE.org", true),
        new TestCaseData(new NameConstraints { Permitted = [GeneralName.Email("example.org")] }, "ä@mail.example.org", false),
        new TestCaseData(new NameConstraints { Permitted = [GeneralName.Email(".example.org")] }, "ä@mail.example.org", true),
        new TestCaseData(new NameConstraints { Permitted = [GeneralName.Email("example.org")] }, "ä@example.com", false),
        new TestCaseData(new NameConstraints { Permitted = [GeneralName.Email("example.org")] }, "a@example.org", false),
        new TestCaseData(new NameConstraints { Permitted = [GeneralName.Email("a@example.org")] }, "ä@example.org", false),
        new TestCaseData(new NameConstraints { Permitted = [GeneralName.Email("beyond-ascii@example.org")] }, "ä@example.org", false),
        new TestCaseData(new NameConstraints { Excluded = [GeneralName.Email("example.org")] }, "ä@example.org", false),
        new TestCaseData(new NameConstraints { Excluded = [GeneralName.Email("example.com")] }, "ä@example.org", true),
        new TestCaseData(new NameConstraints { Permitted = [GeneralName.Dns("example.org")] }, "ä@example.com", true),
    ];

    [TestCaseSource(nameof(s_constraints))]
    public void An_authority_that_is_bound_to_mailboxes_is_bound_beyond_ascii_too(NameConstraints constraints, string mailbox, bool isAccepted)
    {
        using var bound = s_authority.IssueIntermediate("Bound", spec => spec with { NameConstraints = constraints });
        using var leaf = bound.Issue(spec => spec with
        { Subject = string.Empty, OtherNames = [GeneralName.SmtpUtf8Mailbox(mailbox)], ExtendedKeyUsages = [ExtendedKeyUsage.ClientAuth] });

        var verdict = Judge(Authorize.AnyTrustedPeer, leaf.RawCertificate, bound.AsCertificate.RawCertificate);

        ((verdict as CertificateVerdict.Rejected)?.Rejection.Reason).Should().Be(isAccepted ? null : RejectionReason.NameConstraintViolated);
    }

    private static byte[] Ia5(string text) => DerEdit.Encode(writer => writer.WriteCharacterString(UniversalTagNumber.IA5String, text));

    private static ReadOnlyMemory<byte> Issue(Func<CertificateSpec, CertificateSpec> spec)
    {
        using var leaf = s_authority.Issue(usual => spec(usual with { ExtendedKeyUsages = [ExtendedKeyUsage.ClientAuth] }));
        return leaf.RawCertificate;
    }

    private static CertificateVerdict Judge(AuthorizationRule rule, params ReadOnlyMemory<byte>[] certificates) =>
        new CertificateStage(new CertificateStageOptions { Trust = s_authority.ToTrustAnchors(), Authorization = rule })
            .Judge(new PeerEvidence(PeerRole.Client, [.. certificates]), TestPeer.Now);
}
