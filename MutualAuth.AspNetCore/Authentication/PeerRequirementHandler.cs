using Microsoft.AspNetCore.Authorization;
using Microsoft.Extensions.Logging;
using MutualAuth.Telemetry;

namespace MutualAuth.AspNetCore.Authentication;

/// <summary>Judges the peer of the scheme. Without one nothing is met, so that the scheme challenges.</summary>
internal sealed class PeerRequirementHandler(ILoggerFactory loggerFactory, TimeProvider? time = null) : IAuthorizationHandler
{
    private readonly ILogger _logger = GuardedLogger.Create(loggerFactory, AspNetCoreLog.Category);
    private readonly TimeProvider _time = time ?? TimeProvider.System;

    public Task HandleAsync(AuthorizationHandlerContext context)
    {
        if (context.User.Identities.OfType<MutualTlsIdentity>().FirstOrDefault() is not { } identity)
        {
            return Task.CompletedTask;
        }

        foreach (var requirement in context.PendingRequirements.OfType<IPeerRequirement>().ToArray())
        {
            if ((identity.Loss ?? requirement.Examine(identity.Peer, _time.GetUtcNow())) is { } rejection)
            {
                AspNetCoreLog.NotAllowed(_logger, identity.Peer.Name, rejection);
            }
            else
            {
                context.Succeed(requirement);
            }
        }

        return Task.CompletedTask;
    }
}
