using System.Security.Claims;
using Microsoft.AspNetCore.Http;
using MutualAuth.AspNetCore.Authentication;

namespace MutualAuth.AspNetCore;

/// <summary>Reads the authenticated peer of a request.</summary>
public static class MutualTlsHttpContextExtensions
{
    /// <summary>The peer at the other end of the request's connection; null when it did not come over mutual TLS that this library judged.</summary>
    /// <remarks>It says who sent the request, and not that a policy lets the peer do it.</remarks>
    /// <param name="context">The request.</param>
    /// <exception cref="ArgumentNullException"><paramref name="context"/> is null.</exception>
    /// <example><code>app.MapGet("/whoami", (HttpContext context) =&gt; context.GetMutualTlsPeer()?.Name);</code></example>
    public static AuthenticatedPeer? GetMutualTlsPeer(this HttpContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        return context.Features.Get<IMutualTlsFeature>()?.Peer;
    }

    /// <summary>The peer that the scheme <see cref="MutualTlsDefaults.AuthenticationScheme"/> authenticated; null when it did not.</summary>
    /// <remarks>For code that has the principal and no request, such as SignalR hubs.</remarks>
    /// <param name="principal">The principal of the request or of the hub's connection.</param>
    /// <exception cref="ArgumentNullException"><paramref name="principal"/> is null.</exception>
    /// <example><code>var name = Context.User?.GetMutualTlsPeer()?.Name;   // in a hub</code></example>
    public static AuthenticatedPeer? GetMutualTlsPeer(this ClaimsPrincipal principal)
    {
        ArgumentNullException.ThrowIfNull(principal);
        return principal.Identities.OfType<MutualTlsIdentity>().FirstOrDefault()?.Peer;
    }
}
