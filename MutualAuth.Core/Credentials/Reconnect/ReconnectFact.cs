using System.Collections.Immutable;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using MutualAuth.Authorization;
using MutualAuth.Errors;

namespace MutualAuth.Credentials;

/// <summary>
/// The login was by a reconnect credential, and relies on the set of second factors that the user had at the full login, and on no revocation of the
/// user's credentials since.
/// </summary>
internal sealed class ReconnectFact(ISecondFactorStore store, ReconnectContent content, ImmutableArray<IFactorIdentity> identities) : LoginFact
{
    internal override object Source => store;

    internal override string Key => content.UserName;

    /// <summary>What the credential said.</summary>
    internal ReconnectContent Content => content;

    public override string ToString() => $"the second factors of {SafeText.Quote(content.UserName)} at the full login";

    /// <summary>All facts of one server have the identities of its policy.</summary>
    internal override FactReader CreateReader() => new Reader(store, identities);

    /// <summary>Why the credential does not count any more; null when it does.</summary>
    /// <param name="content">What the credential says.</param>
    /// <param name="factors">What the user has now.</param>
    /// <param name="digest">The digest of that.</param>
    internal static Rejection? Examine(ReconnectContent content, ImmutableArray<StoredFactor> factors, ImmutableArray<byte> digest) =>
        IsRevoked(content.LoginAt, factors) is { } revoked
            ? revoked
            : CryptographicOperations.FixedTimeEquals(digest.AsSpan(), content.Factors.AsSpan())
                ? null
                : Lost("the second factors that the user had at the full login", "others");

    /// <summary>Why no credential of a login at this time counts; null when one may. It does not depend on what else there is.</summary>
    internal static Rejection? IsRevoked(DateTimeOffset loginAt, ImmutableArray<StoredFactor> factors)
    {
        foreach (var factor in factors)
        {
            if (factor.Kind == ReconnectRevocation.Kind && ReconnectRevocation.IsAfter(factor, loginAt))
            {
                return Lost("a full login after the last revocation of the user's reconnect credentials", "an earlier one");
            }
        }

        return null;
    }

    /// <summary>SHA-256 over kind, identifier and identity of each factor.</summary>
    /// <exception cref="Exception">One of <paramref name="identities"/> threw: it cannot say now what a factor is.</exception>
    internal static async ValueTask<ImmutableArray<byte>> DigestOfAsync(
        string userName, ImmutableArray<StoredFactor> factors, ImmutableArray<IFactorIdentity> identities, CancellationToken cancellationToken)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var factor in factors.OrderBy(factor => factor.Id, StringComparer.Ordinal))
        {
            ReconnectWire.Append(hash, Encoding.ASCII.GetBytes(factor.Kind));
            ReconnectWire.Append(hash, Encoding.ASCII.GetBytes(factor.Id));
            ReconnectWire.Append(hash, Encoding.UTF8.GetBytes(
                await IdentityOfAsync(userName, factor, identities, cancellationToken).ConfigureAwait(false)));
        }

        return [.. hash.GetHashAndReset()];
    }

    private static async ValueTask<string> IdentityOfAsync(
        string userName, StoredFactor factor, ImmutableArray<IFactorIdentity> identities, CancellationToken cancellationToken)
    {
        foreach (var each in identities)
        {
            if (await each.IdentityOfAsync(userName, factor, cancellationToken).ConfigureAwait(false) is { } identity)
            {
                return string.Create(CultureInfo.InvariantCulture, $"known {identity}");
            }
        }

        return string.Create(CultureInfo.InvariantCulture, $"whole {factor.Data}");
    }

    private static Rejection Lost(string expected, string presented) => new(RejectionReason.ReconnectCredentialRevoked, expected, presented);

    /// <summary>Asks a store for the factors of one user after the other.</summary>
    private sealed class Reader(ISecondFactorStore store, ImmutableArray<IFactorIdentity> identities) : AnnouncedReader(store)
    {
        internal override int MaxKeys => 1;

        internal override async ValueTask<FactAnswers> AskAsync(IReadOnlyCollection<string> keys, CancellationToken cancellationToken)
        {
            var found = new Dictionary<string, (ImmutableArray<StoredFactor> Factors, ImmutableArray<byte> Digest)>(StringComparer.Ordinal);
            foreach (var key in keys)
            {
                var factors = await store.FindFactorsAsync(key, cancellationToken).ConfigureAwait(false);
                found[key] = (factors, await DigestOfAsync(key, factors, identities, cancellationToken).ConfigureAwait(false));
            }

            return new Answers(found);
        }
    }

    private sealed class Answers(Dictionary<string, (ImmutableArray<StoredFactor> Factors, ImmutableArray<byte> Digest)> answers) : FactAnswers
    {
        internal override FactState StateOf(LoginFact fact) =>
            !answers.TryGetValue(fact.Key, out var found) ? FactState.Unknown
            : Examine(((ReconnectFact)fact).Content, found.Factors, found.Digest) is { } objection ? FactState.Lost(objection)
            : FactState.Holds;
    }
}

/// <summary>The mark that a revocation leaves among a user's second factors, where all instances of a service see it.</summary>
internal static class ReconnectRevocation
{
    internal const string Kind = "reconnect";
    internal const string FactorId = "reconnect-revoked";

    private const string Version = "1";

    /// <summary>With a random part, so that a later mark is another one even when a clock stood still.</summary>
    internal static StoredFactor At(DateTimeOffset time) => new(
        FactorId,
        Kind,
        string.Create(
            CultureInfo.InvariantCulture, $"{Version};{time.ToUnixTimeMilliseconds()};{RandomNumberGenerator.GetHexString(16, lowercase: true)}"));

    /// <summary>Whether it was made at this time or later; also where it cannot be read.</summary>
    internal static bool IsAfter(StoredFactor mark, DateTimeOffset loginAt) =>
        mark.Data.Split(';') is not [Version, var time, _]
        || !long.TryParse(time, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var milliseconds)
        || loginAt.ToUnixTimeMilliseconds() <= milliseconds;
}
