using System.Security.Cryptography.X509Certificates;
using MutualAuth.Evidence;
using MutualAuth.Revocation;
using MutualAuth.Testing;
using MutualAuth.Testing.Revocation;
using MutualAuth.Tests.Support;
using MutualAuth.Validation;

namespace MutualAuth.Tests.Revocation;

/// <summary>
/// A list is its issuer's when a path leads from the key that signed it to the anchor of the peer's path (RFC 5280 §6.3.3
/// (f)), and delta lists add to it.
/// </summary>
public sealed class CrlSignerTests
{
    private static readonly DateTimeOffset s_now = new(2030, 6, 1, 12, 0, 0, TimeSpan.Zero);

    private RevocationWorld _world = null!;

    [SetUp]
    public void SetUp() => _world = new RevocationWorld();

    [TearDown]
    public void TearDown() => _world.Dispose();

    private static IEnumerable<TestCaseData> Signers()
    {
        yield return Case("the same authority's new key", world => world.Root, spec => spec, null);
        yield return Case(
            "a key for lists alone", world => world.Root, spec => spec with { BasicConstraints = null, KeyUsage = X509KeyUsageFlags.CrlSign }, null);
        yield return Case(
            "a key for lists, of the authority itself",
            world => world.Issuing,
            spec => spec with { BasicConstraints = null, KeyUsage = X509KeyUsageFlags.CrlSign },
            null);
        yield return Case(
            "no authority, and no word of lists",
            world => world.Root,
            spec => spec with { BasicConstraints = null, KeyUsage = null },
            RejectionReason.RevocationStatusUnknown);
        yield return Case(
            "a key that is not for lists",
            world => world.Root,
            spec => spec with { KeyUsage = X509KeyUsageFlags.KeyCertSign },
            RejectionReason.RevocationStatusUnknown);
        yield return Case(
            "run out", world => world.Root, spec => spec with { NotAfter = s_now.AddSeconds(-1) }, RejectionReason.RevocationStatusUnknown);
        yield return Case(
            "an unknown critical extension",
            world => world.Root,
            spec => spec with { Extensions = [CertificateExtension.UnknownCritical] },
            RejectionReason.RevocationStatusUnknown);
        yield return Case(
            "a forged certificate", world => world.Root, spec => spec with { CorruptSignature = true }, RejectionReason.RevocationStatusUnknown);
        yield return Case("of a stranger", _ => new TestAuthority("Root"), spec => spec, RejectionReason.RevocationStatusUnknown);

        static TestCaseData Case(
            string name, Func<RevocationWorld, TestAuthority> by, Func<CertificateSpec, CertificateSpec> spec, RejectionReason? expected) =>
            new TestCaseData(by, spec, expected).SetArgDisplayNames(name);
    }

    [TestCaseSource(nameof(Signers))]
    public void A_list_by_another_key_of_its_issuer_counts_when_a_path_leads_to_that_key(
        object by, Func<CertificateSpec, CertificateSpec> spec, RejectionReason? expected)
    {
        using var signer = ((Func<RevocationWorld, TestAuthority>)by)(_world).IssueIntermediate("Issuing", spec);
        var quiet = RevocationLists.FromDer(_world.RootCrl().Raw, signer.IssueCrl().Raw);
        var speaking = RevocationLists.FromDer(
            _world.RootCrl().Raw, signer.IssueCrl(crl => crl with { Revoked = [new RevokedCertificate(_world.Client.SerialNumber, s_now)] }).Raw);

        (Judge(quiet, signer)?.Reason).Should().Be(expected);
        (Judge(speaking, signer)?.Reason).Should().Be(expected ?? RejectionReason.CertificateRevoked);
        Judge(quiet)!.Reason.Should().Be(RejectionReason.RevocationStatusUnknown, "nobody showed the certificate of that key");
    }

    [Test]
    public void The_certificate_of_the_key_may_stand_beside_the_list()
    {
        using var signer = _world.Root.IssueIntermediate("Issuing");

        Judge(RevocationLists.FromPem(_world.RootCrl().Pem + signer.IssueCrl().Pem + signer.AsCertificate.CertificatePem)).Should().BeNull();
        Judge(RevocationLists.FromPem(_world.RootCrl().Pem + signer.IssueCrl().Pem + _world.Issuing.CertificatePem))!.Reason.Should().Be(
            RejectionReason.RevocationStatusUnknown);
    }

    [Test]
    public void A_revoked_key_speaks_for_nobody()
    {
        using var signer = _world.Root.IssueIntermediate("Issuing");
        _world.Root.Revoke(signer.AsCertificate);

        Judge(RevocationLists.FromDer(_world.RootCrl().Raw, signer.IssueCrl().Raw), signer)!.Reason.Should().Be(
            RejectionReason.RevocationStatusUnknown);
    }

