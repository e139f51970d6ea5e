using System.Collections.Immutable;
using System.Security.Cryptography;

namespace MutualAuth.Credentials;

/// <summary>The user has shown its credentials once more, for one transaction on one connection. Only a step-up that succeeded makes one.</summary>
/// <remarks>
/// It stands beside the connection's peer, which it does not change. Accept it for the transaction that it names and for nothing else, and by
/// <see cref="TryUse"/> where the transaction must be carried out once. Safe for use from many threads.
/// </remarks>
public sealed class StepUpProof
{
    private readonly TimeProvider _time;
    private readonly long _made;
    private int _isUsed;

    internal StepUpProof(AuthenticatedUser user, ReadOnlySpan<byte> transaction, TimeProvider time)
    {
        _time = time;
        _made = time.GetTimestamp();
        User = user;
        TransactionDigest = [.. SHA256.HashData(transaction)];
        At = time.GetUtcNow();
    }

    /// <summary>Who confirmed it.</summary>
    public AuthenticatedUser User { get; }

    /// <summary>What was shown in the step-up, of the user's credentials; not what the login showed.</summary>
    public PeerProofs Proofs => User.Proofs;

    /// <summary>SHA-256 of the transaction.</summary>
    public ImmutableArray<byte> TransactionDigest { get; }

    /// <summary>When, by the server's clock.</summary>
    public DateTimeOffset At { get; }

    /// <summary>Whether it has been used up.</summary>
    public bool IsUsed => Volatile.Read(ref _isUsed) != 0;

    /// <summary>
    /// Uses the proof up for this transaction: true once, however often and from however many threads it is called. Carry the transaction out only
    /// then.
    /// </summary>
    /// <remarks>
    /// A transaction that it does not cover does not use it up. <see cref="StepUpVerifier.TimeLimit"/> after the proof was made, by the monotonic
    /// clock,
    /// it is worth nothing any more. It is known in this process only: a proof does not leave it.
    /// </remarks>
    /// <param name="transaction">The transaction that is about to be carried out.</param>
    public bool TryUse(ReadOnlySpan<byte> transaction) =>
        Covers(transaction)
        && _time.GetElapsedTime(_made) < StepUpVerifier.TimeLimit
        && Interlocked.Exchange(ref _isUsed, 1) == 0;

    /// <summary>Whether this is the transaction that was confirmed.</summary>
    public bool Covers(ReadOnlySpan<byte> transaction) =>
        CryptographicOperations.FixedTimeEquals(SHA256.HashData(transaction), TransactionDigest.AsSpan());
}
