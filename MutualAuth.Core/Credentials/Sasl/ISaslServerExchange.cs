namespace MutualAuth.Credentials;

/// <summary>One login at the server: messages in, messages out.</summary>
/// <remarks>Used by one thread at a time. Disposing of it wipes what it holds.</remarks>
public interface ISaslServerExchange : IDisposable
{
    /// <summary>Takes the client's next message, of at most 16,384 octets; the first may be empty.</summary>
    /// <remarks>Whatever it throws, other than for <paramref name="cancellationToken"/>, refuses the client.</remarks>
    ValueTask<SaslServerStep> StepAsync(ReadOnlyMemory<byte> message, CancellationToken cancellationToken);
}
