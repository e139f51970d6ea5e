using System.Security.Cryptography.X509Certificates;
using MutualAuth.Paths;
using MutualAuth.Revocation;
using MutualAuth.Testing;
using MutualAuth.Testing.Revocation;
using MutualAuth.Tests.Support;
using MutualAuth.Validation;

namespace MutualAuth.Tests.Revocation;

/// <summary>
/// Each shape of list that must not count, beside its neighbour that does. All of them lie in a set with a good list of the root's.
/// </summary>
public sealed class RevocationCheckTests
{
    private const string Point = "http://lists.test/a.crl";

    private static IEnumerable<TestCaseData> Shapes()
    {
        yield return Shape("good", crl => crl, null);
        yield return Shape("made a second ago", crl => crl with { ThisUpdate = s_now.AddSeconds(-1) }, null);
        yield return Shape("made a minute ahead", crl => crl with { ThisUpdate = s_now.AddMinutes(1) }, null);
        yield return Shape(
            "made more than a minute ahead", crl => crl with { ThisUpdate = s_now.AddSeconds(61) }, RejectionReason.RevocationStatusUnknown);
        yield return Shape("runs out now", crl => crl with { NextUpdate = s_now }, null);
        yield return Shape("ran out a second ago", crl => crl with { NextUpdate = s_now.AddSeconds(-1) }, RejectionReason.RevocationStatusUnknown);
        yield return Shape("no next update", crl => crl with { NextUpdate = null }, RejectionReason.RevocationStatusUnknown);
        yield return Shape(
            "signed by another key",
            crl => crl with { SigningKey = TestKey.Shared(KeyAlgorithm.EcdsaP256) },
            RejectionReason.RevocationStatusUnknown);
        yield return Shape("one bit of the signature is wrong", crl => crl with { CorruptSignature = true }, RejectionReason.RevocationStatusUnknown);
        yield return Shape("of another issuer", crl => crl with { Issuer = "CN=Somebody Else" }, RejectionReason.RevocationStatusUnknown);
        yield return Shape("of the issuer's name in other letters", crl => crl with { Issuer = "CN=ISSUING" }, null);
        yield return Shape("end entities only", Scope(new IssuingDistributionPoint { OnlyEndEntities = true }), null);
        yield return Shape(
            "authorities only", Scope(new IssuingDistributionPoint { OnlyAuthorities = true }), RejectionReason.RevocationStatusUnknown);
        yield return Shape(
            "attribute certificates only",
            Scope(new IssuingDistributionPoint { OnlyAttributeCertificates = true }),
            RejectionReason.RevocationStatusUnknown);
        yield return Shape("the certificate's point", Scope(new IssuingDistributionPoint { Uri = Point }), null);
        yield return Shape(
            "another point", Scope(new IssuingDistributionPoint { Uri = "http://lists.test/b.crl" }), RejectionReason.RevocationStatusUnknown);
        yield return Shape(
            "the point in other letters",
            Scope(new IssuingDistributionPoint { Uri = "http://LISTS.test/a.crl" }),
            RejectionReason.RevocationStatusUnknown);
        yield return Shape("all reasons", Scope(new IssuingDistributionPoint { OnlyEndEntities = true, OnlySomeReasons = 0x7f | (1 << 15) }), null);
        yield return Shape("some reasons", Scope(new IssuingDistributionPoint { OnlySomeReasons = 1 << 6 }), RejectionReason.RevocationStatusUnknown);
        yield return Shape("an unknown extension", Extra("1.3.6.1.4.1.99999.1", critical: false), null);
    }

    private static readonly DateTimeOffset s_now = new(2030, 6, 1, 12, 0, 0, TimeSpan.Zero);

    [TestCaseSource(nameof(Shapes))]
    public void Only_a_current_genuine_list_in_scope_covers_a_certificate(Func<CrlSpec, CrlSpec> shape, RejectionReason? expected)
    {
        using var world = new RevocationWorld(spec => spec with { CrlDistributionPoints = [Point] });

        var rejection = world.Judge(world.Lists(shape));

        (rejection?.Reason).Should().Be(expected);
        if (rejection is not null)
        {
            rejection.Element.Should().StartWith("leaf certificate");
            rejection.Presented.Should().NotBeEmpty();
        }
    }

