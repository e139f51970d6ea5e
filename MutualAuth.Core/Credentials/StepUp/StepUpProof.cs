using System.Collections.Immutable;
using System.Security.Cryptography;

namespace MutualAuth.Credentials;

/// <summary>The user has shown its credentials once more, for one transaction on one connection. Only a step-up that succeeded makes one.</summary>
/// <remarks>
/// It stands beside the connection's peer, which never changes. Immutable; accept it for the transaction that it names and for nothing
/// else.
/// </remarks>
public sealed class StepUpProof
{
    internal StepUpProof(AuthenticatedUser user, ReadOnlySpan<byte> transaction, DateTimeOffset at)
    {
        User = user;
        TransactionDigest = [.. SHA256.HashData(transaction)];
        At = at;
    }

    /// <summary>Who confirmed it.</summary>
    public AuthenticatedUser User { get; }

    /// <summary>What was shown in the step-up, of the user's credentials; not what the login showed.</summary>
    public PeerProofs Proofs => User.Proofs;

    /// <summary>SHA-256 of the transaction.</summary>
    public ImmutableArray<byte> TransactionDigest { get; }

    /// <summary>When, by the server's clock.</summary>
    public DateTimeOffset At { get; }

    /// <summary>Whether this is the transaction that was confirmed.</summary>
    public bool Covers(ReadOnlySpan<byte> transaction) =>
        CryptographicOperations.FixedTimeEquals(SHA256.HashData(transaction), TransactionDigest.AsSpan());
}
