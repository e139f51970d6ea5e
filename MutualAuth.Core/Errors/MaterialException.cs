namespace MutualAuth;

/// <summary>Material of our own (a certificate, a key, trust anchors, a revocation list, a file of credentials) cannot be used.</summary>
/// <remarks>The message is a sentence that says what is wrong and what to do; it never holds a key or a password.</remarks>
public sealed class MaterialException : Exception
{
    /// <summary>Says what is wrong, in a sentence that says what to do.</summary>
    public MaterialException(string message, Exception? innerException = null)
        : base(message, innerException)
    {
    }

    /// <summary>What kind of mistake it is, for code. Default: <see cref="MaterialProblem.Unusable"/>.</summary>
    public MaterialProblem Problem { get; init; } = MaterialProblem.Unusable;
}