    [Test]
    public void Whoever_is_on_a_genuine_list_that_ran_out_passes_no_relaxed_policy()
    {
        using var world = new RevocationWorld();
        using var other = world.Issue();
        world.Issuing.Revoke(world.Client);
        var options = world.Options(world.Lists(RunOut));
        options = options with { Revocation = options.Revocation! with { Unknown = UnknownStatus.DangerouslyAllow } };

        world.Judge(options)!.Reason.Should().Be(RejectionReason.CertificateRevoked);
        world.Judge(options, peer: other).Should().BeNull();
        var forged = options with
        {
            Revocation = options.Revocation! with
            { Lists = world.Lists(crl => RunOut(crl) with { CorruptSignature = true }) }
        };
        world.Judge(forged).Should().BeNull("nobody's list revokes nobody");
    }

    [Test]
    public void Without_lists_nothing_is_checked_and_with_them_the_revoked_is_rejected()
    {
        using var world = new RevocationWorld();
        world.Issuing.Revoke(world.Client, X509RevocationReason.KeyCompromise);

        world.Judge(lists: null).Should().BeNull();
        var rejection = world.Judge(world.Lists());

        rejection!.Reason.Should().Be(RejectionReason.CertificateRevoked);
        rejection.Presented.Should().Contain("keyCompromise").And.Contain("2030-06-01T12:00:00Z");
    }

    [TestCase(X509RevocationReason.CertificateHold)]
    [TestCase(X509RevocationReason.Superseded)]
    [TestCase(X509RevocationReason.Unspecified)]
    public void Every_reason_revokes_and_so_does_a_hold(X509RevocationReason reason)
    {
        using var world = new RevocationWorld();
        world.Issuing.Revoke(world.Client, reason);

        world.Judge(world.Lists())!.Reason.Should().Be(RejectionReason.CertificateRevoked);
    }

    [Test]
    public void A_date_of_revocation_that_lies_ahead_or_before_the_certificate_revokes_all_the_same([Values(-100, 100)] int days)
    {
        using var world = new RevocationWorld();

        var lists = world.Lists(crl => crl with { Revoked = [new RevokedCertificate(world.Client.SerialNumber, s_now.AddDays(days))] });

        world.Judge(lists)!.Reason.Should().Be(RejectionReason.CertificateRevoked);
    }

    [Test]
    public void The_same_serial_number_of_another_issuer_is_another_certificate()
    {
        using var world = new RevocationWorld();
        var rootRevokes = world.Root.IssueCrl(crl => crl with { Revoked = [new RevokedCertificate(world.Client.SerialNumber, s_now)] });

        world.Judge(RevocationLists.FromDer(rootRevokes.Raw, world.IssuingCrl().Raw)).Should().BeNull();
    }

    [Test]
    public void A_revoked_authority_takes_its_certificates_with_it()
    {
        using var world = new RevocationWorld();
        world.Root.Revoke(world.Issuing.AsCertificate, X509RevocationReason.CACompromise);

        var rejection = world.Judge(world.Lists());

        rejection!.Reason.Should().Be(RejectionReason.CertificateRevoked);
        rejection.Element.Should().StartWith("intermediate");
    }

    [Test]
    public void An_authority_without_coverage_is_rejected_unless_only_the_leaf_needs_it()
    {
        using var world = new RevocationWorld();
        var options = world.Options(RevocationLists.FromDer(world.IssuingCrl().Raw));

        var rejection = world.Judge(options);
        rejection!.Reason.Should().Be(RejectionReason.RevocationStatusUnknown);
        rejection.Element.Should().StartWith("intermediate");
        world.Judge(options with { Revocation = options.Revocation! with { Coverage = RevocationCoverage.LeafOnly } }).Should().BeNull();
        world.Judge(options with { Revocation = options.Revocation! with { Coverage = RevocationCoverage.AuthoritiesOnly } })!.Reason
            .Should().Be(RejectionReason.RevocationStatusUnknown);
    }

    [Test]
    public void A_leaf_without_coverage_is_rejected_unless_only_the_authorities_need_it()
    {
        using var world = new RevocationWorld();
        var options = world.Options(RevocationLists.FromDer(world.RootCrl().Raw));

        world.Judge(options)!.Reason.Should().Be(RejectionReason.RevocationStatusUnknown);
        world.Judge(options with { Revocation = options.Revocation! with { Coverage = RevocationCoverage.AuthoritiesOnly } }).Should().BeNull();
    }

