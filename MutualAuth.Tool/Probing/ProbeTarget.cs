using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using MutualAuth.Names;
using MutualAuth.Samples;

namespace MutualAuth.Tool;

/// <summary>The peer that is probed, and how connections to it are made.</summary>
internal sealed class ProbeTarget
{
    internal static readonly TimeSpan DefaultTimeout = TimeSpan.FromSeconds(5);

    private const string Confirmed = "mutualauth/1"; // docs/protocol.md §2

    private readonly int _port;
    private IPEndPoint? _reached;

    private ProbeTarget(string host, int port, ServerName name, string[] protocols, TimeSpan timeout)
    {
        Host = host;
        _port = port;
        Name = name;
        Protocols = ProtocolsInHello = protocols;
        Timeout = timeout;
    }

    internal string Host { get; }

    /// <summary>The name that the server's certificate must have.</summary>
    internal ServerName Name { get; }

    /// <summary>The name in the hello; null for an address, which has no place there (RFC 6066 §3).</summary>
    internal string? NameInHello => IPAddress.TryParse(Name.ToString(), out _) ? null : Name.ToString();

    /// <summary>The application protocols of a client of the library.</summary>
    internal string[] Protocols { get; }

    /// <summary>The application protocols in the hellos of the other steps.</summary>
    internal string[] ProtocolsInHello { get; private set; }

    /// <summary>How long one step may take.</summary>
    internal TimeSpan Timeout { get; }

    /// <summary>Where it was reached, or is to be.</summary>
    internal EndPoint EndPoint => _reached is not null ? _reached
        : IPAddress.TryParse(Host, out var address) ? new IPEndPoint(address, _port) : new DnsEndPoint(Host, _port);

    private string Address => EndPoint is DnsEndPoint ? $"{Host}:{_port}" : EndPoint.ToString()!;

    /// <exception cref="UsageException">It is no host and port, or no name.</exception>
    internal static ProbeTarget Parse(string what, string text, string? serverName, string[] protocols, TimeSpan timeout)
    {
        var (host, port) = CommandLine.ParseHostAndPort(what, text);
        return new ProbeTarget(
            host,
            port,
            ServerName.TryParse(serverName ?? host, out var name) ? name
                : throw new UsageException($"'{serverName ?? host}' is no DNS name and no address."),
            protocols,
            timeout);
    }

    /// <summary>Offers the confirmation protocol from now on, as a client of the library does.</summary>
    internal void OfferConfirmation() =>
        ProtocolsInHello = Protocols.Length == 0 ? [Confirmed] : [.. Protocols.Select(protocol => $"{Confirmed}+{protocol}"), .. Protocols];

    /// <summary>Offers what was asked for, and nothing else.</summary>
    internal void OfferPlainly() => ProtocolsInHello = Protocols;

    /// <summary>A new connection. The first that succeeds fixes the address, so that all steps see one server.</summary>
    /// <exception cref="ProbeException">It is not reached.</exception>
    internal async Task<NetworkStream> ConnectAsync(CancellationToken stop)
    {
        var started = Stopwatch.GetTimestamp();
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(stop);
        deadline.CancelAfter(Timeout);
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(EndPoint, deadline.Token);
            if (socket.RemoteEndPoint is IPEndPoint { Address: var address } && _reached is null)
            {
                _reached = new IPEndPoint(address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address, _port);
                ConnectTime = Stopwatch.GetElapsedTime(started);
            }

            return new NetworkStream(socket, ownsSocket: true);
        }
        catch (SocketException exception)
        {
            socket.Dispose();
            throw new ProbeException(
                HandshakeExit.NotReached,
                RejectionReason.Unreachable,
                exception.SocketErrorCode switch
                {
                    SocketError.ConnectionRefused => $"{Address} refuses connections: nothing listens on that port.",
                    SocketError.HostNotFound or SocketError.NoData or SocketError.TryAgain =>
                        $"{Host} has no address: the name does not resolve here.",
                    _ => $"{Address} is not reached: {exception.Message}",
                },
                exception.SocketErrorCode switch
                {
                    SocketError.ConnectionRefused => "start the server, or correct the port",
                    SocketError.HostNotFound or SocketError.NoData or SocketError.TryAgain => "correct the name, or the DNS of this machine",
                    _ => "look for a firewall or a route between here and there",
                });
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            socket.Dispose();
            throw new ProbeException(
                HandshakeExit.NotReached,
                RejectionReason.Unreachable,
                $"{Address} did not answer within {Timeout.TotalSeconds:0.#} s: packets are dropped.",
                "look for a firewall between here and there, and compare the address");
        }
    }

    /// <summary>How long the first connection took.</summary>
    internal TimeSpan ConnectTime { get; private set; }
}
