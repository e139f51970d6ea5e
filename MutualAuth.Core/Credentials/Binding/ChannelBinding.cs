using System.Collections.Immutable;
using System.Formats.Asn1;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using MutualAuth.Asn1;
using MutualAuth.Certificates;
using MutualAuth.Collections;

namespace MutualAuth.Credentials;

/// <summary>What ties credentials to one channel (RFC 5056): a name that both sides know, and data that both sides compute for themselves.</summary>
public sealed record ChannelBinding
{
    // A certificate does not change, and a server shows the same one on each connection. The table keeps no certificate alive.
    private static readonly ConditionalWeakTable<Certificate, StrongBox<ChannelBinding?>> s_ofCertificates = [];

    private EquatableArray<byte> _data;

    /// <summary>Makes a binding.</summary>
    /// <param name="type">The name in the IANA registry, such as <c>tls-server-end-point</c>.</param>
    /// <param name="data">What identifies the channel. Not secret.</param>
    public ChannelBinding(string type, ImmutableArray<byte> data)
    {
        Type = type;
        Data = data;
    }

    /// <summary>The name in the IANA registry, such as <c>tls-server-end-point</c>, or one of this library's own.</summary>
    public string Type { get; init; }

    /// <summary>What identifies the channel. Not secret.</summary>
    public ImmutableArray<byte> Data
    {
        get => _data.Items;
        init => _data = new(value);
    }

    /// <summary>The name of the binding to the server's certificate (RFC 5929 §4).</summary>
    public const string TlsServerEndPoint = "tls-server-end-point";

    /// <summary>
    /// The name of this library's own binding to the server's certificate, for certificates whose signature has no hash (docs/protocol.md §12.2).
    /// </summary>
    public const string MutualAuthEndPoint = "mutualauth-end-point";

    /// <summary>
    /// Computes the binding to the server's own certificate: <c>tls-server-end-point</c> (RFC 5929 §4.1), or <c>mutualauth-end-point</c> where
    /// that is not defined because the signature uses no hash.
    /// </summary>
    /// <remarks>
    /// The hash is the one of the certificate's signature algorithm; SHA-256 where that is MD5 or SHA-1. RSASSA-PSS counts by its parameters: the
    /// hash that they name, absent meaning SHA-1, as long as the mask uses the same one. For Ed25519, Ed448 and ML-DSA, which use none, the binding
    /// is <see cref="MutualAuthEndPoint"/> with SHA-384. Everything else has no binding: a second hash in the mask, algorithms that are not known.
    /// The platform's own value is not used; on a server it hashes the client's certificate.
    /// </remarks>
    /// <returns>Null when the certificate has no hash for it. Never a binding to nothing.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="certificate"/> is null.</exception>
    public static ChannelBinding? OfServerCertificate(Certificate certificate)
    {
        ArgumentNullException.ThrowIfNull(certificate);
        return s_ofCertificates.GetValue(certificate, static certificate => new(Compute(certificate))).Value;
    }

    private static ChannelBinding? Compute(Certificate certificate) => HashOf(certificate.SignatureAlgorithm) is { } hash
        ? new ChannelBinding(TlsServerEndPoint, [.. CryptographicOperations.HashData(hash, certificate.RawData.Span)])
        : UsesNoHash(certificate.SignatureAlgorithm)
        ? new ChannelBinding(MutualAuthEndPoint, [.. SHA384.HashData(certificate.RawData.Span)])
        : null;

    /// <summary>The hash for an AlgorithmIdentifier in DER; null where the binding is undefined.</summary>
    internal static HashAlgorithmName? HashOf(ReadOnlyMemory<byte> algorithmIdentifier)
    {
        try
        {
            var sequence = new DerReader(algorithmIdentifier).ReadSequence();
            var id = sequence.ReadOid();
            return id.Span.SequenceEqual(Oids.RsaPss) ? HashOfPss(sequence) : HashOfSignature(Oids.ToDotted(id.Span));
        }
        catch (AsnContentException)
        {
            return null;
        }
    }

    /// <summary>Whether the algorithm signs the octets themselves: Ed25519, Ed448 (RFC 8410) and ML-DSA (RFC 9881), without parameters.</summary>
    internal static bool UsesNoHash(ReadOnlyMemory<byte> algorithmIdentifier)
    {
        try
        {
            var sequence = new DerReader(algorithmIdentifier).ReadSequence();
            var id = sequence.ReadOid().Span;
            return sequence.IsEmpty && (MLDsaSet.Of(id) is not null || id.SequenceEqual(Oids.Ed25519) || id.SequenceEqual(Oids.Ed448));
        }
        catch (AsnContentException)
        {
            return false;
        }
    }

    private static HashAlgorithmName? HashOfSignature(string oid) => oid switch
    {
        "1.2.840.113549.1.1.4" or "1.2.840.113549.1.1.5" or "1.2.840.10045.4.1" or "1.2.840.10040.4.3" => HashAlgorithmName.SHA256, // MD5 and SHA-1
        "1.2.840.113549.1.1.11" or "1.2.840.10045.4.3.2" or "2.16.840.1.101.3.4.3.2" => HashAlgorithmName.SHA256,
        "1.2.840.113549.1.1.12" or "1.2.840.10045.4.3.3" => HashAlgorithmName.SHA384,
        "1.2.840.113549.1.1.13" or "1.2.840.10045.4.3.4" => HashAlgorithmName.SHA512,
        _ => null,
    };

    private static HashAlgorithmName? HashOfPss(DerReader sequence)
    {
        const string Sha1 = "1.3.14.3.2.26";
        var parameters = sequence.ReadSequence();
        var hash = parameters.TryReadContent(DerReader.Context(0, constructed: true), out var hashField)
            ? ReadAlgorithm(new DerReader(hashField).ReadSequence())
            : Sha1;
        var mask = Sha1;
        if (parameters.TryReadContent(DerReader.Context(1, constructed: true), out var maskField))
        {
            var function = new DerReader(maskField).ReadSequence();
            if (!function.ReadOid().Span.SequenceEqual(Oids.Mgf1))
            {
                return null;
            }

            mask = ReadAlgorithm(function.ReadSequence());
        }

        return hash != mask ? null : hash switch
        {
            Sha1 or "1.2.840.113549.2.5" or "2.16.840.1.101.3.4.2.1" => HashAlgorithmName.SHA256,
            "2.16.840.1.101.3.4.2.2" => HashAlgorithmName.SHA384,
            "2.16.840.1.101.3.4.2.3" => HashAlgorithmName.SHA512,
            _ => null,
        };
    }

    private static string ReadAlgorithm(DerReader algorithm) => Oids.ToDotted(algorithm.ReadOid().Span);
}
