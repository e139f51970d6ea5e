using Microsoft.Extensions.Logging;
using MutualAuth.Telemetry;

namespace MutualAuth.Reloading;

/// <summary>Reports reloads: in the log, as a measurement, and to handlers. No handler can stop the others or the process.</summary>
internal sealed class ReloadEvents(object sender, string material, string origin, ILogger logger)
{
    internal void Replaced(EventHandler? handlers, string description)
    {
        ReloadLog.Replaced(logger, material, origin, description);
        Count("replaced");
        foreach (var handler in Delegate.EnumerateInvocationList(handlers))
        {
            Run(() => handler(sender, EventArgs.Empty));
        }
    }

    internal void Refused(EventHandler<ReloadRefusedEventArgs>? handlers, MaterialException problem)
    {
        ReloadLog.Refused(logger, material, origin, problem.Message);
        Count("refused");
        var arguments = new ReloadRefusedEventArgs(problem);
        foreach (var handler in Delegate.EnumerateInvocationList(handlers))
        {
            Run(() => handler(sender, arguments));
        }
    }

    internal void NotRemembered(MaterialException problem) => ReloadLog.NotRemembered(logger, material, origin, problem.Message);

    private void Run(Action handler)
    {
        try
        {
            handler();
        }
        catch (Exception exception)
        {
            ReloadLog.HandlerFaulted(logger, material, exception);
        }
    }

    private void Count(string outcome) => MutualAuthTelemetry.Try((material, outcome), static reload => MutualAuthTelemetry.Reloads.Add(
        1,
        new KeyValuePair<string, object?>("mutualauth.material", reload.material),
        new KeyValuePair<string, object?>("mutualauth.reload.outcome", reload.outcome)));
}
