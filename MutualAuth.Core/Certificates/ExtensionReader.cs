using System.Collections.Immutable;
using System.Formats.Asn1;
using System.Security.Cryptography.X509Certificates;
using MutualAuth.Asn1;

namespace MutualAuth.Certificates;

/// <summary>Reads the extensions of a certificate, each by its grammar in RFC 5280 §4.2.</summary>
internal static class ExtensionReader
{
    // Duplicates are found by comparing each with each, so their number is bounded; real certificates have about ten.
    private const int MaxExtensions = 64;

    /// <summary>Reads <c>Extensions ::= SEQUENCE SIZE (1..MAX) OF Extension</c>.</summary>
    internal static CertificateExtensions Read(DerReader sequence, DerDeviations slips)
    {
        var extensions = new CertificateExtensions();
        if (sequence.IsEmpty)
        {
            sequence.Slip("the list of extensions is empty");
            return extensions;
        }

        extensions.List = sequence.Rest;
        var seen = default(ExtensionNames);
        do
        {
            var extension = Extension.ReadNext(ref sequence, ref seen, MaxExtensions, slips);
            ReadOne(extensions, extension.Id, extension.IsCritical, extension.Value);
        }
        while (!sequence.IsEmpty);
        return extensions;
    }

    /// <summary>Looks for one extension in a list that has been read before.</summary>
    internal static PresentedExtension? Find(ReadOnlyMemory<byte> list, ReadOnlySpan<byte> id)
    {
        var sequence = new DerReader(list, new DerDeviations());
        while (!sequence.IsEmpty)
        {
            var extension = sequence.ReadSequence();
            if (!extension.ReadOid().Span.SequenceEqual(id))
            {
                continue;
            }

            var isCritical = extension.ReadTrueOrAbsent();
            return new PresentedExtension(Oids.ToDotted(id), isCritical, extension.ReadContent(DerReader.OctetString));
        }

        return null;
    }

    /// <summary>Whether this library reads the extension itself, so that no application need do so.</summary>
    internal static bool IsKnown(ReadOnlySpan<byte> id) => Identify(id) != KnownExtension.None;

    private static void ReadOne(CertificateExtensions extensions, ReadOnlyMemory<byte> id, bool critical, DerReader reader)
    {
        var known = Identify(id.Span);
        if (known == KnownExtension.None)
        {
            extensions.UnknownCriticals = critical ? extensions.UnknownCriticals.Add(id) : extensions.UnknownCriticals;
            return;
        }

        extensions.Present |= known;
        extensions.Critical |= critical ? known : KnownExtension.None;
        ReadValue(extensions, known, ref reader);
        reader.End();
    }

    private static KnownExtension Identify(ReadOnlySpan<byte> id)
    {
        if (id.Length == 3 && id.StartsWith((ReadOnlySpan<byte>)[0x55, 0x1d]))
        {
            return id[2] switch
            {
                0x0e => KnownExtension.SubjectKeyIdentifier,
                0x0f => KnownExtension.KeyUsage,
                0x11 => KnownExtension.SubjectAltName,
                0x12 => KnownExtension.IssuerAltName,
                0x13 => KnownExtension.BasicConstraints,
                0x1e => KnownExtension.NameConstraints,
                0x1f => KnownExtension.CrlDistributionPoints,
                0x20 => KnownExtension.CertificatePolicies,
                0x21 => KnownExtension.PolicyMappings,
                0x23 => KnownExtension.AuthorityKeyIdentifier,
                0x24 => KnownExtension.PolicyConstraints,
                0x25 => KnownExtension.ExtendedKeyUsage,
                0x2e => KnownExtension.FreshestCrl,
                0x36 => KnownExtension.InhibitAnyPolicy,
                0x38 => KnownExtension.NoRevocationAvailable,
                _ => KnownExtension.None,
            };
        }

        return id.SequenceEqual(Oids.AuthorityInformationAccess) ? KnownExtension.AuthorityInformationAccess
            : id.SequenceEqual(Oids.SubjectInformationAccess) ? KnownExtension.SubjectInformationAccess
            : id.SequenceEqual(Oids.OcspNoCheck) ? KnownExtension.OcspNoCheck
            : KnownExtension.None;
    }

    private static void ReadValue(CertificateExtensions extensions, KnownExtension known, ref DerReader reader)
    {
        switch (known)
        {
            case KnownExtension.SubjectKeyIdentifier:
                extensions.SubjectKeyId = NotEmpty(reader.ReadContent(DerReader.OctetString));
                break;
            case KnownExtension.AuthorityKeyIdentifier:
                extensions.AuthorityKeyId = ReadAuthorityKeyId(reader.ReadSequence());
                break;
            case KnownExtension.KeyUsage:
                extensions.KeyUsage = ReadKeyUsage(ref reader);
                break;
            case KnownExtension.ExtendedKeyUsage:
                extensions.Purposes = ReadPurposes(reader.ReadSequence());
                break;
            case KnownExtension.BasicConstraints:
                var basic = reader.ReadSequence();
                extensions.IsAuthority = basic.ReadTrueOrAbsent();
                extensions.PathLength = basic.IsEmpty ? null : basic.ReadCount();
                basic.End();
                break;
            case KnownExtension.NameConstraints:
                extensions.NameConstraints = ReadNameConstraints(reader.ReadSequence());
                break;
            case KnownExtension.SubjectAltName:
                extensions.SubjectNames = GeneralName.ReadAll(reader.ReadSequence());
                break;
            case KnownExtension.IssuerAltName:
                GeneralName.PassOver(reader.ReadSequence());
                break;
            case KnownExtension.CrlDistributionPoints:
                var points = reader.Rest;
                extensions.CrlDistributionPoints = ReadSequences(reader.ReadSequence()) ? points : default;
                break;
            case KnownExtension.FreshestCrl:
                ReadSequences(reader.ReadSequence());
                break;
            case KnownExtension.OcspNoCheck:
                reader.ReadContent(DerReader.Null);
                break;
            case KnownExtension.NoRevocationAvailable:
                ReadNoRevocationAvailable(extensions, ref reader);
                break;
            case KnownExtension.AuthorityInformationAccess:
                extensions.NamesOcspResponder = ReadAccessDescriptions(reader.ReadSequence());
                break;
            case KnownExtension.SubjectInformationAccess:
                ReadAccessDescriptions(reader.ReadSequence());
                break;
            default:
                PolicyReader.Read(extensions, known, ref reader);
                break;
        }
    }

