namespace MutualAuth.Credentials;

/// <summary>Has a client show a reconnect credential where it holds one.</summary>
public static class ReconnectExtensions
{
    /// <summary>
    /// The same credentials, and before them a reconnect credential: where one is held that fits the server and our certificate, it is shown, and
    /// otherwise the user logs in in full.
    /// </summary>
    /// <param name="credentials">What the user logs in with in full.</param>
    /// <param name="held">What holds it; the caller owns it, and keeps it as long as these credentials are used.</param>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    /// <example><code>var credentials = Login.WithPassword("alice", password).Then(oneTimeCode).Reconnecting(held);</code></example>
    public static ClientCredentials Reconnecting(this ClientCredentials credentials, HeldReconnectCredential held)
    {
        ArgumentNullException.ThrowIfNull(credentials);
        ArgumentNullException.ThrowIfNull(held);
        return credentials.Behind(held.Mechanism);
    }
}
