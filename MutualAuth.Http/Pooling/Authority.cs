namespace MutualAuth.Http.Pooling;

/// <summary>The host and port of a URI: what has a pool of its own.</summary>
internal readonly record struct Authority(string Host, int Port)
{
    /// <summary>Hosts of URIs are in lower case already; an IPv6 address is without brackets here.</summary>
    internal static Authority Of(Uri uri) => new(uri.IdnHost, uri.Port);
}
