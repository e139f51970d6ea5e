using Org.BouncyCastle.Asn1;
using Org.BouncyCastle.Asn1.Nist;
using Org.BouncyCastle.Asn1.Ocsp;
using Org.BouncyCastle.Asn1.Oiw;
using Org.BouncyCastle.Asn1.X509;
using Org.BouncyCastle.Security;
using BcInteger = Org.BouncyCastle.Math.BigInteger;

namespace MutualAuth.Testing.Tests.Support;

/// <summary>An OCSPRequest (RFC 6960 §4.1.1) as a test wants it, right or wrong.</summary>
internal sealed class OcspQuestion(TestAuthority authority)
{
    private readonly Asn1EncodableVector _requests = [];
    private readonly Asn1EncodableVector _extensions = [];

    internal static DerObjectIdentifier Nonce => OcspObjectIdentifiers.PkixOcspNonce;

    internal static byte[] About(TestAuthority authority, TestCertificate certificate) => new OcspQuestion(authority).Ask(certificate).Encode();

    internal OcspQuestion Ask(TestCertificate certificate) => Ask(certificate, OiwObjectIdentifiers.IdSha1);

    internal OcspQuestion AskBySha256(TestCertificate certificate) => Ask(certificate, NistObjectIdentifiers.IdSha256);

    /// <param name="hash">The digest that the CertID names; one that does not exist gets digests of 20 octets.</param>
    /// <param name="parameters">The parameters of the digest's algorithm; null for NULL.</param>
    /// <param name="issuerName">The name that the CertID names in DER; null for the authority's.</param>
    internal OcspQuestion Ask(
        TestCertificate certificate,
        DerObjectIdentifier hash,
        Asn1Encodable? parameters = null,
        Asn1Encodable? extension = null,
        byte[]? issuerName = null)
    {
        var issuer = X509CertificateStructure.GetInstance(Asn1Object.FromByteArray(authority.AsCertificate.RawCertificate.ToArray()));
        var id = new CertID(
            new AlgorithmIdentifier(hash, parameters ?? DerNull.Instance),
            new DerOctetString(Digest(hash, issuerName ?? issuer.Subject.GetDerEncoded())),
            new DerOctetString(Digest(hash, issuer.SubjectPublicKeyInfo.PublicKey.GetBytes())),
            new DerInteger(new BcInteger(certificate.SerialNumber.ToString(null, null))));
        _requests.Add(extension is null ? new DerSequence(id) : new DerSequence(id, new DerTaggedObject(true, 0, new DerSequence(extension))));
        return this;
    }

    internal OcspQuestion WithNonce(byte[] nonce, bool critical = false) =>
        With(Extension(Nonce, new DerOctetString(nonce).GetDerEncoded(), critical));

    internal OcspQuestion With(Asn1Encodable extension)
    {
        _extensions.Add(extension);
        return this;
    }

    internal static Asn1Encodable Extension(DerObjectIdentifier oid, byte[] value, bool critical) => critical
        ? new DerSequence(oid, DerBoolean.True, new DerOctetString(value))
        : new DerSequence(oid, new DerOctetString(value));

    internal byte[] Encode(int version = 0)
    {
        var parts = new Asn1EncodableVector();
        if (version != 0)
        {
            parts.Add(new DerTaggedObject(true, 0, DerInteger.ValueOf(version)));
        }

        parts.Add(new DerSequence(_requests));
        if (_extensions.Count > 0)
        {
            parts.Add(new DerTaggedObject(true, 2, new DerSequence(_extensions)));
        }

        return new DerSequence(new DerSequence(parts)).GetDerEncoded();
    }

    private static byte[] Digest(DerObjectIdentifier hash, byte[] octets)
    {
        try
        {
            return DigestUtilities.CalculateDigest(hash, octets);
        }
        catch (SecurityUtilityException)
        {
            return new byte[20];
        }
    }
}
