using System.Net;

namespace MutualAuth.Http;

/// <summary>Pools, lifetimes and redirects of a <see cref="MutualTlsHttpHandler"/>.</summary>
/// <remarks>Immutable. The constructor that takes the options reports every problem at once.</remarks>
public sealed record MutualTlsHttpOptions
{
    /// <summary>
    /// Says, for a host and port, who is expected there; null for no server, which fails the request. It is asked when a pool is made for them, so
    /// not for each request. Pure and quick. Default: null, each server has the name in the URI, by the rules of the handler's client.
    /// </summary>
    public Func<DnsEndPoint, MutualTlsHttpTarget?>? Target { get; init; }

    /// <summary>
    /// How long a connection takes requests; the next one then connects again, and so follows names and identities that have changed. Default: ten
    /// minutes; more than zero, or <see cref="Timeout.InfiniteTimeSpan"/>.
    /// </summary>
    public TimeSpan PooledConnectionLifetime { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>How long an unused connection stays open. Default: one minute; more than zero, or <see cref="Timeout.InfiniteTimeSpan"/>.</summary>
    public TimeSpan PooledConnectionIdleTimeout { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>
    /// How many HTTP/1.1 connections to one host and port are open at a time; further requests wait. Default: no bound; at least 1.
    /// </summary>
    public int MaxConnectionsPerServer { get; init; } = int.MaxValue;

    /// <summary>
    /// Whether another HTTP/2 connection is opened when the server's bound on streams is reached; otherwise requests wait. Default: true.
    /// </summary>
    public bool EnableMultipleHttp2Connections { get; init; } = true;

    /// <summary>
    /// After how much silence of an HTTP/2 server it is sent a ping (RFC 9113 §6.7). Default: <see cref="Timeout.InfiniteTimeSpan"/>, never; else at
    /// least a second.
    /// </summary>
    public TimeSpan KeepAlivePingDelay { get; init; } = Timeout.InfiniteTimeSpan;

    /// <summary>How long the answer to such a ping may take before the connection is given up. Default: 20 seconds; at least one.</summary>
    public TimeSpan KeepAlivePingTimeout { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>How large the headers of a response may be, in KiB. Default: 64; 1 to 1,024.</summary>
    public int MaxResponseHeadersLength { get; init; } = 64;

    /// <summary>Which encodings of content are asked for and undone. Default: none.</summary>
    public DecompressionMethods AutomaticDecompression { get; init; } = DecompressionMethods.None;

    /// <summary>
    /// How many redirects in a row are followed within one host and port (RFC 9110 §15.4). A redirect to another one, or to <c>http</c>, is never
    /// followed: the response is the caller's to judge. Default: 10; zero, none is followed; at most 50.
    /// </summary>
    public int MaxRedirects { get; init; } = 10;

    /// <summary>Where cookies are kept. Default: null, none are sent or kept.</summary>
    public CookieContainer? Cookies { get; init; }

    internal IEnumerable<string> Problems()
    {
        if (!IsDuration(PooledConnectionLifetime, TimeSpan.FromTicks(1)))
        {
            yield return $"{nameof(PooledConnectionLifetime)} must be more than zero, or infinite; it is {PooledConnectionLifetime}.";
        }

        if (!IsDuration(PooledConnectionIdleTimeout, TimeSpan.FromTicks(1)))
        {
            yield return $"{nameof(PooledConnectionIdleTimeout)} must be more than zero, or infinite; it is {PooledConnectionIdleTimeout}.";
        }

        if (MaxConnectionsPerServer < 1)
        {
            yield return $"{nameof(MaxConnectionsPerServer)} must be at least 1; it is {MaxConnectionsPerServer}.";
        }

        if (!IsDuration(KeepAlivePingDelay, TimeSpan.FromSeconds(1)))
        {
            yield return $"{nameof(KeepAlivePingDelay)} must be at least a second, or infinite; it is {KeepAlivePingDelay}.";
        }

        if (!IsDuration(KeepAlivePingTimeout, TimeSpan.FromSeconds(1)))
        {
            yield return $"{nameof(KeepAlivePingTimeout)} must be at least a second, or infinite; it is {KeepAlivePingTimeout}.";
        }

        if (MaxResponseHeadersLength is < 1 or > 1024)
        {
            yield return $"{nameof(MaxResponseHeadersLength)} must be 1 to 1,024 KiB; it is {MaxResponseHeadersLength}.";
        }

        if (MaxRedirects is < 0 or > 50)
        {
            yield return $"{nameof(MaxRedirects)} must be 0 to 50; it is {MaxRedirects}.";
        }
    }

    private static bool IsDuration(TimeSpan value, TimeSpan least) =>
        value == Timeout.InfiniteTimeSpan || (value >= least && value.TotalMilliseconds <= int.MaxValue);
}
