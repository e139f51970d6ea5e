using MutualAuth.Evidence;
using MutualAuth.Testing.Assertions;
using MutualAuth.Testing.Responders;
using MutualAuth.Validation;

namespace MutualAuth.Testing.Tests.Assertions;

[CancelAfter(20000)]
public sealed class MutualAuthAssertionsTests
{
    [Test]
    public void A_verdict_is_what_it_is_claimed_to_be_or_the_message_says_what_it_is()
    {
        using var authority = new TestAuthority();
        using var leaf = authority.IssueClient("client.test");
        var accepted = Judge(authority, leaf, DateTimeOffset.UtcNow);
        var expired = Judge(authority, leaf, DateTimeOffset.UtcNow.AddDays(60));

        accepted.ShouldAccept().Name.Should().Be("client.test");
        expired.ShouldReject(RejectionReason.CertificateExpired).Element.Should().NotBeNull();
        Failing(() => accepted.ShouldReject(RejectionReason.CertificateExpired)).Should().Contain("client.test");
        Failing(() => expired.ShouldAccept()).Should().Contain("certificate_expired");
        Failing(() => expired.ShouldReject(RejectionReason.WrongUsage)).Should().Contain("wrong_usage").And.Contain("certificate_expired");
    }

    [Test]
    public async Task A_handshake_that_succeeds_fails_the_claim_that_it_does_not()
    {
        await FluentActions.Awaiting(() => Task.CompletedTask.ShouldRejectThePeerAsync(RejectionReason.WrongUsage))
            .Should().ThrowAsync<MutualAuthAssertionException>();
        await FluentActions.Awaiting(() => Task.CompletedTask.ShouldBeRefusedByThePeerAsync()).Should().ThrowAsync<MutualAuthAssertionException>();
        Failing(() => ((HandshakeException?)null).ShouldReject(RejectionReason.WrongUsage)).Should().Contain("succeeded");
        Failing(() => ((HandshakeException?)null).ShouldBeRefusal()).Should().Contain("succeeded");
    }

    [Test]
    public async Task An_exception_of_another_kind_goes_through_untouched() =>
        await FluentActions.Awaiting(
            () => Task.FromException(new InvalidOperationException("mine")).ShouldRejectThePeerAsync(RejectionReason.WrongUsage))
            .Should().ThrowAsync<InvalidOperationException>();

    [Test]
    public async Task Our_rejection_is_not_the_peer_s_refusal(CancellationToken token)
    {
        using var authority = new TestAuthority();
        using var stranger = new TestAuthority();
        using var pair = authority.CreatePair();
        var bent = pair with { Client = pair.Client with { Trust = stranger.ToTrustAnchors() } };

        await using var outcome = await bent.ConnectAsync(cancellationToken: token);

        outcome.ClientFailure.ShouldReject(RejectionReason.UnknownAuthority);
        outcome.ServerFailure.ShouldBeRefusal();
        Failing(() => outcome.ClientFailure.ShouldBeRefusal()).Should().Contain("unknown_authority");
        Failing(() => outcome.ServerFailure.ShouldReject(RejectionReason.UnknownAuthority)).Should().NotBeEmpty();
        Failing(() => outcome.ServerFailure.ShouldBeRefusal(PublicReason.CertificateExpired)).Should().Contain("certificate_expired");
    }

    [Test]
    public async Task A_responder_that_was_asked_says_for_what(CancellationToken token)
    {
        await using var trap = new AiaTrap();
        trap.ShouldBeUntouched();

        using var http = new HttpClient();
        using var answer = await http.GetAsync(new Uri(trap.IssuerUri), token);

        Failing(trap.ShouldBeUntouched).Should().Contain("GET /issuer.cer");
    }

    private static string Failing(Action claim) => FluentActions.Invoking(claim).Should().Throw<MutualAuthAssertionException>().Which.Message;

    private static CertificateVerdict Judge(TestAuthority authority, TestCertificate leaf, DateTimeOffset at) =>
        new CertificateStage(new CertificateStageOptions { Trust = authority.ToTrustAnchors(), Authorization = Authorize.AnyTrustedPeer })
            .Judge(new PeerEvidence(PeerRole.Client, [leaf.RawCertificate]), at);
}
