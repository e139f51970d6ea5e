using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using MutualAuth.Certificates;
using MutualAuth.Names;
using MutualAuth.Reloading;

namespace MutualAuth.Revocation;

/// <summary>A set of certificate revocation lists, ready to be looked up.</summary>
/// <remarks>
/// A list counts only for certificates whose issuer, in the verified path, has its name, and when the issuer's key has signed it or another key of
/// that name to which a path leads from the same anchor (RFC 5280 §6.3.3 (f)). Loading reads every list
/// strictly and wholly, and fails for all when one cannot be used. Indirect CRLs are refused; a delta CRL adds to a full one of the same issuer and
/// scope. Looking a certificate up costs the same with no entry as with a million. Immutable and safe to share; each list's signature is checked once
/// for each key of its issuer, so share one instance.
/// </remarks>
public sealed class RevocationLists : IRevocationListSource
{
    private readonly FrozenDictionary<DistinguishedName, ImmutableArray<RevocationList>> _byIssuer;

    private RevocationLists(IEnumerable<RevocationList> lists, bool isChecked = true, IEnumerable<Certificate>? certificates = null)
    {
        // The same list may well be in two files. What stands first does not matter: none makes up for another.
        Lists = [.. lists.DistinctBy(list => Convert.ToHexString(System.Security.Cryptography.SHA256.HashData(list.RawData.Span)))];
        IsChecked = isChecked;
        Certificates = [.. certificates ?? []];
        _byIssuer = Lists.GroupBy(list => list.Issuer).ToFrozenDictionary(group => group.Key, group => group.ToImmutableArray());
    }

    /// <summary>No list at all: the status of every certificate is unknown, which denies it unless the policy says otherwise.</summary>
    public static RevocationLists Empty { get; } = new([]);

    /// <summary>
    /// Says that revocation is not to be checked for now: what a source hands out after the operator has cleared its lists on purpose. Every
    /// revoked certificate is accepted while it is in force. A file that became empty never turns into this.
    /// </summary>
    public static RevocationLists DangerouslyUnchecked { get; } = new([], isChecked: false);

    /// <summary>The lists, each once, in the order in which they were given.</summary>
    public ImmutableArray<RevocationList> Lists { get; }

    /// <summary>
    /// Certificates that were given beside the lists, of keys that may have signed them. Nothing else rests on them, and a path must lead to them.
    /// </summary>
    internal ImmutableArray<Certificate> Certificates { get; }

    /// <summary>The earliest expiry of the lists; null if none has one. Replace the lists before it.</summary>
    public DateTimeOffset? NextUpdate => Lists.Min(list => list.NextUpdate);

    RevocationLists IRevocationListSource.Current => this;

    /// <summary>False for <see cref="DangerouslyUnchecked"/> only.</summary>
    internal bool IsChecked { get; }

    /// <summary>
    /// Reads lists from files, once; <see cref="RevocationListFiles"/> follows them. A file holds one list in DER, or any number in PEM (<c>X509
    /// CRL</c>), among which certificates of keys that signed lists may stand; at most 512 MiB.
    /// </summary>
    /// <exception cref="MaterialException">
    /// No path was given, or a file cannot be read, is empty, or has a list that must not be relied on; the message says which and what to do.
    /// </exception>
    public static RevocationLists FromFiles(params IEnumerable<string> paths)
    {
        ArgumentNullException.ThrowIfNull(paths);
        return FromContents(paths.Select(path => new FileContent(path, BoundedFile.ReadBytes(path, CrlFile.MaxBytes))));
    }

    /// <summary>Reads lists from PEM text; text around the blocks is ignored.</summary>
    /// <exception cref="MaterialException">There is no list, or one that must not be relied on; the message says which and what to do.</exception>
    public static RevocationLists FromPem(string pem)
    {
        ArgumentNullException.ThrowIfNull(pem);
        return Of(CrlFile.Read(Encoding.UTF8.GetBytes(pem), "The text"));
    }

    /// <summary>Takes lists from their DER encodings, which must not be changed afterwards.</summary>
    /// <exception cref="MaterialException">There is none, or one that must not be relied on; the message says which and what to do.</exception>
    public static RevocationLists FromDer(params IEnumerable<ReadOnlyMemory<byte>> lists)
    {
        ArgumentNullException.ThrowIfNull(lists);
        return NotEmpty(new(lists.Select((der, index) => CrlFile.Parse(der, $"Revocation list {index + 1}"))));
    }

    /// <summary>How many lists and entries there are, and when the first expires; safe to log.</summary>
    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture,
        $"{Lists.Length} lists with {Lists.Sum(list => list.Count)} entries, next update {NextUpdate?.ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture) ?? "not stated"}");

    internal static RevocationLists FromContents(IEnumerable<FileContent> files) => NotEmpty(Of([.. files.Select(file => CrlFile.Read(file.Bytes, file.Source))]));

    /// <summary>The names of all that say to have issued one of the lists.</summary>
    internal IEnumerable<DistinguishedName> Issuers => _byIssuer.Keys;

    /// <summary>The lists that bear this issuer's name; whether its key signed them is another question.</summary>
    internal ImmutableArray<RevocationList> Naming(DistinguishedName issuer) => _byIssuer.TryGetValue(issuer, out var lists) ? lists : [];

    private static RevocationLists Of(params CrlContent[] contents) =>
        new(contents.SelectMany(content => content.Lists), certificates: contents.SelectMany(content => content.Certificates));

    private static RevocationLists NotEmpty(RevocationLists lists) => lists.Lists.Length > 0
        ? lists
        : throw new MaterialException($"No revocation list was given. Give at least one, or say so with {nameof(RevocationLists)}.{nameof(Empty)}.");
}
