namespace MutualAuth.Credentials;

/// <summary>A mechanism by which alone no user can log in: it relies on an earlier login by another one, and on the client's certificate.</summary>
internal interface INeedsEarlierLogin
{
    /// <summary>What makes it, for a message.</summary>
    string Maker { get; }
}
