using System.Collections.Immutable;
using System.Formats.Asn1;
using System.Security.Cryptography;
using MutualAuth.Asn1;
using MutualAuth.Certificates;
using MutualAuth.Names;
using MutualAuth.Paths;

namespace MutualAuth.Revocation;

/// <summary>
/// The set of certificates of its issuer that a list covers (RFC 5280 §5.2.5).
/// <code>
/// IssuingDistributionPoint ::= SEQUENCE { distributionPoint [0] DistributionPointName OPTIONAL, onlyContainsUserCerts [1] BOOLEAN DEFAULT FALSE,
///     onlyContainsCACerts [2] BOOLEAN DEFAULT FALSE, onlySomeReasons [3] ReasonFlags OPTIONAL, indirectCRL [4] BOOLEAN DEFAULT FALSE,
///     onlyContainsAttributeCerts [5] BOOLEAN DEFAULT FALSE }
/// DistributionPointName ::= CHOICE { fullName [0] GeneralNames, nameRelativeToCRLIssuer [1] RelativeDistinguishedName }
/// </code>
/// </summary>
internal sealed class IssuingScope
{
    /// <summary>The bits of ReasonFlags that are reasons, the first octet high: all but <c>unused</c>.</summary>
    internal const int AllReasons = 0x7f80;

    private const int MaxPoints = 64;

    private ReadOnlyMemory<byte> _encoding;
    private ImmutableArray<GeneralName> _points = [];
    private ReadOnlyMemory<byte> _relative;
    private bool _hasPoint;
    private bool _onlyEndEntities;
    private bool _onlyAuthorities;
    private bool _onlyAttributeCertificates;

    /// <summary>The scope of a list that does not restrict it: every certificate of its issuer, for every reason.</summary>
    internal static IssuingScope Whole { get; } = new();

    /// <summary>The reasons for which certificates are on the list.</summary>
    internal int Reasons { get; private set; } = AllReasons;

    /// <summary>Whether the list also covers other issuers.</summary>
    internal bool IsIndirect { get; private set; }

    /// <summary>The SHA-256 of its encoding, in hex; empty for the whole scope.</summary>
    internal string Digest => _encoding.IsEmpty ? "" : Convert.ToHexStringLower(SHA256.HashData(_encoding.Span));

    /// <summary>Whether both cover the same certificates. Different encodings of the same scope count as different.</summary>
    internal bool IsSameAs(IssuingScope other) => _encoding.Span.SequenceEqual(other._encoding.Span);

    internal static IssuingScope Read(DerReader sequence)
    {
        if (sequence.IsEmpty)
        {
            throw new AsnContentException("an issuing distribution point is empty");
        }

        var scope = new IssuingScope { _encoding = sequence.Rest };
        if (sequence.TryReadContent(DerReader.Context(0, constructed: true), out var point))
        {
            scope._hasPoint = true;
            (scope._points, scope._relative) = ReadPointName(new DerReader(point));
        }

        scope._onlyEndEntities = ReadFlag(ref sequence, 1);
        scope._onlyAuthorities = ReadFlag(ref sequence, 2);
        if (sequence.NextIs(DerReader.Context(3)))
        {
            scope.Reasons = ReadReasons(ref sequence, DerReader.Context(3));
        }

        scope.IsIndirect = ReadFlag(ref sequence, 4);
        scope._onlyAttributeCertificates = ReadFlag(ref sequence, 5);
        sequence.End();
        return (scope._onlyEndEntities ? 1 : 0) + (scope._onlyAuthorities ? 1 : 0) + (scope._onlyAttributeCertificates ? 1 : 0) > 1
            ? throw new AsnContentException("an issuing distribution point is limited to two kinds of certificate at once")
            : scope;
    }

    /// <summary>Why the list does not cover the certificate; null when it does (RFC 5280 §6.3.3 (b)).</summary>
    internal string? Excludes(Certificate subject, Certificate issuer, CertificateForm form) =>
        _onlyAttributeCertificates ? "speaks of attribute certificates only"
        : _onlyEndEntities && subject.IsCertificateAuthority ? "speaks of end entities only"
        : _onlyAuthorities && !subject.IsCertificateAuthority ? "speaks of authorities only"
        : form != CertificateForm.Tolerant && _points.Any(IsNoPlace)
        ? "names its distribution point by something that is neither a URI nor a directory name"
        : ReasonsFor(subject, issuer, form) == 0 ? "is that of another distribution point than the certificate names"
        : null;

    /// <summary>
    /// The reasons for which the list covers the certificate: none unless the certificate names the distribution point of this list, octet
    /// by octet. A certificate may always be looked up under its issuer's own name, as if it had a distribution point of that name (the end
    /// of RFC 5280 §6.3.3).
    /// </summary>
    internal int ReasonsFor(Certificate subject, Certificate issuer, CertificateForm form = CertificateForm.Tolerant)
    {
        if (!_hasPoint)
        {
            return Reasons;
        }

        var mine = Named(_points, _relative, issuer.Subject);
        foreach (var name in mine)
        {
            if (name.Directory is { } directory && directory.Equals(issuer.Subject))
            {
                return Reasons;
            }
        }

        try
        {
            return subject.Extensions.CrlDistributionPoints.IsEmpty
                ? 0
                : Reasons & ReasonsIn(new DerReader(subject.Extensions.CrlDistributionPoints, new DerDeviations()).ReadSequence(), mine, issuer,
                    form);
        }
        catch (AsnContentException)
        {
            return 0;
        }
    }

