namespace MutualAuth.Validation;

/// <summary>
/// Validates a peer with an outside service whose yes counts for a time only, such as one that knows the posture of devices, and that is asked again
/// before this time is over. The connection lives no longer than the yes.
/// </summary>
/// <remarks>
/// <para>It stands among <see cref="Handshake.HandshakeOptions.AsyncValidators"/>, and is bound by the same deadline and places at the handshake.
/// While the connection is open it is asked again between a half and three quarters of the lifetime, at a random moment, so that many
/// connections do not ask at once; at most <see cref="RevalidationPolicy.MaxConcurrentFactQuestions"/> questions run at one time. A no ends the
/// connection at once. A question that throws, or has no answer within <see cref="Handshake.HandshakeOptions.AsyncValidatorTimeout"/>, is
/// asked again while the last yes counts; when that is over the connection ends with <see cref="RejectionReason.FactsExpired"/>.</para>
/// <para>Called from many threads at once. Lifetimes are measured by the monotonic clock: a clock on the wall that is set changes none.</para>
/// </remarks>
public interface IPeerFactValidator : IAsyncPeerValidator
{
    /// <summary>
    /// What its facts are known by, such as <c>posture</c>: 1 to 64 letters, digits and <c>._:/-</c> of ASCII, and no other validator's of the
    /// same options. Always the same.
    /// </summary>
    string Name { get; }

    /// <summary>Says yes for a time, or no. A null counts as an exception.</summary>
    /// <param name="peer">
    /// The peer. At the handshake it is not accepted yet, and has no facts; later it has those of the last answers, of all validators.
    /// </param>
    /// <param name="cancellationToken">Ends when the deadline passes.</param>
    ValueTask<PeerFactVerdict> AskAsync(AuthenticatedPeer peer, CancellationToken cancellationToken);

    /// <inheritdoc/>
    async ValueTask<Rejection?> IAsyncPeerValidator.ExamineAsync(AuthenticatedPeer peer, CancellationToken cancellationToken) =>
        (await AskAsync(peer, cancellationToken).ConfigureAwait(false)).Rejection;
}
