using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace MutualAuth.Credentials;

/// <summary>
/// The data that a server stores instead of a password (RFC 5802 §3), in the text form of PostgreSQL:
/// <c>SCRAM-SHA-256$iterations:salt$StoredKey:ServerKey</c>.
/// </summary>
/// <remarks>
/// A stolen verifier is not sufficient to log in, but its holder can test passwords against it offline, and can impersonate the server to
/// that user: keep it secret. Immutable and safe to share.
/// </remarks>
public sealed class ScramVerifier
{
    /// <summary>
    /// The iterations of new verifiers for SHA-256: 600,000, as OWASP asks for them (Password Storage Cheat Sheet, 2025); some hundreds of
    /// milliseconds for the client at each login. <see cref="ScramHash.DefaultIterations"/> has the figure of each hash.
    /// </summary>
    public const int DefaultIterations = 600_000;

    /// <summary>The fewest iterations that either side accepts: 4,096 (RFC 7677 §4), PostgreSQL's default.</summary>
    public const int MinIterations = 4096;

    /// <summary>The most iterations that either side accepts: a million, about half a second. No key is ever derived with more.</summary>
    public const int MaxIterations = 1_000_000;

    internal const int MinSaltLength = 8;
    internal const int MaxSaltLength = 64;

    private const int DefaultSaltLength = 16;
    private const int MaxTextLength = 512;

    private string? _digest;

    internal ScramVerifier(ScramHash hash, int iterations, ImmutableArray<byte> salt, ImmutableArray<byte> storedKey, ImmutableArray<byte> serverKey)
    {
        Hash = hash;
        Iterations = iterations;
        Salt = salt;
        StoredKey = storedKey;
        ServerKey = serverKey;
    }

    /// <summary>The hash, and with it the mechanisms that the verifier serves.</summary>
    public ScramHash Hash { get; }

    /// <summary>The iteration count.</summary>
    public int Iterations { get; }

    /// <summary>The salt.</summary>
    public ImmutableArray<byte> Salt { get; }

    internal ImmutableArray<byte> StoredKey { get; }

    internal ImmutableArray<byte> ServerKey { get; }

    /// <summary>SHA-256 of the text form, in hexadecimal. Computed once.</summary>
    internal string Digest => _digest ??= Convert.ToHexString(SHA256.HashData(Encoding.ASCII.GetBytes(ToString())));

    internal bool IsLike(ScramVerifier other) =>
        other.Hash == Hash
        && other.Iterations == Iterations
        && other.Salt.AsSpan().SequenceEqual(Salt.AsSpan())
        && other.StoredKey.AsSpan().SequenceEqual(StoredKey.AsSpan())
        && other.ServerKey.AsSpan().SequenceEqual(ServerKey.AsSpan());

    /// <summary>Derives the verifier of a password, with a fresh salt.</summary>
    /// <param name="password">The password.</param>
    /// <param name="hash">The hash; null means <see cref="ScramHash.Sha256"/>.</param>
    /// <param name="iterations">The iteration count; null means <see cref="ScramHash.DefaultIterations"/> of the hash.</param>
    /// <exception cref="ArgumentOutOfRangeException">
    /// <paramref name="iterations"/> is below <see cref="MinIterations"/> or above <see cref="MaxIterations"/>.
    /// </exception>
    public static ScramVerifier Create(Password password, ScramHash? hash = null, int? iterations = null)
    {
        var chosen = hash ?? ScramHash.Sha256;
        return Create(password, chosen, iterations ?? chosen.DefaultIterations, RandomNumberGenerator.GetBytes(DefaultSaltLength));
    }

    internal static ScramVerifier Create(Password password, ScramHash hash, int iterations, ReadOnlySpan<byte> salt)
    {
        ArgumentNullException.ThrowIfNull(password);
        ArgumentOutOfRangeException.ThrowIfLessThan(iterations, MinIterations);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(iterations, MaxIterations);
        var saltedPassword = hash.Hi(password.Utf8, salt, iterations);
        var clientKey = hash.ClientKey(saltedPassword);
        try
        {
            return new ScramVerifier(hash, iterations, [.. salt], [.. hash.H(clientKey)], [.. hash.ServerKey(saltedPassword)]);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(saltedPassword);
            CryptographicOperations.ZeroMemory(clientKey);
        }
    }

    /// <summary>Reads the text form.</summary>
    /// <exception cref="FormatException">The text is not a verifier; the message does not quote it.</exception>
    public static ScramVerifier Parse(string text) => TryParse(text, out var verifier)
        ? verifier
        : throw new FormatException(
            "Expected a verifier, SCRAM-SHA-256$iterations:salt$StoredKey:ServerKey or its SCRAM-SHA-512 form; got something else.");

    /// <summary>Reads the text form; never throws.</summary>
    public static bool TryParse([NotNullWhen(true)] string? text, [NotNullWhen(true)] out ScramVerifier? verifier)
    {
        verifier = null;
        if (text is null
            || text.Length > MaxTextLength
            || text.Split('$') is not [var mechanism, var work, var keys]
            || ScramHash.ByMechanism(mechanism) is not { } hash
            || work.Split(':') is not [var count, var salt] || keys.Split(':') is not [var stored, var server])
        {
            return false;
        }

        if (!int.TryParse(count, NumberStyles.None, CultureInfo.InvariantCulture, out var iterations) || iterations < 1
            || ScramText.FromBase64(salt) is not { Length: >= MinSaltLength and <= MaxSaltLength } saltBytes
            || ScramText.FromBase64(stored) is not { } storedKey || storedKey.Length != hash.Length
            || ScramText.FromBase64(server) is not { } serverKey || serverKey.Length != hash.Length)
        {
            return false;
        }

        verifier = new ScramVerifier(hash, iterations, [.. saltBytes], [.. storedKey], [.. serverKey]);
        return true;
    }

    /// <summary>The text form, as PostgreSQL keeps it. Do not log it.</summary>
    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture,
        $"{Hash.Mechanism}${Iterations}:{Convert.ToBase64String(Salt.AsSpan())}${Convert.ToBase64String(StoredKey.AsSpan())}:"
            + $"{Convert.ToBase64String(ServerKey.AsSpan())}");

    /// <summary>Whether a password derived to <paramref name="saltedPassword"/> is the verifier's. Takes the same time either way.</summary>
    internal bool Matches(ReadOnlySpan<byte> saltedPassword)
    {
        var clientKey = Hash.ClientKey(saltedPassword);
        var matches = CryptographicOperations.FixedTimeEquals(Hash.H(clientKey), StoredKey.AsSpan());
        CryptographicOperations.ZeroMemory(clientKey);
        return matches;
    }
}
