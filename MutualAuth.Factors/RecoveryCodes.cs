using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using MutualAuth.Credentials;

namespace MutualAuth.Factors;

/// <summary>Codes that a user keeps on paper for the day on which the device is lost. A store has what is derived from them alone.</summary>
/// <remarks>
/// What is stored is PBKDF2-HMAC-SHA-512 of each code, with one salt for a user's set (NIST SP 800-63B-4 §3.1.2.2 and §4.2.1.1). Safe for use from
/// many threads.
/// </remarks>
public static class RecoveryCodes
{
    /// <summary>What <see cref="StoredFactor.Kind"/> says of such factors.</summary>
    public const string Kind = "recovery";

    /// <summary>The identifier of a user's set of recovery codes: there is one set.</summary>
    public const string FactorId = "recovery";

    private const string Alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"; // Crockford's: without I, L, O and U
    private const int Length = 16; // 80 bits
    private const int GroupLength = 4;
    private static readonly SemaphoreSlim s_places = new(Math.Max(1, Environment.ProcessorCount / 2)); // as at a server

    /// <summary>Makes new codes for a user, in the place of those that there were.</summary>
    /// <remarks>Each code takes about a tenth of a second of one processor; at most half the processors derive at once in this process.</remarks>
    /// <param name="store">The store.</param>
    /// <param name="userName">The user, in any form.</param>
    /// <param name="count">How many: 1 to 50.</param>
    /// <param name="iterations">
    /// How often PBKDF2-HMAC-SHA-512 iterates, 4,096 to 1,000,000; null means <see cref="ScramHash.DefaultIterations"/>, 220,000. An attempt at a
    /// server costs as much.
    /// </param>
    /// <param name="cancellationToken">Gives up; nothing is stored then.</param>
    /// <returns>The codes, such as <c>7Q2M-WX0D-9KFA-3HTC</c>. Show them to the user once; nothing can tell them again.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="store"/> is null.</exception>
    /// <exception cref="ArgumentException"><paramref name="userName"/> is no name for a user.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="count"/> or <paramref name="iterations"/> is out of its bounds.</exception>
    public static async ValueTask<ImmutableArray<string>> CreateAsync(
        ISecondFactorStore store, string userName, int count = 10, int? iterations = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(store);
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, RecoveryCodeSet.MaxCount);
        var name = UserNames.Prepare(userName);
        var often = Iterations(iterations);
        string[] codes = [.. Enumerable.Range(0, count).Select(_ => RandomNumberGenerator.GetString(Alphabet, Length))];
        var salt = RecoveryCodeSet.CreateSalt();
        var before = new RecoveryCodeSet(salt, null, [.. codes.Select(code => RecoveryCodeSet.First(salt, code))]);
        var set = await DeriveAsync(before, often, cancellationToken).ConfigureAwait(false);
        await store.SetFactorAsync(name, set.ToFactor(), cancellationToken).ConfigureAwait(false);
        return [.. codes.Select(code => string.Join('-', code.Chunk(GroupLength).Select(group => new string(group))))];
    }

    /// <summary>How many of a user's codes have not been used.</summary>
    /// <param name="store">The store.</param>
    /// <param name="userName">The user, in any form.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="ArgumentNullException"><paramref name="store"/> is null.</exception>
    /// <exception cref="FormatException">What the store has is no set of this version of the library. The message does not repeat it.</exception>
    public static async ValueTask<int> CountAsync(ISecondFactorStore store, string userName, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(store);
        var factors = await store.FindFactorsAsync(UserNames.Prepare(userName), cancellationToken).ConfigureAwait(false);
        return factors.Where(factor => factor.Kind == Kind).Sum(factor => RecoveryCodeSet.Read(factor).Hashes.Length);
    }

    /// <summary>
    /// Rewrites a user's codes that a version of before stored as one hash each, without knowing them, while servers go on: a code that is used
    /// meanwhile stays used.
    /// </summary>
    /// <param name="store">The store.</param>
    /// <param name="userName">The user, in any form.</param>
    /// <param name="iterations">As in <see cref="CreateAsync"/>.</param>
    /// <param name="cancellationToken">Gives up; the codes are as they were then.</param>
    /// <returns>False when there was nothing to rewrite.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="store"/> is null.</exception>
    /// <exception cref="ArgumentException"><paramref name="userName"/> is no name for a user.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="iterations"/> is out of its bounds.</exception>
    /// <exception cref="FormatException">What the store has is no set of this version of the library. The message does not repeat it.</exception>
    /// <exception cref="InvalidOperationException">The set was changed again and again meanwhile.</exception>
    public static async ValueTask<bool> RehashAsync(
        ISecondFactorStore store, string userName, int? iterations = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(store);
        var (name, often) = (UserNames.Prepare(userName), Iterations(iterations));
        for (var attempt = 0; attempt < FactorSteps.MaxAttempts; attempt++)
        {
            var factors = await store.FindFactorsAsync(name, cancellationToken).ConfigureAwait(false);
            if (factors.FirstOrDefault(factor => factor.Kind == Kind) is not { } before
                || RecoveryCodeSet.Read(before) is not { Iterations: null } set)
            {
                return false;
            }

            var after = (await DeriveAsync(set, often, cancellationToken).ConfigureAwait(false)).ToFactor(before.Id);
            if (await store.TryReplaceFactorAsync(name, before, after, cancellationToken).ConfigureAwait(false))
            {
                return true;
            }
        }

        throw new InvalidOperationException($"The recovery codes were changed {FactorSteps.MaxAttempts} times meanwhile.");
    }

    /// <summary>Does <see cref="RehashAsync"/> for all users of a store.</summary>
    /// <param name="store">The store.</param>
    /// <param name="iterations">As in <see cref="CreateAsync"/>.</param>
    /// <param name="cancellationToken">Gives up; what was rewritten stays so.</param>
    /// <returns>What it has done. A set that cannot be read stops no other.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="store"/> is null.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="iterations"/> is out of its bounds.</exception>
    public static async ValueTask<RecoveryCodeReport> RehashAllAsync(
        IFactorListingStore store, int? iterations = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(store);
        var often = Iterations(iterations);
        var (rewritten, unchanged) = (0, 0);
        var refused = ImmutableArray.CreateBuilder<string>();
        var listed = await store.ListFactorsAsync(cancellationToken).ConfigureAwait(false);
        foreach (var user in listed.Where(each => each.Factor.Kind == Kind).Select(each => each.UserName).Distinct(StringComparer.Ordinal))
        {
            try
            {
                var isRewritten = await RehashAsync(store, user, often, cancellationToken).ConfigureAwait(false);
                rewritten += isRewritten ? 1 : 0;
                unchanged += isRewritten ? 0 : 1;
            }
            catch (Exception exception) when (exception is FormatException or InvalidOperationException)
            {
                refused.Add(user);
            }
        }

        return new RecoveryCodeReport(rewritten, unchanged, refused.ToImmutable());
    }

    /// <summary>Takes a code as people type it: case and hyphens do not count, and letters that look like digits are these.</summary>
    /// <returns>Null when it cannot be a code.</returns>
    internal static string? Normalize(string typed)
    {
        var code = new StringBuilder(Length);
        foreach (var character in typed)
        {
            var plain = char.ToUpperInvariant(character) switch { 'O' => '0', 'I' or 'L' => '1', var other => other };
            if (plain is '-' or ' ')
            {
                continue;
            }

            if (!Alphabet.Contains(plain, StringComparison.Ordinal) || code.Length == Length)
            {
                return null;
            }

            code.Append(plain);
        }

        return code.Length == Length ? code.ToString() : null;
    }

    /// <summary>Derives from each hash of a set of before, one after the other, none while too many derive.</summary>
    private static async ValueTask<RecoveryCodeSet> DeriveAsync(RecoveryCodeSet before, int iterations, CancellationToken cancellationToken)
    {
        var hashes = new string[before.Hashes.Length];
        for (var at = 0; at < hashes.Length; at++)
        {
            var first = before.Hashes[at];
            await s_places.WaitAsync(cancellationToken).ConfigureAwait(false);
            try
            {
                hashes[at] = await Task.Run(() => RecoveryCodeSet.Derive(before.Salt, iterations, first), CancellationToken.None)
                    .ConfigureAwait(false);
            }
            finally
            {
                s_places.Release();
            }
        }

        return before with { Iterations = iterations, Hashes = hashes };
    }

    private static int Iterations(int? iterations)
    {
        var often = iterations ?? RecoveryCodeSet.Function.DefaultIterations;
        ArgumentOutOfRangeException.ThrowIfLessThan(often, ScramVerifier.MinIterations, nameof(iterations));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(often, ScramVerifier.MaxIterations, nameof(iterations));
        return often;
    }
}
