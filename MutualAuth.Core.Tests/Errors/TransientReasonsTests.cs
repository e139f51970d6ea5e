using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Errors;

/// <summary>Which failures are worth another attempt: of every reason it is said, and the page says the same.</summary>
public sealed class TransientReasonsTests
{
    private static readonly RejectionReason[] s_transient =
    [
        RejectionReason.Unreachable, RejectionReason.NoClientHello, RejectionReason.IncompleteClientHello, RejectionReason.TransportClosed,
        RejectionReason.TransportFailed, RejectionReason.HandshakeTimedOut, RejectionReason.Overloaded, RejectionReason.EvictedBeforeHello,
        RejectionReason.ListenerStopped, RejectionReason.CertificateNotYetValid, RejectionReason.RevocationStatusUnknown,
        RejectionReason.ValidatorTimedOut, RejectionReason.ValidatorOverloaded, RejectionReason.ConfirmationTruncated,
        RejectionReason.AttemptsLimited, RejectionReason.CredentialCheckOverloaded, RejectionReason.StepUpTimedOut,
        RejectionReason.TokenNotYetValid, RejectionReason.TokenIssuerUnavailable, RejectionReason.DirectoryUnavailable,
        RejectionReason.MaximumAgeReached, RejectionReason.IdleTimeoutReached, RejectionReason.FactsExpired, RejectionReason.TooManySessions,
    ];

    [Test]
    public void A_reason_is_transient_exactly_if_what_it_names_ends_by_itself([Values] RejectionReason reason)
    {
        var failure = new HandshakeException(HandshakeFailure.NoAgreement, new Rejection(reason, "a", "b"));

        failure.IsTransient.Should().Be(s_transient.Contains(reason));
    }

    [Test]
    public void Of_a_refusal_by_the_peer_its_own_reason_tells([Values] PublicReason reason) =>
        Refused(reason).IsTransient.Should().Be(reason == PublicReason.TryAgainLater);

    [Test]
    public void A_refusal_without_a_reason_is_none() => Refused(null).IsTransient.Should().BeFalse();

    /// <summary>A peer that gives a reason of its own beside ours does not make ours end.</summary>
    [Test]
    public void What_the_peer_says_beside_our_own_rejection_does_not_count() =>
        new HandshakeException(HandshakeFailure.PeerRejected, new Rejection(RejectionReason.CertificateExpired, "a", "b"))
        { PeerReason = PublicReason.TryAgainLater }.IsTransient.Should().BeFalse();

    [Test]
    public void The_page_lists_the_same_reasons() =>
        DocumentationPage.Open("docs/how-to/reconnect-and-retry.md").RowsUnder("What ends by itself").Select(cells => cells[0]).Should()
            .BeEquivalentTo(s_transient.Append(RejectionReason.RefusedByPeer).Select(reason => $"`{reason.ToCode()}`"));

    private static HandshakeException Refused(PublicReason? reason) =>
        new(HandshakeFailure.RefusedByPeer, new Rejection(RejectionReason.RefusedByPeer, "a", "b")) { PeerReason = reason };
}
