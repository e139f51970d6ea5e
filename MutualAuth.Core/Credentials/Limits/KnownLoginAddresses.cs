using MutualAuth.Collections;

namespace MutualAuth.Credentials;

/// <summary>
/// Remembers which users have logged in from which places (certificates or addresses), so that failures of others who use the user's name
/// do not count against the user.
/// </summary>
/// <remarks>Held in this process, for the last 16,384 pairs of user and place. Safe for use from many threads.</remarks>
internal sealed class KnownLoginAddresses
{
    internal const int MaxPairs = 16_384;

    private readonly Lock _lock = new();
    private readonly BoundedCache<(string User, string Place), bool> _pairs = new(MaxPairs);

    internal bool Contains(LoginAttempt attempt)
    {
        lock (_lock)
        {
            return KeyOf(attempt) is { } key && _pairs.TryGet(key, out _);
        }
    }

    /// <summary>Records a login. Attempts without a name or a place are not recorded.</summary>
    internal void Add(LoginAttempt attempt)
    {
        if (KeyOf(attempt) is not { } key)
        {
            return;
        }

        lock (_lock)
        {
            _pairs.Set(key, true);
        }
    }

    private static (string User, string Place)? KeyOf(LoginAttempt attempt) =>
        attempt.UserName.Length > 0 && BackoffAttemptLimiter.PlaceOf(attempt) is { } place ? (attempt.UserName, place) : null;
}
