namespace MutualAuth.Callbacks;

/// <summary>How <see cref="ValidationCallbacks"/> tell what they decided.</summary>
/// <remarks>Immutable. A contradiction is reported, with all others, by the constructor that takes it.</remarks>
public sealed record ValidationCallbackOptions
{
    internal const int LongestName = 64;

    /// <summary>
    /// What the connections are for, as in <c>orders database</c>: it is in each log event, and a tag of the metric. Use a fixed text for each place
    /// in the program. Default: <c>callback</c>. One to 64 characters, no control characters.
    /// </summary>
    public string Name { get; init; } = "callback";

    /// <summary>
    /// Called with each judgement, before the callback returns; it must not wait. It decides nothing: what it throws is logged as event 1135, and the
    /// answer stays. Default: none.
    /// </summary>
    public Action<CallbackJudgement>? OnJudged { get; init; }

    /// <summary>The clock that says as of when peers are judged. A clock that throws rejects the peer. Default: the system's.</summary>
    public TimeProvider TimeProvider { get; init; } = TimeProvider.System;

    internal IEnumerable<string> Problems()
    {
        if (string.IsNullOrWhiteSpace(Name) || Name.Length > LongestName || Name.Any(char.IsControl))
        {
            yield return $"{nameof(Name)} must have 1 to {LongestName} characters, not only spaces, and no control characters.";
        }

        if (TimeProvider is null)
        {
            yield return $"{nameof(TimeProvider)} must not be null.";
        }
    }
}
