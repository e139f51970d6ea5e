using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Text;

namespace MutualAuth.Credentials;

/// <summary>
/// Verifiers for non-existent users: the same for the same name each time, and indistinguishable from real ones. No password matches them.
/// </summary>
internal sealed class ScramDecoys
{
    private const int SaltLength = 16;

    private readonly byte[] _secret;
    private readonly int? _iterations;

    // They are shown to no client, and no proof meets them: one pair serves all names.
    private readonly FrozenDictionary<ScramHash, (ImmutableArray<byte> Stored, ImmutableArray<byte> Server)> _keys;

    internal ScramDecoys(byte[] secret, int? iterations)
    {
        _secret = secret;
        _iterations = iterations;
        _keys = ScramHash.All.ToFrozenDictionary(
            hash => hash, hash => (Derive(hash, "stored", string.Empty).ToImmutableArray(), Derive(hash, "server", string.Empty).ToImmutableArray()));
    }

    internal ScramVerifier For(string userName, ScramHash hash)
    {
        var salt = Derive(hash, "salt", userName);
        var (stored, server) = _keys[hash];
        return new ScramVerifier(hash, _iterations ?? hash.DefaultIterations, [.. salt.AsSpan(0, SaltLength)], stored, server);
    }

    private byte[] Derive(ScramHash hash, string purpose, string userName) =>
        hash.Hmac(_secret, Encoding.UTF8.GetBytes($"{hash.Mechanism} {purpose} {userName}"));
}
