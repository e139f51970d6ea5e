using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Net.Sockets;
using MutualAuth.Names;

namespace MutualAuth;

/// <summary>The name under which a server is dialled, and which its certificate must carry: a host name or an IP address.</summary>
/// <remarks>
/// Immutable. An IPv4-mapped IPv6 address becomes the IPv4 address that it maps, since a connection to it arrives there and a certificate
/// for it carries that address. An IPv6 zone (RFC 4007 §6) is rejected: it has a meaning on one machine only, so no certificate can contain
/// it.
/// </remarks>
public sealed class ServerName : IEquatable<ServerName>
{
    private const int MaxAddressLength = 45;

    private static readonly SearchValues<char> s_ipv6Characters = SearchValues.Create("0123456789ABCDEFabcdef:.");

    private static readonly NameProblem s_zone = new("an address without a zone", "Remove the per cent sign and what follows it.");
    private static readonly NameProblem s_port = new("a name without a port", "Give the port separately.");
    private static readonly NameProblem s_bracketed = new(
        "an IPv6 address between [ and ]", "Correct the address; the brackets are for IPv6 addresses only.");
    private static readonly NameProblem s_ipv6 = new("an IPv6 address (RFC 4291 §2.2)", "Correct the address; give a port separately.");

    private ServerName(DnsName? dns, IPAddress? address) => (Dns, Address) = (dns, address);

    /// <summary>The host name; null when an address is dialled.</summary>
    public DnsName? Dns { get; }

    /// <summary>The address; null when a host name is dialled.</summary>
    public IPAddress? Address { get; }

    /// <summary>Reads a host name, an IPv4 address as four decimal numbers, or an IPv6 address with or without brackets.</summary>
    /// <exception cref="ArgumentNullException"><paramref name="text"/> is null.</exception>
    /// <exception cref="FormatException"><paramref name="text"/> is none of these, or has a port or a zone.</exception>
    public static ServerName Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return Read(text, out var name) is { } flaw ? throw flaw.ToException("a server name", text) : name!;
    }

    /// <summary>Reads a name as <see cref="Parse"/> does; false for null and for any other text.</summary>
    public static bool TryParse([NotNullWhen(true)] string? text, [NotNullWhen(true)] out ServerName? name)
    {
        name = null;
        return text is not null && Read(text, out name) is null;
    }

    /// <summary>A server that is dialled by its host name.</summary>
    /// <exception cref="ArgumentNullException"><paramref name="name"/> is null.</exception>
    public static ServerName FromDns(DnsName name)
    {
        ArgumentNullException.ThrowIfNull(name);
        return new ServerName(name, null);
    }

    /// <summary>A server that is dialled by its address.</summary>
    /// <exception cref="ArgumentNullException"><paramref name="address"/> is null.</exception>
    /// <exception cref="ArgumentException"><paramref name="address"/> has an IPv6 zone.</exception>
    public static ServerName FromAddress(IPAddress address)
    {
        ArgumentNullException.ThrowIfNull(address);
        if (address.AddressFamily == AddressFamily.InterNetworkV6 && address.ScopeId != 0)
        {
            throw new ArgumentException($"Expected {s_zone.Expected}, got {address}. Make the address without its scope.", nameof(address));
        }

        // A copy, because the framework's address can be given a scope later.
        return new ServerName(null, address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : new IPAddress(address.GetAddressBytes()));
    }

    /// <summary>Compares the host names, or the addresses.</summary>
    public bool Equals(ServerName? other) => other is not null && Equals(Dns, other.Dns) && Equals(Address, other.Address);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as ServerName);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Dns, Address);

    /// <summary>The host name in lower case, or the address in its canonical form without brackets (RFC 5952).</summary>
    public override string ToString() => Dns?.ToString() ?? Address!.ToString();

    /// <summary>Reads a name; else says what is wrong with it, for the message of an exception.</summary>
    internal static ServerName ParseArgument(string text, string parameter) => Read(text, out var name) is { } flaw
        ? throw new ArgumentException(
            $"{Errors.SafeText.Quote(text)} is neither a DNS name nor an IP address: expected {flaw.Expected}. {flaw.Advice}", parameter)
        : name!;

    private static NameProblem? Read(string text, out ServerName? name)
    {
        if (text is ['[', .. var bracketed])
        {
            return bracketed is [.. var inner, ']']
                ? ReadIPv6(inner, s_bracketed, out name)
                : Fail(bracketed.Contains("]:", StringComparison.Ordinal) ? s_port : s_bracketed, out name);
        }

        if (text.Contains(':'))
        {
            return text.IndexOf(':') == text.LastIndexOf(':') ? Fail(s_port, out name) : ReadIPv6(text, s_ipv6, out name);
        }

        // The framework also reads octal, hexadecimal and shortened forms; only the canonical one survives the comparison.
        if (IPAddress.TryParse(text, out var address) && address.ToString() == text)
        {
            name = FromAddress(address);
            return null;
        }

        var flaw = DnsName.Read(text, out var dns);
        name = flaw is null ? FromDns(dns!) : null;
        return flaw;
    }

    private static NameProblem? ReadIPv6(string text, NameProblem otherwise, out ServerName? name)
    {
        if (text.Contains('%'))
        {
            return Fail(s_zone, out name);
        }

        if (text.Length > MaxAddressLength
            || text.AsSpan().ContainsAnyExcept(s_ipv6Characters)
            || !IPAddress.TryParse(text, out var address)
            || address.AddressFamily != AddressFamily.InterNetworkV6)
        {
            return Fail(otherwise, out name);
        }

        name = FromAddress(address);
        return null;
    }

    private static NameProblem Fail(NameProblem flaw, out ServerName? name)
    {
        name = null;
        return flaw;
    }
}
