using System.Net;
using System.Net.Sockets;

namespace MutualAuth.Testing.Responders;

/// <summary>Where to listen, and what to call it, so that the side under test gets there.</summary>
internal static class PublishedAddress
{
    /// <summary>A listener on loopback alone, or on every address where a host is published. It has started.</summary>
    /// <exception cref="ArgumentException">The host cannot stand in a URI.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The port is none.</exception>
    /// <exception cref="SocketException">The port is in use, or not ours to take.</exception>
    internal static TcpListener Listen(string? publishedHost, int port)
    {
        Check(publishedHost);
        ArgumentOutOfRangeException.ThrowIfNegative(port);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(port, IPEndPoint.MaxPort);

        // A published name may lead to an address of either kind.
        var listener = publishedHost is null ? new TcpListener(IPAddress.Loopback, port)
            : Socket.OSSupportsIPv6 ? TcpListener.Create(port)
            : new TcpListener(IPAddress.Any, port);
        try
        {
            listener.Start();
            return listener;
        }
        catch (SocketException)
        {
            listener.Dispose();
            throw;
        }
    }

    /// <summary>The URI that leads to <paramref name="listener"/>, with a slash at its end.</summary>
    internal static Uri UriOf(string? publishedHost, TcpListener listener)
    {
        var host = publishedHost is null ? "127.0.0.1" : publishedHost.Contains(':', StringComparison.Ordinal) ? $"[{publishedHost}]" : publishedHost;
        return new Uri($"http://{host}:{((IPEndPoint)listener.LocalEndpoint).Port}/");
    }

    internal static bool IsHost(string publishedHost) =>
        !publishedHost.AsSpan().ContainsAny("[]%/@") && Uri.CheckHostName(publishedHost) != UriHostNameType.Unknown;

    internal static string HowToNameIt(string wrong) =>
        $"{HttpRequestHead.Quote(wrong)} is no host. Name the host alone, without scheme, port and brackets, such as host.docker.internal, "
        + "192.0.2.7 or 2001:db8::7.";

    private static void Check(string? publishedHost)
    {
        if (publishedHost is not null && !IsHost(publishedHost))
        {
            throw new ArgumentException(HowToNameIt(publishedHost), nameof(publishedHost));
        }
    }
}
