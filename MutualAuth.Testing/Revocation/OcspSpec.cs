namespace MutualAuth.Testing.Revocation;

/// <summary>Everything that an OCSP response says (RFC 6960 §4.2). Change what you like with <c>with</c>; nothing is checked.</summary>
/// <remarks>Immutable. The authority fills in the answers from what it has issued and revoked.</remarks>
public sealed record OcspSpec
{
    /// <summary>
    /// The response status; anything but 0 (<c>successful</c>) makes a response of that number alone: 1 malformedRequest, 3 tryLater, 6
    /// unauthorized.
    /// </summary>
    public int ResponseStatus { get; init; }

    /// <summary>The answers.</summary>
    public IReadOnlyList<OcspAnswer> Answers { get; init; } = [];

    /// <summary>When it was signed. Default: the authority's now.</summary>
    public DateTimeOffset ProducedAt { get; init; }

    /// <summary>The delegated responder whose key signs and whose certificate is sent along; null for the authority itself. Not owned.</summary>
    public TestCertificate? Responder { get; init; }

    /// <summary>Whether the responder's certificate is sent along. Default: true, which matters only with <see cref="Responder"/>.</summary>
    public bool IncludeResponderCertificate { get; init; } = true;

    /// <summary>Whether the responder is named by the digest of its key in place of its subject. Default: false.</summary>
    public bool ResponderByKey { get; init; }

    /// <summary>The nonce (RFC 9654); null sends none.</summary>
    public ReadOnlyMemory<byte>? Nonce { get; init; }

    /// <summary>Extensions of the response.</summary>
    public IReadOnlyList<CertificateExtension> Extensions { get; init; } = [];

    /// <summary>The signature algorithm; null for the usual one of the key that signs.</summary>
    public SignatureAlgorithm? SignatureAlgorithm { get; init; }

    /// <summary>A key to sign with in place of the responder's: a forgery.</summary>
    public TestKey? SigningKey { get; init; }

    /// <summary>Flips one bit of the signature.</summary>
    public bool CorruptSignature { get; init; }
}
