using System.Collections.Immutable;
using MutualAuth.Names;

namespace MutualAuth.Certificates;

/// <summary>What a certificate states about a payment service provider (ETSI TS 119 495 §5.1). Immutable.</summary>
public sealed class Psd2Statement
{
    internal Psd2Statement(ImmutableArray<Psd2Role> roles, string authorityName, CompetentAuthority authority) =>
        (Roles, AuthorityName, Authority) = (roles, authorityName, authority);

    /// <summary>The roles that this library knows, in order. A role of another identifier is left out, and gives no right here.</summary>
    public ImmutableArray<Psd2Role> Roles { get; }

    /// <summary>The name of the competent authority, <c>NCAName</c>: text for people.</summary>
    public string AuthorityName { get; }

    /// <summary>The competent authority that authorized the provider, <c>NCAId</c>.</summary>
    public CompetentAuthority Authority { get; }

    /// <summary>The roles by their abbreviations and the authority, such as <c>PSP_AI, PSP_PI by GB-FCA</c>.</summary>
    public override string ToString() =>
        $"{(Roles.IsEmpty ? "no role that is known" : string.Join(", ", Roles.Select(role => role.ToAbbreviation())))} by {Authority}";
}
