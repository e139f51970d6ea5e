using System.Net;

namespace MutualAuth;

/// <summary>
/// The listener no longer returns connections: it was stopped, or it failed; then <see cref="Exception.InnerException"/> has the cause.
/// </summary>
/// <remarks>Immutable.</remarks>
public sealed class ListenerStoppedException : InvalidOperationException
{
    internal ListenerStoppedException(EndPoint localEndPoint, Exception? innerException)
        : base(innerException is null ? $"The listener on {localEndPoint} was stopped." : $"The listener on {localEndPoint} has failed.", innerException)
    {
    }
}
