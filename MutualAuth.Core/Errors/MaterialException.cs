namespace MutualAuth;

/// <summary>Material of our own (a certificate, a key, trust anchors, a revocation list, a file of credentials) cannot be used.</summary>
/// <remarks>The message names the problem and its remedy; it never contains a key or a password.</remarks>
public sealed class MaterialException : Exception
{
    /// <summary>Creates an exception whose message names the problem and its remedy.</summary>
    public MaterialException(string message, Exception? innerException = null)
        : base(message, innerException)
    {
    }

    /// <summary>The kind of problem, for code. Default: <see cref="MaterialProblem.Unusable"/>.</summary>
    public MaterialProblem Problem { get; init; } = MaterialProblem.Unusable;
}
