using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using MutualAuth.Credentials;

namespace MutualAuth.Factors;

/// <summary>The messages of PASSKEY-PLUS (protocol page §12.1). Pure, and bounded.</summary>
internal static class PasskeyWire
{
    internal const string Name = "PASSKEY-PLUS";
    internal const string Rule = "protocol page §12.1";
    internal const byte Version = 1;
    internal const int NonceLength = 32;
    internal const int MaxIdLength = 1023; // WebAuthn Level 2 §4, "Credential ID"
    internal const int MaxCredentials = 8;
    internal const int MaxFieldLength = 4096;
    internal const int MaxHandleLength = 64;

    private const byte UserVerification = 1;

    internal static readonly ReadOnlyMemory<byte> Hello = new byte[] { Version };

    /// <summary>What the passkey signs: SHA-256 over a label and four parts, each behind its length in eight octets.</summary>
    internal static byte[] ChallengeOf(ChannelBinding binding, string relyingParty, ReadOnlySpan<byte> nonce)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Append(hash, "mutualauth passkey 1"u8);
        Append(hash, Encoding.ASCII.GetBytes(binding.Type));
        Append(hash, binding.Data.AsSpan());
        Append(hash, Encoding.ASCII.GetBytes(relyingParty));
        Append(hash, nonce);
        return hash.GetHashAndReset();
    }

    /// <summary>What a user is called towards authenticators: it does not tell the name.</summary>
    internal static byte[] HandleOf(string relyingParty, string userName)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Append(hash, "mutualauth user handle 1"u8);
        Append(hash, Encoding.ASCII.GetBytes(relyingParty));
        Append(hash, Encoding.UTF8.GetBytes(userName));
        return hash.GetHashAndReset();
    }

    internal static byte[] Write(PasskeyChallenge challenge)
    {
        using var message = new MemoryStream();
        message.WriteByte(Version);
        message.WriteByte(challenge.RequiresUserVerification ? UserVerification : (byte)0);
        message.Write(challenge.Nonce.Span);
        Put(message, Encoding.ASCII.GetBytes(challenge.RelyingParty), isShort: true);
        message.WriteByte((byte)challenge.Credentials.Length);
        foreach (var id in challenge.Credentials)
        {
            Put(message, id.Span);
        }

        return message.ToArray();
    }

    /// <returns>Null when it is no challenge.</returns>
    internal static PasskeyChallenge? ReadChallenge(ReadOnlyMemory<byte> message)
    {
        var reader = new Reader(message);
        if (reader.Octet() != Version || reader.Octet() is not (>= 0 and <= UserVerification and var flags)
            || reader.Take(NonceLength) is not { } nonce || reader.Field(1, 253, isShort: true) is not { } party
            || reader.Octet() is not (>= 1 and <= MaxCredentials and var count))
        {
            return null;
        }

        var credentials = ImmutableArray.CreateBuilder<ReadOnlyMemory<byte>>();
        for (var number = 0; number < count; number++)
        {
            if (reader.Field(1, MaxIdLength) is not { } id)
            {
                return null;
            }

            credentials.Add(id);
        }

        return reader.IsAtEnd && Ascii.IsValid(party.Span)
            ? new PasskeyChallenge(flags == UserVerification, nonce, Encoding.ASCII.GetString(party.Span), credentials.ToImmutable())
            : null;
    }

    internal static byte[] Write(PasskeyAssertion assertion)
    {
        using var message = new MemoryStream();
        message.WriteByte(Version);
        Put(message, assertion.CredentialId.Span);
        Put(message, assertion.AuthenticatorData.Span);
        Put(message, assertion.ClientDataJson.Span);
        Put(message, assertion.Signature.Span);
        Put(message, assertion.UserHandle.Span, isShort: true);
        return message.ToArray();
    }

    /// <returns>Null when it is no assertion.</returns>
    internal static PasskeyAssertion? ReadAssertion(ReadOnlyMemory<byte> message)
    {
        var reader = new Reader(message);
        return reader.Octet() == Version
            && reader.Field(1, MaxIdLength) is { } id
            && reader.Field(1, MaxFieldLength) is { } data
            && reader.Field(1, MaxFieldLength) is { } client
            && reader.Field(1, MaxFieldLength) is { } signature
            && reader.Field(0, MaxHandleLength, isShort: true) is { } handle
            && reader.IsAtEnd
            ? new PasskeyAssertion
            { CredentialId = id, AuthenticatorData = data, ClientDataJson = client, Signature = signature, UserHandle = handle }
            : null;
    }

    private static void Append(IncrementalHash hash, ReadOnlySpan<byte> part)
    {
        Span<byte> length = stackalloc byte[sizeof(long)];
        BinaryPrimitives.WriteInt64BigEndian(length, part.Length);
        hash.AppendData(length);
        hash.AppendData(part);
    }

    private static void Put(MemoryStream message, ReadOnlySpan<byte> field, bool isShort = false)
    {
        if (!isShort)
        {
            message.WriteByte((byte)(field.Length >> 8));
        }

        message.WriteByte((byte)field.Length);
        message.Write(field);
    }

    private struct Reader(ReadOnlyMemory<byte> message)
    {
        private ReadOnlyMemory<byte> _rest = message;

        internal readonly bool IsAtEnd => _rest.IsEmpty;

        /// <returns>-1 at the end.</returns>
        internal int Octet() => Take(1) is { } octet ? octet.Span[0] : -1;

        internal ReadOnlyMemory<byte>? Take(int length)
        {
            if (_rest.Length < length)
            {
                return null;
            }

            var taken = _rest[..length];
            _rest = _rest[length..];
            return taken;
        }

        internal ReadOnlyMemory<byte>? Field(int min, int max, bool isShort = false)
        {
            if (Take(isShort ? 1 : 2) is not { } prefix)
            {
                return null;
            }

            var length = isShort ? prefix.Span[0] : BinaryPrimitives.ReadUInt16BigEndian(prefix.Span);
            return length >= min && length <= max ? Take(length) : null;
        }
    }
}

/// <summary>The server's message of PASSKEY-PLUS.</summary>
internal sealed record PasskeyChallenge(
    bool RequiresUserVerification, ReadOnlyMemory<byte> Nonce, string RelyingParty, ImmutableArray<ReadOnlyMemory<byte>> Credentials);
