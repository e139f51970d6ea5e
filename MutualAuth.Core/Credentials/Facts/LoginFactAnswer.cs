namespace MutualAuth.Credentials;

/// <summary>What a source says of a fact that a login relied on.</summary>
/// <remarks>Immutable.</remarks>
public sealed class LoginFactAnswer
{
    private LoginFactAnswer()
    {
    }

    /// <summary>The fact holds.</summary>
    public static LoginFactAnswer Holds { get; } = new() { IsKnown = true };

    /// <summary>
    /// Nothing can be said now. The connection stays for <see cref="RevalidationPolicy.MaxUserStaleness"/> after the last good answer.
    /// </summary>
    public static LoginFactAnswer CannotSay { get; } = new();

    internal bool IsKnown { get; private init; }

    internal Rejection? Objection { get; private init; }

    /// <summary>The fact does not hold any more. <see cref="RevalidationPolicy"/> says by the reason what becomes of the connection.</summary>
    /// <param name="reason">
    /// Why, such as <see cref="RejectionReason.UserDisabled"/>, <see cref="RejectionReason.UserRemoved"/>,
    /// <see cref="RejectionReason.PasswordChanged"/> or <see cref="RejectionReason.TokenInvalid"/>.
    /// </param>
    /// <param name="expected">What was expected, in words that may be logged.</param>
    /// <param name="presented">What is the case, in words that may be logged.</param>
    /// <exception cref="ArgumentException">A text is null or empty.</exception>
    public static LoginFactAnswer NoLonger(RejectionReason reason, string expected, string presented)
    {
        ArgumentException.ThrowIfNullOrEmpty(expected);
        ArgumentException.ThrowIfNullOrEmpty(presented);
        return new() { IsKnown = true, Objection = new Rejection(reason, expected, presented) };
    }
}
