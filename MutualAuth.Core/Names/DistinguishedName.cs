using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Formats.Asn1;
using System.Runtime.InteropServices;
using MutualAuth.Asn1;

namespace MutualAuth.Names;

/// <summary>An X.501 distinguished name: the subject or issuer of a certificate.</summary>
/// <remarks>
/// Names are compared by RFC 5280 §7.1: attribute by attribute and in order. In character strings, letter case and repeated, leading or
/// trailing spaces are ignored; so is the string type, and so is the order within a multi-valued RDN. Unicode compatibility forms are not
/// folded, and letter case uses a table of this library, so that the result does not depend on the globalization data of the machine.
/// Immutable and safe to share.
/// </remarks>
public sealed class DistinguishedName : IEquatable<DistinguishedName>
{
    // A name of a real authority has 3 to 8 attributes.
    internal const int MaxAttributes = 256;

    private readonly ImmutableArray<RelativeDistinguishedName> _rdns;
    private byte[]? _canonical;
    private string? _text;
    private int _hash;

    private DistinguishedName(ReadOnlyMemory<byte> rawData, ImmutableArray<RelativeDistinguishedName> rdns)
    {
        RawData = rawData;
        _rdns = rdns;
    }

    /// <summary>The DER encoding, exactly as it was presented.</summary>
    public ReadOnlyMemory<byte> RawData { get; }

    /// <summary>Whether the name has no attribute at all.</summary>
    public bool IsEmpty => _rdns.IsEmpty;

    /// <summary>
    /// The registered number of the organization, the attribute organizationIdentifier (2.5.4.97); null when the name has none, more than one, or
    /// one that is malformed.
    /// </summary>
    public OrganizationIdentifier? OrganizationIdentifier
    {
        get
        {
            OrganizationIdentifier? found = null;
            var count = 0;
            foreach (var rdn in _rdns)
            {
                foreach (var attribute in rdn.Attributes)
                {
                    if (attribute.Type.Span.SequenceEqual(Oids.OrganizationIdentifier))
                    {
                        // Which of two would be meant is not for us to guess.
                        count++;
                        _ = OrganizationIdentifier.TryParse(attribute.Text, out found);
                    }
                }
            }

            return count == 1 ? found : null;
        }
    }

    /// <summary>The relative names from the root of the directory to its leaf, in the order of the encoding.</summary>
    internal ImmutableArray<RelativeDistinguishedName> Rdns => _rdns;

    /// <summary>Reads the text form of RFC 4514, such as <c>CN=client,O=Example</c>.</summary>
    /// <param name="rfc4514">
    /// The last RDN of the encoding stands first. CN, L, ST, O, OU, C, STREET, DC and UID are known, and <c>serialNumber</c>,
    /// <c>tpmManufacturer</c>, <c>tpmModel</c>, <c>tpmVersion</c>, <c>organizationIdentifier</c>, <c>E</c> and <c>emailAddress</c>; any other type
    /// is written as a dotted
    /// number. The empty text is the empty name. At most 4,096 characters.
    /// </param>
    /// <exception cref="ArgumentNullException"><paramref name="rfc4514"/> is null.</exception>
    /// <exception cref="FormatException">The text is not a distinguished name.</exception>
    public static DistinguishedName Parse(string rfc4514)
    {
        ArgumentNullException.ThrowIfNull(rfc4514);
        return TryParse(rfc4514, out var name)
            ? name
            : throw new FormatException(
                $"Not a distinguished name in the form of RFC 4514, such as CN=client,O=Example: {Errors.SafeText.Quote(rfc4514)}."
                    + AdviceFor(rfc4514));
    }

    private static string? AdviceFor(string text)
    {
        const int LongestAdvice = 512;
        if (text.Contains('"', StringComparison.Ordinal))
        {
            return Rfc4514.WithoutQuotes(text) is { Length: <= LongestAdvice } escaped && !escaped.Any(char.IsControl)
                ? $" Values are escaped, not quoted: write {escaped}."
                : @" Values are escaped, not quoted: write O=a\,b for O=""a,b"".";
        }

        return text.Contains('/', StringComparison.Ordinal) && text.StartsWith('/')
            ? " The attributes are separated by commas, the last of the certificate first: CN=client,O=Example for /O=Example/CN=client."
            : null;
    }

    /// <summary>Reads the text form of RFC 4514; false when it is malformed. The bounds of <see cref="Parse"/> apply.</summary>
    public static bool TryParse(string? rfc4514, [NotNullWhen(true)] out DistinguishedName? name)
    {
        name = null;
        return Rfc4514.TryEncode(rfc4514, out var der) && TryDecode(new DerReader(der, new DerDeviations()), out name);
    }

