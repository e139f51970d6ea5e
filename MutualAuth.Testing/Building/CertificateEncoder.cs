using System.Numerics;
using System.Security.Cryptography;
using Org.BouncyCastle.Asn1;
using Org.BouncyCastle.Asn1.X509;
using BcInteger = Org.BouncyCastle.Math.BigInteger;

namespace MutualAuth.Testing.Building;

/// <summary>Who signs: a name, a key, and the identifier by which certificates refer to that key.</summary>
internal sealed record Issuer(Asn1Encodable Name, TestKey Key, byte[]? KeyIdentifier);

/// <summary>
/// Writes a specification down as DER, part by part and unchecked; BouncyCastle's own generator would refuse some of what a test wants.
/// <code>
/// Certificate  ::= SEQUENCE { tbsCertificate TBSCertificate, signatureAlgorithm AlgorithmIdentifier, signature BIT STRING }   (RFC 5280 §4.1)
/// </code>
/// </summary>
internal static class CertificateEncoder
{
    internal static byte[] Encode(CertificateSpec spec, TestKey key, BigInteger serial, Issuer issuer)
    {
        var signingKey = spec.SigningKey ?? issuer.Key;
        var algorithm = spec.SignatureAlgorithm ?? Signing.DefaultFor(signingKey.Algorithm);

        var parts = new Asn1EncodableVector();
        if (spec.Version is not 1)
        {
            parts.Add(new DerTaggedObject(true, 0, DerInteger.ValueOf((spec.Version ?? 3) - 1)));
        }

        parts.Add(ToDer(serial));
        parts.Add(Signing.IdentifierOf(spec.InnerSignatureAlgorithm ?? algorithm));
        parts.Add(spec.Issuer is { } name ? Dn.Parse(name) : issuer.Name);
        parts.Add(new DerSequence(ToTime(spec.NotBefore), ToTime(spec.NotAfter)));
        parts.Add(SubjectOf(spec));
        parts.Add(Asn1Object.FromByteArray((spec.RawPublicKey ?? key.SubjectPublicKeyInfo).ToArray()));
        if (ExtensionEncoder.Encode(spec, key, issuer) is { Count: > 0 } extensions)
        {
            parts.Add(new DerTaggedObject(true, 3, extensions));
        }

        var tbs = new DerSequence(parts).GetDerEncoded();
        return Seal(spec.RewriteTbs?.Invoke(tbs) ?? tbs, signingKey, algorithm, spec.CorruptSignature, spec.RewriteCertificate);
    }

    /// <summary>Signs a to-be-signed part and wraps it: certificates, CRLs and OCSP responses have the same shape, the last with a trailer.</summary>
    internal static byte[] Seal(
        byte[] tbs, TestKey key, SignatureAlgorithm algorithm, bool corrupt, Func<byte[], byte[]>? rewrite, byte[]? trailer = null)
    {
        var signature = Signing.Sign(key, algorithm, tbs);
        if (corrupt)
        {
            signature[^1] ^= 0x01;
        }

        // The signed octets go out as they are: a rewritten part need not be DER.
        byte[] content =
            [.. tbs, .. Signing.IdentifierOf(algorithm).GetDerEncoded(), .. new DerBitString(signature).GetDerEncoded(), .. trailer ?? []];
        byte[] whole = [0x30, .. LengthOf(content.Length), .. content];
        return rewrite?.Invoke(whole) ?? whole;
    }

    internal static Asn1Encodable SubjectOf(CertificateSpec spec) =>
        spec.RawSubject is { } raw ? Asn1Object.FromByteArray(raw.ToArray()) : Dn.Parse(spec.Subject);

    /// <summary>RFC 5280 §4.2.1.2 (1): the SHA-1 digest of the public key's bit string.</summary>
    internal static byte[] KeyIdentifierOf(TestKey key)
    {
        var info = SubjectPublicKeyInfo.GetInstance(Asn1Object.FromByteArray(key.SubjectPublicKeyInfo.ToArray()));
#pragma warning disable CA5350 // An identifier, not a protection.
        return SHA1.HashData(info.PublicKey.GetBytes());
#pragma warning restore CA5350
    }

    /// <summary>The same of the public key that a certificate has, which need not be that of <paramref name="key"/>, nor be well-formed.</summary>
    internal static byte[] KeyIdentifierOf(CertificateSpec spec, TestKey key)
    {
        if (spec.RawPublicKey is not { } raw)
        {
            return KeyIdentifierOf(key);
        }

        try
        {
            return KeyIdentifierOf(TestKey.FromPublicKey(raw.Span));
        }
        catch (ArgumentException)
        {
            return KeyIdentifierOf(key);
        }
    }

    internal static DerInteger ToDer(BigInteger value) => new(new BcInteger(value.ToByteArray(isUnsigned: false, isBigEndian: true)));

    internal static Time ToTime(DateTimeOffset time) => new(time.UtcDateTime.AddTicks(-(time.UtcTicks % TimeSpan.TicksPerSecond)));

    private static byte[] LengthOf(int length) => length switch
    {
        < 0x80 => [(byte)length],
        < 0x100 => [0x81, (byte)length],
        < 0x10000 => [0x82, (byte)(length >> 8), (byte)length],
        < 0x1000000 => [0x83, (byte)(length >> 16), (byte)(length >> 8), (byte)length],
        _ => [0x84, (byte)(length >> 24), (byte)(length >> 16), (byte)(length >> 8), (byte)length],
    };
}
