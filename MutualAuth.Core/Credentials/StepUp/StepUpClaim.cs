using System.Collections.Immutable;

namespace MutualAuth.Credentials;

/// <summary>The client's side of a step-up: confirms one transaction, as this side understands it, with the user's credentials.</summary>
/// <remarks>Made by the connection, used by one thread at a time, and disposed of by its owner.</remarks>
public sealed class StepUpClaim : IDisposable
{
    private readonly SaslClientSession? _session;

    internal StepUpClaim(
        ClientCredentials credentials, ChannelFacts channel, AuthenticatedPeer server, ReadOnlySpan<byte> transaction, IEnumerable<string> offered)
    {
        ImmutableArray<string> names = [.. offered.Where(name => name.EndsWith(ScramMechanisms.Plus, StringComparison.Ordinal))];
        (_session, Rejection) = SaslClientSession.Begin(credentials, new SaslClientContext(server, StepUpBinding.Of(channel, transaction), names));
    }

    /// <summary>The mechanism, to be sent along with the first message; null when there is none in common.</summary>
    public string? Mechanism => _session?.Mechanism;

    /// <summary>Why the server is not believed, or why we cannot begin; null while all is well.</summary>
    public Rejection? Rejection { get; private set; }

    /// <summary>The first message to send; empty when the server speaks first.</summary>
    /// <exception cref="InvalidOperationException">There is no mechanism in common; <see cref="Rejection"/> says why.</exception>
    public async ValueTask<byte[]> StartAsync(CancellationToken cancellationToken = default) =>
        ((await Session().StartAsync(cancellationToken).ConfigureAwait(false)) ?? ReadOnlyMemory<byte>.Empty).ToArray();

    /// <summary>Answers the server's message.</summary>
    /// <returns>What to send; null when we do not go on, and <see cref="Rejection"/> says why.</returns>
    public async ValueTask<byte[]?> ContinueAsync(ReadOnlyMemory<byte> challenge, CancellationToken cancellationToken = default)
    {
        var step = await Session().StepAsync(challenge, cancellationToken).ConfigureAwait(false);
        Rejection = step.Objection;
        return step.Objection is null ? step.Message.ToArray() : null;
    }

    /// <summary>The server says that the transaction is confirmed: checks that it knows us.</summary>
    /// <param name="message">What came with it; empty for nothing.</param>
    /// <returns>False when it is not believed; <see cref="Rejection"/> says why.</returns>
    public bool Complete(ReadOnlyMemory<byte> message)
    {
        Rejection = (message.IsEmpty ? Session().Complete(null) : Session().Complete(message)).Objection;
        return Rejection is null;
    }

    /// <summary>Wipes what it holds.</summary>
    public void Dispose() => _session?.Dispose();

    private SaslClientSession Session() => _session ?? throw new InvalidOperationException($"There is no exchange. {Rejection}");
}
