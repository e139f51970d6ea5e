using System.Collections.Frozen;
using System.Globalization;

namespace MutualAuth.Names;

/// <summary>The domains directly below which strangers register names, so that no one certificate speaks for all of them.</summary>
/// <remarks>
/// A top-level domain always is one. Immutable and safe to share. The list of publicsuffix.org is not built in, for it would be out of date soon;
/// give its file, and a newer one from time to time, or rely on <see cref="BuiltIn"/>.
/// </remarks>
/// <example>
/// <code>
/// var suffixes = PublicSuffixList.Parse(File.ReadAllText("public_suffix_list.dat"));
/// </code>
/// </example>
public sealed class PublicSuffixList
{
    private const int MaxLength = 4 * 1024 * 1024;
    private const string BeginPrivate = "// ===BEGIN PRIVATE DOMAINS";
    private const string EndPrivate = "// ===END PRIVATE DOMAINS";

    // The labels under which registries of countries keep names of one kind: co.uk, com.au, ac.jp.
    private static readonly FrozenSet<string> s_kinds =
        FrozenSet.ToFrozenSet(["ac", "co", "com", "edu", "go", "gob", "gov", "mil", "ne", "net", "nom", "or", "org"]);

    private readonly FrozenSet<string>? _suffixes;
    private readonly FrozenSet<string> _below;
    private readonly FrozenSet<string> _exceptions;

    private PublicSuffixList(HashSet<string>? suffixes, HashSet<string> below, HashSet<string> exceptions) =>
        (_suffixes, _below, _exceptions) = (suffixes?.ToFrozenSet(), below.ToFrozenSet(), exceptions.ToFrozenSet());

    /// <summary>
    /// A rule that needs no list: every top-level domain, and <c>ac</c>, <c>co</c>, <c>com</c>, <c>edu</c>, <c>go</c>, <c>gob</c>, <c>gov</c>,
    /// <c>mil</c>, <c>ne</c>, <c>net</c>, <c>nom</c>, <c>or</c> and <c>org</c> directly below a top-level domain of two letters. It misses the other
    /// suffixes.
    /// </summary>
    public static PublicSuffixList BuiltIn { get; } = new(null, [], []);

    /// <summary>
    /// Reads a list in the format of publicsuffix.org, of at most 4 MiB characters. Only the suffixes of registries count; the section of private
    /// domains is passed over, because their owners have certificates with a wildcard rightly.
    /// </summary>
    /// <exception cref="ArgumentNullException"><paramref name="text"/> is null.</exception>
    /// <exception cref="MaterialException">It has no suffix, a line that is not one, or is too long.</exception>
    public static PublicSuffixList Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        if (text.Length > MaxLength)
        {
            throw new MaterialException($"The list of public suffixes has {text.Length} characters; at most {MaxLength} are expected.");
        }

        var (suffixes, below, exceptions) = (new HashSet<string>(), new HashSet<string>(), new HashSet<string>());
        var (isPrivate, number) = (false, 0);
        foreach (var line in text.AsSpan().EnumerateLines())
        {
            number++;
            isPrivate = line.StartsWith(BeginPrivate) || (isPrivate && !line.StartsWith(EndPrivate));
            var rule = line.Trim();
            if (isPrivate || rule.IsEmpty || rule.StartsWith("//"))
            {
                continue;
            }

            var space = rule.IndexOfAny(' ', '\t');
            rule = space < 0 ? rule : rule[..space];
            switch (rule)
            {
                case ['!', .. var exception]:
                    exceptions.Add(ToName(exception, number));
                    break;
                case ['*', '.', .. var parent]:
                    below.Add(ToName(parent, number));
                    break;
                default:
                    suffixes.Add(ToName(rule, number));
                    break;
            }
        }

        return suffixes.Count + below.Count > 0
            ? new PublicSuffixList(suffixes, below, exceptions)
            : throw new MaterialException("There is no suffix in the list of public suffixes. Give the file of publicsuffix.org.");
    }

    /// <summary>Whether names directly below this domain belong to those who registered them.</summary>
    /// <exception cref="ArgumentNullException"><paramref name="domain"/> is null.</exception>
    public bool Contains(DnsName domain)
    {
        ArgumentNullException.ThrowIfNull(domain);
        return Contains(domain.ToString());
    }

    /// <param name="domain">A well-formed name in lower case.</param>
    internal bool Contains(string domain)
    {
        if (domain.IndexOf('.', StringComparison.Ordinal) is > 0 and var dot)
        {
            var parent = domain[(dot + 1)..];
            return _suffixes is null
                ? parent.Length == 2 && s_kinds.Contains(domain[..dot])
                : !_exceptions.Contains(domain) && (_suffixes.Contains(domain) || _below.Contains(parent));
        }

        return true;
    }

    private static string ToName(ReadOnlySpan<char> text, int line)
    {
        try
        {
            var ascii = text.ContainsAnyExceptInRange('\0', '\x7f') ? new IdnMapping().GetAscii(text.ToString()) : text.ToString();
            if (DnsName.TryParse(ascii, out var name))
            {
                return name.ToString();
            }
        }
        catch (ArgumentException)
        {
            // Told below.
        }

        throw new MaterialException(
            $"Line {line} of the list of public suffixes is not a domain: {Errors.SafeText.Quote(text.ToString())}. Give the file of "
                + "publicsuffix.org.");
    }
}
