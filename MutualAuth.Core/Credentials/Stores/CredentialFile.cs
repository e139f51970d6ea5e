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

    /// <exception cref="MaterialException">A line is none of a user; the message has its number and nothing of its text.</exception>
    internal static CredentialFileUsers Read(string text, string path)
    {
        var users = new Dictionary<string, StoredCredential>(StringComparer.Ordinal);
        var factors = new Dictionary<string, ImmutableSortedDictionary<string, StoredFactor>>(StringComparer.Ordinal);
        var number = 0;
        foreach (var line in text.AsSpan().EnumerateLines())
        {
            number++;
            var entry = line.Trim();
            if (entry.IsEmpty || entry[0] == '#')
            {
                continue;
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
                continue;
            }

            if (ReadLine(entry.ToString()) is not var (name, isDisabled, verifier))
            {
                throw new MaterialException(
                    string.Create(
                        CultureInfo.InvariantCulture,
                        $"Line {number} of {path} is not a user: expected name:SCRAM-SHA-256$iterations:salt$StoredKey:ServerKey, ")
                    + "or name:factor:identifier:kind:data.");
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

        return new CredentialFileUsers(users.ToFrozenDictionary(StringComparer.Ordinal), factors.ToFrozenDictionary(StringComparer.Ordinal));
    }

    internal static string Write(
        IEnumerable<StoredCredential> users, IReadOnlyDictionary<string, ImmutableSortedDictionary<string, StoredFactor>> factors)
    {
        var text = new StringBuilder();
        foreach (var user in users.OrderBy(user => user.UserName, StringComparer.Ordinal))
        {
            foreach (var verifier in user.Verifiers)
            {
                text.Append(user.UserName).Append(user.IsDisabled ? ":!" : ":").Append(verifier).Append('\n');
            }
        }

        foreach (var (name, all) in factors.OrderBy(user => user.Key, StringComparer.Ordinal))
        {
            foreach (var factor in all.Values)
            {
                text.Append(name).Append(':').Append(FactorPrefix)
                    .Append(factor.Id).Append(':').Append(factor.Kind).Append(':').Append(factor.Data).Append('\n');
            }
        }

        return text.ToString();
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
    FrozenDictionary<string, StoredCredential> Users, FrozenDictionary<string, ImmutableSortedDictionary<string, StoredFactor>> Factors)
{
    internal static readonly ImmutableSortedDictionary<string, StoredFactor> NoFactors =
        ImmutableSortedDictionary.Create<string, StoredFactor>(StringComparer.Ordinal);

    internal static CredentialFileUsers Nobody { get; } = new(
        FrozenDictionary<string, StoredCredential>.Empty, FrozenDictionary<string, ImmutableSortedDictionary<string, StoredFactor>>.Empty);
}
