using MutualAuth.Names;

namespace MutualAuth.Certificates;

/// <summary>The fields of a certificate, passed from the reader to <see cref="Certificate"/>.</summary>
internal readonly struct CertificateFields
{
    internal required ReadOnlyMemory<byte> RawData { get; init; }

    internal required int Version { get; init; }

    internal required ReadOnlyMemory<byte> Serial { get; init; }

    internal required ReadOnlyMemory<byte> Signed { get; init; }

    internal required ReadOnlyMemory<byte> SignatureAlgorithm { get; init; }

    internal required SignatureScheme Scheme { get; init; }

    internal required ReadOnlyMemory<byte> Signature { get; init; }

    internal required DistinguishedName Issuer { get; init; }

    internal required DistinguishedName Subject { get; init; }

    internal required DateTimeOffset NotBefore { get; init; }

    internal required DateTimeOffset NotAfter { get; init; }

    internal required PublicKeyInfo PublicKey { get; init; }

    internal required CertificateExtensions Extensions { get; init; }

    internal required string? Slip { get; init; }
}
