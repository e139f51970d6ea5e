using Microsoft.Extensions.Logging;

namespace MutualAuth.Spiffe;

/// <summary>Raises the events of sources: a handler that throws keeps no other one from hearing.</summary>
internal static class SourceEvents
{
    internal static void Raise(EventHandler? handlers, object sender, ILogger logger)
    {
        foreach (var handler in Delegate.EnumerateInvocationList(handlers))
        {
            try
            {
                handler(sender, EventArgs.Empty);
            }
            catch (Exception exception)
            {
                SourceLog.HandlerFaulted(logger, exception);
            }
        }
    }
}
