using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace MutualAuth.Hosting.Binding;

/// <summary>Where to listen, as text: <c>ADDRESS:PORT</c>, <c>unix:PATH</c>, <c>systemd</c>, <c>systemd:NAME</c>.</summary>
internal static class ListenAddress
{
    private const string Systemd = "systemd";
    private const string Unix = "unix:";

    internal static string? ProblemOf(string? text)
    {
        if (IsSystemd(text, out _) || TryParse(text, out _))
        {
            return null;
        }

        return $"'{text}' is not an address to listen on. Write ADDRESS:PORT such as 127.0.0.1:8443 or [::]:8443, unix:PATH, systemd or "
            + "systemd:NAME.";
    }

    /// <summary>Whether sockets are meant that systemd passes on.</summary>
    /// <param name="text">The text.</param>
    /// <param name="name">The name that they must have; null for all of them.</param>
    internal static bool IsSystemd(string? text, out string? name)
    {
        name = text is not null && text.StartsWith(Systemd + ":", StringComparison.Ordinal) ? text[(Systemd.Length + 1)..] : null;
        return text == Systemd || name is { Length: > 0 };
    }

    internal static bool TryParse(string? text, out EndPoint? endPoint)
    {
        endPoint = null;
        if (text is null)
        {
            return false;
        }

        if (text.StartsWith(Unix, StringComparison.Ordinal))
        {
            endPoint = ToUnixSocket(text[Unix.Length..]);
        }
        else if (text.LastIndexOf(':') is > 0 and var colon
            && int.TryParse(text.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var port)
            && port <= IPEndPoint.MaxPort)
        {
            endPoint = ToAddress(text[..colon]) is { } address ? new IPEndPoint(address, port) : null;
        }

        return endPoint is not null;
    }

    // An IPv6 address stands in brackets, so that its last group is not taken for the port.
    private static IPAddress? ToAddress(string host) =>
        IPAddress.TryParse(host, out var address) && host.StartsWith('[') == (address.AddressFamily == AddressFamily.InterNetworkV6)
            && (address.AddressFamily == AddressFamily.InterNetworkV6 || host.Count(character => character == '.') == 3)
            ? address
            : null;

    private static UnixDomainSocketEndPoint? ToUnixSocket(string path)
    {
        try
        {
            return path.Length == 0 ? null : new UnixDomainSocketEndPoint(path);
        }
        catch (ArgumentOutOfRangeException)
        {
            return null; // longer than the platform allows
        }
    }
}
