namespace MutualAuth.Credentials;

/// <summary>A client's answer to a challenge: a message, or the decision to leave.</summary>
public readonly record struct SaslClientStep
{
    private SaslClientStep(ReadOnlyMemory<byte> message, Rejection? objection)
    {
        Message = message;
        Objection = objection;
    }

    /// <summary>What to send; empty when it refuses.</summary>
    public ReadOnlyMemory<byte> Message { get; }

    /// <summary>Why it refuses to go on; null when it goes on.</summary>
    public Rejection? Objection { get; }

    /// <summary>Sends this.</summary>
    public static SaslClientStep Answer(ReadOnlyMemory<byte> message) => new(message, null);

    /// <summary>Refuses to go on.</summary>
    /// <exception cref="ArgumentNullException"><paramref name="objection"/> is null.</exception>
    public static SaslClientStep Refuse(Rejection objection)
    {
        ArgumentNullException.ThrowIfNull(objection);
        return new SaslClientStep(default, objection);
    }
}
