using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace MutualAuth.Spiffe;

/// <summary>The address of the Workload API (SPIFFE Workload Endpoint §4): <c>unix:///run/agent.sock</c> or <c>tcp://127.0.0.1:8000</c>.</summary>
/// <remarks>
/// Immutable. A host name is rejected, as the standard requires: nothing secures this connection, so DNS must not decide where it leads.
/// TCP is for networks on which the endpoint tells workloads apart by their address; prefer the socket.
/// </remarks>
public sealed class WorkloadApiAddress
{
    private static readonly SearchValues<char> s_ofAddresses = SearchValues.Create("0123456789abcdefABCDEF:.");

    /// <summary>The environment variable that holds the address where none is configured: <c>SPIFFE_ENDPOINT_SOCKET</c>.</summary>
    public const string EnvironmentVariable = "SPIFFE_ENDPOINT_SOCKET";

    private const string UnixScheme = "unix:";
    private const string TcpScheme = "tcp://";

    private readonly string _text;

    private WorkloadApiAddress(string text, EndPoint endPoint) => (_text, EndPoint) = (text, endPoint);

    /// <summary>The socket to connect to.</summary>
    public EndPoint EndPoint { get; }

    /// <summary>Reads an address.</summary>
    /// <exception cref="ArgumentNullException"><paramref name="text"/> is null.</exception>
    /// <exception cref="FormatException">The text is not an address; the message says what is wrong with it.</exception>
    public static WorkloadApiAddress Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return Read(text, out var address) is { } flaw
            ? throw new FormatException($"{Quoted.Text(text)} is no address of a Workload API: {flaw}.")
            : address!;
    }

    /// <summary>Reads an address as <see cref="Parse"/> does; false for null and for any other text.</summary>
    public static bool TryParse([NotNullWhen(true)] string? text, [NotNullWhen(true)] out WorkloadApiAddress? address)
    {
        address = null;
        return text is not null && Read(text, out address) is null;
    }

    /// <summary>The address that <see cref="EnvironmentVariable"/> holds; null when it is not set or empty.</summary>
    /// <exception cref="FormatException">Its value is not an address.</exception>
    public static WorkloadApiAddress? FromEnvironment() =>
        Environment.GetEnvironmentVariable(EnvironmentVariable) is { Length: > 0 } text ? Parse(text) : null;

    /// <summary>The address as it was written.</summary>
    public override string ToString() => _text;

    private static string? Read(string text, out WorkloadApiAddress? address)
    {
        address = null;
        EndPoint? endPoint = null;
        var flaw = text.StartsWith(UnixScheme, StringComparison.Ordinal) ? ReadUnix(text[UnixScheme.Length..], out endPoint)
            : text.StartsWith(TcpScheme, StringComparison.Ordinal) ? ReadTcp(text[TcpScheme.Length..], out endPoint)
            : "it must begin with unix:/// or tcp://";
        address = flaw is null ? new WorkloadApiAddress(text, endPoint!) : null;
        return flaw;
    }

    private static string? ReadUnix(string rest, out EndPoint? endPoint)
    {
        endPoint = null;
        var path = rest.StartsWith("//", StringComparison.Ordinal) ? rest[2..] : rest;
        if (!path.StartsWith('/') || path.Length == 1)
        {
            return "unix: must be followed by the absolute path of the socket and by no host, as in unix:///run/agent.sock";
        }

        if (path.AsSpan().ContainsAny("?#\0"))
        {
            return "a query and a fragment do not belong there";
        }

        if (Unescape(path) is not { } name)
        {
            return "a percent sign must be followed by two hexadecimal digits, and what they spell must be text without control characters";
        }

        try
        {
            endPoint = new UnixDomainSocketEndPoint(name);
            return null;
        }
        catch (ArgumentException)
        {
            return "the path is longer than a socket's may be";
        }
    }

    /// <summary>RFC 3986 §2.1, strictly; null for what it does not allow, and for a NUL, which would truncate the path.</summary>
    private static string? Unescape(string path)
    {
        var octets = new List<byte>();
        for (var at = 0; at < path.Length; at++)
        {
            if (path[at] != '%')
            {
                octets.AddRange(Encoding.UTF8.GetBytes(path, at, char.IsHighSurrogate(path[at]) && at + 1 < path.Length ? 2 : 1));
                at += char.IsHighSurrogate(path[at]) && at + 1 < path.Length ? 1 : 0;
            }
            else if (at + 2 < path.Length && char.IsAsciiHexDigit(path[at + 1]) && char.IsAsciiHexDigit(path[at + 2]))
            {
                octets.Add(Convert.ToByte(path.Substring(at + 1, 2), fromBase: 16));
                at += 2;
            }
            else
            {
                return null;
            }
        }

        var name = octets.ToArray();
        return System.Text.Unicode.Utf8.IsValid(name) && Encoding.UTF8.GetString(name) is var text && !text.Any(char.IsControl) ? text : null;
    }

    private static string? ReadTcp(string rest, out EndPoint? endPoint)
    {
        endPoint = null;
        var colon = rest.LastIndexOf(':');
        var host = colon < 0 ? rest : rest[..colon];
        var isBracketed = host.StartsWith('[') && host.EndsWith(']');
        if (ReadIp(isBracketed ? host[1..^1] : host) is not { } address || isBracketed != (address.AddressFamily == AddressFamily.InterNetworkV6))
        {
            return "tcp:// must be followed by an IP address, as in tcp://127.0.0.1:8000 or tcp://[::1]:8000; a host name is not allowed";
        }

        if (colon < 0 || !ushort.TryParse(rest[(colon + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out var port) || port == 0)
        {
            return "the IP address must be followed by a port and by nothing else";
        }

        endPoint = new IPEndPoint(address, port);
        return null;
    }

    /// <summary>
    /// Four decimal numbers or RFC 4291 §2.2. The platform takes more for an address: <c>127.1</c>, <c>0x7f.1</c>, octal numbers, brackets,
    /// ports, zones.
    /// </summary>
    private static IPAddress? ReadIp(string text)
    {
        if (text.AsSpan().ContainsAnyExcept(s_ofAddresses) || !IPAddress.TryParse(text, out var address))
        {
            return null;
        }

        return address.AddressFamily == AddressFamily.InterNetworkV6 || address.ToString() == text ? address : null;
    }
}