    /// <summary>Reads the DER encoding strictly; false when it is malformed, or has more than 256 attributes.</summary>
    /// <param name="der">The whole encoding and nothing else. It is kept, not copied: the caller must not change it afterwards.</param>
    /// <param name="name">The name.</param>
    public static bool TryDecode(ReadOnlyMemory<byte> der, [NotNullWhen(true)] out DistinguishedName? name) =>
        TryDecode(new DerReader(der), out name);

    /// <summary>Reads a whole encoding, as strictly as its reader does.</summary>
    internal static bool TryDecode(DerReader reader, [NotNullWhen(true)] out DistinguishedName? name)
    {
        try
        {
            name = Read(ref reader);
            reader.End();
            return true;
        }
        catch (AsnContentException)
        {
            name = null;
            return false;
        }
    }

    /// <summary>Reads the next value as a Name (RFC 5280 §4.1.2.4); throws <see cref="AsnContentException"/> when it is malformed.</summary>
    internal static DistinguishedName Read(ref DerReader reader)
    {
        var raw = reader.ReadElement();
        var sequence = reader.Within(raw).ReadSequence();
        var count = sequence.Count();
        var rdns = count <= MaxAttributes ? new RelativeDistinguishedName[count]
            : throw new AsnContentException("a name has more than 256 attributes");
        var attributes = 0;
        for (var i = 0; i < rdns.Length; i++)
        {
            rdns[i] = RelativeDistinguishedName.Read(ref sequence);
            attributes += rdns[i].Attributes.Length;
            if (attributes > MaxAttributes)
            {
                throw new AsnContentException("a name has more than 256 attributes");
            }
        }

        return new DistinguishedName(raw, ImmutableCollectionsMarshal.AsImmutableArray(rdns));
    }

    /// <summary>Whether this name is in the subtree of <paramref name="root"/>: it begins with all RDNs of the root (RFC 5280 §7.1).</summary>
    /// <remarks>Each RDN of the canonical form includes its length, so that one form begins with another exactly when the RDNs do.</remarks>
    internal bool IsWithin(DistinguishedName root) => Canonical.AsSpan().StartsWith(root.Canonical);

    /// <summary>
    /// As before, but texts that may be equal in another Unicode form, or with characters without a visible form, count as equal (RFC
    /// 4518).
    /// </summary>
    internal bool MayBeWithin(DistinguishedName root) =>
        IsWithin(root) || BeginsWith(root, static (mine, theirs) => mine.Equals(theirs) || mine.MayEqual(theirs));

    private bool BeginsWith(DistinguishedName root, Func<RelativeDistinguishedName, RelativeDistinguishedName, bool> isSame)
    {
        if (root._rdns.Length > _rdns.Length)
        {
            return false;
        }

        for (var i = 0; i < root._rdns.Length; i++)
        {
            if (!isSame(_rdns[i], root._rdns[i]))
            {
                return false;
            }
        }

        return true;
    }

    /// <inheritdoc/>
    public bool Equals(DistinguishedName? other) =>
        other is not null
        && (ReferenceEquals(this, other)
            || (!AreKnownToDiffer(_hash, other._hash)
                && (RawData.Span.SequenceEqual(other.RawData.Span)
                    || (_rdns.Length == other._rdns.Length && Canonical.AsSpan().SequenceEqual(other.Canonical)))));

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as DistinguishedName);

    /// <inheritdoc/>
    public override int GetHashCode()
    {
        if (_hash == 0)
        {
            var hash = default(HashCode);
            hash.AddBytes(Canonical);
            _hash = hash.ToHashCode();
        }

        return _hash;
    }

    /// <summary>Equal names have the same hash; one that has not been asked for is 0, and says nothing.</summary>
    private static bool AreKnownToDiffer(int one, int other) => one != 0 && other != 0 && one != other;

    /// <summary>The text form of RFC 4514. It includes text that the peer chose: escape it before it reaches a log.</summary>
    public override string ToString() => _text ??= Rfc4514.Format(this);

    /// <summary>Equal for equal names, and for no others: everything that the comparison folds is folded in it.</summary>
    private byte[] Canonical
    {
        get
        {
            if (_canonical is null)
            {
                var form = new MemoryStream(RawData.Length + 8);
                foreach (var rdn in _rdns)
                {
                    form.WriteByte(DerReader.Set);
                    rdn.WriteCanonical(form);
                }

                _canonical = form.ToArray();
            }

            return _canonical;
        }
    }
}
