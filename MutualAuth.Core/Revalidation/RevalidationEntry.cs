using System.Collections.Immutable;
using MutualAuth.Certificates;
using MutualAuth.Connections;
using MutualAuth.Validation;

namespace MutualAuth.Revalidation;

/// <summary>A live connection, what it stands on, and when to look at it next. The lock of its registry guards what changes.</summary>
internal sealed class RevalidationEntry(IRevalidated connection, long number, ImmutableArray<Certificate> path, DateTimeOffset? ownEnd)
    : ILiveEntry, IEndListener
{
    private readonly WeakReference<IRevalidated> _connection = new(connection);
    private Durations? _durations; // where the policy has any: no place for them in each of a hundred thousand connections
    private long _judgedIn;

    /// <summary>The connection; null once it was reclaimed: revalidation does not keep it alive.</summary>
    internal IRevalidated? Connection => _connection.TryGetTarget(out var connection) ? connection : null;

    /// <summary>Tells entries apart that are due at the same time.</summary>
    internal long Number { get; } = number;

    /// <summary>The registry that it is in; null in tests of the parts.</summary>
    internal ConnectionRevalidator? Registry { get; init; }

    /// <summary>What the user stands on; null for a peer without one.</summary>
    internal UserStanding? User { get; init; }

    /// <summary>What validators say of the peer, each for a time.</summary>
    internal LiveLease[] Leases { get; set; } = [];

    /// <summary>The path by which the peer was accepted last; empty for one that logged in without a certificate.</summary>
    internal ImmutableArray<Certificate> Path { get; private set; } = path;

    /// <summary>The last moment at which every certificate of <see cref="Path"/> is valid.</summary>
    internal DateTimeOffset PathEnd { get; private set; } = EndOf(path);

    /// <summary>The latest generation of its registry in which a judgement of it began that came to an end; 0 before the first.</summary>
    internal long JudgedIn => Volatile.Read(ref _judgedIn);

    /// <summary>Its part of the spread of ends, from zero to one, chosen once.</summary>
    internal double SpreadShare { get; init; }

    /// <summary>How much sooner than <see cref="PathEnd"/> it ends.</summary>
    internal TimeSpan PathEarly { get; set; }

    /// <summary>How much sooner than <see cref="OwnEnd"/> it ends.</summary>
    internal TimeSpan OwnEarly { get; set; }

    /// <summary>When our own certificate ends, where that counts; null once it has been dealt with.</summary>
    internal DateTimeOffset? OwnEnd { get; set; } = ownEnd;

    /// <summary>The end of our own certificate has been dealt with.</summary>
    internal bool IsOwnEndPast { get; set; }

    /// <summary>When the maximum age is reached, in ticks since the registry began; null where there is none.</summary>
    internal long? AgeDue
    {
        get => _durations?.AgeDue;
        set => DurationsFor(value is null)?.AgeDue = value;
    }

    /// <summary>The same, by the clock on the wall.</summary>
    internal DateTimeOffset? AgeEnd
    {
        get => _durations?.AgeEnd;
        set => DurationsFor(value is null)?.AgeEnd = value;
    }

    /// <summary>It is still to be said that the maximum age comes near.</summary>
    internal bool IsAgeLeadAhead { get; set; }

    /// <summary>The end of the path has been dealt with.</summary>
    internal bool IsPathEndPast { get; set; }

    /// <summary>The grace period runs.</summary>
    internal bool IsDraining { get; set; }

    /// <summary>The grace period is over, and the connection is being closed.</summary>
    internal bool IsEnding { get; set; }

    /// <summary>The connection is over, and nothing is done about it any more.</summary>
    internal bool IsOver { get; set; }

    /// <summary>The reason why it is no longer valid; null while it is valid.</summary>
    internal Invalidation? Lost { get; set; }

    /// <summary>What it was lost on.</summary>
    internal LossGround LostOn { get; set; }

    /// <summary>When a date is reached, in ticks of universal time; null when none is waited for.</summary>
    internal long? DateDue { get; set; }

    /// <summary>When a duration is over, in ticks since the registry began; null when none is waited for.</summary>
    internal long? DurationDue
    {
        get => _durations?.Due;
        set => DurationsFor(value is null)?.Due = value;
    }

    /// <summary>When to ask whether it is idle, in ticks since the registry began; null when that is not waited for.</summary>
    internal long? IdleDue
    {
        get => _durations?.IdleDue;
        set => DurationsFor(value is null)?.IdleDue = value;
    }

    /// <summary>When the user did something last; null where that is not counted.</summary>
    internal UserActivityClock? UserActivity
    {
        get => _durations?.UserActivity;
        set => DurationsFor(value is null)?.UserActivity = value;
    }

    /// <summary>When to ask whether the user did something, in ticks since the registry began; null when that is not waited for.</summary>
    internal long? UserActivityDue
    {
        get => _durations?.UserActivityDue;
        set => DurationsFor(value is null)?.UserActivityDue = value;
    }

    /// <summary>The user did nothing for too long, and that has been dealt with.</summary>
    internal bool IsUserInactive { get; set; }

    /// <inheritdoc/>
    public DateTimeOffset? ValidUntil => Registry?.ValidUntil(this);

    /// <inheritdoc/>
    public bool Renew(AuthenticatedUser user) => Registry?.Renew(this, user) == true;

    /// <inheritdoc/>
    public bool RecordUserActivity() => UserActivity is { } clock ? clock.TryRecord() : !IsOver;

    /// <inheritdoc/>
    public bool End(Rejection rejection, InvalidationAction action) =>
        Registry?.Invalidate(this, rejection, action, LossGround.Final) == true;

    /// <inheritdoc/>
    public void HasEnded() => Registry?.Remove(this);

    /// <summary>A judgement of it that began in this generation has come to its end.</summary>
    internal void NoteJudged(long generation)
    {
        var latest = JudgedIn;
        while (latest < generation && Interlocked.CompareExchange(ref _judgedIn, generation, latest) is var seen && seen != latest)
        {
            latest = seen;
        }
    }

    internal void StandOn(ImmutableArray<Certificate> path)
    {
        Path = path;
        PathEnd = EndOf(path);
        IsPathEndPast = false;
    }

    private static DateTimeOffset EndOf(ImmutableArray<Certificate> path)
    {
        var end = DateTimeOffset.MaxValue;
        foreach (var certificate in path)
        {
            end = certificate.NotAfter < end ? certificate.NotAfter : end;
        }

        return end;
    }

    /// <summary>Nothing need be kept of what is null.</summary>
    private Durations? DurationsFor(bool isNull) => isNull ? _durations : _durations ??= new Durations();

    private sealed class Durations
    {
        internal long? AgeDue { get; set; }

        internal DateTimeOffset? AgeEnd { get; set; }

        internal long? Due { get; set; }

        internal long? IdleDue { get; set; }

        internal UserActivityClock? UserActivity { get; set; }

        internal long? UserActivityDue { get; set; }
    }
}
