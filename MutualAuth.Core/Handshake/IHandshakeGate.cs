namespace MutualAuth.Handshake;

/// <summary>Gives places to handshakes whose ClientHello is complete.</summary>
internal interface IHandshakeGate
{
    /// <summary>Waits for a place; disposing of what it returns gives the place back.</summary>
    /// <exception cref="Errors.HandshakeException">There is no place, nor one to wait for.</exception>
    /// <exception cref="OperationCanceledException">The attempt ended while it waited.</exception>
    ValueTask<IDisposable?> EnterAsync(HandshakeAttempt attempt);

    /// <summary>
    /// The handshake waits for the client's next message of its login, which may take the client a second, or never come: the place is free for others
    /// meanwhile, and whoever waits longest may be ended when too many do.
    /// </summary>
    void Pause(HandshakeAttempt attempt);

    /// <summary>The message is there: waits for a place again.</summary>
    /// <exception cref="OperationCanceledException">The attempt ended while it waited.</exception>
    ValueTask ResumeAsync(HandshakeAttempt attempt);
}

/// <summary>Lets everybody in: whoever accepts sockets one by one sets his own pace.</summary>
internal sealed class OpenGate : IHandshakeGate
{
    internal static readonly OpenGate Instance = new();

    public ValueTask<IDisposable?> EnterAsync(HandshakeAttempt attempt) => default;

    public void Pause(HandshakeAttempt attempt)
    {
    }

    public ValueTask ResumeAsync(HandshakeAttempt attempt) => default;
}
