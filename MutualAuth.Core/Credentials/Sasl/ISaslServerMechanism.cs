namespace MutualAuth.Credentials;

/// <summary>One way, or a family of ways, in which users log in to a server (RFC 4422). <see cref="SaslServer"/> makes those that are built in.</summary>
/// <remarks>Implementations are immutable and safe for use from many threads; what belongs to one login is in the exchange.</remarks>
public interface ISaslServerMechanism
{
    /// <summary>The names that can be offered on this connection, the strongest first; empty when there is none, as for <c>-PLUS</c> without a channel binding.</summary>
    IEnumerable<string> NamesFor(SaslServerContext context);

    /// <summary>Begins the exchange that the client asked for by one of those names.</summary>
    ISaslServerExchange Begin(string name, SaslServerContext context);
}

/// <summary>One login at the server: messages in, messages out.</summary>
/// <remarks>Used by one thread at a time. Disposing of it wipes what it holds.</remarks>
public interface ISaslServerExchange : IDisposable
{
    /// <summary>Takes the client's next message, of at most 16,384 octets; the first may be empty.</summary>
    /// <remarks>Whatever it throws, other than for <paramref name="cancellationToken"/>, refuses the client.</remarks>
    ValueTask<SaslServerStep> StepAsync(ReadOnlyMemory<byte> message, CancellationToken cancellationToken);
}
