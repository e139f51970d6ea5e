namespace MutualAuth.Authorization;

/// <summary>Something that a login relied on and that may change while the connection is open: a user's verifier, or a second factor.</summary>
/// <remarks>Immutable. <see cref="Credentials.LoginFacts"/> makes them; nothing else can.</remarks>
public abstract class LoginFact
{
    internal LoginFact()
    {
    }

    /// <summary>What the login relied on, fit for a log.</summary>
    public abstract override string ToString();
}
