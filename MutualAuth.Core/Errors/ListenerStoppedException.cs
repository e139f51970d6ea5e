using System.Net;

namespace MutualAuth;

/// <summary>
/// A listener yields no more connections: it was stopped, or it has failed, and then <see cref="Exception.InnerException"/> has the cause.
/// </summary>
/// <remarks>Immutable.</remarks>
public sealed class ListenerStoppedException : InvalidOperationException
{
    internal ListenerStoppedException(EndPoint localEndPoint, Exception? innerException)
        : base(
            innerException is null ? $"The listener on {localEndPoint} was stopped." : $"The listener on {localEndPoint} has failed.", innerException)
    {
    }
}
