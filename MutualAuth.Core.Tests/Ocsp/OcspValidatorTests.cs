using System.Numerics;
using System.Security.Cryptography.X509Certificates;
using CsCheck;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Testing;
using MutualAuth.Names;
using MutualAuth.Ocsp;
using MutualAuth.Paths;
using MutualAuth.Revocation;
using MutualAuth.Testing;
using MutualAuth.Testing.Responders;
using MutualAuth.Testing.Revocation;
using MutualAuth.Tests.Support;
using MutualAuth.Validation;
using OcspStatus = MutualAuth.Testing.Revocation.OcspStatus;

namespace MutualAuth.Tests.Ocsp;

[CancelAfter(20_000)]
public sealed class OcspValidatorTests
{
    private RevocationWorld _world = null!;
    private OcspResponder _rootResponder = null!;
    private OcspResponder _responder = null!;

    [SetUp]
    public void Start()
    {
        _world = new RevocationWorld();
        _rootResponder = new OcspResponder(_world.Root);
        _responder = new OcspResponder(_world.Issuing);
    }

    [TearDown]
    public async Task StopAsync()
    {
        await _responder.DisposeAsync();
        await _rootResponder.DisposeAsync();
        _world.Dispose();
    }

    [Test]
    public async Task Every_certificate_but_the_anchor_is_asked_about_at_the_responder_of_its_issuer(CancellationToken cancellationToken)
    {
        using var validator = new OcspValidator(Options);

        (await ExamineAsync(validator, cancellationToken)).Should().BeNull();
        (_rootResponder.Hits, _responder.Hits).Should().Be((1, 1));
        _responder.Requests.Should().OnlyContain(request => request.Method == "POST");
    }

    [TestCase(X509RevocationReason.KeyCompromise)]
    [TestCase(X509RevocationReason.CertificateHold)]
    [TestCase(X509RevocationReason.Unspecified)]
    public async Task The_revoked_is_rejected_with_date_and_reason(X509RevocationReason reason, CancellationToken cancellationToken)
    {
        using var validator = new OcspValidator(Options);
        _world.Issuing.Revoke(_world.Client, reason);

        var rejection = await ExamineAsync(validator, cancellationToken);

        rejection!.Reason.Should().Be(RejectionReason.CertificateRevoked);
        rejection.Presented.Should().Contain("2030-06-01T12:00:00Z").And.ContainEquivalentOf(reason.ToString());
        rejection.Element.Should().StartWith("leaf certificate");
    }

    [Test]
    public async Task A_revoked_authority_takes_its_certificates_with_it_unless_only_leaves_are_asked_about(CancellationToken cancellationToken)
    {
        _world.Root.Revoke(_world.Issuing.AsCertificate);
        using var all = new OcspValidator(Options);
        using var leaves = new OcspValidator(Options with { Coverage = RevocationCoverage.LeafOnly });

        (await ExamineAsync(all, cancellationToken))!.Element.Should().StartWith("intermediate");
        _responder.Hits.Should().Be(0, "a revoked issuer's word about others does not count");
        (await ExamineAsync(leaves, cancellationToken)).Should().BeNull();
    }

    [TestCase(31, 0, false, 1)]
    [TestCase(31, 0, true, 0)]
    [TestCase(30, 0, true, 1)]
    [TestCase(0, 10, false, 1)]
    public async Task No_responder_is_asked_about_a_peer_that_is_exempt_and_always_about_its_authority(
        int noRevAvail, int shortLived, bool saysSo, int hits, CancellationToken cancellationToken)
    {
        using var validator = new OcspValidator(Options with
        {
            NoRevAvailLifetime = TimeSpan.FromDays(noRevAvail),
            ShortLivedLifetime = TimeSpan.FromDays(shortLived),
        });
        using var peer = _world.Issue(spec => saysSo
            ? spec with { Extensions = [new CertificateExtension("2.5.29.56", false, Convert.FromHexString("0500"))] }
            : spec);

        (await validator.ExamineAsync(Accept(peer), cancellationToken)).Should().BeNull();
        (_rootResponder.Hits, _responder.Hits).Should().Be((1, hits));
    }

