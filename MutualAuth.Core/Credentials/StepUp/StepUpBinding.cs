using System.Buffers.Binary;
using System.Security.Cryptography;

namespace MutualAuth.Credentials;

/// <summary>What a step-up is bound to: the server's certificate, the login on this connection, and the transaction, octet by octet.</summary>
internal static class StepUpBinding
{
    /// <summary>
    /// The name of the binding. It is not registered, so that no other use of SCRAM can be mistaken for a step-up, nor the other way round.
    /// </summary>
    internal const string Type = "mutualauth-step-up";

    /// <summary>The longest transaction; a longer one is bound by its digest.</summary>
    internal const int MaxTransactionLength = 1 << 20;

    /// <summary>SHA-256 over a label and three parts, each behind its length in eight octets.</summary>
    internal static ChannelBinding Of(ChannelFacts channel, ReadOnlySpan<byte> transaction) =>
        Of(channel.EndPoint!.Data.AsSpan(), channel.LoginTranscript.AsSpan(), transaction);

    internal static ChannelBinding Of(ReadOnlySpan<byte> endPoint, ReadOnlySpan<byte> transcript, ReadOnlySpan<byte> transaction)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Append(hash, "mutualauth step-up 1"u8);
        Append(hash, endPoint);
        Append(hash, transcript);
        Append(hash, transaction);
        return new ChannelBinding(Type, [.. hash.GetHashAndReset()]);
    }

    private static void Append(IncrementalHash hash, ReadOnlySpan<byte> part)
    {
        Span<byte> length = stackalloc byte[sizeof(long)];
        BinaryPrimitives.WriteInt64BigEndian(length, part.Length);
        hash.AppendData(length);
        hash.AppendData(part);
    }
}
