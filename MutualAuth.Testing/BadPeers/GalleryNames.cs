namespace MutualAuth.Testing.BadPeers;

/// <summary>The names of the good neighbours, which a server or client of yours must accept.</summary>
public sealed record GalleryNames
{
    /// <summary>The DNS name of good clients. Default: <c>client.test</c>.</summary>
    public string Client { get; init; } = "client.test";

    /// <summary>The DNS name of good servers, which is also what is dialled unless an exhibit says otherwise. Default: <c>server.test</c>.</summary>
    public string Server { get; init; } = "server.test";

    /// <summary>
    /// The SPIFFE trust domain of good peers, whose IDs are <c>spiffe://DOMAIN/client</c> and <c>/server</c>. Default: <c>gallery.test</c>.
    /// </summary>
    public string TrustDomain { get; init; } = "gallery.test";
}
