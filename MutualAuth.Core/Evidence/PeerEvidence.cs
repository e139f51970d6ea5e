using System.Collections.Immutable;
using System.Net;

namespace MutualAuth.Evidence;

/// <summary>Everything that a peer has presented, copied before the TLS engine can dispose of it.</summary>
/// <remarks>Immutable and safe to share. It is unverified.</remarks>
public sealed class PeerEvidence
{
    /// <summary>Records what a peer presented.</summary>
    /// <param name="role">The role of the peer.</param>
    /// <param name="certificates">
    /// The certificates in DER, the peer's own first, the others in the order received; empty when it presented none.
    /// </param>
    public PeerEvidence(PeerRole role, ImmutableArray<ReadOnlyMemory<byte>> certificates)
    {
        Role = role;
        Certificates = certificates.IsDefault ? [] : certificates;
    }

    /// <summary>The role of the peer.</summary>
    public PeerRole Role { get; }

    /// <summary>The certificates in DER, the peer's own first; empty when it presented none.</summary>
    public ImmutableArray<ReadOnlyMemory<byte>> Certificates { get; }

    /// <summary>The name under which we dialled the peer; null when the peer is a client, or no name was given.</summary>
    public ServerName? DialledName { get; init; }

    /// <summary>The peer's address; null when the transport has none.</summary>
    public EndPoint? RemoteEndPoint { get; init; }
}