    private static IEnumerable<TestCaseData> Answers()
    {
        yield return Answer("untouched", spec => spec, null);
        yield return Answer("named by key", spec => spec with { ResponderByKey = true }, null);
        yield return Answer(
            "named by another name",
            spec => spec with { Responder = s_other.AsCertificate, IncludeResponderCertificate = false },
            RejectionReason.RevocationStatusUnknown);
        yield return Answer(
            "signed by another key", spec => spec with { SigningKey = s_other.AsCertificate.Key }, RejectionReason.RevocationStatusUnknown);
        yield return Answer(
            "one bit of the signature is wrong", spec => spec with { CorruptSignature = true }, RejectionReason.RevocationStatusUnknown);
        yield return Answer(
            "signed with SHA-1", spec => spec with { SignatureAlgorithm = SignatureAlgorithm.EcdsaSha1 }, RejectionReason.RevocationStatusUnknown);
        yield return Answer("status unknown", Each(answer => answer with { Status = OcspStatus.Unknown }), RejectionReason.RevocationStatusUnknown);
        yield return Answer(
            "of another certificate",
            Each(answer => answer with { SerialNumber = BigInteger.One, RawCertId = null }),
            RejectionReason.RevocationStatusUnknown);
        yield return Answer("of nothing", spec => spec with { Answers = [] }, RejectionReason.RevocationStatusUnknown);
        yield return Answer(
            "of the certificate twice", spec => spec with { Answers = [.. spec.Answers, .. spec.Answers] }, RejectionReason.RevocationStatusUnknown);
        yield return Answer(
            "beside another",
            spec => spec with { Answers = [spec.Answers[0] with { SerialNumber = BigInteger.One, RawCertId = null }, .. spec.Answers] },
            null);
        yield return Answer("holds a minute ahead", Each(answer => answer with { ThisUpdate = s_now.AddMinutes(1) }), null);
        yield return Answer(
            "holds later", Each(answer => answer with { ThisUpdate = s_now.AddSeconds(61) }), RejectionReason.RevocationStatusUnknown);
        yield return Answer("runs out now", Each(answer => answer with { NextUpdate = s_now }), null);
        yield return Answer(
            "has run out", Each(answer => answer with { NextUpdate = s_now.AddSeconds(-1) }), RejectionReason.RevocationStatusUnknown);
        yield return Answer(
            "the next update before this one",
            Each(answer => answer with { NextUpdate = answer.ThisUpdate.AddSeconds(-1) }),
            RejectionReason.RevocationStatusUnknown);
        yield return Answer("made later", spec => spec with { ProducedAt = s_now.AddSeconds(61) }, RejectionReason.RevocationStatusUnknown);
        yield return Answer("no nonce", spec => spec with { Nonce = null }, null);
        yield return Answer("another nonce", spec => spec with { Nonce = new byte[32] }, RejectionReason.RevocationStatusUnknown);
        yield return Answer("no next update, and the nonce", Each(answer => answer with { NextUpdate = null }), null);
        yield return Answer(
            "no next update and no nonce",
            spec => Each(answer => answer with { NextUpdate = null })(spec) with { Nonce = null },
            RejectionReason.RevocationStatusUnknown);
        yield return Answer(
            "an unknown extension",
            spec => spec with { Extensions = [new CertificateExtension("1.3.6.1.4.1.99999.1", false, new byte[] { 5, 0 })] },
            null);
        yield return Answer(
            "an unknown critical extension",
            spec => spec with { Extensions = [new CertificateExtension("1.3.6.1.4.1.99999.1", true, new byte[] { 5, 0 })] },
            RejectionReason.RevocationStatusUnknown);
        yield return Answer(
            "an unknown critical extension of the answer",
            Each(answer => answer with { Extensions = [new CertificateExtension("1.3.6.1.4.1.99999.1", true, new byte[] { 5, 0 })] }),
            RejectionReason.RevocationStatusUnknown);
        foreach (var status in new[] { 1, 2, 3, 5, 6, 99 })
        {
            yield return Answer($"response status {status}", spec => spec with { ResponseStatus = status }, RejectionReason.RevocationStatusUnknown);
        }
    }

