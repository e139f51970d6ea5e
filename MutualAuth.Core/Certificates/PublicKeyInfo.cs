using System.Formats.Asn1;
using System.Security.Cryptography;
using MutualAuth.Asn1;
using MutualAuth.Collections;
using MutualAuth.Names;

namespace MutualAuth.Certificates;

/// <summary>The kind of a certificate's public key.</summary>
internal enum PublicKeyKind
{
    /// <summary>Malformed, or in an encoding that this library does not accept.</summary>
    NotAccepted,

    /// <summary>Of an algorithm or a named curve that this library does not support.</summary>
    NotSupported,

    Rsa,

    P256,

    P384,

    P521,

    Ed25519,

    MLDsa44,

    MLDsa65,

    MLDsa87,
}

/// <summary>The public key of a certificate (RFC 5280 §4.1.2.7): its properties, and the verification of signatures with it.</summary>
/// <remarks>
/// Importing a key costs several times as much as using it, so a key object is created at the first use and kept. Key objects are not
/// documented as safe for concurrent use: one is checked out while it is in use, and a concurrent caller creates its own.
/// </remarks>
internal sealed class PublicKeyInfo
{
    private readonly ReadOnlyMemory<byte> _modulusOrX;
    private readonly ReadOnlyMemory<byte> _exponentOrY;
    private readonly PrimeCurve? _curve;
    private int _soundness; // one word, as several threads may ask: 0 before anybody has, then 1 or -1
    private IDisposable? _idle; // an AsymmetricAlgorithm or an MLDsa
    private IDisposable? _secondIdle;
    private object? _digest; // a SpkiDigest

    private PublicKeyInfo(ReadOnlyMemory<byte> encoding, PublicKeyKind kind, string description)
    {
        Encoding = encoding;
        Kind = kind;
        Description = description;
    }

    private PublicKeyInfo(
        ReadOnlyMemory<byte> encoding,
        PublicKeyKind kind,
        string description,
        ReadOnlyMemory<byte> modulusOrX,
        ReadOnlyMemory<byte> exponentOrY,
        PrimeCurve? curve = null)
        : this(encoding, kind, description)
    {
        _curve = curve;
        _modulusOrX = modulusOrX;
        _exponentOrY = exponentOrY;
    }

    /// <summary>The SubjectPublicKeyInfo in DER.</summary>
    internal ReadOnlyMemory<byte> Encoding { get; }

    /// <summary>The SHA-256 of <see cref="Encoding"/>, by which a key is pinned or denied; computed once.</summary>
    internal SpkiDigest Digest => (SpkiDigest)(_digest ??= SpkiPin.OfSubjectPublicKeyInfo(Encoding.Span).Digest);

    internal PublicKeyKind Kind { get; }

    /// <summary>The kind as text, suitable for a rejection: it contains nothing from the peer.</summary>
    internal string Description { get; }

    /// <summary>The set of ML-DSA; null for every other kind.</summary>
    internal MLDsaSet? MLDsa => MLDsaSet.Of(Kind);

    /// <summary>Whether the platform can verify signatures by a key of this kind.</summary>
    internal bool IsVerifiableHere => Kind switch
    {
        PublicKeyKind.NotAccepted or PublicKeyKind.NotSupported or PublicKeyKind.Ed25519 => false,
        PublicKeyKind.MLDsa44 or PublicKeyKind.MLDsa65 or PublicKeyKind.MLDsa87 => System.Security.Cryptography.MLDsa.IsSupported,
        _ => true,
    };

    /// <summary>The length of an RSA modulus; 0 for other kinds.</summary>
    internal int RsaBits { get; private init; }

    /// <summary>Whether an RSA exponent is odd, at least 3, and short enough that a verification is not unusually expensive.</summary>
    internal bool HasSoundRsaExponent { get; private init; }

    /// <summary>Whether an RSA exponent is above 2^16 (FIPS 186-5 §A.1.1).</summary>
    internal bool HasLargeRsaExponent => Kind == PublicKeyKind.Rsa && _exponentOrY.Length > 2;

    /// <summary>Whether the numbers form a valid key: a point on its curve, an odd modulus. Checked once, at the first use.</summary>
    internal bool HasSoundNumbers
    {
        get
        {
            if (_soundness == 0)
            {
                _soundness = AreSound() ? 1 : -1;
            }

            return _soundness > 0;
        }
    }

    /// <summary>
    /// The cost of a check with this key, in checks with a P-256 key: measured with OpenSSL 3, which has fast code for that curve only.
    /// </summary>
    internal int CheckCost => Kind switch
    {
        PublicKeyKind.P384 or PublicKeyKind.P521 => 10,

        // The cost of a squaring is the square of the length, and there is one squaring for each bit of the exponent.
        PublicKeyKind.Rsa => Math.Max(1, (RsaBits / 1024) * (RsaBits / 1024) * (_exponentOrY.Length * 8) / 256),
        _ => MLDsa?.CheckCost ?? 1,
    };