    private static ReadOnlyMemory<byte> NotEmpty(ReadOnlyMemory<byte> value) =>
        !value.IsEmpty ? value : throw new AsnContentException("a key identifier is empty");

    internal static AuthorityKeyId ReadAuthorityKeyId(DerReader reader)
    {
        var keyId = reader.TryReadContent(DerReader.Context(0), out var id) ? NotEmpty(id) : default;
        var hasIssuer = reader.TryReadContent(DerReader.Context(1, constructed: true), out var issuer);
        if (hasIssuer)
        {
            GeneralName.PassOver(reader.Within(issuer));
        }

        var serial = reader.NextIs(DerReader.Context(2)) ? reader.ReadInteger(DerReader.Context(2)) : default;
        reader.End();
        if (hasIssuer == serial.IsEmpty)
        {
            reader.Slip("an issuer stands without a serial number, or the other way round");
        }

        return new AuthorityKeyId(keyId, hasIssuer, serial);
    }

    private static X509KeyUsageFlags ReadKeyUsage(ref DerReader reader)
    {
        var bits = reader.ReadNamedBits();
        if (!bits.ContainsAnyExcept((byte)0))
        {
            throw new AsnContentException("the key usage names no usage");
        }

        // X509KeyUsageFlags has the octets in this order.
        return (X509KeyUsageFlags)(bits[0] | (bits.Length > 1 ? (bits[1] & 0x80) << 8 : 0));
    }

    private static ImmutableArray<ReadOnlyMemory<byte>> ReadPurposes(DerReader sequence)
    {
        var purposes = ImmutableArray.CreateBuilder<ReadOnlyMemory<byte>>(sequence.Count());
        do
        {
            purposes.Add(sequence.ReadOid());
        }
        while (!sequence.IsEmpty);
        return purposes.DrainToImmutable();
    }

    private static NameConstraintSet ReadNameConstraints(DerReader sequence)
    {
        if (sequence.IsEmpty)
        {
            throw new AsnContentException("the name constraints constrain nothing");
        }

        var permitted = ReadSubtrees(ref sequence, DerReader.Context(0, constructed: true));
        var excluded = ReadSubtrees(ref sequence, DerReader.Context(1, constructed: true));
        sequence.End();
        return new NameConstraintSet(permitted, excluded);
    }

    private static ImmutableArray<GeneralName> ReadSubtrees(ref DerReader sequence, byte tag)
    {
        if (!sequence.TryReadContent(tag, out var content))
        {
            return [];
        }

        var subtrees = sequence.Within(content);
        var bases = ImmutableArray.CreateBuilder<GeneralName>(subtrees.Count());
        do
        {
            // RFC 5280 allows only the default for minimum, which DER omits, and forbids maximum.
            var subtree = subtrees.ReadSequence();
            bases.Add(GeneralName.Read(ref subtree, asConstraint: true));
            if (subtree.NextIs(DerReader.Context(0)))
            {
                if (subtree.ReadCount(DerReader.Context(0)) != 0)
                {
                    throw new AsnContentException("a subtree begins below its base");
                }

                subtree.Slip("a minimum of 0, which is the default, is written out");
            }

            subtree.End();
        }
        while (!subtrees.IsEmpty);
        return bases.DrainToImmutable();
    }

    /// <summary>Whether there is at least one.</summary>
    private static bool ReadSequences(DerReader sequence)
    {
        if (sequence.IsEmpty)
        {
            sequence.Slip("a list is empty");
            return false;
        }

        while (!sequence.IsEmpty)
        {
            sequence.ReadSequence();
        }

        return true;
    }

    private static void ReadNoRevocationAvailable(CertificateExtensions extensions, ref DerReader reader)
    {
        if (!reader.ReadContent(DerReader.Null).IsEmpty)
        {
            throw new AsnContentException("a NULL has content");
        }

        // RFC 9608 §2: it must not be.
        if (extensions.IsCritical(KnownExtension.NoRevocationAvailable))
        {
            throw new AsnContentException("noRevAvail is critical");
        }
    }

    /// <summary>Whether a responder is among them.</summary>
    private static bool ReadAccessDescriptions(DerReader sequence)
    {
        var responder = false;
        if (sequence.IsEmpty)
        {
            sequence.Slip("a list is empty");
        }

        while (!sequence.IsEmpty)
        {
            var description = sequence.ReadSequence();
            responder |= description.ReadOid().Span.SequenceEqual(Oids.OcspAccess);
            GeneralName.Read(ref description, asConstraint: false);
            description.End();
        }

        return responder;
    }
}
