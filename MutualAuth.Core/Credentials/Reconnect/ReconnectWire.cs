using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace MutualAuth.Credentials;

/// <summary>The octets of docs/protocol.md §12.1: what the server gives to the client, and what the client shows at the next login.</summary>
internal static class ReconnectWire
{
    internal const int DigestLength = SHA256.HashSizeInBytes;
    internal const int MaxIssuedLength = IssuedHeaderLength + ReconnectKeys.MaxSealedLength;

    private const byte Version = 1;
    private const int IssuedHeaderLength = 1 + sizeof(long) + (2 * DigestLength);
    private const int ShownHeaderLength = 1 + (2 * DigestLength);

    /// <summary>What is issued: a version, the end, the client's key, the secret, and the credential.</summary>
    internal static byte[] WriteIssued(ReconnectContent content, ReadOnlySpan<byte> credential)
    {
        var octets = GC.AllocateUninitializedArray<byte>(IssuedHeaderLength + credential.Length, pinned: true);
        octets[0] = Version;
        BinaryPrimitives.WriteInt64BigEndian(octets.AsSpan(1), content.NotAfter.ToUnixTimeMilliseconds());
        content.ClientKey.CopyTo(octets, 1 + sizeof(long));
        content.Secret.CopyTo(octets, 1 + sizeof(long) + DigestLength);
        credential.CopyTo(octets.AsSpan(IssuedHeaderLength));
        return octets;
    }

    /// <returns>Whether they have the form of what a server issues.</returns>
    internal static bool IsIssued(ReadOnlySpan<byte> octets) =>
        octets.Length is >= IssuedHeaderLength + ReconnectKeys.MinSealedLength and <= MaxIssuedLength
        && octets[0] == Version
        && BinaryPrimitives.ReadInt64BigEndian(octets[1..]) is > 0 and var end && end <= DateTimeOffset.MaxValue.ToUnixTimeMilliseconds();

    internal static DateTimeOffset NotAfterOf(ReadOnlySpan<byte> issued) =>
        DateTimeOffset.FromUnixTimeMilliseconds(BinaryPrimitives.ReadInt64BigEndian(issued[1..]));

    internal static ReadOnlySpan<byte> ClientKeyOf(ReadOnlySpan<byte> issued) => issued.Slice(1 + sizeof(long), DigestLength);

    /// <summary>What the client shows: a version, a nonce, its proof, and the credential.</summary>
    internal static byte[] WriteShown(ReadOnlySpan<byte> issued, ReadOnlySpan<byte> nonce, ChannelBinding binding)
    {
        var credential = issued[IssuedHeaderLength..];
        return [Version, .. nonce, .. ClientProof(SecretOf(issued), binding, nonce, credential), .. credential];
    }

    /// <summary>What the server must answer with.</summary>
    internal static byte[] ExpectedAnswer(ReadOnlySpan<byte> issued, ReadOnlySpan<byte> nonce, ChannelBinding binding) =>
        ServerProof(SecretOf(issued), binding, nonce, issued[IssuedHeaderLength..]);

    internal static bool IsShown(ReadOnlySpan<byte> message) =>
        message.Length is >= ShownHeaderLength + ReconnectKeys.MinSealedLength and <= ShownHeaderLength + ReconnectKeys.MaxSealedLength
        && message[0] == Version;

    internal static ReadOnlySpan<byte> NonceOf(ReadOnlySpan<byte> shown) => shown.Slice(1, DigestLength);

    internal static ReadOnlySpan<byte> ProofOf(ReadOnlySpan<byte> shown) => shown.Slice(1 + DigestLength, DigestLength);

    internal static ReadOnlySpan<byte> CredentialOf(ReadOnlySpan<byte> shown) => shown[ShownHeaderLength..];

    internal static byte[] ClientProof(
        ReadOnlySpan<byte> secret, ChannelBinding binding, ReadOnlySpan<byte> nonce, ReadOnlySpan<byte> credential) =>
        Prove("mutualauth reconnect client 1"u8, secret, binding, nonce, credential);

    internal static byte[] ServerProof(
        ReadOnlySpan<byte> secret, ChannelBinding binding, ReadOnlySpan<byte> nonce, ReadOnlySpan<byte> credential) =>
        Prove("mutualauth reconnect server 1"u8, secret, binding, nonce, credential);

    private static ReadOnlySpan<byte> SecretOf(ReadOnlySpan<byte> issued) => issued.Slice(1 + sizeof(long) + DigestLength, DigestLength);

    /// <summary>HMAC with SHA-256 over five parts, each behind its length in eight octets.</summary>
    private static byte[] Prove(
        ReadOnlySpan<byte> label, ReadOnlySpan<byte> secret, ChannelBinding binding, ReadOnlySpan<byte> nonce, ReadOnlySpan<byte> credential)
    {
        using var code = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, secret);
        Append(code, label);
        Append(code, Encoding.ASCII.GetBytes(binding.Type));
        Append(code, binding.Data.AsSpan());
        Append(code, nonce);
        Append(code, credential);
        return code.GetHashAndReset();
    }

    internal static void Append(IncrementalHash hash, ReadOnlySpan<byte> part)
    {
        Span<byte> length = stackalloc byte[sizeof(long)];
        BinaryPrimitives.WriteInt64BigEndian(length, part.Length);
        hash.AppendData(length);
        hash.AppendData(part);
    }
}
