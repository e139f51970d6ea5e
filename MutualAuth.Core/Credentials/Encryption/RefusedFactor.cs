namespace MutualAuth.Credentials;

/// <summary>A second factor that could not be opened, and why.</summary>
public sealed record RefusedFactor
{
    internal RefusedFactor(string userName, string factorId, Rejection objection) =>
        (UserName, FactorId, Objection) = (userName, factorId, objection);

    /// <summary>The user, as the store writes the name.</summary>
    public string UserName { get; }

    /// <summary><see cref="StoredFactor.Id"/>.</summary>
    public string FactorId { get; }

    /// <summary>Why.</summary>
    public Rejection Objection { get; }
}