    /// <summary>
    /// <c>DistributionPoint ::= SEQUENCE { distributionPoint [0] DistributionPointName OPTIONAL, reasons [1] ReasonFlags OPTIONAL, cRLIssuer
    /// [2] GeneralNames OPTIONAL }</c>
    /// </summary>
    private static int ReasonsIn(DerReader distributionPoints, ImmutableArray<GeneralName> mine, Certificate issuer, CertificateForm form)
    {
        var reasons = 0;
        for (var read = 0; !distributionPoints.IsEmpty && read < MaxPoints; read++)
        {
            var point = distributionPoints.ReadSequence();
            var (names, relative) = point.TryReadContent(DerReader.Context(0, constructed: true), out var name) ? ReadPointName(point.Within(name))
                : ([], default);
            var named = point.NextIs(DerReader.Context(1)) ? ReadReasons(ref point, DerReader.Context(1)) : AllReasons;

            // If another authority issues the list, it is an indirect one, which is rejected earlier.
            var isOthers = point.TryReadContent(DerReader.Context(2, constructed: true), out var by)
                && !GeneralName.ReadAll(point.Within(by)).Any(author => author.Directory is { } directory && directory.Equals(issuer.Subject));
            point.End();
            if (!isOthers
                && (form == CertificateForm.Tolerant || !names.Any(IsNoPlace))
                && Named(names, relative, issuer.Subject).Any(theirs => mine.Any(our => IsSame(our, theirs))))
            {
                reasons |= named;
            }
        }

        return reasons;
    }

    /// <summary>Whether a name of a point does not locate the list. Lists are named by URIs and by directory entries (RFC 5280 §4.2.1.13).</summary>
    private static bool IsNoPlace(GeneralName name) => name.Form is not (GeneralNameForm.Uri or GeneralNameForm.Directory);

    private static bool IsSame(GeneralName mine, GeneralName name) =>
        mine.Form == name.Form
        && (mine.Value.Span.SequenceEqual(name.Value.Span) || (mine.Directory is { } directory && directory.Equals(name.Directory)));

    /// <summary>The names of a point; a name relative to the issuer begins with the issuer's name.</summary>
    private static ImmutableArray<GeneralName> Named(ImmutableArray<GeneralName> names, ReadOnlyMemory<byte> relative, DistinguishedName issuer)
    {
        if (relative.IsEmpty)
        {
            return names;
        }

        var writer = new AsnWriter(AsnEncodingRules.DER);
        using (writer.PushSequence())
        {
            for (var rdns = new DerReader(issuer.RawData).ReadSequence(); !rdns.IsEmpty;)
            {
                writer.WriteEncodedValue(rdns.ReadElement().Span);
            }

            using (writer.PushSetOf())
            {
                for (var attributes = new DerReader(relative); !attributes.IsEmpty;)
                {
                    writer.WriteEncodedValue(attributes.ReadElement().Span);
                }
            }
        }

        return DistinguishedName.TryDecode(new DerReader(writer.Encode(), new DerDeviations()), out var name)
            ? [new GeneralName(GeneralNameForm.Directory, name.RawData, name)] : [];
    }

    /// <summary>The full names of a point, or the contents of the name that is relative to the issuer's.</summary>
    private static (ImmutableArray<GeneralName> Full, ReadOnlyMemory<byte> Relative) ReadPointName(DerReader reader)
    {
        ImmutableArray<GeneralName> names = [];
        ReadOnlyMemory<byte> relative = default;
        if (reader.TryReadContent(DerReader.Context(0, constructed: true), out var full))
        {
            names = GeneralName.ReadAll(reader.Within(full));
        }
        else
        {
            relative = reader.ReadContent(DerReader.Context(1, constructed: true));
        }

        reader.End();
        return names.Length <= MaxPoints ? (names, relative) : throw new AsnContentException("a distribution point has more than 64 names");
    }

    private static bool ReadFlag(ref DerReader sequence, int tag)
    {
        if (!sequence.TryReadContent(DerReader.Context(tag), out var content))
        {
            return false;
        }

        return content.Length == 1 && content.Span[0] == 0xff
            ? true
            : throw new AsnContentException("a BOOLEAN is not DER, or writes out its default");
    }

    private static int ReadReasons(ref DerReader sequence, byte tag)
    {
        var bits = sequence.ReadNamedBits(tag);
        var reasons = bits.IsEmpty ? 0 : (bits[0] << 8) | (bits.Length > 1 ? bits[1] : 0);
        return (reasons & AllReasons) != 0 ? reasons & AllReasons : throw new AsnContentException("an issuing distribution point names no reason");
    }
}
