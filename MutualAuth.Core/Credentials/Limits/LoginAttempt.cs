using System.Net;
using MutualAuth.Certificates;

namespace MutualAuth.Credentials;

/// <summary>One attempt to log in.</summary>
public sealed record LoginAttempt
{
    /// <summary>Makes an attempt.</summary>
    /// <param name="userName">The name that is claimed, as SASLprep writes it; empty where the mechanism does not know one beforehand.</param>
    /// <param name="address">From where; null when the transport has no address.</param>
    public LoginAttempt(string userName, IPAddress? address)
    {
        UserName = userName;
        Address = address;
    }

    /// <summary>The name that is claimed, as SASLprep writes it; empty where the mechanism does not know one beforehand.</summary>
    public string UserName { get; init; }

    /// <summary>From where; null when the transport has no address.</summary>
    public IPAddress? Address { get; init; }

    /// <summary>The client's certificate, which was accepted; null when it showed none. Default: null.</summary>
    public Certificate? Certificate { get; init; }

    /// <summary>The SASL mechanism, such as <c>PLAIN</c>; null when it is not known. Default: null.</summary>
    public string? Mechanism { get; init; }
}
