namespace MutualAuth.Certificates;

/// <summary>What a qualified certificate is for (ETSI EN 319 412-5 §4.2.3).</summary>
public enum QcType
{
    /// <summary>Electronic signatures of a natural person, <c>esign</c>.</summary>
    ElectronicSignature = 1,

    /// <summary>Electronic seals of a legal person, <c>eseal</c>.</summary>
    ElectronicSeal = 2,

    /// <summary>Authentication of a web site, <c>web</c>: the certificate of a TLS peer, also of one that is a client.</summary>
    Website = 3,
}
