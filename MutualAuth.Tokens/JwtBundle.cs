using System.Collections.Immutable;
using System.Text.Json;
using MutualAuth.Tokens.Json;
using MutualAuth.Tokens.Keys;

namespace MutualAuth.Tokens;

/// <summary>The public keys with which one trust domain signs its JWT-SVIDs (SPIFFE JWT-SVID §6, RFC 7517 §5).</summary>
/// <remarks>
/// Immutable. Keys of the use <c>jwt-svid</c>, or of none, that have a <c>kid</c> and are RSA of 2,048 to 8,192 bits or EC on P-256, P-384 and
/// P-521; others are left out. A set that holds a private or a secret key is refused. A set without keys is one by which no token is genuine.
/// </remarks>
public sealed class JwtBundle
{
    private JwtBundle(KeySet keys) => Keys = keys;

    /// <summary>How many keys count.</summary>
    public int Count => Keys.Keys.Length;

    /// <summary>How many keys of the set do not count: of another use or kind, or without a <c>kid</c>.</summary>
    public int LeftOut => Keys.LeftOut;

    /// <summary>The thumbprints (RFC 7638) of the keys that count.</summary>
    public ImmutableArray<string> Thumbprints => [.. Keys.Keys.Select(key => key.Thumbprint)];

    internal KeySet Keys { get; }

    /// <summary>Reads a key set, of 262,144 bytes and 100 keys at most.</summary>
    /// <param name="jwks">The set, in UTF-8.</param>
    /// <exception cref="MaterialException">
    /// It is too large, no key set, holds a private key, or has keys of which none counts; the message says which.
    /// </exception>
    public static JwtBundle Parse(ReadOnlyMemory<byte> jwks)
    {
        if (jwks.Length > KeySet.MaxBytes)
        {
            throw new MaterialException($"Expected a key set of at most {KeySet.MaxBytes} bytes, got {jwks.Length}.");
        }

        using var document = StrictJson.ReadObject(jwks)
            ?? throw new MaterialException("Expected a JSON object with the member keys (RFC 7517 §5), got something else.");
        return new JwtBundle(KeySet.Read(document.RootElement, [], KeySet.ForJwtSvids));
    }

    /// <summary>How many keys, and their IDs.</summary>
    public override string ToString() => Keys.ToString();

    /// <summary>Whether the same keys count.</summary>
    internal bool HasSameKeysAs(JwtBundle other) =>
        Keys.Keys.Select(key => (key.Id, key.Thumbprint, key.Algorithm)).ToHashSet()
            .SetEquals(other.Keys.Keys.Select(key => (key.Id, key.Thumbprint, key.Algorithm)));
}
