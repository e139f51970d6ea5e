using System.Buffers.Binary;
using System.Collections.Immutable;
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

    /// <summary>
    /// The name in a re-authentication. It and its label are others than those of a step-up, so that the confirmation of a transaction of no
    /// octets is no re-authentication, nor the other way round.
    /// </summary>
    internal const string ReauthenticationType = "mutualauth-reauth";

    /// <summary>SHA-256 over a label and three parts, each behind its length in eight octets.</summary>
    internal static ChannelBinding Of(ChannelFacts channel, ReadOnlySpan<byte> transaction) =>
        Of(channel.EndPoint!.Data.AsSpan(), channel.LoginTranscript.AsSpan(), transaction);

    internal static ChannelBinding Of(ReadOnlySpan<byte> endPoint, ReadOnlySpan<byte> transcript, ReadOnlySpan<byte> transaction) =>
        new(Type, Digest("mutualauth step-up 1"u8, endPoint, transcript, transaction));

    /// <summary>The same for a re-authentication, which has no transaction; null where the server's certificate has no binding.</summary>
    internal static ChannelBinding? OfReauthentication(ChannelFacts channel) =>
        channel.EndPoint is null ? null : OfReauthentication(channel.EndPoint.Data.AsSpan(), channel.LoginTranscript.AsSpan());

    internal static ChannelBinding OfReauthentication(ReadOnlySpan<byte> endPoint, ReadOnlySpan<byte> transcript) =>
        new(ReauthenticationType, Digest("mutualauth reauth 1"u8, endPoint, transcript, []));

    /// <summary>Whether a mechanism may be the first of a step-up: it must bind, and prove something now and not at an earlier login.</summary>
    internal static bool Binds(string mechanism) =>
        mechanism.EndsWith(ScramMechanisms.Plus, StringComparison.Ordinal) && mechanism != SaslMechanismNames.Reconnect;

    /// <summary>Whether a mechanism may be the first of a re-authentication: it binds, or is a token, which is bound as at the login.</summary>
    internal static bool MayReauthenticate(string mechanism) => Binds(mechanism) || mechanism == SaslMechanismNames.OAuthBearer;

    private static ImmutableArray<byte> Digest(
        ReadOnlySpan<byte> label, ReadOnlySpan<byte> endPoint, ReadOnlySpan<byte> transcript, ReadOnlySpan<byte> transaction)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Append(hash, label);
        Append(hash, endPoint);
        Append(hash, transcript);
        Append(hash, transaction);
        return [.. hash.GetHashAndReset()];
    }

    private static void Append(IncrementalHash hash, ReadOnlySpan<byte> part)
    {
        Span<byte> length = stackalloc byte[sizeof(long)];
        BinaryPrimitives.WriteInt64BigEndian(length, part.Length);
        hash.AppendData(length);
        hash.AppendData(part);
    }
}
