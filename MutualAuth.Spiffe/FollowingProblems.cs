namespace MutualAuth.Spiffe;

/// <summary>What cannot be right about following a stream.</summary>
internal static class FollowingProblems
{
    internal static IEnumerable<string> Of(
        TimeSpan firstUpdateTimeout, TimeSpan retryDelay, TimeSpan maxRetryDelay, TimeSpan keepAlive, WhenDenied whenDenied)
    {
        var hour = TimeSpan.FromHours(1);
        if (firstUpdateTimeout <= TimeSpan.Zero || firstUpdateTimeout > hour)
        {
            yield return $"{nameof(X509SourceOptions.FirstUpdateTimeout)} must be more than nothing and at most an hour; it is {firstUpdateTimeout}.";
        }

        if (retryDelay < TimeSpan.FromMilliseconds(1) || retryDelay > hour)
        {
            yield return $"{nameof(X509SourceOptions.RetryDelay)} must be 1 ms to an hour; it is {retryDelay}.";
        }

        if (maxRetryDelay < retryDelay || maxRetryDelay > hour)
        {
            yield return $"{nameof(X509SourceOptions.MaxRetryDelay)} must be {nameof(X509SourceOptions.RetryDelay)} to an hour; "
                + $"it is {maxRetryDelay}.";
        }

        if (keepAlive < TimeSpan.FromSeconds(1) || keepAlive > hour)
        {
            yield return $"{nameof(X509SourceOptions.KeepAlive)} must be a second to an hour; it is {keepAlive}.";
        }

        if (!Enum.IsDefined(whenDenied))
        {
            yield return $"{nameof(X509SourceOptions.WhenDenied)} must be one of its values.";
        }
    }
}
