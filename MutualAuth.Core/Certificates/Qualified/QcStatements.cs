using System.Collections.Immutable;

namespace MutualAuth.Certificates;

/// <summary>The statements of a qualified certificate: the extension qcStatements (RFC 3739 §3.2.6, ETSI EN 319 412-5, ETSI TS 119 495).</summary>
/// <remarks>
/// Immutable. They are the word of the authority that issued the certificate: whether that is a qualified trust service provider is said by the trust
/// anchors that you choose, and by no statement. Read strictly and as a whole: one statement of a known type that is malformed, or any statement that
/// stands there twice, and there are no statements at all.
/// </remarks>
public sealed class QcStatements
{
    internal QcStatements()
    {
    }

    /// <summary>
    /// Whether it says that the certificate is qualified, <c>QcCompliance</c>; by the law of the European Union unless <see cref="Legislation"/>
    /// says otherwise.
    /// </summary>
    public bool IsCompliant { get; internal set; }

    /// <summary>Whether it says that the private key is in a qualified device, <c>QcSSCD</c>.</summary>
    public bool KeyIsInQualifiedDevice { get; internal set; }

    /// <summary>What the certificate is for, <c>QcType</c>, as far as the types are known; empty where it does not say.</summary>
    public ImmutableArray<QcType> Types { get; internal set; } = [];

    /// <summary>The countries by whose law it is qualified, <c>QcCClegislation</c>, as two capital letters; empty for the European Union.</summary>
    public ImmutableArray<string> Legislation { get; internal set; } = [];

    /// <summary>What it says about a payment service provider; null where it says nothing.</summary>
    public Psd2Statement? Psd2 { get; internal set; }

    /// <summary>The types of all statements, known and unknown, as dotted object identifiers, in order.</summary>
    public ImmutableArray<string> Identifiers { get; internal set; } = [];
}
