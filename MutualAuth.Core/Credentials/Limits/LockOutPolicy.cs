namespace MutualAuth.Credentials;

/// <summary>After how many failed logins in a row a user is locked out, for how long, and who is told.</summary>
/// <remarks>
/// <para>Immutable. It stands beside <see cref="CredentialPolicy.MaxConsecutiveFailures"/>, which bounds the failures of all lock-outs together: when
/// that is reached, only an operator unlocks (<see cref="IFailureCountingStore.ClearFailuresAsync"/>).</para>
/// <para>While a user is locked out no guess is judged, none is counted, and not even the right credentials are accepted. A success clears the
/// count. The time of a lock-out is measured in each process, by the monotonic clock, from the moment at which that process first saw it: a
/// restart, or a second server, may lengthen it and never shortens it.</para>
/// </remarks>
/// <example><code>var lockOut = new LockOutPolicy { Failures = 5, Duration = TimeSpan.FromMinutes(15), TellUser = SendMailAsync };</code></example>
public sealed record LockOutPolicy
{
    private static readonly TimeSpan s_shortest = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan s_longest = TimeSpan.FromDays(7);

    /// <summary>
    /// How many failures in a row, whatever the time between them: 1 to 1,000. Payment services in the EU allow five (Regulation (EU) 2018/389
    /// art. 4(3)(b)).
    /// </summary>
    public required int Failures { get; init; }

    /// <summary>
    /// How long a user is locked out; afterwards as many attempts are judged again. From a second to seven days. Default: null, until an operator
    /// unlocks.
    /// </summary>
    public TimeSpan? Duration { get; init; }

    /// <summary>
    /// Whether a user can log in from where it has logged in before (the same certificate, or without one the same address) while it is locked out
    /// elsewhere, so that a stranger cannot lock it out. Guesses from there are not bounded by the lock-out, but by the attempt limiter alone.
    /// Default:
    /// true. False where a rule knows no such exception: then every client that may try can lock a user out.
    /// </summary>
    public bool ExemptsKnownPlaces { get; init; } = true;

    /// <summary>
    /// Called for each lock-out of a user that exists, for the operator: beside the login, which does not wait for it, and one notice after the
    /// other.
    /// Its token ends after ten seconds. One that does not come back gets no further calls. At most 1,024 notices wait; further ones, and
    /// exceptions, are logged. Default: null; the log has each lock-out in any case.
    /// </summary>
    public Func<LockOutNotice, CancellationToken, ValueTask>? TellOperator { get; init; }

    /// <summary>The same, to tell the user, by mail for instance: over another channel than the one that was locked. Default: null.</summary>
    public Func<LockOutNotice, CancellationToken, ValueTask>? TellUser { get; init; }

    internal IEnumerable<string> Problems(int mostInAll)
    {
        if (Failures is < 1 or > 1000 || Failures > mostInAll)
        {
            yield return $"{nameof(LockOutPolicy)}.{nameof(Failures)} must be from 1 to 1,000, and at most "
                + $"{nameof(CredentialPolicy.MaxConsecutiveFailures)}; it is {Failures}.";
        }

        if (Duration < s_shortest || Duration > s_longest)
        {
            yield return $"{nameof(LockOutPolicy)}.{nameof(Duration)} must be from a second to seven days, or null; it is {Duration}.";
        }
    }
}
