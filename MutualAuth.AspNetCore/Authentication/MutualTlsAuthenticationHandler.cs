using System.Text.Encodings.Web;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Microsoft.Net.Http.Headers;

namespace MutualAuth.AspNetCore.Authentication;

/// <summary>The peer of the connection as the principal of each request. The handshake has authenticated it; nothing is judged here again.</summary>
internal sealed class MutualTlsAuthenticationHandler(
    IOptionsMonitor<MutualTlsAuthenticationOptions> options, ILoggerFactory logger, UrlEncoder encoder)
    : AuthenticationHandler<MutualTlsAuthenticationOptions>(options, logger, encoder)
{
    protected override Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        if (Context.Features.Get<IMutualTlsFeature>() is not { } feature)
        {
            return Task.FromResult(AuthenticateResult.NoResult());
        }

        var peer = feature.Peer;
        var identity = new MutualTlsIdentity(feature, peer);
        if (identity.Loss is { } loss)
        {
            return Task.FromResult(AuthenticateResult.Fail($"{peer.Name} is no longer accepted: {loss}"));
        }

        var principal = peer.ToClaimsPrincipal();
        principal.AddIdentity(identity);
        return Task.FromResult(AuthenticateResult.Success(new AuthenticationTicket(principal, Scheme.Name)));
    }

    /// <summary>Nobody is known: the request came over another end point, or the peer is no longer accepted (RFC 9110 §15.5.2).</summary>
    protected override Task HandleChallengeAsync(AuthenticationProperties properties)
    {
        Response.StatusCode = StatusCodes.Status401Unauthorized;
        Response.Headers.Append(HeaderNames.WWWAuthenticate, MutualTlsDefaults.AuthenticationScheme);
        return Task.CompletedTask;
    }
}
