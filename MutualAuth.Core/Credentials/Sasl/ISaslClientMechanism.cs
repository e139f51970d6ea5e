namespace MutualAuth.Credentials;

/// <summary>One way, or a family of ways, in which a client logs in (RFC 4422). <see cref="Login"/> makes those that are built in.</summary>
/// <remarks>Implementations are immutable and safe for use from many threads; what belongs to one login is in the exchange.</remarks>
public interface ISaslClientMechanism
{
    /// <summary>The names that the client would use on this connection, the best first, whatever the server offers.</summary>
    IEnumerable<string> NamesFor(SaslClientContext context);

    /// <summary>Begins an exchange by one of those names, which the server offers as well.</summary>
    ISaslClientExchange Begin(string name, SaslClientContext context);
}
