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
}

/// <summary>An accepted signature algorithm, or the fact that it is not accepted. Only SHA-2 is accepted: no setting enables SHA-1 or MD5.</summary>
internal readonly record struct SignatureScheme(SignatureKind Kind, HashAlgorithmName Hash)
{
    /// <summary>The length of the hash; 0 when the algorithm is not accepted.</summary>
    internal int HashBits =>
        Hash == HashAlgorithmName.SHA256 ? 256 : Hash == HashAlgorithmName.SHA384 ? 384 : Hash == HashAlgorithmName.SHA512 ? 512 : 0;

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

            // RFC 5758 §3.2: ECDSA has no parameters. RFC 4055 §5: RSA has NULL, and absent is to be accepted.
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
            return id.SequenceEqual(Oids.RsaPss) ? DescribePss(sequence) : $"algorithm {Oids.ToDotted(id)}";
        }
        catch (AsnContentException)
        {
            return "an algorithm that is malformed";
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
