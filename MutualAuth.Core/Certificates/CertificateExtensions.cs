using System.Collections.Immutable;
using System.Security.Cryptography.X509Certificates;

namespace MutualAuth.Certificates;

/// <summary>The extensions that this library understands, so that one of them may be critical.</summary>
[Flags]
internal enum KnownExtension
{
    None = 0,
    SubjectKeyIdentifier = 1 << 0,
    AuthorityKeyIdentifier = 1 << 1,
    KeyUsage = 1 << 2,
    ExtendedKeyUsage = 1 << 3,
    BasicConstraints = 1 << 4,
    NameConstraints = 1 << 5,
    SubjectAltName = 1 << 6,
    IssuerAltName = 1 << 7,
    CertificatePolicies = 1 << 8,
    PolicyMappings = 1 << 9,
    PolicyConstraints = 1 << 10,
    InhibitAnyPolicy = 1 << 11,
    CrlDistributionPoints = 1 << 12,
    FreshestCrl = 1 << 13,
    AuthorityInformationAccess = 1 << 14,
    SubjectInformationAccess = 1 << 15,
    OcspNoCheck = 1 << 16,
    NoRevocationAvailable = 1 << 17,
}

/// <summary>The extensions of a certificate (RFC 5280 §4.2), parsed and checked for their grammar; their meaning is checked elsewhere.</summary>
internal sealed class CertificateExtensions
{
    internal static CertificateExtensions None { get; } = new();

    /// <summary>The known extensions that are present.</summary>
    internal KnownExtension Present { get; set; }

    /// <summary>The known extensions that are marked critical.</summary>
    internal KnownExtension Critical { get; set; }

    /// <summary>The identifiers of all critical extensions that are not known, in order.</summary>
    internal ImmutableArray<ReadOnlyMemory<byte>> UnknownCriticals { get; set; } = [];

    /// <summary>The identifier of the first unknown critical extension; empty when there is none.</summary>
    internal ReadOnlyMemory<byte> UnknownCritical => UnknownCriticals.IsEmpty ? default : UnknownCriticals[0];

    /// <summary>The content of the list of extensions, known or not, each identifier once; empty when there is none.</summary>
    internal ReadOnlyMemory<byte> List { get; set; }

    internal bool IsAuthority { get; set; }

    internal int? PathLength { get; set; }

    internal X509KeyUsageFlags KeyUsage { get; set; }

    /// <summary>The purposes, as contents octets of their identifiers.</summary>
    internal ImmutableArray<ReadOnlyMemory<byte>> Purposes { get; set; } = [];

    internal ReadOnlyMemory<byte> SubjectKeyId { get; set; }

    internal AuthorityKeyId AuthorityKeyId { get; set; }

    /// <summary>Whether the authority information access names a responder (RFC 5280 §4.2.2.1).</summary>
    internal bool NamesOcspResponder { get; set; }

    /// <summary>
    /// Whether the authority says that it publishes nothing about the certificate's revocation (RFC 9608), and says nothing to the contrary: it may
    /// not name a list or a responder beside that, and may not say it of an authority.
    /// </summary>
    internal bool HasNoRevocationAvailable => Has(KnownExtension.NoRevocationAvailable) && !IsAuthority && !NamesOcspResponder
        && !Has(KnownExtension.CrlDistributionPoints) && !Has(KnownExtension.FreshestCrl);

    internal ImmutableArray<GeneralName> SubjectNames { get; set; } = [];

    internal NameConstraintSet? NameConstraints { get; set; }

    internal CertificatePolicies Policies { get; set; } = CertificatePolicies.None;

    /// <summary>The value of the CRL distribution points extension (RFC 5280 §4.2.1.13); empty when it is absent.</summary>
    internal ReadOnlyMemory<byte> CrlDistributionPoints { get; set; }

    internal bool Has(KnownExtension extension) => (Present & extension) != 0;

    internal bool IsCritical(KnownExtension extension) => (Critical & extension) != 0;

    /// <summary>Whether the purpose is listed explicitly.</summary>
    internal bool NamesPurpose(ReadOnlySpan<byte> purpose)
    {
        foreach (var named in Purposes)
        {
            if (named.Span.SequenceEqual(purpose))
            {
                return true;
            }
        }

        return false;
    }
}

/// <summary>The authority key identifier (RFC 5280 §4.2.1.1). Empty when the extension is absent.</summary>
internal readonly record struct AuthorityKeyId(ReadOnlyMemory<byte> KeyId, bool HasIssuer, ReadOnlyMemory<byte> Serial);

/// <summary>The subtrees of a name constraints extension (RFC 5280 §4.2.1.10).</summary>
internal sealed record NameConstraintSet(ImmutableArray<GeneralName> Permitted, ImmutableArray<GeneralName> Excluded);

/// <summary>
/// The content of the four policy extensions (RFC 5280 §4.2.1.4, .5, .11, .14). Identifiers are contents octets in hex, to be compared as
/// text.
/// </summary>
internal sealed record CertificatePolicies(
    ImmutableArray<string> Policies,
    ImmutableArray<(string IssuerDomain, string SubjectDomain)> Mappings,
    int? RequireExplicitPolicy,
    int? InhibitPolicyMapping,
    int? InhibitAnyPolicy)
{
    internal static CertificatePolicies None { get; } = new([], [], null, null, null);
}
