using System.Formats.Asn1;
using System.Security.Cryptography;
using MutualAuth.Asn1;

namespace MutualAuth.Certificates;

/// <summary>How a signature was made.</summary>
internal enum SignatureKind
{
    /// <summary>An algorithm that this library does not accept, or does not know.</summary>
    NotAccepted,

    RsaPkcs1,

    RsaPss,

    Ecdsa,

    MLDsa44,

    MLDsa65,

    MLDsa87,
}

/// <summary>
/// An accepted signature algorithm, or the fact that it is not accepted. Beside ML-DSA only SHA-2 is accepted: no setting enables SHA-1 or MD5.
/// </summary>
/// <param name="Kind">How the signature was made.</param>
/// <param name="Hash">The hash of what was signed; none for ML-DSA, which signs the octets themselves.</param>
internal readonly record struct SignatureScheme(SignatureKind Kind, HashAlgorithmName Hash)
{
    // The arcs of known signature algorithms: PKCS #1, ANSI X9.62, ANSI X9.57 and those of OIW, which include some with SHA-1.
    private static ReadOnlySpan<byte> Pkcs1 => [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01];
    private static ReadOnlySpan<byte> AnsiEcdsa => [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04];
    private static ReadOnlySpan<byte> AnsiDsa => [0x2a, 0x86, 0x48, 0xce, 0x38, 0x04];
    private static ReadOnlySpan<byte> OiwSignatures => [0x2b, 0x0e, 0x03, 0x02];

    /// <summary>The set of ML-DSA; null for every other algorithm.</summary>
    internal MLDsaSet? MLDsa => MLDsaSet.Of(Kind);

    /// <summary>Whether the platform can verify such signatures.</summary>
    internal bool IsVerifiableHere => Kind != SignatureKind.NotAccepted && (MLDsa is null || System.Security.Cryptography.MLDsa.IsSupported);

    /// <summary>The length of the hash, or of the one as which ML-DSA counts; 0 when the algorithm is not accepted.</summary>
    internal int HashBits => MLDsa is { } set ? set.HashBits
        : Hash == HashAlgorithmName.SHA256 ? 256 : Hash == HashAlgorithmName.SHA384 ? 384 : Hash == HashAlgorithmName.SHA512 ? 512 : 0;

    /// <summary>Reads an AlgorithmIdentifier (RFC 5280 §4.1.1.2) with its parameters, which are part of the algorithm.</summary>
    internal static SignatureScheme Read(ReadOnlyMemory<byte> algorithmIdentifier) => Read(new DerReader(algorithmIdentifier));

    /// <inheritdoc cref="Read(ReadOnlyMemory{byte})"/>
    internal static SignatureScheme Read(DerReader algorithmIdentifier)
    {
        try
        {
            var sequence = algorithmIdentifier.ReadSequence();
            var id = sequence.ReadOid().Span;
            if (id.SequenceEqual(Oids.RsaPss))
            {
                return ReadPss(sequence);
            }

            var scheme = SchemeOf(id);
            if (scheme.Kind == SignatureKind.NotAccepted
                || (!sequence.IsEmpty && (scheme.Kind != SignatureKind.RsaPkcs1 || !sequence.ReadContent(DerReader.Null).IsEmpty)))
            {
                return default;
            }

            // RFC 5758 §3.2, RFC 9881 §2: ECDSA and ML-DSA have no parameters. RFC 4055 §5: RSA has NULL, and absent is to be accepted.
            sequence.End();
            return scheme;
        }
        catch (AsnContentException)
        {
            return default;
        }
    }

    /// <summary>An algorithm in words, for a rejection; never throws.</summary>
    /// <param name="algorithmIdentifier">An AlgorithmIdentifier in DER.</param>
    internal static string Describe(ReadOnlyMemory<byte> algorithmIdentifier)
    {
        try
        {
            var sequence = new DerReader(algorithmIdentifier).ReadSequence();
            var id = sequence.ReadOid().Span;
            return id.SequenceEqual(Oids.RsaPss) ? DescribePss(sequence)
                : MLDsaSet.Of(id) is { } set ? set.Name
                : $"algorithm {Oids.ToDotted(id)}";
        }
        catch (AsnContentException)
        {
            return "an algorithm that is malformed";
        }
    }

    /// <summary>Whether an algorithm that is not accepted is neither RSA nor ECDSA nor DSA; then it is unsupported rather than weak.</summary>
    /// <param name="algorithmIdentifier">An AlgorithmIdentifier in DER.</param>
    internal static bool IsOfAnotherFamily(ReadOnlyMemory<byte> algorithmIdentifier)
    {
        try
        {
            var id = new DerReader(algorithmIdentifier).ReadSequence().ReadOid().Span;
            return !id.StartsWith(Pkcs1) && !id.StartsWith(AnsiEcdsa) && !id.StartsWith(AnsiDsa) && !id.StartsWith(OiwSignatures);
        }
        catch (AsnContentException)
        {
            return false;
        }
    }

    /// <summary>Whether the algorithm is one over MD2, MD4, MD5 or SHA-1 by its identifier.</summary>
    /// <param name="algorithmIdentifier">An AlgorithmIdentifier in DER.</param>
    internal static bool IsBroken(ReadOnlyMemory<byte> algorithmIdentifier)
    {
        try
        {
            return Oids.ToDotted(new DerReader(algorithmIdentifier).ReadSequence().ReadOid().Span) is
                "1.2.840.113549.1.1.2" or "1.2.840.113549.1.1.3" or "1.2.840.113549.1.1.4" or "1.2.840.113549.1.1.5"
                or "1.2.840.10045.4.1" or "1.2.840.10040.4.3" or "1.3.14.3.2.29" or "1.3.14.3.2.27";
        }
        catch (AsnContentException)
        {
            return false;
        }
    }

    /// <summary>What is absent means SHA-1, and a salt of its length (RFC 4055 §3.1).</summary>
    private static string DescribePss(DerReader sequence)
    {
        const int SaltOfSha1 = 20;
        var parameters = sequence.IsEmpty ? default : sequence.ReadSequence();
        var hash = "SHA-1";
        if (parameters.TryReadContent(DerReader.Context(0, constructed: true), out var hashField))
        {
            var id = new DerReader(hashField).ReadSequence().ReadOid().Span;
            hash = HashOf(id).Name ?? (id.SequenceEqual(Oids.Sha1) ? "SHA-1" : Oids.ToDotted(id));
        }

        parameters.TryReadContent(DerReader.Context(1, constructed: true), out _);
        var salt = parameters.TryReadContent(DerReader.Context(2, constructed: true), out var saltField)
            ? new DerReader(saltField).ReadCount()
            : SaltOfSha1;
        return $"RSASSA-PSS with {hash} and a salt of {salt} octets";
    }

    /// <summary>The signature algorithms whose identifier is complete without parameters. Hashes are not among them.</summary>
    private static SignatureScheme SchemeOf(ReadOnlySpan<byte> id) =>
        id.SequenceEqual(Oids.RsaSha256) ? new(SignatureKind.RsaPkcs1, HashAlgorithmName.SHA256)
        : id.SequenceEqual(Oids.RsaSha384) ? new(SignatureKind.RsaPkcs1, HashAlgorithmName.SHA384)
        : id.SequenceEqual(Oids.RsaSha512) ? new(SignatureKind.RsaPkcs1, HashAlgorithmName.SHA512)
        : id.SequenceEqual(Oids.EcdsaSha256) ? new(SignatureKind.Ecdsa, HashAlgorithmName.SHA256)
        : id.SequenceEqual(Oids.EcdsaSha384) ? new(SignatureKind.Ecdsa, HashAlgorithmName.SHA384)
        : id.SequenceEqual(Oids.EcdsaSha512) ? new(SignatureKind.Ecdsa, HashAlgorithmName.SHA512)
        : MLDsaSet.Of(id) is { } set ? new(set.Signature, default)
        : default;

    /// <summary>The hashes. Signature algorithms are not among them.</summary>
    private static HashAlgorithmName HashOf(ReadOnlySpan<byte> id) =>
        id.SequenceEqual(Oids.Sha256) ? HashAlgorithmName.SHA256
        : id.SequenceEqual(Oids.Sha384) ? HashAlgorithmName.SHA384
        : id.SequenceEqual(Oids.Sha512) ? HashAlgorithmName.SHA512
        : default;

    /// <summary>RFC 4055 §3.1. Accepted are the parameters of TLS 1.3: MGF1 with the same hash, and a salt as long as the hash.</summary>
    private static SignatureScheme ReadPss(DerReader sequence)
    {
        var parameters = sequence.ReadSequence();
        sequence.End();
        if (!parameters.TryReadContent(DerReader.Context(0, constructed: true), out var hashField)
            || !parameters.TryReadContent(DerReader.Context(1, constructed: true), out var maskField)
            || !parameters.TryReadContent(DerReader.Context(2, constructed: true), out var saltField))
        {
            // The defaults mean SHA-1.
            return default;
        }

        if (parameters.TryReadContent(DerReader.Context(3, constructed: true), out var trailerField))
        {
            var trailer = parameters.Within(trailerField);
            if (trailer.ReadCount() != 1 || !trailer.IsEmpty)
            {
                return default;
            }

            trailer.Slip("a trailer field of 1, which is the default, is written out");
        }

        parameters.End();
        var hash = ReadHash(new DerReader(hashField));
        var mask = new DerReader(maskField).ReadSequence();
        if (!mask.ReadOid().Span.SequenceEqual(Oids.Mgf1) || hash.Name is null || ReadHash(mask) != hash)
        {
            return default;
        }

        var scheme = new SignatureScheme(SignatureKind.RsaPss, hash);
        return new DerReader(saltField).ReadCount() == scheme.HashBits / 8 ? scheme : default;
    }

    private static HashAlgorithmName ReadHash(DerReader reader)
    {
        var sequence = reader.ReadSequence();
        reader.End();
        var hash = sequence.ReadOid().Span;
        if (!sequence.IsEmpty && !sequence.ReadContent(DerReader.Null).IsEmpty)
        {
            return default;
        }

        sequence.End();
        return HashOf(hash);
    }
}