    private static readonly DateTimeOffset s_now = new(2030, 6, 1, 12, 0, 0, TimeSpan.Zero);
    private static readonly TestAuthority s_other = new("Other");

    [TestCaseSource(nameof(Answers))]
    public async Task Only_a_current_genuine_answer_about_the_certificate_counts(
        Func<OcspSpec, OcspSpec> spec, RejectionReason? expected, CancellationToken cancellationToken)
    {
        _responder.Spec = spec;
        using var validator = new OcspValidator(Options);

        ((await ExamineAsync(validator, cancellationToken))?.Reason).Should().Be(expected);
    }

    [TestCase(ResponderMode.NotFound)]
    [TestCase(ResponderMode.Garbage)]
    [TestCase(ResponderMode.Truncated)]
    [TestCase(ResponderMode.Stale)]
    [TestCase(ResponderMode.WrongSigner)]
    [TestCase(ResponderMode.Oversized)]
    [TestCase(ResponderMode.Redirect)]
    public async Task A_responder_that_misbehaves_fails_hard_by_default_and_softly_only_by_name(
        ResponderMode mode, CancellationToken cancellationToken)
    {
        _responder.Mode = mode;
        using var hard = new OcspValidator(Options);
        var logs = new FakeLogCollector();
        using var factory = new LoggerFactory([new FakeLoggerProvider(logs)]);
        using var soft = new OcspValidator(Options with { Failure = OcspFailure.DangerouslyAllow, LoggerFactory = factory });

        (await ExamineAsync(hard, cancellationToken))!.Reason.Should().Be(RejectionReason.RevocationStatusUnknown);
        _responder.Hits.Should().Be(1, "no redirection is followed");
        (await ExamineAsync(soft, cancellationToken)).Should().BeNull();
        logs.GetSnapshot().Should().ContainSingle(record => record.Id.Id == 1112);
    }

    [Test]
    public async Task A_responder_that_hangs_is_given_up_at_its_deadline(CancellationToken cancellationToken)
    {
        _responder.Mode = ResponderMode.Hang;
        using var validator = new OcspValidator(Options);

        var asked = ExamineAsync(validator, cancellationToken);
        while (_responder.Hits == 0)
        {
            await Task.Yield();
            cancellationToken.ThrowIfCancellationRequested();
        }

        asked.IsCompleted.Should().BeFalse();
        _world.Clock.Advance(TimeSpan.FromSeconds(3));
        (await asked)!.Reason.Should().Be(RejectionReason.RevocationStatusUnknown);
    }

    [Test]
    public async Task Giving_up_is_no_verdict(CancellationToken cancellationToken)
    {
        _responder.Mode = ResponderMode.Hang;
        using var validator = new OcspValidator(Options with { Failure = OcspFailure.DangerouslyAllow });
        using var giveUp = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);

        var asked = ExamineAsync(validator, giveUp.Token);
        await giveUp.CancelAsync();