    [Test]
    public void Less_coverage_never_lets_in_what_is_known_to_be_revoked()
    {
        using var world = new RevocationWorld();
        world.Issuing.Revoke(world.Client);
        var options = world.Options(world.Lists());

        foreach (var policy in new[]
        {
            options.Revocation! with { Coverage = RevocationCoverage.AuthoritiesOnly },
            options.Revocation! with { Unknown = UnknownStatus.DangerouslyAllow },
        })
        {
            world.Judge(options with { Revocation = policy })!.Reason.Should().Be(RejectionReason.CertificateRevoked);
        }
    }

    [Test]
    public void Unknown_status_is_let_pass_only_where_the_policy_says_so()
    {
        using var world = new RevocationWorld();
        var options = world.Options(RevocationLists.Empty);

        world.Judge(options)!.Reason.Should().Be(RejectionReason.RevocationStatusUnknown);
        world.Judge(options with { Revocation = options.Revocation! with { Unknown = UnknownStatus.DangerouslyAllow } }).Should().BeNull();
    }

    [Test]
    public void A_grace_period_lets_an_old_list_count_for_so_long_and_no_longer()
    {
        using var world = new RevocationWorld();
        var options = world.Options(world.Lists(crl => crl with { NextUpdate = s_now.AddMinutes(-10) }));

        CertificateStageOptions WithGrace(int minutes) =>
            options with { Revocation = options.Revocation! with { DangerousGracePeriod = TimeSpan.FromMinutes(minutes) } };

        world.Judge(WithGrace(9))!.Reason.Should().Be(RejectionReason.RevocationStatusUnknown);
        world.Judge(WithGrace(10)).Should().BeNull();
    }

    [TestCase(59, false)]
    [TestCase(60, true)]
    public void A_list_without_a_next_update_counts_from_when_it_was_made_for_the_grace_period(int minutes, bool covers)
    {
        using var world = new RevocationWorld();
        var options = world.Options(world.Lists(crl => crl with { NextUpdate = null, ThisUpdate = s_now.AddHours(-1) }));
        options = options with { Revocation = options.Revocation! with { DangerousGracePeriod = TimeSpan.FromMinutes(minutes) } };

        (world.Judge(options)?.Reason).Should().Be(covers ? null : RejectionReason.RevocationStatusUnknown);
        world.Judge(options with { Profile = ValidationProfile.Rfc5280 })!.Reason.Should().Be(
            RejectionReason.RevocationStatusUnknown, "by the letter, a list says when the next one comes");
    }

    [Test]
    public void What_is_wrong_with_the_list_that_there_is_is_said()
    {
        using var world = new RevocationWorld();
        string Presented(Func<CrlSpec, CrlSpec>? shape) => world.Judge(
            shape is null ? RevocationLists.FromDer(world.RootCrl().Raw) : world.Lists(shape))!.Presented;

        Presented(null).Should().Be("no list of this issuer");
        Presented(crl => crl with { CorruptSignature = true }).Should().Contain("not signed");
        Presented(crl => crl with { NextUpdate = s_now.AddMinutes(-5) }).Should().Contain("expired").And.Contain("11:55:00");
        Presented(crl => crl with { NextUpdate = null }).Should().Contain("without a next update");
        Presented(crl => crl with { ThisUpdate = s_now.AddDays(1) }).Should().Contain("later").And.Contain("2030-06-02");
        Presented(Scope(new IssuingDistributionPoint { OnlyAuthorities = true })).Should().Contain("authorities only");
        Presented(Scope(new IssuingDistributionPoint { OnlySomeReasons = 0x60 })).Should().Contain("only some");
    }

    /// <summary>The kit dates a list to its last entry, which here is of now.</summary>
    private static CrlSpec RunOut(CrlSpec crl) => crl with { ThisUpdate = s_now.AddHours(-1), NextUpdate = s_now.AddSeconds(-1) };

    private static IEnumerable<TestCaseData> OutOfForce()
    {
        yield return Shape("run out", RunOut, RejectionReason.CertificateRevoked);
        yield return Shape("of other certificates", Scope(new IssuingDistributionPoint { OnlyAuthorities = true }), null);
        yield return Shape("of another key", crl => RunOut(crl) with { SigningKey = TestKey.Generate() }, null);
        yield return Shape(
            "that lifts a hold",
            crl => RunOut(crl) with
            {
                DeltaBase = 1,
                Number = 2,
                Revoked = [crl.Revoked[0] with { Reason = X509RevocationReason.RemoveFromCrl }],
            },
            null);
    }

