namespace MutualAuth.Authorization;

/// <summary>
/// Something that a login relied on and that may change while the connection is open: a user's verifier, a second factor, or what another source
/// says. It is asked about again while the connection is open.
/// </summary>
/// <remarks>Immutable. <see cref="Credentials.LoginFacts"/> makes them; nothing else can.</remarks>
public abstract class LoginFact
{
    internal LoginFact()
    {
    }

    /// <summary>What the login relied on, fit for a log.</summary>
    public abstract override string ToString();

    /// <summary>The object that is asked. Facts of the same kind with the same source are asked about together.</summary>
    internal abstract object Source { get; }

    /// <summary>What the source is asked about: for a store the name of the user.</summary>
    internal abstract string Key { get; }

    /// <summary>Makes what asks the source about this fact and others of the same kind.</summary>
    internal abstract FactReader CreateReader();
}
