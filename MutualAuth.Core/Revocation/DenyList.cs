using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Security.Cryptography;
using MutualAuth.Certificates;
using MutualAuth.Errors;
using MutualAuth.Names;
using MutualAuth.Reloading;

namespace MutualAuth.Revocation;

/// <summary>Certificates and keys that the operator rejects at once, whatever their authority says about them.</summary>
/// <remarks>
/// For emergencies: it needs no authority, applies until it is changed, and works with and without revocation lists. Every certificate of
/// the path is checked against it, including authorities and the trust anchor. Immutable and safe to share.
/// </remarks>
public sealed class DenyList : IDenyListSource, IHasFileRemarks
{
    internal const int MaxFileBytes = 16 * 1024 * 1024;

    private readonly FrozenSet<string> _serials;
    private readonly FrozenSet<string>.AlternateLookup<ReadOnlySpan<char>> _bySerial;
    private readonly FrozenSet<(DistinguishedName Issuer, string Serial)> _issued;
    private readonly FrozenSet<SpkiDigest> _keys;
    private readonly FrozenSet<SpkiDigest> _certificates;
    private readonly FrozenSet<SpkiDigest> _signed;
    private ImmutableArray<FileRemark> _remarks = [];

    private DenyList(IEnumerable<DenyEntry> entries)
    {
        Entries = [.. entries];
        _serials = Entries.Where(entry => entry.SerialNumber is not null && entry.Issuer is null).Select(entry => entry.SerialNumber!).ToFrozenSet(
            StringComparer.Ordinal);
        _bySerial = _serials.GetAlternateLookup<ReadOnlySpan<char>>();
        _issued = Entries.Where(entry => entry.Issuer is not null).Select(entry => (entry.Issuer!, entry.SerialNumber!)).ToFrozenSet();
        _keys = Entries.Where(entry => entry.PublicKey is not null).Select(entry => entry.PublicKey!.Digest).ToFrozenSet();
        _signed = Entries.Where(entry => entry.SignedDigest is not null).Select(entry => entry.SignedDigest!.Value).ToFrozenSet();
        _certificates = Entries.Where(entry => entry.Digest is not null).Select(entry => entry.Digest!.Value).ToFrozenSet();
    }

    /// <summary>An empty list, which rejects no certificate.</summary>
    public static DenyList Empty { get; } = new([]);

    /// <summary>The entries.</summary>
    public ImmutableArray<DenyEntry> Entries { get; }

    IReadOnlyCollection<FileRemark> IHasFileRemarks.Remarks => _remarks;

    DenyList IDenyListSource.Current => this;

    /// <summary>Creates a list.</summary>
    /// <exception cref="ArgumentNullException"><paramref name="entries"/> is null.</exception>
    /// <exception cref="ArgumentException">One of the entries is null.</exception>
    public static DenyList Of(params IEnumerable<DenyEntry> entries)
    {
        ArgumentNullException.ThrowIfNull(entries);
        ImmutableArray<DenyEntry> all = [.. entries];
        return all.Contains(null!) ? throw new ArgumentException("Expected entries, got a null among them.", nameof(entries)) : new DenyList(all);
    }

    /// <summary>
    /// Reads a list from text: one entry per line, in the form of <see cref="DenyEntry.Parse"/>; empty lines and lines that begin with #
    /// are ignored.
    /// </summary>
    /// <exception cref="ArgumentNullException"><paramref name="text"/> is null.</exception>
    /// <exception cref="MaterialException">A line is not an entry; the message says which.</exception>
    public static DenyList Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return Read(text, "the text");
    }

    /// <summary>
    /// Reads a list from a file in UTF-8, once; <see cref="DenyListFile"/> watches the file. A file without entries rejects no certificate.
    /// </summary>
    /// <exception cref="ArgumentNullException"><paramref name="path"/> is null.</exception>
    /// <exception cref="MaterialException">
    /// The file cannot be read, may be written by every user or is larger than 16 MiB, or a line is not an entry; the message says which.
    /// </exception>
    public static DenyList FromFile(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        var remarks = new List<FileRemark>();
        var list = Read(FileUse.DenyList.Read(path, MaxFileBytes, remarks).Text, path);
        list._remarks = [.. remarks];
        return list;
    }

    /// <summary>The rejection of a certificate that the list names; null when it does not.</summary>
    internal Rejection? Examine(Certificate certificate)
    {
        if (Entries.IsEmpty)
        {
            return null;
        }

        var by = _serials.Count > 0 && IsNamedBySerial(certificate) ? $"serial number {DenyEntry.Normalize(certificate.Serial.Span)}"
            : _issued.Count > 0 && _issued.Contains((certificate.Issuer, DenyEntry.Normalize(certificate.Serial.Span)))
            ? $"serial number {DenyEntry.Normalize(certificate.Serial.Span)} of its issuer"
            : _keys.Count > 0 && _keys.Contains(certificate.PublicKey.Digest) ? "public key"
            : _signed.Count > 0 && _signed.Contains(DigestOf(certificate.Signed.Span)) ? "contents"
            : _certificates.Count > 0 && IsNamedByDigest(certificate) ? "SHA-256"
            : null;
        return by is null
            ? null
            : new Rejection(RejectionReason.DenyListed, "certificates that are not on the deny list", $"one that is, by its {by}")
            {
                Element = $"certificate {certificate}",
                Hint = "An operator put it on the list. Remove it if that was a mistake.",
            };
    }

    /// <summary>Without a string for each of many certificates that are on no list.</summary>
    private bool IsNamedBySerial(Certificate certificate)
    {
        Span<char> digits = stackalloc char[DenyEntry.MaxSerialDigits];
        var serial = certificate.Serial.Span.TrimStart((byte)0);
        return 2 * serial.Length <= digits.Length // no entry is longer
            && Convert.TryToHexString(serial, digits, out var length)
            && _bySerial.Contains(digits[..length]);
    }

    /// <summary>The digest includes the signature, and the holder can turn one ECDSA signature into another: each of them is looked up.</summary>
    private bool IsNamedByDigest(Certificate certificate) =>
        _certificates.Contains(DigestOf(certificate.RawData.Span))
            || EcdsaMalleability.Of(certificate).Any(twin => _certificates.Contains(DigestOf(twin)));

    private static SpkiDigest DigestOf(ReadOnlySpan<byte> octets) => new(SHA256.HashData(octets));

    /// <summary>The number of entries; safe to log.</summary>
    public override string ToString() => $"{Entries.Length} entries";

    internal static DenyList Read(string text, string source)
    {
        var entries = new List<DenyEntry>();
        var number = 0;
        foreach (var line in text.AsSpan().EnumerateLines())
        {
            number++;
            var content = line.TrimStart('\ufeff').Trim();
            if (content.IsEmpty || content[0] == '#')
            {
                continue;
            }

            entries.Add(DenyEntry.TryParse(content.ToString(), out var entry)
                ? entry
                : throw new MaterialException(
                    $"{source}, line {number}: {SafeText.Quote(content.ToString())} is not an entry of a deny list. Write serial HEX, serial HEX "
                        + "issuer DN, key sha256/BASE64, tbs SHA-256-HEX, or certificate SHA-256-HEX."));
        }

        return new DenyList(entries);
    }
}
