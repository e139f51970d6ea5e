using System.Security.Cryptography.X509Certificates;
using MutualAuth.Testing.Revocation;
using Org.BouncyCastle.Asn1;
using Org.BouncyCastle.Asn1.X509;
using DistributionPoint = MutualAuth.Testing.Revocation.IssuingDistributionPoint;

namespace MutualAuth.Testing.Building;

/// <summary>
/// Writes a CRL specification down as DER, unchecked.
/// <code>
/// TBSCertList ::= SEQUENCE { version INTEGER, signature AlgorithmIdentifier, issuer Name, thisUpdate Time, nextUpdate Time OPTIONAL,
///     revokedCertificates SEQUENCE OF … OPTIONAL, crlExtensions [0] EXPLICIT Extensions OPTIONAL }   (RFC 5280 §5.1)
/// </code>
/// </summary>
internal static class CrlEncoder
{
    internal static byte[] Encode(CrlSpec spec, Issuer issuer)
    {
        var signingKey = spec.SigningKey ?? issuer.Key;
        var algorithm = spec.SignatureAlgorithm ?? Signing.DefaultFor(signingKey.Algorithm);

        var parts = new Asn1EncodableVector();
        parts.Add(DerInteger.ValueOf(1));
        parts.Add(Signing.IdentifierOf(algorithm));
        parts.Add(spec.Issuer is { } name ? Dn.Parse(name) : issuer.Name);
        parts.Add(CertificateEncoder.ToTime(spec.ThisUpdate));
        if (spec.NextUpdate is { } nextUpdate)
        {
            parts.Add(CertificateEncoder.ToTime(nextUpdate));
        }

        if (spec.Revoked.Count > 0)
        {
            parts.Add(Der.Sequence(spec.Revoked.Select(EntryOf)));
        }

        if (ExtensionsOf(spec, issuer) is { Count: > 0 } extensions)
        {
            parts.Add(new DerTaggedObject(true, 0, extensions));
        }

        var tbs = new DerSequence(parts).GetDerEncoded();
        return CertificateEncoder.Seal(spec.RewriteTbs?.Invoke(tbs) ?? tbs, signingKey, algorithm, spec.CorruptSignature, rewrite: null);
    }

    private static DerSequence EntryOf(RevokedCertificate revoked)
    {
        var extensions = new Asn1EncodableVector();
        if (revoked.Reason != X509RevocationReason.Unspecified)
        {
            extensions.Add(ExtensionEncoder.Wrap(X509Extensions.ReasonCode.Id, false, new DerEnumerated((int)revoked.Reason).GetDerEncoded()));
        }

        if (revoked.CertificateIssuer is { } issuer)
        {
            extensions.Add(ExtensionEncoder.Wrap(
                X509Extensions.CertificateIssuer.Id, true, new DerSequence(GeneralName.Directory(issuer).Encoding).GetDerEncoded()));
        }

        foreach (var extension in revoked.Extensions)
        {
            extensions.Add(ExtensionEncoder.Wrap(extension));
        }

        var serial = CertificateEncoder.ToDer(revoked.SerialNumber);
        var at = CertificateEncoder.ToTime(revoked.At);
        return extensions.Count == 0 ? new DerSequence(serial, at) : new DerSequence(serial, at, new DerSequence(extensions));
    }

    private static DerSequence ExtensionsOf(CrlSpec spec, Issuer issuer)
    {
        var extensions = new Asn1EncodableVector();
        void Add(DerObjectIdentifier oid, bool critical, Asn1Encodable value) =>
            extensions.Add(ExtensionEncoder.Wrap(oid.Id, critical, value.GetEncoded(Asn1Encodable.Der)));

        if (spec.AuthorityKeyIdentifier.Resolve(issuer.KeyIdentifier) is { } identifier)
        {
            Add(X509Extensions.AuthorityKeyIdentifier, false, new DerSequence(new DerTaggedObject(false, 0, new DerOctetString(identifier))));
        }

        if (spec.Number is { } number)
        {
            Add(X509Extensions.CrlNumber, false, CertificateEncoder.ToDer(number));
        }

        if (spec.DeltaBase is { } deltaBase)
        {
            Add(X509Extensions.DeltaCrlIndicator, true, CertificateEncoder.ToDer(deltaBase));
        }

        if (spec.IssuingDistributionPoint is { } point)
        {
            Add(X509Extensions.IssuingDistributionPoint, true, DistributionPointOf(point));
        }

        if (spec.FreshestCrlUris.Count > 0)
        {
            Add(X509Extensions.FreshestCrl, false, Der.Sequence(spec.FreshestCrlUris.Select(ExtensionEncoder.DistributionPointOf)));
        }

        foreach (var extension in spec.Extensions)
        {
            extensions.Add(ExtensionEncoder.Wrap(extension));
        }

        return new DerSequence(extensions);
    }

    private static DerSequence DistributionPointOf(DistributionPoint point)
    {
        var parts = new Asn1EncodableVector();
        void Flag(int tag, bool set)
        {
            if (set)
            {
                parts.Add(new DerTaggedObject(false, tag, DerBoolean.True));
            }
        }

        if (point.Uri is { } uri)
        {
            parts.Add(ExtensionEncoder.PointNameOf(uri));
        }

        Flag(1, point.OnlyEndEntities);
        Flag(2, point.OnlyAuthorities);
        if (point.OnlySomeReasons is { } reasons)
        {
            parts.Add(new DerTaggedObject(false, 3, new ReasonFlags(reasons)));
        }

        Flag(4, point.Indirect);
        Flag(5, point.OnlyAttributeCertificates);
        return new DerSequence(parts);
    }
}
