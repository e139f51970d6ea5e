using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Globalization;
using System.Text;

namespace MutualAuth.Credentials;

/// <summary>
/// The text form of users: one line each, <c>name:SCRAM-SHA-256$…</c>; <c>name:!SCRAM-SHA-256$…</c> is disabled; <c>#</c> begins a comment;
/// <c>name:factor:identifier:kind:data</c> is a second factor. Pure.
/// </summary>
internal static class CredentialFile
{
    private const string FactorPrefix = "factor:";

    /// <param name="content">The file, which is kept.</param>
    /// <param name="path">Where it is, for messages.</param>
    /// <exception cref="MaterialException">A line is none of a user; the message has its number and nothing of its text.</exception>
    internal static CredentialFileUsers Read(ReadOnlyMemory<byte> content, string path)
    {
        var text = content.Span.StartsWith(Encoding.UTF8.Preamble) ? content[Encoding.UTF8.Preamble.Length..] : content;
        var users = new UserIndex(text, text.Span.Count((byte)'\n') + 1);
        var factors = new Dictionary<string, ImmutableSortedDictionary<string, StoredFactor>>(StringComparer.Ordinal);
        var number = 0;
        for (var offset = 0; offset < text.Length;)
        {
            var rest = text.Span[offset..];
            var length = rest.IndexOf((byte)'\n');
            var line = length < 0 ? rest : rest[..length];
            line = line.EndsWith("\r"u8) ? line[..^1] : line;
            if (UserLine.IsUsual(line) && users.TryAddLine(offset))
            {
                number++;
            }
            else
            {
                // Text has further ends of lines than this one.
                foreach (var further in Encoding.UTF8.GetString(line).AsSpan().EnumerateLines())
                {
                    ReadEntry(further.Trim(), users, factors, ++number, path);
                }
            }

            offset += length < 0 ? rest.Length : length + 1;
        }

        return new CredentialFileUsers(users, factors.ToFrozenDictionary(StringComparer.Ordinal));
    }

    /// <summary>The file with one user in another state.</summary>
    /// <param name="before">The users and their factors.</param>
    /// <param name="name">The user.</param>
    /// <param name="user">What it is from now on; null for one that is removed.</param>
    /// <param name="factors">Its second factors.</param>
    internal static MemoryStream Write(
        CredentialFileUsers before, string name, StoredCredential? user, ImmutableSortedDictionary<string, StoredFactor> factors)
    {
        var file = before.Users.Write(name, user);
        var all = before.Factors.Where(owner => owner.Key != name).Append(new(name, factors)).OrderBy(owner => owner.Key, StringComparer.Ordinal);
        foreach (var (owner, its) in all)
        {
            foreach (var factor in its.Values)
            {
                file.Write(Encoding.UTF8.GetBytes($"{owner}:{FactorPrefix}{factor.Id}:{factor.Kind}:{factor.Data}\n"));
            }
        }

        return file;
    }

    /// <summary>The lines of one user.</summary>
    internal static string LinesOf(StoredCredential user) =>
        string.Concat(user.Verifiers.Select(verifier => $"{user.UserName}{(user.IsDisabled ? ":!" : ":")}{verifier}\n"));

    /// <summary>The user of one line; null when it is none.</summary>
    internal static StoredCredential? ReadUser(string line) => ReadLine(line) is var (name, isDisabled, verifier)
        ? new StoredCredential(name, [verifier], isDisabled)
        : null;

    private static void ReadEntry(
        ReadOnlySpan<char> entry,
        UserIndex users,
        Dictionary<string, ImmutableSortedDictionary<string, StoredFactor>> factors,
        int number,
        string path)
    {
        if (entry.IsEmpty || entry[0] == '#')
        {
            return;
        }

        if (ReadFactor(entry.ToString()) is var (owner, factor))
        {
            var all = factors.GetValueOrDefault(owner, CredentialFileUsers.NoFactors);
            if (all.ContainsKey(factor.Id))
            {
                var message = string.Create(
                    CultureInfo.InvariantCulture,
                    $"Line {number} of {path} gives a user a second factor with an identifier that the user has already; keep one of them.");
                throw new MaterialException(message);
            }

            factors[owner] = all.Add(factor.Id, factor);
            return;
        }

        if (ReadLine(entry.ToString()) is not var (name, isDisabled, verifier))
        {
            throw new MaterialException(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"Line {number} of {path} is not a user: expected name:SCRAM-SHA-256$iterations:salt$StoredKey:ServerKey, ")
                + "or name:factor:identifier:kind:data.");
        }

        var user = users.Find(name) ?? new StoredCredential(name, []);
        if (user.For(verifier.Hash) is not null)
        {
            throw new MaterialException(
                string.Create(
                    CultureInfo.InvariantCulture, $"Line {number} of {path} gives a user a second {verifier.Hash} verifier; keep one of them."));
        }

        // One disabled line disables the user: in doubt, the user is rejected.
        users.Put(user.With(verifier) with { IsDisabled = user.IsDisabled || isDisabled });
    }

    /// <returns>Null when the line is none of a second factor.</returns>
    private static (string Name, StoredFactor Factor)? ReadFactor(string line)
    {
        if (line.Split(':', 2) is not [var name, var rest] || !rest.StartsWith(FactorPrefix, StringComparison.Ordinal)
            || rest[FactorPrefix.Length..].Split(':') is not [var id, var kind, var data])
        {
            return null;
        }

        try
        {
            return (UserNames.Prepare(name), new StoredFactor(id, kind, data));
        }
        catch (ArgumentException)
        {
            return null;
        }
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

/// <summary>What a file of users holds.</summary>
internal sealed record CredentialFileUsers(
    UserIndex Users, FrozenDictionary<string, ImmutableSortedDictionary<string, StoredFactor>> Factors)
{
    internal static readonly ImmutableSortedDictionary<string, StoredFactor> NoFactors =
        ImmutableSortedDictionary.Create<string, StoredFactor>(StringComparer.Ordinal);

    internal static CredentialFileUsers Nobody { get; } =
        new(UserIndex.Nobody, FrozenDictionary<string, ImmutableSortedDictionary<string, StoredFactor>>.Empty);
}