    /// <summary>Whether this key could have made a signature of this algorithm and length; needs no cryptography.</summary>
    internal bool MayHaveSigned(SignatureScheme scheme, int signatureLength) => scheme.Kind switch
    {
        SignatureKind.RsaPkcs1 or SignatureKind.RsaPss => Kind == PublicKeyKind.Rsa && signatureLength == (RsaBits + 7) / 8,
        SignatureKind.Ecdsa => Kind is PublicKeyKind.P256 or PublicKeyKind.P384 or PublicKeyKind.P521,
        _ => scheme.MLDsa is { } set && Kind == set.Key && signatureLength == set.SignatureLength,
    };

    /// <summary>
    /// Reads a SubjectPublicKeyInfo. Its outer grammar must be valid; an invalid key inside it is kept as
    /// <see cref="PublicKeyKind.NotAccepted"/>.
    /// </summary>
    internal static PublicKeyInfo Read(ReadOnlyMemory<byte> encoding)
    {
        var info = new DerReader(encoding).ReadSequence();
        var algorithm = info.ReadSequence();
        var id = algorithm.ReadOid();
        var key = info.ReadWholeBitString();
        info.End();
        try
        {
            return id.Span.SequenceEqual(Oids.RsaEncryption) ? ReadRsa(encoding, algorithm, key)
                : id.Span.SequenceEqual(Oids.EcPublicKey) ? ReadEc(encoding, algorithm, key)
                : id.Span.SequenceEqual(Oids.Ed25519) && algorithm.IsEmpty && key.Length == 32
                ? new PublicKeyInfo(encoding, PublicKeyKind.Ed25519, "an Ed25519 key")
                : MLDsaSet.Of(id.Span) is { } set ? ReadMLDsa(encoding, set, algorithm, key)
                : new PublicKeyInfo(encoding, PublicKeyKind.NotSupported, $"a key of algorithm {Oids.NameOfKey(id.Span)}");
        }
        catch (AsnContentException)
        {
            return new PublicKeyInfo(encoding, PublicKeyKind.NotAccepted, "a malformed key");
        }
    }

    /// <summary>Whether the signature over <paramref name="data"/> was made by this key. Never throws: false if it cannot be checked.</summary>
    internal bool Verify(SignatureScheme scheme, ReadOnlySpan<byte> data, ReadOnlySpan<byte> signature)
    {
        if (scheme.HashBits == 0)
        {
            return false;
        }

        if (scheme.MLDsa is { } set)
        {
            return VerifyMLDsa(set, data, signature);
        }

        Span<byte> digest = stackalloc byte[64];
        return VerifyDigest(scheme, digest[..CryptographicOperations.HashData(scheme.Hash, data, digest)], signature);
    }

    /// <summary>
    /// Whether the signature was made by this key over data with this digest, of the hash of <paramref name="scheme"/>. Never throws.
    /// </summary>
    internal bool VerifyDigest(SignatureScheme scheme, ReadOnlySpan<byte> digest, ReadOnlySpan<byte> signature)
    {
        if (!IsVerifiableHere || MLDsa is not null || scheme.Hash.Name is null
            || (Kind == PublicKeyKind.Rsa) != (scheme.Kind is SignatureKind.RsaPkcs1 or SignatureKind.RsaPss))
        {
            return false;
        }

        IDisposable? key = null;
        try
        {
            key = Take() ?? Import();
            return key switch
            {
                RSA rsa => rsa.VerifyHash(
                    digest, signature, scheme.Hash, scheme.Kind == SignatureKind.RsaPss ? RSASignaturePadding.Pss : RSASignaturePadding.Pkcs1),
                ECDsa ecdsa when scheme.Kind == SignatureKind.Ecdsa => ecdsa.VerifyHash(digest, signature, DSASignatureFormat.Rfc3279DerSequence),
                _ => false,
            };
        }
        catch (CryptographicException)
        {
            return false;
        }
        finally
        {
            Return(key);
        }
    }

    private bool VerifyMLDsa(MLDsaSet set, ReadOnlySpan<byte> data, ReadOnlySpan<byte> signature)
    {
        if (Kind != set.Key || !IsVerifiableHere || signature.Length != set.SignatureLength)
        {
            return false;
        }

        IDisposable? key = null;
        try
        {
            key = Take() ?? Import();
            return ((System.Security.Cryptography.MLDsa)key).VerifyData(data, signature); // no context (RFC 9881 §3)
        }
        catch (CryptographicException)
        {
            return false;
        }
        finally
        {
            Return(key);
        }
    }

    private bool AreSound() => Kind == PublicKeyKind.Rsa
        ? !_modulusOrX.IsEmpty && (_modulusOrX.Span[^1] & 1) == 1
        : _curve is null || _curve.Contains(_modulusOrX.Span, _exponentOrY.Span);

