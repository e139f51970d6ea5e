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

    internal ScramDecoys(byte[] secret, int? iterations)
    {
        _secret = secret;
        _iterations = iterations;
    }

    internal ScramVerifier For(string userName, ScramHash hash)
    {
        var salt = Derive(hash, "salt", userName);
        return new ScramVerifier(
            hash,
            _iterations ?? hash.DefaultIterations,
            [.. salt.AsSpan(0, SaltLength)],
            [.. Derive(hash, "stored", userName)],
            [.. Derive(hash, "server", userName)]);
    }

    private byte[] Derive(ScramHash hash, string purpose, string userName) =>
        hash.Hmac(_secret, Encoding.UTF8.GetBytes($"{hash.Mechanism} {purpose} {userName}"));
}
