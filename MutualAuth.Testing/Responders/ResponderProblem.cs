namespace MutualAuth.Testing.Responders;

/// <summary>A request that a responder refused, could not read or could not answer, and why.</summary>
/// <param name="Kind">What kind of problem it is.</param>
/// <param name="Reason">What was wrong, for the author of the test. What the other side sent is quoted in it with escapes.</param>
/// <param name="Request">
/// The request, without its body where that could not be read; null where not even the first line could be read, and where the responder was asked
/// without HTTP.
/// </param>
/// <param name="Status">The HTTP status of the answer; null where there was none.</param>
/// <param name="Exception">What was thrown; null where nothing was.</param>
public sealed record ResponderProblem(ResponderProblemKind Kind, string Reason, ResponderRequest? Request, int? Status, Exception? Exception)
{
    /// <summary>All of it on one line, the exception by its type and message.</summary>
    public override string ToString()
    {
        var request = Request is null ? string.Empty : $" of {Request.Method} {Request.Path}";
        return $"{Kind}{request}{(Status is null ? string.Empty : $", answered with {Status}")}: {Reason}";
    }
}
