using Microsoft.Extensions.Time.Testing;
using MutualAuth.Testing.Revocation;
using Org.BouncyCastle.Asn1;
using Org.BouncyCastle.Asn1.Ocsp;
using Org.BouncyCastle.X509;

namespace MutualAuth.Testing.Tests.Revocation;

/// <summary>Lists and answers speak of what was known when they were made (RFC 5280 §5.1.2.4, RFC 6960 §2.4).</summary>
public sealed class DatesTests
{
    private FakeTimeProvider _clock = null!;
    private TestAuthority _authority = null!;

    [SetUp]
    public void SetUp()
    {
        _clock = new FakeTimeProvider(new DateTimeOffset(2030, 6, 1, 12, 0, 0, TimeSpan.Zero));
        _authority = new TestAuthority(timeProvider: _clock);
    }

    [TearDown]
    public void TearDown() => _authority.Dispose();

    [Test]
    public void A_list_is_not_older_than_what_it_lists()
    {
        using var leaf = _authority.IssueClient("a.test");
        _authority.IssueCrl().Spec.ThisUpdate.Should().Be(_clock.GetUtcNow().AddHours(-1), "nothing has happened since");
        _clock.Advance(TimeSpan.FromMinutes(10));
        _authority.Revoke(leaf);
        _clock.Advance(TimeSpan.FromMinutes(10));

        var list = new X509Crl(_authority.IssueCrl().Raw.ToArray());

        list.ThisUpdate.Should().Be(_clock.GetUtcNow().AddMinutes(-10).UtcDateTime);
        list.GetRevokedCertificates().Single().RevocationDate.Should().BeOnOrBefore(list.ThisUpdate);
    }

    [Test]
    public void A_list_does_not_go_back_when_a_hold_ends()
    {
        using var leaf = _authority.IssueClient("a.test");
        _authority.Revoke(leaf);
        var first = _authority.IssueCrl().Spec;
        _clock.Advance(TimeSpan.FromMinutes(1));
        _authority.Reinstate(leaf);

        var second = _authority.IssueCrl().Spec;

        (second.Number > first.Number).Should().BeTrue();
        second.ThisUpdate.Should().Be(_clock.GetUtcNow(), "it is then that the hold ended");
    }

    [Test]
    public void An_answer_is_not_older_than_the_revocation_that_it_reports()
    {
        using var leaf = _authority.IssueClient("a.test");
        using var other = _authority.IssueClient("b.test");
        _authority.Revoke(leaf);
        _clock.Advance(TimeSpan.FromMinutes(10));

        var (revoked, produced) = AnswerAbout(leaf);
        var revokedAt = RevokedInfo.GetInstance(revoked.CertStatus.Status).RevocationTime.ToDateTime();

        revoked.ThisUpdate.ToDateTime().Should().BeOnOrAfter(revokedAt).And.BeOnOrBefore(produced);
        AnswerAbout(other).Answer.CertStatus.TagNo.Should().Be(0);
    }

    [Test]
    public void There_is_one_list_for_one_issuer_also_behind_a_bridge()
    {
        using var root = new TestAuthority("Root", timeProvider: _clock);
        using var bridge = root.CrossSign(_authority);
        using var direct = _authority.IssueClient("direct.test");
        using var bridged = bridge.IssueClient("bridged.test");
        _authority.Revoke(direct);
        bridge.Revoke(bridged);

        var first = _authority.IssueCrl();
        var second = bridge.IssueCrl();

        first.Spec.Number.Should().NotBe(second.Spec.Number);
        foreach (var list in (TestCrl[])[first, second])
        {
            list.Spec.Revoked.Select(entry => entry.SerialNumber).Should().BeEquivalentTo([direct.SerialNumber, bridged.SerialNumber]);
        }
    }

    [Test]
    public void There_is_one_list_for_one_issuer_also_when_its_certificate_is_renewed([Values] bool sameName)
    {
        using var first = _authority.IssueIntermediate("Issuing");
        using var renewed = _authority.IssueIntermediate(
            sameName ? "Issuing" : "Other", spec => spec with { Key = first.AsCertificate.Key, NotAfter = spec.NotAfter.AddYears(1) });
        using var leaf = first.IssueClient("a.test");
        first.Revoke(leaf);
        var before = first.IssueCrl().Spec;

        var list = renewed.IssueCrl().Spec;

        (list.Number != before.Number, list.Revoked.Count == 1).Should().Be((sameName, sameName));
    }

    private (SingleResponse Answer, DateTime Produced) AnswerAbout(TestCertificate certificate)
    {
        var response = OcspResponse.GetInstance(Asn1Object.FromByteArray(_authority.IssueOcspResponse(certificate)));
        var data = BasicOcspResponse.GetInstance(Asn1Object.FromByteArray(response.ResponseBytes.Response.GetOctets())).TbsResponseData;
        return (SingleResponse.GetInstance(data.Responses[0]), data.ProducedAt.ToDateTime());
    }
}
