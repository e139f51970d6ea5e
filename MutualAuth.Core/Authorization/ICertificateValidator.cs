namespace MutualAuth.Authorization;

/// <summary>Decides about one aspect of a peer whose path to a trust anchor has been verified. It can only say no.</summary>
/// <remarks>
/// Pure: no I/O, no clock of its own, no waiting; it may run inside the TLS handshake, and runs again whenever a live connection is re-judged.
/// Called from many threads at once. An exception is a rejection (<see cref="RejectionReason.ValidatorFaulted"/>).
/// </remarks>
public interface ICertificateValidator
{
    /// <summary>Returns null when there is nothing to object to.</summary>
    Rejection? Examine(CertificateContext context);
}
