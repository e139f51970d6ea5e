namespace MutualAuth.Validation;

/// <summary>Validates a peer with an external service: a directory, a policy service, an OCSP responder. It can only reject.</summary>
/// <remarks>
/// It is asked after the certificate stage has accepted and before the peer hears of it. Called from many threads at once, within a bound that
/// the options set. An exception is a rejection (<see cref="RejectionReason.ValidatorFaulted"/>), and so is lateness
/// (<see cref="RejectionReason.ValidatorTimedOut"/>).
/// </remarks>
public interface IAsyncPeerValidator
{
    /// <summary>Returns null when there is nothing to object to.</summary>
    /// <param name="peer">The peer, with its verified path. It is not accepted yet.</param>
    /// <param name="cancellationToken">Ends when the deadline passes or the caller gives up.</param>
    ValueTask<Rejection?> ExamineAsync(AuthenticatedPeer peer, CancellationToken cancellationToken);
}