    [Test]
    public void An_authority_that_takes_a_new_key_keeps_its_older_peers_at_a_reload()
    {
        using var signer = _world.Root.IssueIntermediate("Issuing");
        var lists = new ReplaceableRevocationLists(_world.Lists(crl => crl with { Number = 6 }));
        Judge(lists).Should().BeNull();

        lists.Replace(
            RevocationLists.FromPem(
                _world.RootCrl().Pem + signer.IssueCrl(crl => crl with { Number = 7 }).Pem + signer.AsCertificate.CertificatePem));

        Judge(lists).Should().BeNull();
    }

    private static IEnumerable<TestCaseData> Deltas()
    {
        yield return Case("revoked since", null, "on", crl => crl, RejectionReason.CertificateRevoked);
        yield return Case("nothing since", null, null, crl => crl, null);
        yield return Case("hold lifted", X509RevocationReason.CertificateHold, "off", crl => crl, null);
        yield return Case("hold not lifted", X509RevocationReason.CertificateHold, null, crl => crl, RejectionReason.CertificateRevoked);
        yield return Case(
            "a revocation for good is not lifted", X509RevocationReason.KeyCompromise, "off", crl => crl, RejectionReason.CertificateRevoked);
        yield return Case(
            "lifted by a delta that has run out",
            X509RevocationReason.CertificateHold,
            "off",
            crl => crl with { NextUpdate = s_now.AddSeconds(-1) },
            RejectionReason.CertificateRevoked);
        yield return Case(
            "lifted by a forged delta",
            X509RevocationReason.CertificateHold,
            "off",
            crl => crl with { SigningKey = TestKey.Generate() },
            RejectionReason.CertificateRevoked);
        yield return Case(
            "lifted by a delta on a later base",
            X509RevocationReason.CertificateHold,
            "off",
            crl => crl with { DeltaBase = 7, Number = 8 },
            RejectionReason.CertificateRevoked);
        yield return Case(
            "lifted by a delta of another scope",
            X509RevocationReason.CertificateHold,
            "off",
            crl => crl with { IssuingDistributionPoint = new IssuingDistributionPoint { OnlyEndEntities = true } },
            RejectionReason.CertificateRevoked);
        yield return Case(
            "lifted before the base was made",
            X509RevocationReason.CertificateHold,
            "off",
            crl => crl with { DeltaBase = 4, Number = 5 },
            RejectionReason.CertificateRevoked);
        yield return Case("held before the base was made", null, "on", crl => crl with { DeltaBase = 4, Number = 5 }, null);

        static TestCaseData Case(
            string name, X509RevocationReason? onBase, string? onDelta, Func<CrlSpec, CrlSpec> delta, RejectionReason? expected) =>
            new TestCaseData(onBase, onDelta, delta, expected).SetArgDisplayNames(name);
    }

    [TestCaseSource(nameof(Deltas))]
    public void A_delta_adds_to_the_list_that_it_is_based_on(
        X509RevocationReason? onBase, string? onDelta, Func<CrlSpec, CrlSpec> delta, RejectionReason? expected)
    {
        RevokedCertificate Entry(X509RevocationReason reason) => new(_world.Client.SerialNumber, s_now, reason);
        var full = _world.IssuingCrl(crl => crl with { Number = 6, Revoked = onBase is { } reason ? [Entry(reason)] : [] });
        var since = _world.IssuingCrl(crl => delta(crl with
        {
            Number = 7,
            DeltaBase = 6,
            Revoked = onDelta is null ? [] : [Entry(onDelta == "on" ? X509RevocationReason.KeyCompromise : X509RevocationReason.RemoveFromCrl)],
        }));

        (Judge(RevocationLists.FromDer(_world.RootCrl().Raw, full.Raw, since.Raw))?.Reason).Should().Be(expected);
    }

    [Test]
    public void A_delta_alone_covers_nobody_and_still_revokes()
    {
        var lists = RevocationLists.FromDer(_world.RootCrl().Raw, _world.IssuingCrl(crl => crl with { Number = 7, DeltaBase = 6 }).Raw);
        Judge(lists)!.Reason.Should().Be(RejectionReason.RevocationStatusUnknown);

        _world.Issuing.Revoke(_world.Client);
        lists = RevocationLists.FromDer(_world.RootCrl().Raw, _world.IssuingCrl(crl => crl with { Number = 7, DeltaBase = 6 }).Raw);
        Judge(lists)!.Reason.Should().Be(RejectionReason.CertificateRevoked);
    }

    private Rejection? Judge(
        IRevocationListSource lists,
        params TestAuthority[] alsoSent) => RevocationWorld.RejectionOf(new CertificateStage(_world.Options(lists)).Judge(
        new PeerEvidence(
            PeerRole.Client,
            [_world.Client.RawCertificate, .. _world.Client.RawChain, .. alsoSent.Select(authority => authority.AsCertificate.RawCertificate)]),
        _world.Now));
}
