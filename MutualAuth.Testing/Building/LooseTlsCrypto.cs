using Org.BouncyCastle.Asn1;
using Org.BouncyCastle.Math;
using Org.BouncyCastle.Tls;
using Org.BouncyCastle.Tls.Crypto;
using Org.BouncyCastle.Tls.Crypto.Impl.BC;

namespace MutualAuth.Testing.Building;

/// <summary>BouncyCastle's cryptography, which takes any octets for a certificate and every signature of a peer for right.</summary>
internal sealed class LooseTlsCrypto : BcTlsCrypto
{
    public override TlsCertificate CreateCertificate(byte[] encoding) => new OctetsOnly(encoding);

    public override TlsCertificate CreateCertificate(short type, byte[] encoding) => new OctetsOnly(encoding);
}

/// <summary>A certificate of which only the octets count, so that it may be anything.</summary>
internal sealed class OctetsOnly(byte[] octets) : TlsCertificate
{
    public BigInteger SerialNumber => throw NotRead();

    public string? SigAlgOid => null;

    public byte[] GetEncoded() => octets;

    public Asn1Encodable? GetSigAlgParams() => null;

    public byte[]? GetExtension(DerObjectIdentifier extensionOid) => null;

    public TlsEncryptor CreateEncryptor(int tlsCertificateRole) => throw NotRead();

    public TlsVerifier CreateVerifier(short signatureAlgorithm) => EverySignature.Instance;

    public Tls13Verifier CreateVerifier(int signatureScheme) => EverySignature.Instance;

    public short GetLegacySignatureAlgorithm() => -1;

    public bool SupportsSignatureAlgorithm(short signatureAlgorithm) => true;

    public bool SupportsSignatureAlgorithmCA(short signatureAlgorithm) => true;

    public TlsCertificate CheckUsageInRole(int tlsCertificateRole) => this;

    private static NotSupportedException NotRead() => new("This certificate is not read.");

    /// <summary>Finds every signature right: the key of a malformed certificate cannot be known.</summary>
    private sealed class EverySignature : TlsVerifier, TlsStreamVerifier, Tls13Verifier
    {
        internal static readonly EverySignature Instance = new();

        public Stream Stream => Stream.Null;

        public TlsStreamVerifier GetStreamVerifier(DigitallySigned digitallySigned) => this;

        public bool IsVerified() => true;

        public bool VerifyRawSignature(DigitallySigned digitallySigned, byte[] hash) => true;

        public bool VerifySignature(byte[] signature) => true;
    }
}
