using System.Collections.Immutable;
using MutualAuth.Audit;
using MutualAuth.Credentials;
using MutualAuth.Telemetry;
using MutualAuth.Transport;

namespace MutualAuth.Handshake;

/// <summary>
/// What a handshake yields: the stream, who is at the other end, what was agreed, and whether the other end has said that it accepted us.
/// </summary>
internal sealed record AuthenticatedTls(GuardedSslStream Stream, AuthenticatedPeer Peer, SessionFacts Session, bool IsConfirmed)
{
    /// <summary>What the stream lies on.</summary>
    internal required HandshakeTransport Transport { get; init; }

    /// <summary>What ties a later step-up to this channel.</summary>
    internal required ChannelFacts Channel { get; init; }

    /// <summary>The client's Finished message; empty where it is not to be had.</summary>
    internal required ImmutableArray<byte> Finished { get; init; }

    /// <summary>What all logins of the server share.</summary>
    internal required LoginServices Login { get; init; }

    internal required HandshakeOptions Options { get; init; }

    /// <summary>As a client, what we have shown; null for nothing.</summary>
    internal Identity? OwnIdentity { get; init; }

    /// <summary>What we had to show to the peer.</summary>
    internal required ImmutableArray<Identity> Shown { get; init; }

    /// <summary>Names the connection in logs and in the audit.</summary>
    internal required ConnectionId Id { get; init; }

    /// <summary>Tells the auditor; null where nothing is recorded.</summary>
    internal required ConnectionAudit? Audit { get; init; }
}
