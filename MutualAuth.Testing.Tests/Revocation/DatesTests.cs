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

    [Test]
    public void There_is_one_list_for_one_root_also_when_its_certificate_is_renewed(
        [Values] bool sameName,
        [Values] bool sameKey,
        [Values(null, "seed")] string? seed,
        [Values(KeyAlgorithm.EcdsaP256, KeyAlgorithm.Rsa1024)] KeyAlgorithm algorithm)
    {
        using var first = new TestAuthority("Root", spec => spec with { KeyAlgorithm = algorithm }, seed: seed);
        using var renewed = new TestAuthority(
            sameName ? "Root" : "Other",
            spec => spec with { Key = sameKey ? first.AsCertificate.Key : null, NotAfter = spec.NotAfter.AddYears(1) },
            seed: seed is null ? null : "another " + seed);
        using var leaf = first.IssueClient("a.test");
        using var second = renewed.IssueClient("b.test");
        first.Revoke(leaf);
        renewed.Revoke(second);
        var before = first.IssueCrl().Spec;

        var list = renewed.IssueCrl().Spec;

        var isOne = sameName && sameKey;
        (list.Number != before.Number, list.Revoked.Count, before.Revoked.Count).Should().Be((isOne, isOne ? 2 : 1, isOne ? 2 : 1));
    }

    [Test]
    public void There_is_one_list_for_a_root_whose_key_comes_from_elsewhere([Values] bool imported)
    {
        var key = TestKey.Generate();
        using var first = imported
            ? TestAuthority.FromPem(new TestAuthority("Root", spec => spec with { Key = key }).CertificatePem, key.PrivateKeyPem)
            : new TestAuthority("Root", spec => spec with { Key = key });
        using var renewed = new TestAuthority("Root", spec => spec with { Key = imported ? first.AsCertificate.Key : key });
        first.Revoke(7);

        renewed.IssueCrl().Spec.Revoked.Should().ContainSingle();
        first.IssueCrl().Spec.Number.Should().NotBe(renewed.IssueCrl().Spec.Number);
    }

    [Test]
    public void There_is_one_list_for_an_intermediate_that_two_roots_certify_or_that_becomes_a_root()
    {
        using var root = new TestAuthority("Another");
        using var first = _authority.IssueIntermediate("Issuing");
        using var second = root.IssueIntermediate("Issuing", spec => spec with { Key = first.AsCertificate.Key });
        using var third = new TestAuthority("Issuing", spec => spec with { Key = first.AsCertificate.Key });
        first.Revoke(7);

        new[] { first, second, third }.Select(each => each.IssueCrl().Spec).Should()
            .OnlyHaveUniqueItems(list => list.Number).And.OnlyContain(list => list.Revoked.Count == 1);
    }

    [Test]
    public void A_key_that_the_whole_process_shares_does_not_share_the_lists_of_tests_that_know_nothing_of_each_other()
    {
        using var first = new TestAuthority("Root", spec => spec with { Key = TestKey.Shared(KeyAlgorithm.Rsa1024) });
        using var stranger = new TestAuthority("Root", spec => spec with { Key = TestKey.Shared(KeyAlgorithm.Rsa1024) });
        using var renewed = new TestAuthority("Root", spec => spec with { Key = first.AsCertificate.Key });
        using var seeded = new TestAuthority("Root", spec => spec with { KeyAlgorithm = KeyAlgorithm.Rsa1024 }, seed: "twice");
        using var again = new TestAuthority("Root", spec => spec with { KeyAlgorithm = KeyAlgorithm.Rsa1024 }, seed: "twice");
        first.Revoke(7);
        seeded.Revoke(7);

        stranger.IssueCrl().Spec.Revoked.Should().BeEmpty();
        again.IssueCrl().Spec.Revoked.Should().BeEmpty();
        renewed.IssueCrl().Spec.Revoked.Should().ContainSingle();
    }

    private (SingleResponse Answer, DateTime Produced) AnswerAbout(TestCertificate certificate)
    {
        var response = OcspResponse.GetInstance(Asn1Object.FromByteArray(_authority.IssueOcspResponse(certificate)));
        var data = BasicOcspResponse.GetInstance(Asn1Object.FromByteArray(response.ResponseBytes.Response.GetOctets())).TbsResponseData;
        return (SingleResponse.GetInstance(data.Responses[0]), data.ProducedAt.ToDateTime());
    }
}
