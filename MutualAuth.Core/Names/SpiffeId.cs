using System.Buffers;
using System.Diagnostics.CodeAnalysis;

namespace MutualAuth.Names;

/// <summary>The SPIFFE ID of a workload, such as <c>spiffe://example.org/billing/api</c> (SPIFFE-ID §2).</summary>
/// <remarks>
/// Immutable and compared byte by byte. A path is required: <c>spiffe://example.org</c> is the ID of the trust domain itself, which only
/// its authorities may carry and no workload (X509-SVID §5.2). Percent-encoding, a user, a port, a query and a fragment are rejected, as
/// the standard requires.
/// </remarks>
public sealed class SpiffeId : IEquatable<SpiffeId>
{
    private const int MaxLength = 2048;

    private static readonly SearchValues<char> s_segmentCharacters =
        SearchValues.Create("-.0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz");

    private static readonly NameProblem s_scheme = new(
        "spiffe:// in lower case, then a trust domain and a path", "Write it like spiffe://example.org/workload.");
    private static readonly NameProblem s_tooLong = new("at most 2048 characters", "Shorten the path.");
    private static readonly NameProblem s_noPath = new(
        "a path behind the trust domain",
        "This is the ID of the trust domain itself, which no workload may carry; add the workload's path, or authorize every member of the trust "
            + "domain instead.");
    private static readonly NameProblem s_emptySegment = new("a path without empty segments and without a trailing slash", "Remove the extra slash.");
    private static readonly NameProblem s_dotSegment = new("a path without the segments . and ..", "Write the resolved path.");
    private static readonly NameProblem s_characters = new(
        "path segments of letters, digits, dots, hyphens and underscores",
        "Remove all other characters; percent-encoding, a query and a fragment are not allowed.");

    private readonly string _text;

    private SpiffeId(string text, TrustDomain trustDomain, string path) => (_text, TrustDomain, Path) = (text, trustDomain, path);

    /// <summary>The trust domain of the workload.</summary>
    public TrustDomain TrustDomain { get; }

    /// <summary>The workload within its trust domain, with the leading slash; never empty.</summary>
    public string Path { get; }

    /// <summary>Reads the SPIFFE ID of a workload, of at most 2048 characters.</summary>
    /// <exception cref="ArgumentNullException"><paramref name="text"/> is null.</exception>
    /// <exception cref="FormatException"><paramref name="text"/> is not a workload's SPIFFE ID; the message says which rule it breaks.</exception>
    public static SpiffeId Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return Read(text, out var id) is { } flaw ? throw flaw.ToException("a workload's SPIFFE ID", text) : id!;
    }

    /// <summary>Reads a SPIFFE ID as <see cref="Parse"/> does; false for null and for any other text.</summary>
    public static bool TryParse([NotNullWhen(true)] string? text, [NotNullWhen(true)] out SpiffeId? id)
    {
        id = null;
        return text is not null && Read(text, out id) is null;
    }

    /// <summary>
    /// Whether the workload belongs to <paramref name="trustDomain"/>; a domain whose name only has the same ending is another domain.
    /// </summary>
    /// <exception cref="ArgumentNullException"><paramref name="trustDomain"/> is null.</exception>
    public bool IsMemberOf(TrustDomain trustDomain)
    {
        ArgumentNullException.ThrowIfNull(trustDomain);
        return TrustDomain.Equals(trustDomain);
    }

    /// <summary>Compares the IDs, byte by byte.</summary>
    public bool Equals(SpiffeId? other) => other is not null && _text == other._text;

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as SpiffeId);

    /// <inheritdoc/>
    public override int GetHashCode() => _text.GetHashCode(StringComparison.Ordinal);

    /// <summary>The whole ID, with its scheme.</summary>
    public override string ToString() => _text;

    internal static NameProblem? Read(string text, out SpiffeId? id)
    {
        id = null;
        if (!text.StartsWith(TrustDomain.Scheme, StringComparison.Ordinal))
        {
            return s_scheme;
        }

        if (text.Length > MaxLength)
        {
            return s_tooLong;
        }

        var authority = text.AsSpan(TrustDomain.Scheme.Length);
        var slash = authority.IndexOf('/');
        if (TrustDomain.Read(slash < 0 ? authority : authority[..slash], out var trustDomain) is { } flaw)
        {
            return flaw;
        }

        var path = slash < 0 ? [] : authority[slash..];
        if (FlawOfPath(path) is { } pathFlaw)
        {
            return pathFlaw;
        }

        id = new SpiffeId(text, trustDomain!, path.ToString());
        return null;
    }

    private static NameProblem? FlawOfPath(ReadOnlySpan<char> path)
    {
        if (path is [] or ['/'])
        {
            return s_noPath;
        }

        var segments = path[1..];
        foreach (var range in segments.Split('/'))
        {
            var flaw = segments[range] switch
            {
                [] => s_emptySegment,
                "." or ".." => s_dotSegment,
                var segment when segment.ContainsAnyExcept(s_segmentCharacters) => s_characters,
                _ => null,
            };
            if (flaw is not null)
            {
                return flaw;
            }
        }

        return null;
    }
}
