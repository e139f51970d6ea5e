using System.Collections.Immutable;

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

/// <summary>One login at the client: messages in, messages out, and the judgement whether the server has proven itself.</summary>
/// <remarks>Used by one thread at a time. Disposing of it wipes what it holds.</remarks>
public interface ISaslClientExchange : IDisposable
{
    /// <summary>The first message, sent along with the mechanism's name; null when the server speaks first.</summary>
    ValueTask<ReadOnlyMemory<byte>?> StartAsync(CancellationToken cancellationToken);

    /// <summary>Answers the server's next message.</summary>
    ValueTask<SaslClientStep> StepAsync(ReadOnlyMemory<byte> challenge, CancellationToken cancellationToken);

    /// <summary>The server says that we are in. It is believed only when this returns no objection.</summary>
    /// <param name="additionalData">What came with it; null for nothing.</param>
    SaslClientEnd Complete(ReadOnlyMemory<byte>? additionalData);
}

/// <summary>A client's answer to a challenge: a message, or the decision to leave.</summary>
public readonly record struct SaslClientStep
{
    private SaslClientStep(ReadOnlyMemory<byte> message, Rejection? objection)
    {
        Message = message;
        Objection = objection;
    }

    internal ReadOnlyMemory<byte> Message { get; }

    internal Rejection? Objection { get; }

    /// <summary>Sends this.</summary>
    public static SaslClientStep Answer(ReadOnlyMemory<byte> message) => new(message, null);

    /// <summary>Refuses to go on.</summary>
    public static SaslClientStep Refuse(Rejection objection)
    {
        ArgumentNullException.ThrowIfNull(objection);
        return new SaslClientStep(default, objection);
    }
}

/// <summary>How a login ended at the client.</summary>
/// <param name="Objection">Why the server is not believed; null when it is.</param>
/// <param name="ServerProofs">What the server has proven beyond its certificate.</param>
public readonly record struct SaslClientEnd(Rejection? Objection, PeerProofs ServerProofs);

/// <summary>What a client's mechanism knows of the connection on which it logs in. The server's certificate has been accepted.</summary>
public sealed class SaslClientContext
{
    internal SaslClientContext(AuthenticatedPeer server, ChannelBinding? channelBinding, ImmutableArray<string> offered)
    {
        Server = server;
        ChannelBinding = channelBinding;
        Offered = offered;
    }

    /// <summary>The server as its accepted certificate shows it.</summary>
    public AuthenticatedPeer Server { get; }

    /// <summary>What identifies the channel; null when the server's certificate has no binding.</summary>
    public ChannelBinding? ChannelBinding { get; }

    /// <summary>The mechanisms that the server offers.</summary>
    public ImmutableArray<string> Offered { get; }

    /// <summary>Where mechanisms get their nonces; tests replay published examples through it.</summary>
    internal Func<string> Nonce { get; init; } = ScramNonce.Create;

    internal KeyDerivation KeyDerivation { get; init; } = KeyDerivation.Unbounded;
}
