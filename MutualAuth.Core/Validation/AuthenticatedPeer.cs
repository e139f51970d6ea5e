using System.Collections.Immutable;
using System.Net;
using MutualAuth.Certificates;
using MutualAuth.Evidence;
using MutualAuth.Names;

namespace MutualAuth.Validation;

/// <summary>A peer whose evidence was accepted. Only the certificate stage makes one.</summary>
/// <remarks>Immutable, safe to share, and usable after the connection is gone.</remarks>
public sealed class AuthenticatedPeer
{
    internal AuthenticatedPeer(PeerEvidence evidence, ImmutableArray<Certificate> path, SpiffeId? spiffeId)
    {
        Evidence = evidence;
        Path = path;
        SpiffeId = spiffeId;
        Name = PeerName.Of(path[0]);
    }

    /// <summary>What the peer calls itself and has proven: its SPIFFE ID, else its first DNS name, else its subject; percent-encoded, so that it is one safe token.</summary>
    public string Name { get; }

    /// <summary>The peer's own certificate.</summary>
    public Certificate Certificate => Path[0];

    /// <summary>The verified path: the peer's certificate first, the trust anchor last.</summary>
    public ImmutableArray<Certificate> Path { get; }

    /// <summary>The SPIFFE ID, when the certificate is a valid X.509-SVID; otherwise null.</summary>
    public SpiffeId? SpiffeId { get; }

    /// <summary>The part that the peer plays.</summary>
    public PeerRole Role => Evidence.Role;

    /// <summary>The peer's address; null when the transport has none.</summary>
    public EndPoint? RemoteEndPoint => Evidence.RemoteEndPoint;

    /// <summary>All that the peer showed.</summary>
    public PeerEvidence Evidence { get; }
}
