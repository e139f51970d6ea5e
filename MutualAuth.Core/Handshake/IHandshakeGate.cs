namespace MutualAuth.Handshake;

/// <summary>Gives places to handshakes whose ClientHello is complete.</summary>
internal interface IHandshakeGate
{
    /// <summary>Waits for a place; disposing of what it returns gives the place back.</summary>
    /// <exception cref="Errors.HandshakeException">There is no place, nor one to wait for.</exception>
    /// <exception cref="OperationCanceledException">The attempt ended while it waited.</exception>
    ValueTask<IDisposable?> EnterAsync(HandshakeAttempt attempt);
}

/// <summary>Lets everybody in: whoever accepts sockets one by one sets his own pace.</summary>
internal sealed class OpenGate : IHandshakeGate
{
    internal static readonly OpenGate Instance = new();

    public ValueTask<IDisposable?> EnterAsync(HandshakeAttempt attempt) => default;
}
