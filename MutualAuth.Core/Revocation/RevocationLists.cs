using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using MutualAuth.Certificates;
using MutualAuth.Errors;
using MutualAuth.Names;
using MutualAuth.Reloading;

namespace MutualAuth.Revocation;

/// <summary>An indexed set of certificate revocation lists.</summary>
/// <remarks>
/// A list applies only to certificates whose issuer, in the verified path, has its name, and only if it is signed by the issuer's key or by
/// another key of that name to which a path leads from the same anchor (RFC 5280 §6.3.3 (f)). Loading reads every list strictly and
/// completely, and fails for all lists when one cannot be used. Indirect CRLs are rejected; a delta CRL supplements a full one of the same
/// issuer and scope. A look-up costs the same with no entry as with a million. Immutable and safe to share; each list's signature is
/// checked once for each key of its issuer, so share one instance.
/// </remarks>
public sealed class RevocationLists : IRevocationListSource, IHasFileRemarks
{
    private ImmutableArray<FileRemark> _remarks = [];
    private readonly FrozenDictionary<DistinguishedName, ImmutableArray<RevocationList>> _byIssuer;

    private RevocationLists(IEnumerable<RevocationList> lists, bool isChecked = true, IEnumerable<Certificate>? certificates = null)
    {
        // The same list may be in two files. Their order does not matter: no list replaces another.
        ImmutableArray<RevocationList> all = [.. lists];
        Lists = all.Length < 2 ? all : [.. all.DistinctBy(list => list.Mark.Digest)];
        IsChecked = isChecked;
        Certificates = [.. certificates ?? []];
        _byIssuer = Lists.GroupBy(list => list.Issuer).ToFrozenDictionary(group => group.Key, group => group.ToImmutableArray());
    }

    /// <summary>No list at all: the status of every certificate is unknown, and it is rejected unless the policy says otherwise.</summary>
    public static RevocationLists Empty { get; } = new([]);

    /// <summary>
    /// Turns the revocation check off for now: a source returns it after the operator has removed its lists on purpose. While it is in
    /// force, revoked certificates are accepted. An emptied file never has this effect.
    /// </summary>
    public static RevocationLists DangerouslyUnchecked { get; } = new([], isChecked: false);

    /// <summary>The lists, each once, in the order in which they were given.</summary>
    public ImmutableArray<RevocationList> Lists { get; }

    /// <summary>
    /// Certificates that were given with the lists, for keys that may have signed them. They are used for nothing else, and a path must
    /// lead to them.
    /// </summary>
    internal ImmutableArray<Certificate> Certificates { get; }

    /// <summary>The earliest next update of the lists; null when none states one. Replace the lists before.</summary>
    public DateTimeOffset? NextUpdate => Lists.Min(list => list.NextUpdate);

    IReadOnlyCollection<FileRemark> IHasFileRemarks.Remarks => _remarks;

    RevocationLists IRevocationListSource.Current => this;

    /// <summary>False for <see cref="DangerouslyUnchecked"/> only.</summary>
    internal bool IsChecked { get; }

    /// <summary>
    /// Reads lists from files once; <see cref="RevocationListFiles"/> watches the files. A file holds one list in DER, or any number in PEM
    /// (<c>X509 CRL</c>), which may also contain certificates of keys that signed lists; at most 512 MiB.
    /// </summary>
    /// <exception cref="ArgumentNullException"><paramref name="paths"/> is null.</exception>
    /// <exception cref="MaterialException">
    /// There is no path, or a file cannot be read, may be written by every user, is empty, or has a list that cannot be used; the message says
    /// which and what to do.
    /// </exception>
    public static RevocationLists FromFiles(params IEnumerable<string> paths)
    {
        ArgumentNullException.ThrowIfNull(paths);
        var remarks = new List<FileRemark>();
        var lists = FromContents(paths.Select(path => FileUse.RevocationLists.Read(path, CrlFile.MaxBytes, remarks)));
        lists._remarks = [.. remarks];
        return lists;
    }

    /// <summary>Reads lists from PEM text; text around the blocks is ignored.</summary>
    /// <exception cref="ArgumentNullException"><paramref name="pem"/> is null.</exception>
    /// <exception cref="MaterialException">There is no list, or one that cannot be used; the message says which and what to do.</exception>
    public static RevocationLists FromPem(string pem)
    {
        ArgumentNullException.ThrowIfNull(pem);
        return Of(CrlFile.Read(Encoding.UTF8.GetBytes(pem), "The text"));
    }

    /// <summary>Takes lists from their DER encodings, which must not be changed afterwards.</summary>
    /// <exception cref="ArgumentNullException"><paramref name="lists"/> is null.</exception>
    /// <exception cref="MaterialException">There is no list, or one that cannot be used; the message says which and what to do.</exception>
    public static RevocationLists FromDer(params IEnumerable<ReadOnlyMemory<byte>> lists)
    {
        ArgumentNullException.ThrowIfNull(lists);
        return NotEmpty(new(lists.Select((der, index) => CrlFile.Parse(der, $"Revocation list {index + 1}"))));
    }

    /// <summary>The number of lists and entries, and the earliest next update; safe to log.</summary>
    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture,
        $"{Lists.Length} lists with {Lists.Sum(list => list.Count)} entries, next update "
            + $"{(NextUpdate is { } next ? UtcText.Of(next) : "not stated")}");

    internal static RevocationLists FromContents(IEnumerable<FileContent> files) =>
        NotEmpty(Of([.. files.Select(file => CrlFile.Read(file.Bytes, file.Source))]));

    /// <summary>Reads what came over the network. Certificates beside the lists are left out: no operator gave them.</summary>
    internal static RevocationLists FromFetched(byte[] content, string source) => NotEmpty(new(CrlFile.Read(content, source).Lists));

    /// <summary>The lists of several sources in one. Sources that check nothing add nothing.</summary>
    internal static RevocationLists Together(IEnumerable<RevocationLists> sources, IEnumerable<Certificate>? certificates = null)
    {
        var all = sources.ToArray();
        return new(
            all.SelectMany(source => source.Lists),
            certificates: (certificates ?? []).Concat(all.SelectMany(source => source.Certificates)).Distinct());
    }

    /// <summary>The issuer names of all lists.</summary>
    internal IEnumerable<DistinguishedName> Issuers => _byIssuer.Keys;

    /// <summary>The lists with this issuer name; their signatures are not checked here.</summary>
    internal ImmutableArray<RevocationList> Naming(DistinguishedName issuer) => _byIssuer.TryGetValue(issuer, out var lists) ? lists : [];

    private static RevocationLists Of(params CrlContent[] contents) =>
        new(contents.SelectMany(content => content.Lists), certificates: contents.SelectMany(content => content.Certificates));

    private static RevocationLists NotEmpty(RevocationLists lists) => lists.Lists.Length > 0
        ? lists
        : throw new MaterialException($"No revocation list was given. Give at least one, or use {nameof(RevocationLists)}.{nameof(Empty)}.");
}
