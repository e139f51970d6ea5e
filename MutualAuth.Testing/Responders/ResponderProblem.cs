namespace MutualAuth.Testing.Responders;

/// <summary>A request that a responder refused, could not read or could not answer, and why.</summary>
/// <param name="Kind">What kind of problem it is.</param>
/// <param name="Reason">What was wrong, for the author of the test. What the other side sent is quoted in it with escapes.</param>
/// <param name="Request">The request; null where none could be read, and where the responder was asked without HTTP.</param>
/// <param name="Status">The HTTP status of the answer; null where there was none.</param>
/// <param name="Exception">What was thrown; null where nothing was.</param>
public sealed record ResponderProblem(ResponderProblemKind Kind, string Reason, ResponderRequest? Request, int? Status, Exception? Exception);
