using System.Buffers.Binary;
using System.Buffers.Text;
using System.Collections.Immutable;
using System.Text;
using MutualAuth.Errors;

namespace MutualAuth.Credentials;

/// <summary>
/// Encrypts the data of second factors with AES-256-GCM, bound to user, identifier and kind: what is copied to another user, or under another
/// identifier or kind, does not open.
/// </summary>
/// <remarks>
/// Stores keep such data as they keep others, and <see cref="ISecondFactorStore.TryReplaceFactorAsync"/> compares what it replaces as it is
/// stored. Who can write the store can still put an older copy of the same record back, or remove it. Safe for use from many threads.
/// </remarks>
public static class FactorEncryption
{
    /// <summary>Begins what is encrypted. No data of the library's own begin so.</summary>
    private const string Marker = "A256GCM;";
    private const string Label = "MutualAuth second factor 1";
    private const int MaxAttempts = 8;

    /// <summary>Whether the data are encrypted.</summary>
    /// <param name="factor">A factor as a store has it.</param>
    /// <exception cref="ArgumentNullException"><paramref name="factor"/> is null.</exception>
    public static bool IsEncrypted(StoredFactor factor)
    {
        ArgumentNullException.ThrowIfNull(factor);
        return factor.Data.StartsWith(Marker, StringComparison.Ordinal);
    }

    /// <summary>Encrypts the data of a factor with the key that writes.</summary>
    /// <param name="keys">The keys; what they throw is thrown.</param>
    /// <param name="userName">The user, in any form; it is brought into that of <see cref="UserNames.Prepare"/>.</param>
    /// <param name="factor">The factor in plain text. Its data may have some 3,000 characters.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="ArgumentException">
    /// <paramref name="userName"/> is no name for a user, or <paramref name="factor"/> is encrypted already, or too long.
    /// </exception>
    /// <exception cref="ArgumentNullException"><paramref name="keys"/> or <paramref name="factor"/> is null.</exception>
    public static async ValueTask<StoredFactor> EncryptAsync(
        IFactorKeySource keys, string userName, StoredFactor factor, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(keys);
        if (IsEncrypted(factor))
        {
            throw new ArgumentException("The factor is encrypted already.", nameof(factor));
        }

        var name = UserNames.Prepare(userName);
        var key = await keys.FindCurrentAsync(cancellationToken).ConfigureAwait(false);
        var data = Base64Url.EncodeToString(key.Encrypt(factor.Data, AssociatedData(name, factor, key.Id)));
        return new StoredFactor(factor.Id, factor.Kind, $"{Marker}{key.Id};{data}");
    }

