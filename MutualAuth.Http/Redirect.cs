using System.Net;
using MutualAuth.Http.Pooling;

namespace MutualAuth.Http;

/// <summary>Redirects (RFC 9110 §15.4) that stay with the server that was authenticated. All others are the caller's to see.</summary>
internal static class Redirect
{
    /// <summary>Where a response redirects to within the same authority; null for everything else.</summary>
    internal static Uri? TargetOf(HttpRequestMessage request, HttpResponseMessage response)
    {
        if (response.StatusCode is not (HttpStatusCode.MovedPermanently or HttpStatusCode.Found or HttpStatusCode.SeeOther
                or HttpStatusCode.TemporaryRedirect or HttpStatusCode.PermanentRedirect)
            || response.Headers.Location is not { } location)
        {
            return null;
        }

        var from = request.RequestUri!;
        var target = location.IsAbsoluteUri ? location : new Uri(from, location);
        if (target.Scheme != Uri.UriSchemeHttps || Authority.Of(target) != Authority.Of(from))
        {
            return null;
        }

        return target.Fragment.Length == 0 && from.Fragment.Length > 0 ? new UriBuilder(target) { Fragment = from.Fragment }.Uri : target;
    }

    /// <summary>Makes the request the one to send next.</summary>
    internal static void Apply(HttpRequestMessage request, HttpStatusCode status, Uri target)
    {
        var becomesGet = status switch
        {
            HttpStatusCode.MovedPermanently or HttpStatusCode.Found => request.Method == HttpMethod.Post,
            HttpStatusCode.SeeOther => request.Method != HttpMethod.Get && request.Method != HttpMethod.Head,
            _ => false,
        };
        if (becomesGet)
        {
            request.Method = HttpMethod.Get;
            request.Content = null;
            request.Headers.TransferEncodingChunked = null;
        }

        request.RequestUri = target;
    }
}
