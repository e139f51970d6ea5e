namespace MutualAuth.Credentials;

/// <summary>A second factor and the user that it belongs to, as administration lists them.</summary>
public sealed record UserFactor
{
    /// <summary>Makes the pair.</summary>
    /// <param name="userName">The user, as SASLprep writes the name.</param>
    /// <param name="factor">The factor.</param>
    public UserFactor(string userName, StoredFactor factor)
    {
        UserName = userName;
        Factor = factor;
    }

    /// <summary>The user, as SASLprep writes the name.</summary>
    public string UserName { get; init; }

    /// <summary>The factor.</summary>
    public StoredFactor Factor { get; init; }
}
