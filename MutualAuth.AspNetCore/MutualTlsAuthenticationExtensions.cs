using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authorization;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using MutualAuth.AspNetCore.Authentication;

namespace MutualAuth.AspNetCore;

/// <summary>The authentication scheme whose principal is the peer, and policies that say what a peer must be.</summary>
public static class MutualTlsAuthenticationExtensions
{
    /// <summary>Adds the scheme <see cref="MutualTlsDefaults.AuthenticationScheme"/>, and what answers policies for peers.</summary>
    /// <remarks>
    /// A request without a peer, and one of a peer that is no longer accepted, is answered with 401; one whose peer a policy does not let pass,
    /// with 403. The claims are those of <see cref="AuthenticatedPeer.ToClaimsPrincipal"/> and <see cref="MutualTlsClaimTypes"/>.
    /// </remarks>
    /// <param name="builder">The authentication of the application.</param>
    /// <param name="configure">The options that every scheme has; null for the defaults.</param>
    /// <exception cref="ArgumentNullException"><paramref name="builder"/> is null.</exception>
    /// <example>
    /// <code>
    /// builder.Services.AddAuthentication(MutualTlsDefaults.AuthenticationScheme).AddMutualTls();
    /// </code>
    /// </example>
    public static AuthenticationBuilder AddMutualTls(this AuthenticationBuilder builder, Action<MutualTlsAuthenticationOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        builder.Services.TryAddEnumerable(ServiceDescriptor.Singleton<IAuthorizationHandler, PeerRequirementHandler>());
        return builder.AddScheme<MutualTlsAuthenticationOptions, MutualTlsAuthenticationHandler>(MutualTlsDefaults.AuthenticationScheme, configure);
    }

    /// <summary>Lets pass the peers that a rule accepts, beyond what the listener's rule demands.</summary>
    /// <remarks>
    /// It judges the peer of the scheme <see cref="MutualTlsDefaults.AuthenticationScheme"/>, at each request; a rule of a file follows the file.
    /// A peer without a certificate never passes. Event 2023 says whom it did not let pass, and why.
    /// </remarks>
    /// <param name="policy">The policy.</param>
    /// <param name="rule">Whom it lets pass.</param>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    /// <example>
    /// <code>
    /// options.AddPolicy("partners", policy =&gt; policy.RequirePeer(Authorize.MemberOf("partner.example")));
    /// </code>
    /// </example>
    public static AuthorizationPolicyBuilder RequirePeer(this AuthorizationPolicyBuilder policy, AuthorizationRule rule)
    {
        ArgumentNullException.ThrowIfNull(policy);
        ArgumentNullException.ThrowIfNull(rule);
        return policy.AddRequirements(new PeerRequirement(rule));
    }

    /// <summary>Lets pass the peers that one of these lines names, in the grammar of <see cref="Authorize.Parse"/>.</summary>
    /// <param name="policy">The policy.</param>
    /// <param name="lines">Such as <c>dns client.example</c> or <c>spiffe spiffe://example.org/billing</c>.</param>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    /// <exception cref="FormatException">A line is not a rule, or there is none; the message says which line, from 1.</exception>
    /// <example>
    /// <code>
    /// options.AddPolicy("orders", policy =&gt; policy.RequirePeer("dns shop.example", "dns warehouse.example"));
    /// </code>
    /// </example>
    public static AuthorizationPolicyBuilder RequirePeer(this AuthorizationPolicyBuilder policy, params string[] lines) =>
        policy.RequirePeer(Authorize.Parse(lines));

    /// <summary>Lets pass the peers with one of these SPIFFE IDs.</summary>
    /// <param name="policy">The policy.</param>
    /// <param name="ids">At least one, such as <c>spiffe://example.org/billing</c>.</param>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    /// <exception cref="FormatException">One of them is no SPIFFE ID.</exception>
    /// <exception cref="ArgumentException">There is none.</exception>
    /// <example>
    /// <code>
    /// options.AddPolicy("billing", policy =&gt; policy.RequireSpiffeId("spiffe://example.org/billing"));
    /// </code>
    /// </example>
    public static AuthorizationPolicyBuilder RequireSpiffeId(this AuthorizationPolicyBuilder policy, params string[] ids)
    {
        ArgumentNullException.ThrowIfNull(ids);
        return policy.RequirePeer(Authorize.AnyOf(ids.Select(Authorize.SpiffeId)));
    }

    /// <summary>Lets pass the peers that have proven all of this, such as a password and a passkey beside the certificate.</summary>
    /// <param name="policy">The policy.</param>
    /// <param name="proofs">What they must have proven.</param>
    /// <exception cref="ArgumentNullException"><paramref name="policy"/> is null.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="proofs"/> is nothing.</exception>
    /// <example>
    /// <code>
    /// options.AddPolicy("transfers", policy =&gt; policy.RequireProofs(PeerProofs.Certificate | PeerProofs.Passkey));
    /// </code>
    /// </example>
    public static AuthorizationPolicyBuilder RequireProofs(this AuthorizationPolicyBuilder policy, PeerProofs proofs)
    {
        ArgumentNullException.ThrowIfNull(policy);
        ArgumentOutOfRangeException.ThrowIfEqual(proofs, PeerProofs.None);
        return policy.AddRequirements(new ProofsRequirement(proofs));
    }
}
