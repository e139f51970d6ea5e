namespace MutualAuth.Credentials;

/// <summary>
/// One way, or a family of ways, in which users log in to a server (RFC 4422). <see cref="SaslServer"/> makes those that are built in.
/// </summary>
/// <remarks>Implementations are immutable and safe for use from many threads; what belongs to one login is in the exchange.</remarks>
public interface ISaslServerMechanism
{
    /// <summary>
    /// What an exchange by this mechanism may prove. A server offers a second factor only where that may help to meet what is required, and a
    /// policy that no mechanism can meet is refused. What was proven is what the exchange says. Default: anything.
    /// </summary>
    PeerProofs MayProve => (PeerProofs)~0;

    /// <summary>
    /// The names that can be offered on this connection, the strongest first; empty when there is none, as for <c>-PLUS</c> without a
    /// channel binding.
    /// </summary>
    IEnumerable<string> NamesFor(SaslServerContext context);

    /// <summary>Begins the exchange that the client asked for by one of those names.</summary>
    ISaslServerExchange Begin(string name, SaslServerContext context);
}
