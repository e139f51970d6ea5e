using System.Net;

namespace MutualAuth.Http;

/// <summary>Who serves the URIs of one host and port: by which rules it is judged, under which name, and where it is dialled.</summary>
/// <remarks>Immutable.</remarks>
/// <example>
/// <code>
/// var options = new MutualTlsHttpOptions
/// {
///     Target = authority =&gt; authority.Host == "billing"
///         ? new MutualTlsHttpTarget { Client = billingClient }      // its rule demands a SPIFFE ID
///         : new MutualTlsHttpTarget(),
/// };
/// </code>
/// </example>
public sealed record MutualTlsHttpTarget
{
    /// <summary>The client that authenticates both ends. Default: null, that of the handler. It is not owned.</summary>
    public MutualTlsClient? Client { get; init; }

    /// <summary>
    /// The name that <see cref="Authorize.ServerName"/> demands, and that the server is asked for: a DNS name or an IP address. Default: null, the
    /// host of the URI.
    /// </summary>
    public string? ServerName { get; init; }

    /// <summary>Where to dial: an IP, DNS or Unix domain socket end point. Default: null, the host and port of the URI.</summary>
    public EndPoint? EndPoint { get; init; }
}