    private static PublicKeyInfo ReadRsa(ReadOnlyMemory<byte> encoding, DerReader algorithm, ReadOnlyMemory<byte> key)
    {
        // RFC 3279 §2.3.1: the parameters are NULL.
        if (!algorithm.ReadContent(DerReader.Null).IsEmpty)
        {
            throw new AsnContentException("NULL has contents");
        }

        algorithm.End();
        var outer = new DerReader(key);
        var pair = outer.ReadSequence();
        outer.End();
        var modulus = Unsigned(pair.ReadInteger());
        var exponent = Unsigned(pair.ReadInteger());
        pair.End();
        var bits = modulus.IsEmpty ? 0 : (modulus.Length * 8) - System.Numerics.BitOperations.LeadingZeroCount((uint)modulus.Span[0] << 24);
        return new PublicKeyInfo(encoding, PublicKeyKind.Rsa, $"an RSA key of {bits} bits", modulus, exponent)
        {
            RsaBits = bits,
            HasSoundRsaExponent = exponent.Length is > 0 and <= 8 && (exponent.Span[^1] & 1) == 1 && (exponent.Length > 1 || exponent.Span[0] >= 3),
        };
    }

    private static PublicKeyInfo ReadEc(ReadOnlyMemory<byte> encoding, DerReader algorithm, ReadOnlyMemory<byte> key)
    {
        if (!algorithm.NextIs(DerReader.ObjectIdentifier))
        {
            return new PublicKeyInfo(encoding, PublicKeyKind.NotAccepted, "an elliptic curve key whose curve is not named");
        }

        var curve = algorithm.ReadOid();
        algorithm.End();
        var (kind, size, name, equation) = curve.Span.SequenceEqual(Oids.P256) ? (PublicKeyKind.P256, 32, "a P-256 key", PrimeCurve.P256)
            : curve.Span.SequenceEqual(Oids.P384) ? (PublicKeyKind.P384, 48, "a P-384 key", PrimeCurve.P384)
            : curve.Span.SequenceEqual(Oids.P521) ? (PublicKeyKind.P521, 66, "a P-521 key", PrimeCurve.P521)
            : (PublicKeyKind.NotSupported, 0, $"a key on the curve {Oids.NameOfKey(curve.Span)}", null);
        if (kind == PublicKeyKind.NotSupported)
        {
            return new PublicKeyInfo(encoding, kind, name);
        }

        // RFC 5480 §2.2: the uncompressed form must be supported, and is the only one in use.
        return key.Length == 1 + (2 * size) && key.Span[0] == 4
            ? new PublicKeyInfo(encoding, kind, name, key.Slice(1, size), key[(1 + size)..], equation)
            : new PublicKeyInfo(encoding, PublicKeyKind.NotAccepted, "an elliptic curve key whose point is not in the uncompressed form");
    }

    /// <summary>RFC 9881 §2, §4: no parameters, and the octets of the key itself in the bit string.</summary>
    private static PublicKeyInfo ReadMLDsa(ReadOnlyMemory<byte> encoding, MLDsaSet set, DerReader algorithm, ReadOnlyMemory<byte> key) =>
        !algorithm.IsEmpty ? new PublicKeyInfo(encoding, PublicKeyKind.NotAccepted, $"an {set.Name} key with parameters")
        : key.Length != set.KeyLength
        ? new PublicKeyInfo(encoding, PublicKeyKind.NotAccepted, $"an {set.Name} key that is not {set.KeyLength} octets long")
        : new PublicKeyInfo(encoding, set.Key, $"an {set.Name} key", key, default);

    /// <summary>The magnitude of an INTEGER; empty when it is not above zero.</summary>
    private static ReadOnlyMemory<byte> Unsigned(ReadOnlyMemory<byte> integer)
    {
        var octets = integer.Span;
        return octets[0] >= 0x80 || (octets.Length == 1 && octets[0] == 0) ? default : octets[0] == 0 ? integer[1..] : integer;
    }

    private IDisposable Import() => MLDsa is { } set
        ? System.Security.Cryptography.MLDsa.ImportMLDsaPublicKey(set.Algorithm, _modulusOrX.Span)
        : Kind == PublicKeyKind.Rsa
        ? RSA.Create(new RSAParameters { Modulus = _modulusOrX.ToArray(), Exponent = _exponentOrY.ToArray() })
        : Kind is PublicKeyKind.P384 or PublicKeyKind.P521 && OperatingSystem.IsLinux()
        ? HasSoundNumbers ? CertifiedKey.Import(Encoding) : throw new CryptographicException("The point is not on its curve.")
        : ECDsa.Create(new ECParameters
        {
            Curve = Kind switch
            {
                PublicKeyKind.P256 => ECCurve.NamedCurves.nistP256,
                PublicKeyKind.P384 => ECCurve.NamedCurves.nistP384,
                _ => ECCurve.NamedCurves.nistP521,
            },
            Q = new ECPoint { X = _modulusOrX.ToArray(), Y = _exponentOrY.ToArray() },
        });

    private IDisposable? Take() => Interlocked.Exchange(ref _idle, null) ?? Interlocked.Exchange(ref _secondIdle, null);

    private void Return(IDisposable? key)
    {
        if (key is not null
            && (CacheSize.Limit < 1 || Interlocked.CompareExchange(ref _idle, key, null) is not null)
            && (CacheSize.Limit < 2 || Interlocked.CompareExchange(ref _secondIdle, key, null) is not null))
        {
            key.Dispose();
        }
    }
}
