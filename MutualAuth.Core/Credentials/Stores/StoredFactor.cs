using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using MutualAuth.Errors;

namespace MutualAuth.Credentials;

/// <summary>A second factor of a user as a store keeps it: a one-time code generator, a passkey, a set of recovery codes.</summary>
/// <remarks>
/// Stores do not look into <see cref="Data"/>; what registers and verifies the factor does. It may be a secret from which codes are made: keep
/// it as you keep the verifiers. Immutable.
/// </remarks>
public sealed record StoredFactor
{
    /// <summary>The longest <see cref="Data"/>, in characters.</summary>
    public const int MaxDataLength = 4096;

    private const int MaxIdLength = 64;
    private const int MaxKindLength = 20;
    private static readonly SearchValues<char> s_idCharacters =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.");
    private static readonly SearchValues<char> s_kindCharacters = SearchValues.Create("abcdefghijklmnopqrstuvwxyz0123456789-");

    /// <summary>Makes a factor.</summary>
    /// <param name="id">What tells it from the user's others: 1 to 64 of letters, digits, '-', '_' and '.'.</param>
    /// <param name="kind">Who can read it, such as <c>totp</c> or <c>passkey</c>: 1 to 20 lower-case letters, digits and '-'.</param>
    /// <param name="data">What it consists of: printable ASCII without spaces and colons, of 1 to <see cref="MaxDataLength"/> characters.</param>
    /// <exception cref="ArgumentException">One of them is not of that form. The message does not repeat the data.</exception>
    public StoredFactor(string id, string kind, string data)
    {
        Id = IsId(id)
            ? id
            : throw new ArgumentException("Expected 1 to 64 of letters, digits, '-', '_' and '.'.", nameof(id));
        Kind = kind is { Length: > 0 and <= MaxKindLength } && !kind.AsSpan().ContainsAnyExcept(s_kindCharacters)
            ? kind
            : throw new ArgumentException("Expected 1 to 20 lower-case letters, digits and '-'.", nameof(kind));
        Data = data is { Length: > 0 and <= MaxDataLength } && !data.AsSpan().ContainsAnyExceptInRange('!', '~') && !data.Contains(':')
            ? data
            : throw new ArgumentException($"Expected printable ASCII without spaces and colons, 1 to {MaxDataLength} characters.", nameof(data));
    }

    /// <summary>What tells it from the user's others.</summary>
    public string Id { get; }

    /// <summary>Who can read it, such as <c>totp</c> or <c>passkey</c>.</summary>
    public string Kind { get; }

    /// <summary>What it consists of. It may be a secret; do not log it.</summary>
    public string Data { get; }

    /// <summary>Whether this can be an identifier of a factor, or the name of a key that encrypts its data.</summary>
    internal static bool IsId([NotNullWhen(true)] string? id) =>
        id is { Length: > 0 and <= MaxIdLength } && !id.AsSpan().ContainsAnyExcept(s_idCharacters);

    /// <exception cref="ArgumentNullException">One of them is null.</exception>
    /// <exception cref="ArgumentException">They have two identifiers.</exception>
    internal static void ThrowIfNotTheSame(StoredFactor before, StoredFactor after)
    {
        ArgumentNullException.ThrowIfNull(before);
        ArgumentNullException.ThrowIfNull(after);
        if (!string.Equals(before.Id, after.Id, StringComparison.Ordinal))
        {
            throw new ArgumentException("Expected the same identifier as before.", nameof(after));
        }
    }

    /// <summary>Kind and identifier, without the data.</summary>
    public override string ToString() => $"{Kind} {SafeText.Quote(Id)}";
}
