using MutualAuth.Credentials;

namespace MutualAuth.Tests.Support;

/// <summary>Lets every attempt pass, or those before some question, and notes what it is asked and told.</summary>
internal sealed class NotingLimiter : IAttemptLimiter
{
    /// <summary>The first question, counted from 0, to which it says no.</summary>
    internal int RefusesFrom { get; init; } = int.MaxValue;

    private readonly Lock _lock = new();
    private readonly List<LoginAttempt> _attempts = [];
    private readonly List<(LoginAttempt Attempt, AttemptOutcome Outcome)> _outcomes = [];

    internal LoginAttempt[] Attempts
    {
        get
        {
            lock (_lock)
            {
                return [.. _attempts];
            }
        }
    }

    internal (LoginAttempt Attempt, AttemptOutcome Outcome)[] Outcomes
    {
        get
        {
            lock (_lock)
            {
                return [.. _outcomes];
            }
        }
    }

    public ValueTask<TimeSpan?> BeginAsync(LoginAttempt attempt, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            _attempts.Add(attempt);
            return _attempts.Count > RefusesFrom ? new(TimeSpan.FromSeconds(7)) : default;
        }
    }

    public ValueTask EndAsync(LoginAttempt attempt, AttemptOutcome outcome)
    {
        lock (_lock)
        {
            _outcomes.Add((attempt, outcome));
        }

        return default;
    }
}
