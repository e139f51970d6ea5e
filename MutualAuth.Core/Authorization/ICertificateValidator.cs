using System.Collections.Immutable;
using MutualAuth.Certificates;
using MutualAuth.Evidence;

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

/// <summary>What the certificate stage knows about a peer when it asks a validator.</summary>
/// <remarks>Immutable.</remarks>
public sealed class CertificateContext
{
    private string? _presentedNames;

    internal CertificateContext(PeerEvidence evidence, ImmutableArray<Certificate> path, DateTimeOffset at)
    {
        Evidence = evidence;
        Path = path;
        At = at;
    }

    /// <summary>What the peer showed.</summary>
    public PeerEvidence Evidence { get; }

    /// <summary>The verified path: the peer's certificate first, the trust anchor last.</summary>
    public ImmutableArray<Certificate> Path { get; }

    /// <summary>The peer's own certificate.</summary>
    public Certificate Certificate => Path[0];

    /// <summary>The time for which the judgement holds.</summary>
    public DateTimeOffset At { get; }

    /// <summary>The names in the peer's certificate as text for a rejection, made once however many rules object.</summary>
    internal string PresentedNames => _presentedNames ??= Certificates.PresentedNames.Of(Certificate);
}
