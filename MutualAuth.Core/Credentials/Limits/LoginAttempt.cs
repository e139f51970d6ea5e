using System.Net;
using MutualAuth.Certificates;

namespace MutualAuth.Credentials;

/// <summary>One attempt to log in.</summary>
/// <param name="UserName">The name that is claimed, as SASLprep writes it; empty where the mechanism does not know one beforehand.</param>
/// <param name="Address">From where; null when the transport has no address.</param>
public sealed record LoginAttempt(string UserName, IPAddress? Address)
{
    /// <summary>The client's certificate, which was accepted; null when it showed none. Default: null.</summary>
    public Certificate? Certificate { get; init; }

    /// <summary>The SASL mechanism, such as <c>PLAIN</c>; null when it is not known. Default: null.</summary>
    public string? Mechanism { get; init; }
}
