namespace MutualAuth.Testing.BadPeers;

/// <summary>The names of the good neighbours, which a server or client of yours must accept.</summary>
/// <remarks>
/// Any characters and any length will do; names in another script are issued as their A-labels (RFC 5890 §2.3.2.1). A name of more than 64
/// characters is no common name, as with <see cref="TestAuthority.IssueClient"/>, except where the common name is what an exhibit is about.
/// </remarks>
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

    /// <summary>What no peer can be called, by the name of the option; null where all is well.</summary>
    internal string? Problem() => ProblemOf(nameof(Client), Client) ?? ProblemOf(nameof(Server), Server)
        ?? (string.IsNullOrEmpty(TrustDomain) ? $"{nameof(GalleryRunOptions.Names)}.{nameof(TrustDomain)} must not be empty." : null);

    private static string? ProblemOf(string option, string? name)
    {
        if (string.IsNullOrEmpty(name))
        {
            return $"{nameof(GalleryRunOptions.Names)}.{option} must not be empty.";
        }

        try
        {
            GeneralName.ToALabels(name);
            return null;
        }
        catch (ArgumentException exception)
        {
            return $"{nameof(GalleryRunOptions.Names)}.{option} is no name: {exception.Message}";
        }
    }
}
