using System.Net;

namespace MutualAuth.AspNetCore.Transport;

/// <summary>An end point that the transport of this package binds, and no other: Kestrel asks each of them.</summary>
internal sealed class MutualTlsEndPoint : EndPoint
{
    /// <summary>How to listen; set as soon as Kestrel's options of the end point are known.</summary>
    internal MutualTlsListenerOptions Listener { get; set; } = null!;

    public override string ToString() => (Listener?.EndPoint ?? Listener?.BoundSocket?.LocalEndPoint)?.ToString() ?? "mutual TLS";
}
