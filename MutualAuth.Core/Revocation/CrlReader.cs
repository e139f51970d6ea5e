using System.Formats.Asn1;
using System.Runtime.ExceptionServices;
using System.Security.Cryptography;
using MutualAuth.Asn1;
using MutualAuth.Certificates;
using MutualAuth.Names;

namespace MutualAuth.Revocation;

/// <summary>
/// Reads revocation lists strictly; throws <see cref="AsnContentException"/> for a list that must not be used.
/// <code>
/// CertificateList ::= SEQUENCE { tbsCertList TBSCertList, signatureAlgorithm AlgorithmIdentifier, signatureValue BIT STRING }
/// TBSCertList ::= SEQUENCE { version INTEGER OPTIONAL, signature AlgorithmIdentifier, issuer Name, thisUpdate Time, nextUpdate Time OPTIONAL,
///     revokedCertificates SEQUENCE OF … OPTIONAL, crlExtensions [0] EXPLICIT Extensions OPTIONAL }   (RFC 5280 §5.1)
/// </code>
/// </summary>
internal static class CrlReader
{
    private const int MaxExtensions = 64;

    // From here on it is felt that a list is hashed twice, as for its signature and its mark, and its entries are read meanwhile.
    private const int LongFrom = 1 << 20;

    internal static RevocationList Read(ReadOnlyMemory<byte> der)
    {
        var whole = new DerReader(der);
        var list = whole.ReadSequence();
        whole.End();
        var signed = list.ReadElement();
        var algorithm = list.ReadElement();
        var signature = list.ReadWholeBitString();
        list.End();

        var tbs = new DerReader(signed).ReadSequence();
        var version = ReadVersion(ref tbs);
        if (!tbs.ReadElement().Span.SequenceEqual(algorithm.Span))
        {
            throw new AsnContentException("the signature algorithm outside is not the one that was signed");
        }

        var issuer = DistinguishedName.Read(ref tbs);
        var thisUpdate = tbs.ReadTime();
        DateTimeOffset? nextUpdate = tbs.NextIs(DerReader.UtcTime) || tbs.NextIs(DerReader.GeneralizedTime) ? tbs.ReadTime() : null;
        var hasEntries = tbs.TryReadContent(DerReader.Sequence, out var entries);
        var scheme = SignatureScheme.Read(algorithm);
        var (set, hasRemovals) = (SerialNumberSet.None, false);
        byte[]? signedDigest = null;
        byte[]? digest = null;
        AsnContentException? broken = null;
        if (der.Length >= LongFrom)
        {
            Parallel.Invoke(
                TryReadEntries, () => (signedDigest, digest) = (DigestOf(signed, scheme), SHA256.HashData(der.Span)));
        }
        else
        {
            TryReadEntries();
            signedDigest = DigestOf(signed, scheme);
        }

        if (broken is not null)
        {
            ExceptionDispatchInfo.Throw(broken);
        }

        var fields = new CrlFields
        {
            RawData = der,
            Signed = signed,
            Scheme = scheme,
            Signature = signature,
            SignedDigest = signedDigest,
            Digest = digest,
            Issuer = issuer,
            ThisUpdate = thisUpdate,
            NextUpdate = nextUpdate,
            Entries = set,
            HasRemovals = hasRemovals,
        };
        ReadTail(fields, ref tbs, version);
        Check(fields);
        fields.FormProblem ??= FormProblemOf(fields, version, hasEntries);
        return new RevocationList(fields);

        void TryReadEntries()
        {
            try
            {
                set = hasEntries ? ReadEntries(entries, out hasRemovals) : set;
            }
            catch (AsnContentException exception)
            {
                broken = exception;
            }
        }
    }

    private static byte[]? DigestOf(ReadOnlyMemory<byte> signed, SignatureScheme scheme) =>
        scheme.Hash.Name is null ? null : CryptographicOperations.HashData(scheme.Hash, signed.Span);

    /// <summary>1 or 2, as in the name of the version. The field is present from version 2 on (RFC 5280 §5.1.2.1).</summary>
    private static int ReadVersion(ref DerReader tbs) => !tbs.NextIs(DerReader.Integer) ? 1
        : tbs.ReadCount() == 1 ? 2
        : throw new AsnContentException("the version is not one that revocation lists have");

    private static SerialNumberSet ReadEntries(ReadOnlyMemory<byte> entries, out bool hasRemovals)
    {
        hasRemovals = false;
        var offsets = new List<int>(entries.Length / 32);
        var usual = new UsualEntries(entries.Span);
        for (var offset = 0; offset < entries.Length;)
        {
            offsets.Add(offset);
            if (usual.TryRead(offset, out var length, out var isRemoval))
            {
                hasRemovals |= isRemoval;
                offset += length;
                continue;
            }

            var reader = new DerReader(entries[offset..]);
            hasRemovals |= RevokedEntry.Read(reader.ReadSequence()).Reason == RevocationReason.RemoveFromCrl;
            offset = entries.Length - reader.Rest.Length;
        }

        return SerialNumberSet.Build(entries, offsets);
    }

