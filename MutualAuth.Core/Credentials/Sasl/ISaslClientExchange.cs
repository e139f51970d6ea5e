namespace MutualAuth.Credentials;

/// <summary>One login at the client: messages in, messages out, and the judgement whether the server has proven itself.</summary>
/// <remarks>Used by one thread at a time. Disposing of it wipes what it holds.</remarks>
public interface ISaslClientExchange : IDisposable
{
    /// <summary>The first message, sent along with the mechanism's name; null when the server speaks first.</summary>
    ValueTask<ReadOnlyMemory<byte>?> StartAsync(CancellationToken cancellationToken);

    /// <summary>Answers the server's next message.</summary>
    ValueTask<SaslClientStep> StepAsync(ReadOnlyMemory<byte> challenge, CancellationToken cancellationToken);

    /// <summary>The server has accepted the login. The client believes it only if this returns no objection.</summary>
    /// <param name="additionalData">What came with it; null for nothing.</param>
    SaslClientEnd Complete(ReadOnlyMemory<byte>? additionalData);
}
