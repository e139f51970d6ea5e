using System.Text;
using MutualAuth.Credentials;

namespace MutualAuth.Directories;

/// <summary>How the entry of a user is found.</summary>
public abstract class LdapUsers
{
    private LdapUsers()
    {
    }

    /// <summary>The attribute that has the user's name.</summary>
    public abstract string NameAttribute { get; }

    /// <summary>
    /// By a search with an account of the service's own: one entry below <paramref name="baseName"/> whose <paramref name="nameAttribute"/> is
    /// the name, letter by letter.
    /// </summary>
    /// <param name="baseName">The distinguished name below which users are, such as <c>ou=people,dc=example,dc=com</c> (RFC 4514).</param>
    /// <param name="account">The distinguished name of the service's account, which may search there.</param>
    /// <param name="password">Its password. The caller owns it; it must live as long as the verifier.</param>
    /// <param name="nameAttribute">The attribute; default <c>uid</c>. Active Directory has <c>sAMAccountName</c>.</param>
    /// <param name="objectClass">A class that the entry must have; default: null, any.</param>
    /// <remarks>
    /// The name is sent as a value and never as a part of a filter's text, so that no character in it has a meaning. A name that the directory
    /// takes for the same although it is written in another way, such as in capitals, is an unknown user: rules and limits compare names as
    /// they are.
    /// </remarks>
    /// <exception cref="ArgumentException">An argument is null, empty or longer than 1,024 characters.</exception>
    /// <exception cref="ArgumentNullException"><paramref name="password"/> is null.</exception>
    public static LdapUsers BySearch(
        string baseName, string account, Password password, string nameAttribute = "uid", string? objectClass = null)
    {
        ArgumentNullException.ThrowIfNull(password);
        return new Searched(
            Bounded(baseName, nameof(baseName)),
            Bounded(account, nameof(account)),
            password,
            Bounded(nameAttribute, nameof(nameAttribute)),
            objectClass);
    }

    /// <summary>By a name that is put together: no account of the service's own is needed.</summary>
    /// <param name="template">
    /// The distinguished name with <c>{0}</c> once for the user's name, such as <c>uid={0},ou=people,dc=example,dc=com</c>. The name is escaped
    /// (RFC 4514 §2.4), so that it is one value and nothing else.
    /// </param>
    /// <param name="nameAttribute">
    /// The attribute that has the name; default <c>uid</c>. It is read by the user itself after the bind, which the directory must allow.
    /// </param>
    /// <remarks>
    /// Names with capitals, with spaces at an end or with two spaces together are unknown users: directories take several spellings for one
    /// name, and guesses under each would be counted apart.
    /// </remarks>
    /// <exception cref="ArgumentException">
    /// An argument is null, empty or longer than 1,024 characters, or <paramref name="template"/> does not have <c>{0}</c> once, as a whole value.
    /// </exception>
    public static LdapUsers ByTemplate(string template, string nameAttribute = "uid")
    {
        var parts = Bounded(template, nameof(template)).Split("{0}");
        return parts is [[.., '='], "" or [',' or '+', ..]]
            ? new Templated(parts[0], parts[1], Bounded(nameAttribute, nameof(nameAttribute)))
            : throw new ArgumentException(
                "Expected a distinguished name with {0} once, as a whole value, such as uid={0},ou=people.", nameof(template));
    }

    /// <summary>A value of a distinguished name (RFC 4514 §2.4): every octet but letters and digits of ASCII in hexadecimal.</summary>
    internal static string Escape(string value)
    {
        var text = new StringBuilder();
        foreach (var octet in Encoding.UTF8.GetBytes(value))
        {
            _ = char.IsAsciiLetterOrDigit((char)octet) ? text.Append((char)octet) : text.Append('\\').Append(octet.ToString("x2", null));
        }

        return text.ToString();
    }

    private static string Bounded(string? text, string name) => text is { Length: > 0 and <= 1024 }
        ? text
        : throw new ArgumentException("Expected 1 to 1,024 characters.", name);

    internal sealed class Searched(string baseName, string account, Password password, string nameAttribute, string? objectClass) : LdapUsers
    {
        public override string NameAttribute => nameAttribute;

        internal string BaseName => baseName;

        internal string Account => account;

        internal Password Password => password;

        internal string? ObjectClass => objectClass;
    }

    internal sealed class Templated(string before, string after, string nameAttribute) : LdapUsers
    {
        public override string NameAttribute => nameAttribute;

        internal string NameOf(string userName) => before + Escape(userName) + after;

        internal static bool IsOneSpelling(string userName) =>
            userName.EnumerateRunes().All(rune => Rune.ToLowerInvariant(rune) == rune)
            && userName == userName.Trim()
            && !userName.Contains("  ", StringComparison.Ordinal);
    }
}