    [TestCaseSource(nameof(OutOfForce))]
    public void A_relaxed_policy_still_hears_a_genuine_list_that_speaks_of_the_certificate(Func<CrlSpec, CrlSpec> shape, RejectionReason? expected)
    {
        using var world = new RevocationWorld();
        world.Issuing.Revoke(world.Client);
        var options = world.Options(world.Lists(shape));
        options = options with { Revocation = options.Revocation! with { Unknown = UnknownStatus.DangerouslyAllow } };

        (world.Judge(options)?.Reason).Should().Be(expected);
    }

    [Test]
    public void Without_further_issuers_a_list_by_another_key_leaves_the_status_unknown()
    {
        using var world = new RevocationWorld();
        using var other = world.Root.IssueIntermediate("Issuing");
        Rejection? Check(TestCrl crl) => new RevocationCheck(
                world.Client.Read(), new RevocationPolicy { Lists = RevocationLists.FromDer(crl.Raw) }, denyList: null, ValidationProfile.MutualTls)
            .Check([world.Client.Read(), world.Issuing.Read()], 0, pool: null, world.Now);

        Check(world.IssuingCrl()).Should().BeNull();
        Check(other.IssueCrl())!.Reason.Should().Be(RejectionReason.RevocationStatusUnknown);
    }

    [TestCase(X509RevocationReason.CertificateHold, true)]
    [TestCase(X509RevocationReason.Superseded, false)]
    public void Whoever_is_on_hold_is_told_that_the_hold_can_be_lifted(X509RevocationReason reason, bool canBeLifted)
    {
        using var world = new RevocationWorld();
        world.Issuing.Revoke(world.Client, reason);

        world.Judge(world.Lists())!.Hint!.Contains("on hold", StringComparison.Ordinal).Should().Be(canBeLifted);
    }

    [Test]
    public void An_issuer_whose_key_is_not_for_lists_covers_nothing()
    {
        using var unfit = new RevocationWorld(intermediate: spec => spec with { KeyUsage = X509KeyUsageFlags.KeyCertSign });
        using var silent = new RevocationWorld(intermediate: spec => spec with { KeyUsage = null });

        unfit.Judge(unfit.Lists())!.Reason.Should().Be(RejectionReason.RevocationStatusUnknown);
        silent.Judge(silent.Lists()).Should().BeNull();
    }

    [Test]
    public void After_a_change_of_keys_each_certificate_needs_the_list_of_the_key_that_issued_it()
    {
        using var world = new RevocationWorld();
        using var renewed = world.Root.IssueIntermediate("Issuing");
        using var newer = renewed.IssueClient("client.test");
        var old = world.IssuingCrl();
        var recent = renewed.IssueCrl();

        var onlyOld = world.Options(RevocationLists.FromDer(world.RootCrl().Raw, old.Raw));
        var both = world.Options(RevocationLists.FromDer(world.RootCrl().Raw, old.Raw, recent.Raw));

        world.Judge(onlyOld).Should().BeNull();
        world.Judge(onlyOld, peer: newer)!.Reason.Should().Be(RejectionReason.RevocationStatusUnknown);
        world.Judge(both).Should().BeNull();
        world.Judge(both, peer: newer).Should().BeNull();
    }

    [Test]
    public void A_list_counts_for_every_certificate_of_the_key_that_signed_it()
    {
        using var world = new RevocationWorld();
        using var renewed = world.Root.IssueIntermediate("Issuing", spec => spec with { Key = world.Issuing.AsCertificate.Key });
        using var newer = renewed.IssueClient("client.test");

        world.Judge(world.Options(world.Lists()), peer: newer).Should().BeNull();
    }

    [Test]
    public void A_revoked_cross_certificate_closes_its_own_way_and_no_other()
    {
        using var world = new RevocationWorld();
        using var cross = world.Root.CrossSign(world.Issuing);
        var both = world.Client.WithChain(cross.AsCertificate.RawCertificate, world.Issuing.AsCertificate.RawCertificate);
        var options = world.Options(world.Lists());
        world.Root.Revoke(cross.AsCertificate);

        world.Judge(world.Options(world.Lists()), peer: both).Should().BeNull();
        world.Root.Revoke(world.Issuing.AsCertificate);
        world.Judge(world.Options(world.Lists()), peer: both)!.Reason.Should().Be(RejectionReason.CertificateRevoked);
        world.Judge(options, peer: both).Should().BeNull();
    }

