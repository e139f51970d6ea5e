using System.Formats.Asn1;
using System.Globalization;
using MutualAuth.Asn1;

namespace MutualAuth.Revocation;

/// <summary>Since when, and why, a certificate is revoked (RFC 5280 §5.1.2.6, §5.3).</summary>
internal readonly record struct RevokedEntry(DateTimeOffset Since, RevocationReason Reason)
{
    private const int MaxSerialLength = 127;
    private const int MaxExtensions = 16;

    /// <summary>Reads the contents of one entry; throws <see cref="AsnContentException"/> when its list cannot be used.</summary>
    internal static RevokedEntry Read(DerReader entry)
    {
        if (entry.ReadInteger().Length > MaxSerialLength)
        {
            throw new AsnContentException("a serial number is longer than 127 octets");
        }

        var since = entry.ReadTime();
        var reason = entry.IsEmpty ? RevocationReason.Unspecified : ReadExtensions(entry.ReadSequence());
        entry.End();
        return new RevokedEntry(since, reason);
    }

    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture, $"revoked since {Since.UtcDateTime:yyyy-MM-dd'T'HH:mm:ss'Z'}, reason {Reason.ToText()}");

    /// <summary>Reads a reason code, which must exist (RFC 5280 §5.3.1).</summary>
    private static RevocationReason ReadReason(ref DerReader reader)
    {
        var reason = (RevocationReason)reader.ReadCount(DerReader.Enumerated);
        return Enum.IsDefined(reason) ? reason : throw new AsnContentException("an entry has a reason that does not exist");
    }

    private static RevocationReason ReadExtensions(DerReader extensions)
    {
        var reason = RevocationReason.Unspecified;
        var seen = default(ExtensionNames);
        do
        {
            var (id, critical, value) = Extension.ReadNext(ref extensions, ref seen, MaxExtensions);
            if (id.Span.SequenceEqual(Oids.ReasonCode))
            {
                reason = ReadReason(ref value);
                value.End();
            }
            else if (id.Span.SequenceEqual(Oids.CertificateIssuer))
            {
                throw new AsnContentException("an entry names the issuer of its certificate, as only indirect lists do");
            }
            else if (id.Span.SequenceEqual(Oids.InvalidityDate))
            {
                value.ReadContent(DerReader.GeneralizedTime);
                value.End();
            }
            else if (critical)
            {
                throw new AsnContentException($"an entry has the critical extension {Oids.ToDotted(id.Span)}, which is not understood");
            }
        }
        while (!extensions.IsEmpty);
        return reason;
    }
}

/// <summary>Why a certificate is revoked, by the numbers of RFC 5280 §5.3.1.</summary>
internal enum RevocationReason
{
    Unspecified = 0,
    KeyCompromise = 1,
    AuthorityCompromise = 2,
    AffiliationChanged = 3,
    Superseded = 4,
    CessationOfOperation = 5,
    CertificateHold = 6,
    RemoveFromCrl = 8,
    PrivilegeWithdrawn = 9,
    AttributeAuthorityCompromise = 10,
}

internal static class RevocationReasons
{
    /// <summary>The name that RFC 5280 gives the reason.</summary>
    internal static string ToText(this RevocationReason reason) => reason switch
    {
        RevocationReason.KeyCompromise => "keyCompromise",
        RevocationReason.AuthorityCompromise => "cACompromise",
        RevocationReason.AffiliationChanged => "affiliationChanged",
        RevocationReason.Superseded => "superseded",
        RevocationReason.CessationOfOperation => "cessationOfOperation",
        RevocationReason.CertificateHold => "certificateHold",
        RevocationReason.RemoveFromCrl => "removeFromCRL",
        RevocationReason.PrivilegeWithdrawn => "privilegeWithdrawn",
        RevocationReason.AttributeAuthorityCompromise => "aACompromise",
        _ => "unspecified",
    };
}
