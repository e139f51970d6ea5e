using System.Net;

namespace MutualAuth.Errors;

/// <summary>An end point as people write it.</summary>
internal static class EndPointText
{
    /// <summary>A name without the platform's address family in front of it; null for no end point, and for one without a text.</summary>
    internal static string? Of(EndPoint? endPoint) => endPoint switch
    {
        null => null,
        DnsEndPoint dns => $"{dns.Host}:{dns.Port}",
        _ => endPoint.ToString() is { Length: > 0 } text ? text : null,
    };
}