    [Test]
    public void Lists_for_some_reasons_cover_together_what_none_covers_alone()
    {
        using var world = new RevocationWorld();
        var compromises = world.IssuingCrl(Scope(new IssuingDistributionPoint { OnlySomeReasons = 0x60 }));
        var others = world.IssuingCrl(Scope(new IssuingDistributionPoint { OnlySomeReasons = 0x1f | (1 << 15) }));

        world.Judge(RevocationLists.FromDer(world.RootCrl().Raw, compromises.Raw))!.Reason.Should().Be(RejectionReason.RevocationStatusUnknown);
        world.Judge(RevocationLists.FromDer(world.RootCrl().Raw, compromises.Raw, others.Raw)).Should().BeNull();
    }

    [TestCaseSource(nameof(FormProblems))]
    public void A_slip_of_form_counts_under_the_profiles_that_go_by_the_letter(Func<CrlSpec, CrlSpec> shape)
    {
        using var world = new RevocationWorld();
        var options = world.Options(world.Lists(shape));

        world.Judge(options).Should().BeNull();
        world.Judge(options with { Profile = ValidationProfile.Rfc5280 })!.Reason.Should().Be(RejectionReason.RevocationStatusUnknown);
    }

    [Test]
    public void An_identifier_of_the_key_is_not_critical_by_the_letter([Values] bool isCritical)
    {
        using var world = new RevocationWorld();
        byte[] keyId = world.Issuing.Read().Extensions.SubjectKeyId.ToArray();
        var options = world.Options(world.Lists(crl => crl with
        {
            AuthorityKeyIdentifier = KeyIdentifier.Absent,
            Extensions = [new("2.5.29.35", isCritical, (byte[])[0x30, (byte)(keyId.Length + 2), 0x80, (byte)keyId.Length, .. keyId])],
        }));

        world.Judge(options).Should().BeNull();
        (world.Judge(options with { Profile = ValidationProfile.Rfc5280 })?.Reason).Should().Be(
            isCritical ? RejectionReason.RevocationStatusUnknown : null);
    }

    [Test]
    public void A_delta_says_critically_that_it_is_one_by_the_letter([Values] bool isCritical)
    {
        using var world = new RevocationWorld();
        var full = world.IssuingCrl(crl => crl with { Number = 6 });
        var delta = world.IssuingCrl(crl => crl with
        {
            Number = 7,
            Revoked = [new RevokedCertificate(world.Client.SerialNumber, s_now)],
            Extensions = [new("2.5.29.27", isCritical, new byte[] { 2, 1, 6 })],
        });
        var options = world.Options(RevocationLists.FromDer(world.RootCrl().Raw, full.Raw, delta.Raw));

        world.Judge(options)!.Reason.Should().Be(RejectionReason.CertificateRevoked);
        (world.Judge(options with { Profile = ValidationProfile.Rfc5280 })?.Reason).Should().Be(
            isCritical ? RejectionReason.CertificateRevoked : null, "a list that breaks the letter does not count");
    }

    [Test]
    public void A_list_without_a_slip_passes_by_the_letter()
    {
        using var world = new RevocationWorld();

        world.Judge(world.Options(world.Lists()) with { Profile = ValidationProfile.Rfc5280 }).Should().BeNull();
    }

    [Test]
    public void A_list_signed_more_weakly_than_the_profile_allows_covers_nothing()
    {
        using var world = new RevocationWorld();
        using var authority = new TestAuthority("Strong", spec => spec with { KeyAlgorithm = KeyAlgorithm.EcdsaP384 }, world.Clock);
        using var client = authority.IssueClient("client.test");
        var options = world.Options(
            RevocationLists.FromDer(authority.IssueCrl(crl => crl with { SignatureAlgorithm = SignatureAlgorithm.EcdsaSha256 }).Raw)) with
        {
            Trust = authority.ToTrustAnchors(),
        };

        world.Judge(options, peer: client).Should().BeNull();
        world.Judge(options with { Profile = ValidationProfile.MutualTls with { MinimumHashBits = 384 } }, peer: client)!.Reason
            .Should().Be(RejectionReason.RevocationStatusUnknown);
    }

