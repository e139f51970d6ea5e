using System.Collections.Immutable;
using System.Net;

namespace MutualAuth.Evidence;

/// <summary>Everything that a peer has shown, copied before TLS can dispose of it.</summary>
/// <remarks>Immutable and safe to share. It is what was presented, and nothing of it is verified yet.</remarks>
public sealed class PeerEvidence
{
    /// <summary>Records what a peer showed.</summary>
    /// <param name="role">The part that the peer plays.</param>
    /// <param name="certificates">The certificates in DER, the peer's own first, the others in the order in which they came; empty when it showed none.</param>
    public PeerEvidence(PeerRole role, ImmutableArray<ReadOnlyMemory<byte>> certificates)
    {
        Role = role;
        Certificates = certificates.IsDefault ? [] : certificates;
    }

    /// <summary>The part that the peer plays.</summary>
    public PeerRole Role { get; }

    /// <summary>The certificates in DER, the peer's own first; empty when it showed none.</summary>
    public ImmutableArray<ReadOnlyMemory<byte>> Certificates { get; }

    /// <summary>The name under which we dialled the peer; null when the peer is a client, or no name was given.</summary>
    public ServerName? DialledName { get; init; }

    /// <summary>The peer's address; null when the transport has none.</summary>
    public EndPoint? RemoteEndPoint { get; init; }
}
