using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;

namespace MutualAuth.AspNetCore.Transport;

/// <summary>What Kestrel does with a connection of the transport before it serves HTTP on it.</summary>
internal static class MutualTlsPipeline
{
    /// <summary>Adds it to an end point, first of all.</summary>
    /// <remarks>
    /// Kestrel learns only from <c>UseHttps</c> that an end point is one of TLS: its addresses are <c>https</c> then, and it does not warn that
    /// HTTP/2 needs TLS. The handshake of it would be a second one within ours, so that connections pass it by; it has no certificate, and refuses
    /// whatever were to reach it.
    /// </remarks>
    internal static void AddTo(ListenOptions listen)
    {
        ConnectionDelegate? behindHttps = null;
        listen.Use(_ => context => ServeAsync(context, behindHttps!));
        listen.UseHttps(new TlsHandshakeCallbackOptions
        {
            OnConnection = static _ => throw new InvalidOperationException("The connection has no mutual TLS of this library, and gets no other."),
        });
        listen.Use(next =>
        {
            behindHttps = next;
            return next;
        });
    }

    /// <summary>Says in our log and Kestrel's terms that a connection is to end: responses that have begun are finished.</summary>
    private static async Task ServeAsync(ConnectionContext context, ConnectionDelegate next)
    {
        if (context.Features.Get<IMutualTlsFeature>()?.Connection is not { } connection)
        {
            context.Abort(new ConnectionAbortedException("The connection is none of the mutual TLS transport."));
            return;
        }

        var kestrel = context.Features.Get<IConnectionLifetimeNotificationFeature>();
        await using var draining = connection.DrainRequested.UnsafeRegister(
            static kestrel => ((IConnectionLifetimeNotificationFeature?)kestrel)?.RequestClose(), kestrel).ConfigureAwait(false);
        await next(context).ConfigureAwait(false);
    }
}
