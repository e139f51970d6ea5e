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
        yield return Case("runs out now", world => world.Root, spec => spec with { NotAfter = s_now }, null);
        yield return Case("begins now", world => world.Root, spec => spec with { NotBefore = s_now }, null);
        yield return Case(
            "begins in a second",
            world => world.Root,
            spec => spec with { NotBefore = s_now.AddSeconds(1) },
            RejectionReason.RevocationStatusUnknown);
        yield return Case("an authority without a word of usages", world => world.Root, spec => spec with { KeyUsage = null }, null);
        yield return Case(
            "a key that is too weak",
            world => world.Root,
            spec => spec with { Key = TestKey.Shared(KeyAlgorithm.Rsa1024) },
            RejectionReason.RevocationStatusUnknown);
        yield return Case(
            "a certificate that is signed too weakly",
            world => world.Root,
            spec => spec with { SignatureAlgorithm = SignatureAlgorithm.EcdsaSha1 },
            RejectionReason.RevocationStatusUnknown);
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

    private static IEnumerable<TestCaseData> Between()
    {
        yield return Case("an authority", spec => spec, null);
        yield return Case("an authority without a word of usages", spec => spec with { KeyUsage = null }, null);
        yield return Case("runs out now", spec => spec with { NotAfter = s_now }, null);
        yield return Case("run out", spec => spec with { NotAfter = s_now.AddSeconds(-1) }, RejectionReason.RevocationStatusUnknown);
        yield return Case("no authority", spec => spec with { BasicConstraints = null }, RejectionReason.RevocationStatusUnknown);
        yield return Case(
            "a key that may not sign certificates",
            spec => spec with { KeyUsage = X509KeyUsageFlags.CrlSign },
            RejectionReason.RevocationStatusUnknown);
        yield return Case(
            "a key that is too weak", spec => spec with { Key = TestKey.Shared(KeyAlgorithm.Rsa1024) }, RejectionReason.RevocationStatusUnknown);
        yield return Case("a forged certificate", spec => spec with { CorruptSignature = true }, RejectionReason.RevocationStatusUnknown);

        static TestCaseData Case(string name, Func<CertificateSpec, CertificateSpec> between, RejectionReason? expected) =>
            new TestCaseData(between, expected).SetArgDisplayNames(name);
    }

    [TestCaseSource(nameof(Between))]
    public void An_authority_between_the_key_of_a_list_and_the_path_is_as_fit_as_one_on_the_path(
        Func<CertificateSpec, CertificateSpec> spec, RejectionReason? expected)
    {
        using var between = _world.Root.IssueIntermediate("Between", spec);
        using var signer = between.IssueIntermediate("Issuing");

        (Judge(RevocationLists.FromDer(_world.RootCrl().Raw, signer.IssueCrl().Raw), between, signer)?.Reason).Should().Be(expected);
    }

    [Test]
    public void A_key_to_which_only_a_stranger_leads_speaks_for_nobody()
    {
        using var stranger = new TestAuthority("Stranger", timeProvider: _world.Clock);
        using var signer = stranger.IssueIntermediate("Issuing");

        Judge(RevocationLists.FromDer(_world.RootCrl().Raw, signer.IssueCrl().Raw), stranger, signer)!.Reason.Should().Be(
            RejectionReason.RevocationStatusUnknown);
    }

    [Test]
    public void Two_authorities_may_stand_between_the_key_of_a_list_and_the_path_and_no_third()
    {
        using var first = _world.Root.IssueIntermediate("First");
        using var second = first.IssueIntermediate("Second");
        using var third = second.IssueIntermediate("Third");
        using var near = second.IssueIntermediate("Issuing");
        using var far = third.IssueIntermediate("Issuing");

        Judge(RevocationLists.FromDer(_world.RootCrl().Raw, near.IssueCrl().Raw), first, second, near).Should().BeNull();
        Judge(RevocationLists.FromDer(_world.RootCrl().Raw, far.IssueCrl().Raw), first, second, third, far)!.Reason.Should().Be(
            RejectionReason.RevocationStatusUnknown);
    }

    [Test]
    public void A_list_that_names_a_third_key_is_not_that_of_the_second()
    {
        using var signer = _world.Root.IssueIntermediate("Issuing");
        using var nameless = _world.Root.IssueIntermediate("Issuing", spec => spec with { SubjectKeyIdentifier = KeyIdentifier.Absent });
        var third = KeyIdentifier.Of(new byte[] { 1, 2, 3 });

        RevocationLists Signed(TestAuthority by, KeyIdentifier keyId) =>
            RevocationLists.FromDer(_world.RootCrl().Raw, by.IssueCrl(crl => crl with { AuthorityKeyIdentifier = keyId }).Raw);
        Judge(Signed(signer, third), signer)!.Reason.Should().Be(RejectionReason.RevocationStatusUnknown);
        Judge(Signed(signer, KeyIdentifier.Absent), signer).Should().BeNull();
        Judge(Signed(nameless, third), nameless).Should().BeNull("its certificate does not say which key it is");
    }

    [Test]
    public void A_revoked_peer_makes_us_check_sixteen_signatures_and_no_more()
    {
        // Two checks go to the key that did sign: its own, and that of its certificate.
        using var signer = _world.Root.IssueIntermediate("Issuing");
        var list = signer.IssueCrl(crl => crl with { AuthorityKeyIdentifier = KeyIdentifier.Absent }).Pem;
        var others = Enumerable.Range(0, 15).Select(_ => _world.Root.IssueIntermediate("Issuing")).ToList();
        string With(int count) => string.Concat(others.Take(count).Select(other => other.CertificatePem)) + signer.CertificatePem;

        Judge(RevocationLists.FromPem(_world.RootCrl().Pem + list + With(14))).Should().BeNull();
        Judge(RevocationLists.FromPem(_world.RootCrl().Pem + list + With(15)))!.Reason.Should().Be(RejectionReason.RevocationStatusUnknown);
        others.ForEach(other => other.Dispose());
    }

    [Test]
    public void An_anchor_leads_to_a_key_even_where_its_own_signature_is_weak()
    {
        using var root = new TestAuthority("Weak", spec => spec with { SignatureAlgorithm = SignatureAlgorithm.EcdsaSha1 }, _world.Clock);
        using var issuing = root.IssueIntermediate("Issuing");
        using var signer = root.IssueIntermediate("Issuing");
        using var client = issuing.IssueClient("client.test");
        var options = _world.Options(RevocationLists.FromPem(root.IssueCrl().Pem + signer.IssueCrl().Pem + signer.CertificatePem)) with
        {
            Trust = root.ToTrustAnchors(),
        };

        _world.Judge(options, peer: client).Should().BeNull();
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
        yield return Case(
            "lifted by a delta of the base's own number",
            X509RevocationReason.CertificateHold,
            "off",
            crl => crl with { DeltaBase = 5, Number = 6 },
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
    public void Of_two_deltas_the_newer_one_counts_whichever_comes_first()
    {
        RevokedCertificate Entry(X509RevocationReason reason) => new(_world.Client.SerialNumber, s_now, reason);
        var full = _world.IssuingCrl(crl => crl with { Number = 6, Revoked = [Entry(X509RevocationReason.CertificateHold)] });
        TestCrl Delta(int number, X509RevocationReason reason) =>
            _world.IssuingCrl(crl => crl with { Number = number, DeltaBase = 6, Revoked = [Entry(reason)] });

        foreach (var (seventh, eighth, expected) in new (X509RevocationReason, X509RevocationReason, RejectionReason?)[]
        {
            (X509RevocationReason.CertificateHold, X509RevocationReason.RemoveFromCrl, null),
            (X509RevocationReason.RemoveFromCrl, X509RevocationReason.CertificateHold, RejectionReason.CertificateRevoked),
        })
        {
            var (older, newer) = (Delta(7, seventh), Delta(8, eighth));
            (Judge(RevocationLists.FromDer(_world.RootCrl().Raw, full.Raw, older.Raw, newer.Raw))?.Reason).Should().Be(expected);
            (Judge(RevocationLists.FromDer(_world.RootCrl().Raw, full.Raw, newer.Raw, older.Raw))?.Reason).Should().Be(expected);
        }
    }

    [Test]
    public void A_delta_by_another_key_of_the_issuer_lifts_no_hold()
    {
        using var signer = _world.Root.IssueIntermediate("Issuing");
        var hold = _world.IssuingCrl(
            crl => crl with { Number = 6, Revoked = [new(_world.Client.SerialNumber, s_now, X509RevocationReason.CertificateHold)] });
        var lifted = signer.IssueCrl(
            crl => crl with
            { Number = 7, DeltaBase = 6, Revoked = [new(_world.Client.SerialNumber, s_now, X509RevocationReason.RemoveFromCrl)] });

        Judge(RevocationLists.FromDer(_world.RootCrl().Raw, hold.Raw, lifted.Raw), signer)!.Reason.Should().Be(RejectionReason.CertificateRevoked);
    }

    [Test]
    public void A_delta_adds_to_no_list_without_a_number()
    {
        var hold = _world.IssuingCrl(
            crl => crl with { Number = null, Revoked = [new(_world.Client.SerialNumber, s_now, X509RevocationReason.CertificateHold)] });
        var lifted = _world.IssuingCrl(
            crl => crl with
            { Number = 1, DeltaBase = 0, Revoked = [new(_world.Client.SerialNumber, s_now, X509RevocationReason.RemoveFromCrl)] });

        Judge(RevocationLists.FromDer(_world.RootCrl().Raw, hold.Raw, lifted.Raw))!.Reason.Should().Be(RejectionReason.CertificateRevoked);
    }

    private static IEnumerable<TestCaseData> LoneDeltas()
    {
        yield return Case("that revokes", crl => crl, RejectionReason.CertificateRevoked);
        yield return Case("that is forged", crl => crl with { SigningKey = TestKey.Generate() }, null);
        yield return Case("that has run out", crl => crl with { NextUpdate = s_now.AddSeconds(-1) }, null);
        yield return Case("of other certificates", crl => crl with { IssuingDistributionPoint = new() { OnlyAuthorities = true } }, null);
        yield return Case("that lifts a hold", Lift, null);

        static CrlSpec Lift(CrlSpec crl) =>
            crl with { Revoked = [crl.Revoked[0] with { Reason = X509RevocationReason.RemoveFromCrl }] };
        static TestCaseData Case(string name, Func<CrlSpec, CrlSpec> delta, RejectionReason? expected) =>
            new TestCaseData(delta, expected).SetArgDisplayNames(name);
    }

    [TestCaseSource(nameof(LoneDeltas))]
    public void A_delta_whose_base_is_not_there_can_still_revoke(Func<CrlSpec, CrlSpec> change, RejectionReason? expected)
    {
        var full = _world.IssuingCrl(crl => crl with { Number = 6 });
        var delta = _world.IssuingCrl(crl => change(
            crl with { Number = 10, DeltaBase = 9, Revoked = [new(_world.Client.SerialNumber, s_now, X509RevocationReason.KeyCompromise)] }));

        (Judge(RevocationLists.FromDer(_world.RootCrl().Raw, full.Raw, delta.Raw))?.Reason).Should().Be(expected);
    }

    [Test]
    public void A_delta_is_overtaken_by_a_full_list_of_its_scope_and_by_nothing_else()
    {
        var delta = _world.IssuingCrl(
            crl => crl with { Number = 7, DeltaBase = 6, Revoked = [new(_world.Client.SerialNumber, s_now, X509RevocationReason.KeyCompromise)] });
        var whole = _world.IssuingCrl(crl => crl with { Number = 7 });
        var peers = _world.IssuingCrl(crl => crl with { Number = 10, IssuingDistributionPoint = new() { OnlyEndEntities = true } });
        var later = _world.IssuingCrl(crl => crl with { Number = 8, DeltaBase = 6 });
        var earlier = _world.IssuingCrl(crl => crl with { Number = 6, DeltaBase = 5 });

        Judge(RevocationLists.FromDer(_world.RootCrl().Raw, whole.Raw, delta.Raw)).Should().BeNull();
        Judge(RevocationLists.FromDer(_world.RootCrl().Raw, peers.Raw, delta.Raw))!.Reason.Should().Be(RejectionReason.CertificateRevoked);
        Judge(RevocationLists.FromDer(_world.RootCrl().Raw, later.Raw, delta.Raw))!.Reason.Should().Be(RejectionReason.CertificateRevoked);
        Judge(RevocationLists.FromDer(_world.RootCrl().Raw, earlier.Raw, delta.Raw))!.Reason.Should().Be(RejectionReason.CertificateRevoked);
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
