namespace MutualAuth.Http;

/// <summary>
/// A request as the platform's handler gets it. To that handler the connections are plain ones, since it would look for its own kind of TLS
/// otherwise; the request that the caller has is not touched.
/// </summary>
internal static class WireRequest
{
    private static readonly UriCreationOptions s_asItIs = new() { DangerousDisablePathAndQueryCanonicalization = true };

    /// <param name="request">The caller's request.</param>
    /// <param name="prefix">Scheme and authority for the platform's handler.</param>
    /// <param name="version">The one version to send in.</param>
    internal static HttpRequestMessage Of(HttpRequestMessage request, string prefix, Version version)
    {
        var uri = request.RequestUri!;
        var wire = new HttpRequestMessage(request.Method, new Uri(prefix + uri.PathAndQuery, s_asItIs))
        {
            Version = version,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = request.Content,
        };
        foreach (var (name, values) in request.Headers.NonValidated)
        {
            wire.Headers.TryAddWithoutValidation(name, values);
        }

        if (request.Headers.ConnectionClose == false)
        {
            wire.Headers.ConnectionClose = false;
        }

        foreach (var option in request.Options)
        {
            ((IDictionary<string, object?>)wire.Options).Add(option);
        }

        // Without the default port of https, which is not that of the scheme that the platform's handler sees.
        wire.Headers.Host ??= uri.IsDefaultPort ? HostOf(uri) : $"{HostOf(uri)}:{uri.Port}";
        return wire;
    }

    /// <summary>The host as it is in a URI, an IPv6 address in brackets.</summary>
    internal static string HostOf(Uri uri) => uri.HostNameType == UriHostNameType.IPv6 ? uri.Host : uri.IdnHost;
}
