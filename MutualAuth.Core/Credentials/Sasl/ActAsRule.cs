namespace MutualAuth.Credentials;

/// <summary>Says whether a user who has logged in may act as another. Pure and quick; an exception rejects the client.</summary>
/// <param name="userName">The user who has logged in, as SASLprep (RFC 4013) writes the name.</param>
/// <param name="actAs">The user as whom to act, as SASLprep writes the name.</param>
public delegate bool ActAsRule(string userName, string actAs);
