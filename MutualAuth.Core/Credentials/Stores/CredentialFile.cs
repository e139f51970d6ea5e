using System.Collections.Frozen;
using System.Globalization;
using System.Text;

namespace MutualAuth.Credentials;

/// <summary>
/// The text form of users: one line each, <c>name:SCRAM-SHA-256$…</c>; <c>name:!SCRAM-SHA-256$…</c> is disabled; <c>#</c> begins a comment.
/// Pure.
/// </summary>
internal static class CredentialFile
{
    /// <exception cref="MaterialException">A line is none of a user; the message has its number and nothing of its text.</exception>
    internal static FrozenDictionary<string, StoredCredential> Read(string text, string path)
    {
        var users = new Dictionary<string, StoredCredential>(StringComparer.Ordinal);
        var number = 0;
        foreach (var line in text.AsSpan().EnumerateLines())
        {
            number++;
            var entry = line.Trim();
            if (entry.IsEmpty || entry[0] == '#')
            {
                continue;
            }

            if (ReadLine(entry.ToString()) is not var (name, isDisabled, verifier))
            {
                throw new MaterialException(
                    string.Create(
                        CultureInfo.InvariantCulture,
                        $"Line {number} of {path} is not a user: expected name:SCRAM-SHA-256$iterations:salt$StoredKey:ServerKey."));
            }

            var user = users.GetValueOrDefault(name) ?? new StoredCredential(name, []);
            if (user.For(verifier.Hash) is not null)
            {
                throw new MaterialException(
                    string.Create(
                        CultureInfo.InvariantCulture, $"Line {number} of {path} gives a user a second {verifier.Hash} verifier; keep one of them."));
            }

            // One disabled line disables the user: in doubt, the user is rejected.
            users[name] = user.With(verifier) with { IsDisabled = user.IsDisabled || isDisabled };
        }

        return users.ToFrozenDictionary(StringComparer.Ordinal);
    }

    internal static string Write(IEnumerable<StoredCredential> users)
    {
        var text = new StringBuilder();
        foreach (var user in users.OrderBy(user => user.UserName, StringComparer.Ordinal))
        {
            foreach (var verifier in user.Verifiers)
            {
                text.Append(user.UserName).Append(user.IsDisabled ? ":!" : ":").Append(verifier).Append('\n');
            }
        }

        return text.ToString();
    }

    private static (string Name, bool IsDisabled, ScramVerifier Verifier)? ReadLine(string line)
    {
        if (line.Split(':', 2) is not [var name, var secret])
        {
            return null;
        }

        var isDisabled = secret.StartsWith('!');
        try
        {
            return ScramVerifier.TryParse(isDisabled ? secret[1..] : secret, out var verifier)
                ? (UserNames.Prepare(name), isDisabled, verifier)
                : null;
        }
        catch (ArgumentException)
        {
            return null;
        }
    }
}
