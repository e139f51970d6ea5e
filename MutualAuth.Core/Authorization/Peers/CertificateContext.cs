using System.Collections.Immutable;
using MutualAuth.Certificates;
using MutualAuth.Evidence;

namespace MutualAuth.Authorization;

/// <summary>What the certificate stage knows about a peer when it asks a validator.</summary>
/// <remarks>Immutable.</remarks>
public sealed class CertificateContext
{
    private string? _presentedNames;

    internal CertificateContext(PeerEvidence evidence, ImmutableArray<Certificate> path, DateTimeOffset at, ImmutableArray<string> policies = default)
    {
        Policies = policies.IsDefault ? [] : policies;
        Evidence = evidence;
        Path = path;
        At = at;
    }

    /// <summary>Of a peer that was accepted and has a certificate: all that was found out of it then, and what validators say of it now.</summary>
    internal static CertificateContext Of(AuthenticatedPeer peer, DateTimeOffset at) =>
        new(peer.Evidence, peer.Path, at, peer.Policies) { Trust = peer.Trust, Facts = peer.Facts };

    /// <summary>What the peer showed.</summary>
    public PeerEvidence Evidence { get; }

    /// <summary>The verified path: the peer's certificate first, the trust anchor last.</summary>
    public ImmutableArray<Certificate> Path { get; }

    /// <summary>The peer's own certificate.</summary>
    public Certificate Certificate => Path[0];

    /// <summary>
    /// The certificate policies that are valid for the path, as dotted identifiers; <c>2.5.29.32.0</c> when every policy is (RFC 5280 §6.1.6).
    /// </summary>
    public ImmutableArray<string> Policies { get; }

    /// <summary>The time for which the judgement holds.</summary>
    public DateTimeOffset At { get; }

    /// <summary>
    /// Whether people have compared the peer's key over another channel (<see cref="Trust.KnownPeerStore.VerifyAsync"/>), as far as is known now;
    /// null
    /// where authorities are trusted.
    /// </summary>
    public bool? IsKeyVerified => Trust?.IsKeyVerified(Certificate);

    /// <summary>What the path was found with.</summary>
    internal ITrustSource? Trust { get; init; }

    /// <summary>What validators say of the peer; null as long as they have not been asked.</summary>
    internal ImmutableArray<PeerFact>? Facts { get; init; }

    /// <summary>The names in the peer's certificate as text for a rejection, made once however many rules object.</summary>
    internal string PresentedNames => _presentedNames ??= Certificates.PresentedNames.Of(Certificate);
}
