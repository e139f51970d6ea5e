using System.Security.Cryptography.X509Certificates;
using Org.BouncyCastle.Asn1;
using Org.BouncyCastle.Asn1.X509;

namespace MutualAuth.Testing.Building;

/// <summary>Writes the extensions of a specification: only what it names, in a fixed order, its own ones last.</summary>
internal static class ExtensionEncoder
{
    internal static DerSequence Encode(CertificateSpec spec, TestKey key, Issuer issuer)
    {
        var extensions = new Asn1EncodableVector();
        void Add(DerObjectIdentifier oid, bool critical, Asn1Encodable value) =>
            extensions.Add(Wrap(oid.Id, critical, value.GetEncoded(Asn1Encodable.Der)));

        if (spec.BasicConstraints is { } constraints)
        {
            Add(X509Extensions.BasicConstraints, constraints.Critical, BasicConstraintsOf(constraints));
        }

        if (spec.SubjectKeyIdentifier.Resolve(CertificateEncoder.KeyIdentifierOf(spec, key)) is { } subjectKeyIdentifier)
        {
            Add(X509Extensions.SubjectKeyIdentifier, false, new DerOctetString(subjectKeyIdentifier));
        }

        if (spec.AuthorityKeyIdentifier.Resolve(issuer.KeyIdentifier) is { } authorityKeyIdentifier)
        {
            Add(
                X509Extensions.AuthorityKeyIdentifier,
                false,
                new DerSequence(new DerTaggedObject(false, 0, new DerOctetString(authorityKeyIdentifier))));
        }

        if (spec.KeyUsage is { } keyUsage)
        {
            Add(X509Extensions.KeyUsage, true, KeyUsageOf(keyUsage));
        }

        if (spec.ExtendedKeyUsages.Count > 0)
        {
            Add(X509Extensions.ExtendedKeyUsage, false, Der.Sequence([.. spec.ExtendedKeyUsages.Select(oid => new DerObjectIdentifier(oid))]));
        }

        if (NamesOf(spec) is { Count: > 0 } names)
        {
            var critical = spec.NamesCritical ?? (spec.RawSubject is null && spec.Subject.Length == 0);
            Add(X509Extensions.SubjectAlternativeName, critical, names);
        }

        if (spec.NameConstraints is { } nameConstraints)
        {
            Add(X509Extensions.NameConstraints, nameConstraints.Critical, NameConstraintsOf(nameConstraints));
        }

        if (spec.Policies.Count > 0)
        {
            Add(
                X509Extensions.CertificatePolicies,
                false,
                Der.Sequence([.. spec.Policies.Select(oid => new DerSequence(new DerObjectIdentifier(oid)))]));
        }

        if (spec.CrlDistributionPoints.Count > 0)
        {
            Add(X509Extensions.CrlDistributionPoints, false, Der.Sequence([.. spec.CrlDistributionPoints.Select(DistributionPointOf)]));
        }

        if (spec.OcspUris.Count + spec.IssuerUris.Count > 0)
        {
            Add(X509Extensions.AuthorityInfoAccess, false, Der.Sequence([
                .. spec.OcspUris.Select(uri => new DerSequence(AccessDescription.IdADOcsp, GeneralName.Uri(uri).Encoding)),
                .. spec.IssuerUris.Select(uri => new DerSequence(AccessDescription.IdADCAIssuers, GeneralName.Uri(uri).Encoding))]));
        }

        foreach (var extension in spec.Extensions)
        {
            extensions.Add(Wrap(extension));
        }

        return new DerSequence(extensions);
    }

    /// <summary><c>Extension ::= SEQUENCE { extnID OBJECT IDENTIFIER, critical BOOLEAN DEFAULT FALSE, extnValue OCTET STRING }</c></summary>
    internal static DerSequence Wrap(string oid, bool critical, byte[] value) => critical
        ? new DerSequence(new DerObjectIdentifier(oid), DerBoolean.True, new DerOctetString(value))
        : new DerSequence(new DerObjectIdentifier(oid), new DerOctetString(value));

    internal static DerSequence Wrap(CertificateExtension extension) => Wrap(extension.Oid, extension.Critical, extension.Value.ToArray());

    internal static DerSequence NamesOf(CertificateSpec spec) => Der.Sequence([
        .. spec.DnsNames.Select(name => GeneralName.Dns(name).Encoding),
        .. spec.IPAddresses.Select(address => GeneralName.Address(address).Encoding),
        .. spec.Uris.Select(uri => GeneralName.Uri(uri).Encoding),
        .. spec.EmailAddresses.Select(address => GeneralName.Email(address).Encoding),
        .. spec.OtherNames.Select(name => name.Encoding)]);

    // The path length is written even where cA is false, which RFC 5280 §4.2.1.9 forbids and a test may want.
    private static DerSequence BasicConstraintsOf(BasicConstraints constraints) => (constraints.IsAuthority, constraints.PathLength) switch
    {
        (true, { } length) => new DerSequence(DerBoolean.True, DerInteger.ValueOf(length)),
        (true, null) => new DerSequence(DerBoolean.True),
        (false, { } length) => new DerSequence(DerInteger.ValueOf(length)),
        (false, null) => DerSequence.Empty,
    };

    // The framework keeps the first octet of the bit string in the low byte and decipherOnly in the second one: so does BouncyCastle.
    private static KeyUsage KeyUsageOf(X509KeyUsageFlags flags) => new((int)flags);

    private static DerSequence NameConstraintsOf(NameConstraints constraints)
    {
        var parts = new Asn1EncodableVector();
        if (constraints.Permitted.Count > 0)
        {
            parts.Add(new DerTaggedObject(false, 0, SubtreesOf(constraints.Permitted)));
        }

        if (constraints.Excluded.Count > 0)
        {
            parts.Add(new DerTaggedObject(false, 1, SubtreesOf(constraints.Excluded)));
        }

        return new DerSequence(parts);
    }

    private static DerSequence SubtreesOf(IReadOnlyList<GeneralName> names) =>
        Der.Sequence([.. names.Select(name => new DerSequence(name.Encoding))]);

    internal static DerSequence DistributionPointOf(string uri) => new(PointNameOf(uri));

    /// <summary><c>distributionPoint [0] DistributionPointName</c> with <c>fullName [0] GeneralNames</c> of one URI.</summary>
    internal static DerTaggedObject PointNameOf(string uri) =>
        new(true, 0, new DerTaggedObject(false, 0, new DerSequence(GeneralName.Uri(uri).Encoding)));
}
