using System.Security.Cryptography;

namespace MutualAuth.Credentials;

/// <summary>The keys of a server: one seals, and two open.</summary>
/// <remarks>
/// A sealed credential is a version, the name of the key, a salt, and what AES-256-GCM makes of the content. Each has a key of its own, which HKDF
/// (RFC 5869) derives from the server's key and the salt: so no nonce can come twice, however many instances share the key. Safe for use from many
/// threads; a key that was replaced is wiped.
/// </remarks>
internal sealed class ReconnectKeys : IDisposable
{
    internal const int MaxSealedLength = HeaderLength + ReconnectContent.MaxLength + TagLength;
    internal const int MinSealedLength = HeaderLength + TagLength + 1;

    private const byte Version = 1;
    private const int NameLength = 8;
    private const int SaltLength = 32;
    private const int HeaderLength = 1 + NameLength + SaltLength;
    private const int TagLength = 16;

    private readonly Lock _lock = new();
    private Key? _current;
    private Key? _other;

    internal ReconnectKeys(ReadOnlySpan<byte> current, ReadOnlySpan<byte> other)
    {
        _current = current.IsEmpty ? Key.Random() : new Key(current);
        _other = other.IsEmpty ? null : new Key(other);
    }

    /// <summary>Takes a random key; the one that sealed until now still opens.</summary>
    /// <exception cref="ObjectDisposedException">They were wiped.</exception>
    internal void Rotate()
    {
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_current is null, this);
            _other?.Dispose();
            (_current, _other) = (Key.Random(), _current);
        }
    }

    /// <summary>Puts these in the place of both.</summary>
    /// <exception cref="ObjectDisposedException">They were wiped.</exception>
    internal void Replace(ReadOnlySpan<byte> current, ReadOnlySpan<byte> other)
    {
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_current is null, this);
            _current.Dispose();
            _other?.Dispose();
            _current = new Key(current);
            _other = other.IsEmpty ? null : new Key(other);
        }
    }

    /// <exception cref="ObjectDisposedException">They were wiped.</exception>
    internal byte[] Seal(ReadOnlySpan<byte> content)
    {
        var sealedOctets = new byte[HeaderLength + content.Length + TagLength];
        var header = sealedOctets.AsSpan(0, HeaderLength);
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_current is null, this);
            header[0] = Version;
            _current.Name.CopyTo(header[1..]);
            RandomNumberGenerator.Fill(header[(1 + NameLength)..]);
            using var cipher = _current.CipherOf(header[(1 + NameLength)..]);
            cipher.Encrypt(Nonce, content, sealedOctets.AsSpan(HeaderLength, content.Length), sealedOctets.AsSpan(^TagLength..), header);
        }

        return sealedOctets;
    }

    /// <summary>Opens what one of the two keys sealed; the caller wipes the octets.</summary>
    /// <returns>The content; null where it was not sealed by that key in this form. Not known: the name is that of no key that we have.</returns>
    internal (byte[]? Content, bool IsKnown) Open(ReadOnlySpan<byte> sealedOctets)
    {
        if (sealedOctets.Length is < MinSealedLength or > MaxSealedLength || sealedOctets[0] != Version)
        {
            return (null, IsKnown: true);
        }

        var header = sealedOctets[..HeaderLength];
        var name = header.Slice(1, NameLength);
        var content = new byte[sealedOctets.Length - HeaderLength - TagLength];
        lock (_lock)
        {
            var key = _current?.Name.AsSpan().SequenceEqual(name) == true ? _current
                : _other?.Name.AsSpan().SequenceEqual(name) == true ? _other
                : null;
            if (key is null)
            {
                return (null, IsKnown: false);
            }

            using var cipher = key.CipherOf(header[(1 + NameLength)..]);
            try
            {
                cipher.Decrypt(Nonce, sealedOctets[HeaderLength..^TagLength], sealedOctets[^TagLength..], content, header);
                return (content, IsKnown: true);
            }
            catch (AuthenticationTagMismatchException)
            {
                return (null, IsKnown: true);
            }
        }
    }

    /// <summary>Wipes both: nothing is opened any more, and nothing sealed.</summary>
    public void Dispose()
    {
        lock (_lock)
        {
            _current?.Dispose();
            _other?.Dispose();
            _current = _other = null;
        }
    }

    // The key is used for this one message.
    private static ReadOnlySpan<byte> Nonce => [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];

    private sealed class Key : IDisposable
    {
        // Pinned, so that the garbage collector leaves no copies.
        private readonly byte[] _key = GC.AllocateUninitializedArray<byte>(ReconnectCredentialsOptions.KeyLength, pinned: true);

        internal Key(ReadOnlySpan<byte> key)
        {
            key.CopyTo(_key);
            Name = NameOf(_key);
        }

        private Key()
        {
            RandomNumberGenerator.Fill(_key);
            Name = NameOf(_key);
        }

        /// <summary>What tells the key from others, and says nothing of it.</summary>
        internal byte[] Name { get; }

        internal static Key Random() => new();

        internal AesGcm CipherOf(ReadOnlySpan<byte> salt)
        {
            Span<byte> derived = stackalloc byte[ReconnectCredentialsOptions.KeyLength];
            HKDF.DeriveKey(HashAlgorithmName.SHA256, _key, derived, salt, "mutualauth reconnect seal 1"u8);
            try
            {
                return new AesGcm(derived, TagLength);
            }
            finally
            {
                CryptographicOperations.ZeroMemory(derived);
            }
        }

        public void Dispose() => CryptographicOperations.ZeroMemory(_key);

        private static byte[] NameOf(byte[] key) =>
            HKDF.DeriveKey(HashAlgorithmName.SHA256, key, NameLength, info: "mutualauth reconnect key name 1"u8.ToArray());
    }
}