    /// <summary>Makes the data of a factor readable, whether they are encrypted or in plain text.</summary>
    /// <param name="keys">The keys; null means that there are none. An exception of theirs becomes an objection.</param>
    /// <param name="userName">The user, as the store writes the name.</param>
    /// <param name="factor">What the store has.</param>
    /// <param name="requireEncryption">Whether data in plain text are refused.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="ArgumentNullException"><paramref name="userName"/> or <paramref name="factor"/> is null.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> was cancelled.</exception>
    public static async ValueTask<OpenedFactor> OpenAsync(
        IFactorKeySource? keys, string userName, StoredFactor factor, bool requireEncryption, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(userName);
        if (!IsEncrypted(factor))
        {
            return requireEncryption
                ? OpenedFactor.Refused(
                    RejectionReason.SecondFactorNotEncrypted,
                    $"the {factor} encrypted",
                    "it in plain text",
                    "Ask how it came there. If it is from before, rewrite the store (mutualauth users encrypt).")
                : OpenedFactor.Of(factor, null);
        }

        if (factor.Data[Marker.Length..].Split(';') is not [var keyId, var data] || !StoredFactor.IsId(keyId) || !Base64Url.IsValid(data))
        {
            return NotAuthentic(factor, "data of another form");
        }

        FactorKey? key;
        try
        {
            key = keys is null ? null : await keys.FindAsync(keyId, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
        {
            return KeyUnavailable(keyId, $"an exception, {exception.GetType().Name}");
        }

        if (key is null)
        {
            return KeyUnavailable(keyId, keys is null ? "no keys at all" : "none of that name");
        }

        return key.Decrypt(Base64Url.DecodeFromChars(data), AssociatedData(userName, factor, keyId)) is { } plain
            ? OpenedFactor.Of(new StoredFactor(factor.Id, factor.Kind, plain), keyId)
            : NotAuthentic(factor, $"data that {SafeText.Quote(keyId)} does not open");
    }

    /// <summary>
    /// Rewrites what is in plain text, or encrypted with another key than the one that writes, while servers go on: what a login has changed
    /// meanwhile is read again, and nothing that was used becomes unused.
    /// </summary>
    /// <param name="keys">The keys; what they throw is thrown when the key that writes is looked for.</param>
    /// <param name="store">The store.</param>
    /// <param name="kind">Which factors: those whose verifier is given the keys, such as <c>totp</c>.</param>
    /// <param name="cancellationToken">Gives up; what was rewritten stays so.</param>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    public static async ValueTask<FactorEncryptionReport> EncryptAllAsync(
        IFactorKeySource keys, IFactorListingStore store, string kind, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(keys);
        ArgumentNullException.ThrowIfNull(store);
        ArgumentNullException.ThrowIfNull(kind);
        var (rewritten, unchanged) = (0, 0);
        var refused = ImmutableArray.CreateBuilder<RefusedFactor>();
        foreach (var listed in (await store.ListFactorsAsync(cancellationToken).ConfigureAwait(false)).Where(listed => listed.Factor.Kind == kind))
        {
            var (isRewritten, objection) = await RewriteAsync(keys, store, listed, cancellationToken).ConfigureAwait(false);
            if (objection is not null)
            {
                refused.Add(new RefusedFactor(listed.UserName, listed.Factor.Id, objection));
            }

            rewritten += isRewritten ? 1 : 0;
            unchanged += isRewritten || objection is not null ? 0 : 1;
        }

        return new FactorEncryptionReport(rewritten, unchanged, refused.ToImmutable());
    }

    private static async ValueTask<(bool IsRewritten, Rejection? Objection)> RewriteAsync(
        IFactorKeySource keys, IFactorListingStore store, UserFactor listed, CancellationToken cancellationToken)
    {
        var before = listed.Factor;
        for (var attempt = 0; attempt < MaxAttempts; attempt++)
        {
            var opened = await OpenAsync(keys, listed.UserName, before, requireEncryption: false, cancellationToken).ConfigureAwait(false);
            if (!opened.IsOpen)
            {
                return (false, opened.Objection);
            }

            if (opened.KeyId == (await keys.FindCurrentAsync(cancellationToken).ConfigureAwait(false)).Id)
            {
                return (false, null);
            }

            var after = await EncryptAsync(keys, listed.UserName, opened.Factor, cancellationToken).ConfigureAwait(false);
            if (await store.TryReplaceFactorAsync(listed.UserName, before, after, cancellationToken).ConfigureAwait(false))
            {
                return (true, null);
            }

            var now = await store.FindFactorsAsync(listed.UserName, cancellationToken).ConfigureAwait(false);
            if (now.FirstOrDefault(factor => factor.Id == before.Id && factor.Kind == before.Kind) is not { } changed)
            {
                return (false, null);
            }

            before = changed;
        }

        return (false, new Rejection(
            RejectionReason.CredentialCheckFaulted, "a factor that can be replaced", $"one that was changed {MaxAttempts} times meanwhile"));
    }

    private static OpenedFactor KeyUnavailable(string keyId, string presented) => OpenedFactor.Refused(
        RejectionReason.SecondFactorKeyUnavailable,
        $"the key {SafeText.Quote(keyId)}",
        presented,
        "Give this server the key with which the factor was encrypted: keep earlier keys until everything is rewritten.");

    private static OpenedFactor NotAuthentic(StoredFactor factor, string presented) => OpenedFactor.Refused(
        RejectionReason.SecondFactorNotAuthentic,
        $"the {factor} as it was encrypted for this user",
        presented,
        "It was altered, or copied from another user or factor, or another key has the name of its own: ask who can write the store.");

    /// <summary>Each part with its length before it, so that no two differ in nothing but where one part ends.</summary>
    private static byte[] AssociatedData(string userName, StoredFactor factor, string keyId)
    {
        var result = new List<byte>();
        Span<byte> length = stackalloc byte[sizeof(int)];
        foreach (var part in new[] { Label, userName, factor.Id, factor.Kind, keyId })
        {
            var octets = Encoding.UTF8.GetBytes(part);
            BinaryPrimitives.WriteInt32BigEndian(length, octets.Length);
            result.AddRange(length);
            result.AddRange(octets);
        }

        return [.. result];
    }
}
