using System.Buffers;
using System.Diagnostics.CodeAnalysis;

namespace MutualAuth.Names;

/// <summary>The name of a SPIFFE trust domain, such as <c>example.org</c> (SPIFFE-ID §2.1).</summary>
/// <remarks>
/// Immutable: 1 to 255 lower-case letters, digits, dots, hyphens and underscores. It is compared byte by byte; it need not be a DNS name.
/// </remarks>
public sealed class TrustDomain : IEquatable<TrustDomain>
{
    internal const string Scheme = "spiffe://";
    private const int MaxLength = 255;

    private static readonly SearchValues<char> s_characters = SearchValues.Create("-.0123456789_abcdefghijklmnopqrstuvwxyz");

    private static readonly NameProblem s_empty = new("a trust domain", "Give its name, such as example.org.");
    private static readonly NameProblem s_tooLong = new("at most 255 characters in the trust domain", "Shorten it.");
    private static readonly NameProblem s_characterSet = new(
        "a trust domain of lower-case letters, digits, dots, hyphens and underscores",
        "Write it in lower case; a user, a port and percent-encoding are not allowed.");
    private static readonly NameProblem s_path = new("a trust domain without a path", "Remove the path; the ID of a single workload is a SpiffeId.");

    private readonly string _name;

    private TrustDomain(string name) => _name = name;

    /// <summary>Reads <c>example.org</c> or <c>spiffe://example.org</c>.</summary>
    /// <exception cref="ArgumentNullException"><paramref name="text"/> is null.</exception>
    /// <exception cref="FormatException"><paramref name="text"/> is not a trust domain; a path, a port and upper case are rejected.</exception>
    public static TrustDomain Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return ReadWithScheme(text, out var trustDomain) is { } flaw ? throw flaw.ToException("a SPIFFE trust domain", text) : trustDomain!;
    }

    /// <summary>Reads a trust domain as <see cref="Parse"/> does; false for null and for any other text.</summary>
    public static bool TryParse([NotNullWhen(true)] string? text, [NotNullWhen(true)] out TrustDomain? trustDomain)
    {
        trustDomain = null;
        return text is not null && ReadWithScheme(text, out trustDomain) is null;
    }

    /// <summary>Compares the names, byte by byte.</summary>
    public bool Equals(TrustDomain? other) => other is not null && _name == other._name;

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as TrustDomain);

    /// <inheritdoc/>
    public override int GetHashCode() => _name.GetHashCode(StringComparison.Ordinal);

    /// <summary>The name without the scheme.</summary>
    public override string ToString() => _name;

    internal static NameProblem? Read(ReadOnlySpan<char> name, out TrustDomain? trustDomain)
    {
        trustDomain = null;
        if (name.IsEmpty)
        {
            return s_empty;
        }

        if (name.Length > MaxLength)
        {
            return s_tooLong;
        }

        if (name.ContainsAnyExcept(s_characters))
        {
            return s_characterSet;
        }

        trustDomain = new TrustDomain(name.ToString());
        return null;
    }

    private static NameProblem? ReadWithScheme(string text, out TrustDomain? trustDomain)
    {
        var name = text.StartsWith(Scheme, StringComparison.Ordinal) ? text.AsSpan(Scheme.Length) : text;
        var slash = name.IndexOf('/');
        if (Read(slash < 0 ? name : name[..slash], out trustDomain) is { } flaw)
        {
            return flaw;
        }

        if (slash < 0)
        {
            return null;
        }

        trustDomain = null;
        return s_path;
    }
}