    private static void ReadTail(CrlFields fields, ref DerReader tbs, int version)
    {
        if (tbs.TryReadContent(DerReader.Context(0, constructed: true), out var content))
        {
            if (version == 1)
            {
                throw new AsnContentException("a list of version 1 has extensions");
            }

            var outer = new DerReader(content);
            var extensions = outer.ReadSequence();
            outer.End();
            ReadExtensions(fields, extensions);
        }

        tbs.End();
    }

    private static void ReadExtensions(CrlFields fields, DerReader sequence)
    {
        var seen = default(ExtensionNames);
        do
        {
            var (id, critical, value) = Extension.ReadNext(ref sequence, ref seen, MaxExtensions);
            ReadExtension(fields, id.Span, critical, ref value);
        }
        while (!sequence.IsEmpty);
    }

    private static void ReadExtension(CrlFields fields, ReadOnlySpan<byte> id, bool critical, ref DerReader value)
    {
        if (id.SequenceEqual(Oids.AuthorityKeyIdentifier))
        {
            fields.AuthorityKeyId = ExtensionReader.ReadAuthorityKeyId(value.ReadSequence());
            NoteCriticality(fields, critical, wanted: false, "the authority key identifier (RFC 5280 §5.2.1)");
        }
        else if (id.SequenceEqual(Oids.CrlNumber))
        {
            fields.Number = value.ReadInteger();
            NoteCriticality(fields, critical, wanted: false, "the CRL number (RFC 5280 §5.2.3)");
        }
        else if (id.SequenceEqual(Oids.IssuingDistributionPoint))
        {
            fields.Scope = IssuingScope.Read(value.ReadSequence());
            NoteCriticality(fields, critical, wanted: true, "the issuing distribution point (RFC 5280 §5.2.5)");
        }
        else if (id.SequenceEqual(Oids.DeltaCrlIndicator))
        {
            fields.DeltaBase = value.ReadInteger();
            NoteCriticality(fields, critical, wanted: true, "the delta CRL indicator (RFC 5280 §5.2.4)");
        }
        else if (id.SequenceEqual(Oids.FreshestCrl) || id.SequenceEqual(Oids.IssuerAltName) || id.SequenceEqual(Oids.AuthorityInformationAccess))
        {
            // They say where more information is, or further names of the issuer. Nothing is fetched, and the other names are not used.
            value.ReadSequence();
            NoteCriticality(fields, critical, wanted: false, $"extension {Oids.ToDotted(id)} (RFC 5280 §5.2)");
        }
        else
        {
            if (critical)
            {
                throw new AsnContentException($"there is the critical extension {Oids.ToDotted(id)}, which is not understood");
            }

            return;
        }

        value.End();
    }

    private static void NoteCriticality(CrlFields fields, bool critical, bool wanted, string what) =>
        fields.FormProblem ??= critical == wanted ? null : $"{what} is {(critical ? "critical" : "not critical")}";

    private static void Check(CrlFields fields)
    {
        if (fields.Issuer.IsEmpty)
        {
            throw new AsnContentException("the issuer has no name");
        }

        if (fields.NextUpdate < fields.ThisUpdate)
        {
            throw new AsnContentException("the next update lies before this one");
        }

        if (fields.Scope.IsIndirect)
        {
            throw new AsnContentException(
                "it has certificates of other issuers (an indirect CRL), which is not supported: give each issuer's own list");
        }

        if (fields.Scheme.Kind == SignatureKind.NotAccepted)
        {
            throw new AsnContentException("the signature is neither RSA or ECDSA with SHA-2 nor ML-DSA");
        }

        if (fields.HasRemovals && fields.DeltaBase.IsEmpty)
        {
            throw new AsnContentException("an entry has the reason removeFromCRL, which belongs in delta lists only");
        }

        if (!fields.DeltaBase.IsEmpty && (fields.Number.IsEmpty || fields.DeltaBase.Length > 20 || fields.DeltaBase.Span[0] >= 0x80))
        {
            throw new AsnContentException(
                "there are only the changes since another list (a delta CRL), and its number or that of the other list is missing, negative or "
                    + "longer than 20 octets");
        }

        if (!fields.Number.IsEmpty && (fields.Number.Length > 20 || fields.Number.Span[0] >= 0x80))
        {
            throw new AsnContentException("the CRL number is negative or longer than 20 octets");
        }
    }

    private static string? FormProblemOf(CrlFields fields, int version, bool hasEntries) =>
        version == 1 ? "it is of version 1 (RFC 5280 §5.1.2.1)"
        : fields.NextUpdate is null ? "it has no next update (RFC 5280 §5.1.2.5)"
        : fields.AuthorityKeyId.KeyId.IsEmpty ? "it has no authority key identifier (RFC 5280 §5.2.1)"
        : fields.Number.IsEmpty ? "it has no CRL number (RFC 5280 §5.2.3)"
        : hasEntries && fields.Entries.Count == 0 ? "it has an empty list of entries in place of none (RFC 5280 §5.1.2.6)"
        : fields.Entries.HasDuplicates ? "a serial number occurs in it twice"
        : null;
}
