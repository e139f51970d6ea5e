using System.Runtime.ExceptionServices;

namespace MutualAuth.Reloading;

/// <summary>Raises events so that a handler that throws keeps no other one from hearing.</summary>
internal static class EventHandlers
{
    /// <summary>Tells every handler, and throws afterwards what the first of those that threw has thrown.</summary>
    internal static void TellAll(EventHandler? handlers, object sender)
    {
        ExceptionDispatchInfo? first = null;
        foreach (var handler in Delegate.EnumerateInvocationList(handlers))
        {
            var fault = Tell(() => handler(sender, EventArgs.Empty));
            first ??= fault;
        }

        first?.Throw();
    }

    /// <summary>The same with arguments.</summary>
    internal static void TellAll<T>(EventHandler<T>? handlers, object sender, T arguments)
    {
        ExceptionDispatchInfo? first = null;
        foreach (var handler in Delegate.EnumerateInvocationList(handlers))
        {
            var fault = Tell(() => handler(sender, arguments));
            first ??= fault;
        }

        first?.Throw();
    }

    private static ExceptionDispatchInfo? Tell(Action tell)
    {
        try
        {
            tell();
            return null;
        }
        catch (Exception exception)
        {
            return ExceptionDispatchInfo.Capture(exception);
        }
    }
}
