using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using MutualAuth.Collections;

namespace MutualAuth.Connections;

/// <summary>
/// Which load balancers put a PROXY protocol header, of version 1 or 2, in front of a client's TLS, so that a listener knows the client's address.
/// </summary>
/// <remarks>
/// Immutable. Every connection from a trusted proxy must begin with a header, and one from any other address must not: where both were accepted,
/// a client could choose its own address. The header is read within <see cref="HandshakeLimits.MaxClientHelloBytes"/> and within the deadline of
/// the handshake. The source address in it becomes the remote end point: the address of every log and event, and of every bound by address. Until
/// the header is complete, a connection counts only towards <see cref="MutualTlsListenerOptions.MaxPendingHellos"/>. With the command LOCAL (a
/// health check of the proxy's own), the family UNKNOWN or UNSPEC, or a Unix domain socket as the source, the proxy's own address counts.
/// Additional fields (TLVs) are skipped: nothing in them is believed.
/// </remarks>
/// <example>
/// <code>
/// var behindAProxy = listenerOptions with
/// {
///     ProxyProtocol = new ProxyProtocol { TrustedProxies = [IPNetwork.Parse("10.1.2.0/24")] },
/// };
/// </code>
/// </example>
public sealed record ProxyProtocol
{
    private readonly EquatableArray<IPNetwork> _trustedProxies = new([]);

    /// <summary>
    /// The networks of the load balancers, and of nothing else: every client that can connect from there chooses the address that is logged and
    /// counted. An IPv4 network covers the same addresses mapped into IPv6. At least one, unless <see cref="TrustUnixSockets"/> is set.
    /// </summary>
    /// <example><code>var proxies = new ProxyProtocol { TrustedProxies = [IPNetwork.Parse("10.1.2.3/32")] };</code></example>
    public required ImmutableArray<IPNetwork> TrustedProxies
    {
        get => _trustedProxies.Items;
        init => _trustedProxies = new(value);
    }

    /// <summary>
    /// Whether everything that connects through a Unix domain socket is such a proxy, on this machine; the permissions of the socket's path decide
    /// who can. Default: false.
    /// </summary>
    /// <example><code>var local = new ProxyProtocol { TrustedProxies = [], TrustUnixSockets = true };</code></example>
    public bool TrustUnixSockets { get; init; }

    /// <summary>Whether a connection from there must begin with a header.</summary>
    internal bool Trusts(EndPoint? remote) => remote switch
    {
        IPEndPoint { Address: var address } => Holds(address) || (address.IsIPv4MappedToIPv6 && Holds(address.MapToIPv4())),
        UnixDomainSocketEndPoint => TrustUnixSockets,
        _ => false,
    };

    internal IEnumerable<string> Problems()
    {
        if (TrustedProxies.IsDefaultOrEmpty && !TrustUnixSockets)
        {
            yield return $"{nameof(ProxyProtocol)}.{nameof(TrustedProxies)} must name at least one network; without load balancers leave "
                + $"{nameof(ProxyProtocol)} out.";
        }
    }

    private bool Holds(IPAddress address)
    {
        foreach (var network in TrustedProxies.IsDefault ? [] : TrustedProxies)
        {
            if (network.Contains(address))
            {
                return true;
            }
        }

        return false;
    }
}