        await FluentActions.Awaiting(() => asked).Should().ThrowAsync<OperationCanceledException>();
    }

    [Test]
    public async Task Soft_fail_lets_in_neither_the_revoked_nor_the_unknown(
        [Values(OcspStatus.Revoked, OcspStatus.Unknown)] OcspStatus status, CancellationToken cancellationToken)
    {
        _responder.Spec = Each(answer => answer with { Status = status, RevokedAt = s_now });
        using var validator = new OcspValidator(Options with { Failure = OcspFailure.DangerouslyAllow });

        (await ExamineAsync(validator, cancellationToken)).Should().NotBeNull();
    }

    private static IEnumerable<TestCaseData> RevokedForms()
    {
        yield return Form("reason 7, which does not exist", answer => answer with { Reason = (X509RevocationReason)7 });
        yield return Form("reason 99", answer => answer with { Reason = (X509RevocationReason)99 });
        yield return Form("removeFromCRL", answer => answer with { Reason = X509RevocationReason.RemoveFromCrl });
        yield return Form("run out", answer => answer with { NextUpdate = s_now.AddSeconds(-1) });
        yield return Form("the next update before this one", answer => answer with { NextUpdate = answer.ThisUpdate.AddSeconds(-1) });
        yield return Form("holds later", answer => answer with { ThisUpdate = s_now.AddHours(1) });
        yield return Form(
            "an unknown critical extension",
            answer => answer with { Extensions = [new CertificateExtension("1.3.6.1.4.1.99999.1", true, new byte[] { 5, 0 })] });
        yield return new TestCaseData((OcspSpec spec) => spec with { Answers = [spec.Answers[0], Revoked(spec.Answers[0])] })
            .SetArgDisplayNames("twice, first good");
        yield return new TestCaseData((OcspSpec spec) => spec with { Answers = [Revoked(spec.Answers[0]), spec.Answers[0]] })
            .SetArgDisplayNames("twice, first revoked");
        yield return new TestCaseData((OcspSpec spec) => Each(Revoked)(spec) with { Nonce = new byte[32] }).SetArgDisplayNames("another nonce");
        yield return new TestCaseData(
            (OcspSpec spec) => Each(Revoked)(spec) with { Extensions = [new CertificateExtension("1.3.6.1.4.1.99999.1", true, new byte[] { 5, 0 })] })
            .SetArgDisplayNames("an unknown critical extension of the whole");
    }

    [TestCaseSource(nameof(RevokedForms))]
    public async Task A_genuine_answer_that_says_revoked_in_any_form_never_passes_a_soft_fail(
        Func<OcspSpec, OcspSpec> spec, CancellationToken cancellationToken)
    {
        _responder.Spec = spec;
        using var soft = new OcspValidator(Options with { Failure = OcspFailure.DangerouslyAllow });

        (await ExamineAsync(soft, cancellationToken))!.Reason.Should().Be(RejectionReason.CertificateRevoked);
    }

    [Test]
    public async Task A_forged_revocation_is_no_answer(CancellationToken cancellationToken)
    {
        _responder.Spec = spec => Each(Revoked)(spec) with { SigningKey = s_other.AsCertificate.Key };
        using var soft = new OcspValidator(Options with { Failure = OcspFailure.DangerouslyAllow });

        (await ExamineAsync(soft, cancellationToken)).Should().BeNull();
    }

    [TestCase(1, RejectionReason.CertificateRevoked)]
    [TestCase(-1, null)]
    public async Task An_older_answer_takes_nothing_back_from_a_newer_one(int minutes, RejectionReason? expected, CancellationToken cancellationToken)
    {
        using var validator = new OcspValidator(Options with { Coverage = RevocationCoverage.LeafOnly, MaxCacheTime = TimeSpan.FromMinutes(5) });
        _responder.Spec = Each(answer => Revoked(answer) with { ThisUpdate = s_now.AddMinutes(-10) });
        (await ExamineAsync(validator, cancellationToken))!.Reason.Should().Be(RejectionReason.CertificateRevoked);

        _world.Clock.Advance(TimeSpan.FromMinutes(6));
        _responder.Spec = Each(answer => answer with { ThisUpdate = s_now.AddMinutes(-10 - minutes), NextUpdate = s_now.AddDays(1) });

        ((await ExamineAsync(validator, cancellationToken))?.Reason).Should().Be(expected);
    }

    [Test]
    public async Task What_was_answered_to_be_revoked_does_not_pass_because_the_responder_is_gone(CancellationToken cancellationToken)
    {
        using var soft = new OcspValidator(
            Options with { Coverage = RevocationCoverage.LeafOnly, MaxCacheTime = TimeSpan.FromMinutes(5), Failure = OcspFailure.DangerouslyAllow });
        _world.Issuing.Revoke(_world.Client);
        (await ExamineAsync(soft, cancellationToken))!.Reason.Should().Be(RejectionReason.CertificateRevoked);

        _world.Clock.Advance(TimeSpan.FromMinutes(6));
        _responder.Mode = ResponderMode.NotFound;

        (await ExamineAsync(soft, cancellationToken))!.Reason.Should().Be(RejectionReason.CertificateRevoked);
    }

    [Test]
    public async Task An_issuer_without_a_responder_is_unknown(CancellationToken cancellationToken)
    {
        using var validator = new OcspValidator(
            Options with { Responders = [new OcspEndpoint(new Uri(_responder.Uri), DistinguishedName.Parse("CN=Issuing"))] });

        (await ExamineAsync(validator, cancellationToken))!.Element.Should().StartWith("intermediate");
    }

    [Test]
    public async Task A_nonce_can_be_demanded(CancellationToken cancellationToken)
    {
        using var validator = new OcspValidator(Options with { Nonce = OcspNonce.Required });
        (await ExamineAsync(validator, cancellationToken)).Should().BeNull();

        _responder.RepeatsNonce = false;
        using var another = new OcspValidator(Options with { Nonce = OcspNonce.Required });
        (await ExamineAsync(another, cancellationToken))!.Reason.Should().Be(RejectionReason.RevocationStatusUnknown);
    }

    [TestCase(OcspHash.Sha1)]
    [TestCase(OcspHash.Sha256)]
    public async Task Certificates_are_named_by_either_hash(OcspHash hash, CancellationToken cancellationToken)
    {
        using var validator = new OcspValidator(Options with { Hash = hash });

        (await ExamineAsync(validator, cancellationToken)).Should().BeNull();
    }

    private static IEnumerable<TestCaseData> Delegates()
    {
        yield return Delegate("as it should be", spec => spec, null);
        yield return Delegate(
            "not for signing answers",
            spec => spec with { ExtendedKeyUsages = [ExtendedKeyUsage.ClientAuth] },
            RejectionReason.RevocationStatusUnknown);
        yield return Delegate(
            "for any purpose", spec => spec with { ExtendedKeyUsages = [ExtendedKeyUsage.Any] }, RejectionReason.RevocationStatusUnknown);
        yield return Delegate(
            "key not for signatures", spec => spec with { KeyUsage = X509KeyUsageFlags.KeyEncipherment }, RejectionReason.RevocationStatusUnknown);
        yield return Delegate("expired", spec => spec with { NotAfter = s_now.AddSeconds(-1) }, RejectionReason.RevocationStatusUnknown);
        yield return Delegate("not valid yet", spec => spec with { NotBefore = s_now.AddSeconds(1) }, RejectionReason.RevocationStatusUnknown);
        yield return Delegate("forged", spec => spec with { SigningKey = s_other.AsCertificate.Key }, RejectionReason.RevocationStatusUnknown);
        yield return Delegate("may be revoked", spec => spec with { Extensions = [] }, RejectionReason.RevocationStatusUnknown);
        yield return Delegate(
            "an unknown critical extension",
            spec => spec with { Extensions = [.. spec.Extensions, new CertificateExtension("1.3.6.1.4.1.99999.1", true, new byte[] { 5, 0 })] },
            RejectionReason.RevocationStatusUnknown);
    }

    [TestCaseSource(nameof(Delegates))]
    public async Task A_delegated_responder_needs_the_issuers_word(
        Func<CertificateSpec, CertificateSpec> spec, RejectionReason? expected, CancellationToken cancellationToken)
    {
        using var responder = OcspResponder.IssueResponder(_world.Issuing, spec);
        _responder.Responder = responder;
        using var validator = new OcspValidator(Options);

        ((await ExamineAsync(validator, cancellationToken))?.Reason).Should().Be(expected);
    }

    [Test]
    public async Task A_delegated_responder_of_another_authority_counts_for_nothing_and_neither_does_one_whose_certificate_is_missing(
        CancellationToken cancellationToken)
    {
        using var foreign = OcspResponder.IssueResponder(_world.Root);
        using var own = OcspResponder.IssueResponder(_world.Issuing);
        using var validator = new OcspValidator(Options);

        _responder.Responder = foreign;
        (await ExamineAsync(validator, cancellationToken))!.Reason.Should().Be(RejectionReason.RevocationStatusUnknown);
        _responder.Responder = own;
        _responder.Spec = spec => spec with { IncludeResponderCertificate = false };
        (await ExamineAsync(validator, cancellationToken))!.Reason.Should().Be(RejectionReason.RevocationStatusUnknown);
        _responder.Spec = null;
        (await ExamineAsync(validator, cancellationToken)).Should().BeNull();
    }

    [Test]
    public async Task A_delegated_responder_that_may_be_revoked_is_looked_up_in_lists_and_again_when_they_change(CancellationToken cancellationToken)
    {
        using var responder = OcspResponder.IssueResponder(_world.Issuing, spec => spec with { Extensions = [] });
        _responder.Responder = responder;
        var lists = new ReloadableLists(_world.Lists());
        using var validator = new OcspValidator(Options with { ResponderLists = lists });

        (await ExamineAsync(validator, cancellationToken)).Should().BeNull();
        _world.Issuing.Revoke(responder);
        lists.Current = _world.Lists();
        (await ExamineAsync(validator, cancellationToken))!.Reason.Should().Be(RejectionReason.RevocationStatusUnknown);
    }

    [Test]
    public async Task An_answer_is_used_again_until_it_runs_out(CancellationToken cancellationToken)
    {
        _responder.Spec = Each(answer => answer with { NextUpdate = s_now.AddMinutes(10) });
        using var validator = new OcspValidator(Options with { Coverage = RevocationCoverage.LeafOnly });

        await ExamineAsync(validator, cancellationToken);
        _world.Clock.Advance(TimeSpan.FromMinutes(10));
        (await ExamineAsync(validator, cancellationToken)).Should().BeNull();
        _responder.Hits.Should().Be(1);
        _world.Clock.Advance(TimeSpan.FromSeconds(1));
        (await ExamineAsync(validator, cancellationToken))!.Reason.Should().Be(
            RejectionReason.RevocationStatusUnknown, "the same answer came again, and has run out");
        _responder.Hits.Should().Be(2);
    }

    [Test]
    public async Task Revoking_shows_once_the_cached_answer_is_old(CancellationToken cancellationToken)
    {
        using var validator = new OcspValidator(Options with { Coverage = RevocationCoverage.LeafOnly, MaxCacheTime = TimeSpan.FromMinutes(5) });

        (await ExamineAsync(validator, cancellationToken)).Should().BeNull();
        _world.Issuing.Revoke(_world.Client);
        _world.Clock.Advance(TimeSpan.FromMinutes(5));
        (await ExamineAsync(validator, cancellationToken)).Should().BeNull();
        _world.Clock.Advance(TimeSpan.FromSeconds(1));
        (await ExamineAsync(validator, cancellationToken))!.Reason.Should().Be(RejectionReason.CertificateRevoked);
    }

    [Test]
    public async Task Without_a_cache_every_peer_is_asked_about_and_with_one_it_stays_small(CancellationToken cancellationToken)
    {
        using var none = new OcspValidator(Options with { Coverage = RevocationCoverage.LeafOnly, MaxCacheTime = TimeSpan.Zero });
        await ExamineAsync(none, cancellationToken);
        await ExamineAsync(none, cancellationToken);
        _responder.Hits.Should().Be(2);

        using var small = new OcspValidator(Options with { Coverage = RevocationCoverage.LeafOnly, MaxCachedAnswers = 2 });
        for (var i = 0; i < 4; i++)
        {
            using var peer = _world.Issue();
            (await small.ExamineAsync(Accept(peer), cancellationToken)).Should().BeNull();
        }

        small.CachedAnswers.Should().Be(2);
    }

    [Test]
    public async Task Addresses_in_certificates_are_never_asked(CancellationToken cancellationToken)
    {
        await using var trap = new AiaTrap();
        using var baited = _world.Issue(trap.Bait);
        using var validator = new OcspValidator(
            Options with { Responders = [new OcspEndpoint(new Uri(_rootResponder.Uri), DistinguishedName.Parse("CN=Root"))] });

        (await validator.ExamineAsync(Accept(baited), cancellationToken))!.Reason.Should().Be(RejectionReason.RevocationStatusUnknown);
        _world.Judge(_world.Options(RevocationLists.FromDer(_world.RootCrl().Raw)), peer: baited)!.Reason.Should().Be(
            RejectionReason.RevocationStatusUnknown);
        trap.Hits.Should().Be(0);
    }

    [Test]
    public void Whatever_the_octets_are_an_answer_is_judged_and_nothing_that_was_changed_counts()
    {
        using var responder = OcspResponder.IssueResponder(_world.Issuing);
        var raw = _world.Issuing.IssueOcspResponse(_world.Client, spec => spec with { Responder = responder });
        var (subject, issuer) = (Accept(_world.Client).Path[0], Accept(_world.Client).Path[1]);
        var judge = new OcspJudge(OcspNonce.IfEchoed, TimeSpan.FromMinutes(1), ValidationProfile.MutualTls);
        var question = new OcspQuestion(subject, issuer, OcspHash.Sha1);
        judge.Judge(question, raw, s_now, responderLists: null).Flaw.Should().BeNull();

        Gen.Select(Gen.Int[0, raw.Length - 1], Gen.Byte, Gen.Int[0, 2]).Array[1, 3].Sample(edits =>
        {
            var mutant = raw.ToList();
            foreach (var (position, value, kind) in edits)
            {
                var at = position % mutant.Count;
                switch (kind)
                {
                    case 0: mutant[at] = value; break;
                    case 1: mutant.Insert(at, value); break;
                    default: mutant.RemoveAt(at); break;
                }
            }

            // The octets may have come out as they were; any other answer has a flaw, for every octet counts.
            return mutant.SequenceEqual(raw) || judge.Judge(question, mutant.ToArray(), s_now, responderLists: null).Flaw is not null;
        }, iter: 5_000);
    }

    [Test]
    public void Contradictions_are_reported_together()
    {
        FluentActions.Invoking(() => new OcspValidator(Options with { Responders = [], Timeout = TimeSpan.Zero }))
            .Should().Throw<ArgumentException>().WithMessage("*Responders*Timeout*");
        FluentActions.Invoking(() => new OcspEndpoint(new Uri("ldap://a.test/"))).Should().Throw<ArgumentException>();
        FluentActions.Invoking(() => new OcspEndpoint(new Uri("http://user@a.test/"))).Should().Throw<ArgumentException>();
        FluentActions.Invoking(() => new OcspEndpoint(new Uri("http://a.test/"))).Should().NotThrow();
    }

    private OcspOptions Options => new()
    {
        Responders = [new OcspEndpoint(new Uri(_rootResponder.Uri), DistinguishedName.Parse("CN=Root")), new OcspEndpoint(new Uri(_responder.Uri))],
        TimeProvider = _world.Clock,
    };

    private Task<Rejection?> ExamineAsync(OcspValidator validator, CancellationToken cancellationToken) =>
        validator.ExamineAsync(Accept(_world.Client), cancellationToken).AsTask();

    private AuthenticatedPeer Accept(TestCertificate peer) =>
        ((CertificateVerdict.Accepted)new CertificateStage(_world.Options(null)).Judge(_world.Evidence(peer), _world.Now)).Peer;

    private static TestCaseData Form(string name, Func<OcspAnswer, OcspAnswer> change) =>
        new TestCaseData(Each(answer => change(Revoked(answer)))).SetArgDisplayNames(name);

    private static OcspAnswer Revoked(OcspAnswer answer) => answer with { Status = OcspStatus.Revoked, RevokedAt = s_now };

    private static TestCaseData Answer(string name, Func<OcspSpec, OcspSpec> spec, RejectionReason? expected) =>
        new TestCaseData(spec, expected).SetArgDisplayNames(name);

    private static TestCaseData Delegate(string name, Func<CertificateSpec, CertificateSpec> spec, RejectionReason? expected) =>
        new TestCaseData(spec, expected).SetArgDisplayNames(name);

    private static Func<OcspSpec, OcspSpec> Each(Func<OcspAnswer, OcspAnswer> change) =>
        spec => spec with { Answers = [.. spec.Answers.Select(change)] };
}