    [Test]
    public void What_was_accepted_is_rejected_once_it_is_revoked_and_the_lists_are_replaced()
    {
        using var world = new RevocationWorld();
        var source = new ReloadableLists(world.Lists());
        var stage = new CertificateStage(world.Options(source));
        var evidence = world.Evidence();

        RevocationWorld.RejectionOf(stage.Judge(evidence, world.Now)).Should().BeNull();
        world.Issuing.Revoke(world.Client);
        RevocationWorld.RejectionOf(stage.Judge(evidence, world.Now)).Should().BeNull();
        source.Current = world.Lists();
        RevocationWorld.RejectionOf(stage.Judge(evidence, world.Now))!.Reason.Should().Be(RejectionReason.CertificateRevoked);
        source.Current = RevocationLists.Empty;
        RevocationWorld.RejectionOf(stage.Judge(evidence, world.Now))!.Reason.Should().Be(RejectionReason.RevocationStatusUnknown);
        source.Current = RevocationLists.DangerouslyUnchecked;
        RevocationWorld.RejectionOf(stage.Judge(evidence, world.Now)).Should().BeNull();
    }

    [Test]
    public void A_list_that_covered_runs_out_without_anybody_doing_anything()
    {
        using var world = new RevocationWorld();
        var stage = new CertificateStage(world.Options(world.Lists()));

        RevocationWorld.RejectionOf(stage.Judge(world.Evidence(), world.Now.AddDays(7))).Should().BeNull();
        RevocationWorld.RejectionOf(stage.Judge(world.Evidence(), world.Now.AddDays(7).AddSeconds(1)))!.Reason
            .Should().Be(RejectionReason.RevocationStatusUnknown);
    }

    private static IEnumerable<TestCaseData> FormProblems()
    {
        yield return new TestCaseData((CrlSpec crl) => crl with { Number = null }).SetArgDisplayNames("no number");
        yield return new TestCaseData((CrlSpec crl) => crl with { AuthorityKeyIdentifier = KeyIdentifier.Absent }).SetArgDisplayNames(
            "no authority key identifier");
        yield return new TestCaseData((CrlSpec crl) => crl with { AuthorityKeyIdentifier = KeyIdentifier.Of(new byte[] { 1, 2, 3 }) })
            .SetArgDisplayNames("another key identifier");
        yield return new TestCaseData(
            (CrlSpec crl) => crl with { Number = null, Extensions = [new CertificateExtension("2.5.29.20", true, new byte[] { 2, 1, 1 })] })
            .SetArgDisplayNames("a critical number");
        yield return new TestCaseData(
            (CrlSpec crl) => crl with { Extensions = [new CertificateExtension("2.5.29.28", false, new byte[] { 0x30, 3, 0x81, 1, 0xff })] })
            .SetArgDisplayNames("a scope that is not critical");
        yield return new TestCaseData(
            (CrlSpec crl) => crl with { Extensions = [new CertificateExtension("2.5.29.46", true, new byte[] { 0x30, 0 })] })
            .SetArgDisplayNames("a critical pointer to deltas");
        yield return new TestCaseData(
            (CrlSpec crl) => crl with { Extensions = [new CertificateExtension("2.5.29.18", true, new byte[] { 0x30, 0 })] })
            .SetArgDisplayNames("critical other names of the issuer");
        yield return new TestCaseData((CrlSpec crl) => crl with { Revoked = [new RevokedCertificate(7, s_now), new RevokedCertificate(7, s_now)] })
            .SetArgDisplayNames("a serial number twice");
        yield return new TestCaseData((CrlSpec crl) => crl with { RewriteTbs = tbs => DerEdit.Sequence(tbs, parts => parts.Insert(5, [0x30, 0])) })
            .SetArgDisplayNames("an empty list of entries");
        yield return new TestCaseData((CrlSpec crl) => crl with
        {
            RewriteTbs = tbs => DerEdit.Sequence(tbs, parts =>
            {
                parts.RemoveAt(parts.Count - 1);
                parts.RemoveAt(0);
            }),
        }).SetArgDisplayNames("version 1");
    }

    private static TestCaseData Shape(string name, Func<CrlSpec, CrlSpec> shape, RejectionReason? expected) =>
        new TestCaseData(shape, expected).SetArgDisplayNames(name);

    private static Func<CrlSpec, CrlSpec> Scope(IssuingDistributionPoint point) => crl => crl with { IssuingDistributionPoint = point };

    private static Func<CrlSpec, CrlSpec> Extra(string oid, bool critical) =>
        crl => crl with { Extensions = [new CertificateExtension(oid, critical, new byte[] { 5, 0 })] };
}
