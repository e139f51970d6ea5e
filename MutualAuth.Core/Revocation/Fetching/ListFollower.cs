using Microsoft.Extensions.Logging;
using MutualAuth.Collections;
using MutualAuth.Telemetry;

namespace MutualAuth.Revocation;

/// <summary>How a fetch ended, and when, before anybody heard of it.</summary>
/// <param name="IsGood">Whether the last good lists are known to be the newest.</param>
/// <param name="At">The time.</param>
/// <param name="Timestamp">The same look at the clock, from which the pause until the next fetch counts.</param>
internal readonly record struct FetchEnd(bool IsGood, DateTimeOffset At, long Timestamp);

/// <summary>Follows one address: one fetch at a time, the last good lists kept, the next fetch planned.</summary>
internal sealed class ListFollower : IDisposable
{
    // Real time, whatever clock the options have.
    private static readonly TimeSpan s_moment = TimeSpan.FromMilliseconds(500);

    private readonly Uri _address;
    private readonly RevocationFetchOptions _options;
    private readonly ListHttp _http;
    private readonly ListDirectory? _directory;
    private readonly SemaphoreSlim _places;
    private readonly ILogger _logger;
    private readonly Action<ListFollower> _taken;
    private readonly CancellationToken _stop;
    private readonly RollbackGuard _succession;
    private readonly FetchPauses _pauses;
    private readonly Lock _state = new();
    private volatile RevocationLists _current = RevocationLists.Empty;
    private volatile RevocationFetchStatus _status;
    private ListVersion? _version;
    private Task<FetchEnd>? _flight;
    private Task _abandoned = Task.CompletedTask;
    private TaskCompletionSource _refuted = NewSignal();
    private DateTimeOffset? _nextAttempt;
    private DateTimeOffset? _saidOver;

    /// <param name="address">The address.</param>
    /// <param name="options">How it is followed.</param>
    /// <param name="http">Fetches.</param>
    /// <param name="directory">Keeps the lists; null for nothing.</param>
    /// <param name="places">Bounds the fetches of all addresses.</param>
    /// <param name="logger">Where events go.</param>
    /// <param name="taken">Called when there are new lists.</param>
    /// <param name="stop">Ends everything.</param>
    internal ListFollower(
        Uri address,
        RevocationFetchOptions options,
        ListHttp http,
        ListDirectory? directory,
        SemaphoreSlim places,
        ILogger logger,
        Action<ListFollower> taken,
        CancellationToken stop)
    {
        (_address, _options, _http, _directory, _places, _logger, _taken, _stop) = (address, options, http, directory, places, logger, taken, stop);
        var memory = options.Witness?.OfAddress(address, options.TimeProvider);
        memory?.Unrecorded = OnUnrecorded;
        _succession = new RollbackGuard(options.TimeProvider, memory) { Refuted = OnRefuted };
        _pauses = new FetchPauses(options);
        _status = new RevocationFetchStatus(address);
        Recall();
    }

    internal RevocationLists Current => _current;

    internal RevocationFetchStatus Status
    {
        get
        {
            lock (_state)
            {
                return _status with
                {
                    NextAttempt = _flight is null && !_stop.IsCancellationRequested ? _nextAttempt : null,
                    HasLists = _current.Lists.Length > 0,
                    NextUpdate = _current.NextUpdate,
                };
            }
        }
    }

    internal string Address => _address.AbsoluteUri;

    private string Source => $"The answer of {Address}";

    /// <summary>Fetches until the end. Never throws.</summary>
    /// <param name="fetch">The first fetch, which has begun.</param>
    internal async Task FollowAsync(Task<FetchEnd> fetch)
    {
        try
        {
            while (true)
            {
                var end = await fetch.ConfigureAwait(false);
                await WaitAsync(_pauses.After(end.IsGood, _current, end.At), end).ConfigureAwait(false);
                fetch = Fly();
            }
        }
        catch (OperationCanceledException)
        {
            // Disposed of.
        }
    }

    /// <summary>Fetches now, or joins the fetch that is under way.</summary>
    internal Task<FetchEnd> Fly()
    {
        lock (_state)
        {
            if (_flight is null)
            {
                using (ExecutionContext.SuppressFlow())
                {
                    _flight = Task.Run(FetchAsync, CancellationToken.None);
                }
            }

            return _flight;
        }
    }

    /// <summary>Tries no failed write to the witness again; what is under way ends by the token.</summary>
    public void Dispose() => _succession.StopRecording();

    /// <summary>Takes what an earlier run kept. What cannot be used is told, and fetched again.</summary>
    private void Recall()
    {
        try
        {
            foreach (var kept in _directory?.Read(_address) ?? [])
            {
                if (ForgedIn(kept) is { } forged)
                {
                    throw new MaterialException(forged.Detail);
                }

                _current = _succession.AdmitKept(kept);
                FetchLog.Recalled(_logger, Address, kept.ToString());
            }
        }
        catch (MaterialException problem)
        {
            FetchLog.NotRecalled(_logger, Address, problem.Message);
        }

        if (_current.Lists.IsEmpty)
        {
            return;
        }

        try
        {
            _succession.Admit(_current);
            OnUnrecorded(_succession.Unrecorded);
        }
        catch (MaterialException problem)
        {
            // Older lists were put into the directory.
            _current = RevocationLists.Empty;
            FetchLog.NotRecalled(_logger, Address, problem.Message);
        }
    }

    private async Task WaitAsync(TimeSpan pause, FetchEnd since)
    {
        using var over = CancellationTokenSource.CreateLinkedTokenSource(_stop);
        var delay = DelayAsync(pause, since, over.Token);
        if (await Task.WhenAny(delay, _refuted.Task).ConfigureAwait(false) == _refuted.Task)
        {
            // An attacker forged a list, or the authority has another key: not at once, and not only after the interval.
            _refuted = NewSignal();
            await over.CancelAsync().ConfigureAwait(false);
            var now = LookAtClock(isGood: false);
            delay = DelayAsync(_pauses.After(isGood: false, _current, now.At), now, _stop);
        }

        await delay.ConfigureAwait(false);
    }

    private Task DelayAsync(TimeSpan pause, FetchEnd since, CancellationToken cancellationToken)
    {
        // Together: who sees the time of the next attempt may move the clock, and who sees the wait may ask for that time.
        lock (_state)
        {
            _nextAttempt = since.At + pause;
            return _options.TimeProvider.DelayAsync(pause, since.Timestamp, cancellationToken);
        }
    }

    private async Task<FetchEnd> FetchAsync()
    {
        FetchEnd? end = null;
        var before = _status;
        try
        {
            var (flaw, taken) = await InTurnAsync(before).ConfigureAwait(false);
            end = LookAtClock(flaw is null);
            if (taken is not null)
            {
                OnUnrecorded(_succession.Unrecorded);
                _taken(this);
                await KeepAsync(taken).ConfigureAwait(false);
            }

            Tell(flaw, before);
        }
        catch (Exception exception) when (!_stop.IsCancellationRequested)
        {
            end = (end ?? LookAtClock(isGood: false)) with { IsGood = false };
            var flaw = new ListFlaw(RevocationFetchFailure.Faulted, $"an unexpected error, {exception.GetType().Name}");
            Note(flaw, before);
            FetchLog.Faulted(_logger, Address, exception);
            Tell(flaw, before);
        }
        finally
        {
            lock (_state)
            {
                _flight = null;
            }
        }

        return end.Value;
    }

    /// <summary>Asks in a place among the fetches, which is free again before anybody hears of the answer: they may take their time.</summary>
    /// <param name="before">What was known of the address when the fetch began.</param>
    private async Task<(ListFlaw? Flaw, RevocationLists? Taken)> InTurnAsync(RevocationFetchStatus before)
    {
        await _places.WaitAsync(_stop).ConfigureAwait(false);
        try
        {
            return await AskAsync(before).ConfigureAwait(false);
        }
        finally
        {
            _places.Release();
        }
    }

    private async Task<(ListFlaw? Flaw, RevocationLists? Taken)> AskAsync(RevocationFetchStatus before)
    {
        if (!_abandoned.IsCompleted)
        {
            return (new ListFlaw(RevocationFetchFailure.TimedOut, "an earlier fetch that ran out of time has not ended yet"), null);
        }

        // A list that no key of its issuer signed is asked for again, whatever the server calls its version.
        var isDoubtful = _current.Lists.Any(list => list.IsRefuted);
        var answer = await AskInTimeAsync(isDoubtful ? null : _version).ConfigureAwait(false);
        return answer.Flaw is not null ? (answer.Flaw, null)
            : answer.Content is null ? (FlawOfDates(_current), null)
            : Take(answer.Content, answer.Version, before);
    }

    /// <summary>The application's handler may ignore the end of a token, and may block: it is left to itself then.</summary>
    private async Task<ListAnswer> AskInTimeAsync(ListVersion? known)
    {
        using var late = new CancellationTokenSource(_options.Timeout, _options.TimeProvider);
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(_stop, late.Token);
        var token = deadline.Token;
        var work = Task.Run(
            () => HandedToken.RunAsync(given => new ValueTask<ListAnswer>(_http.GetAsync(_address, known, given)), token).AsTask(),
            CancellationToken.None);
        try
        {
            return await work.WaitAsync(token).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            _abandoned = ObserveAsync(work);
            _stop.ThrowIfCancellationRequested();

            // One that heeds its token ends at once, and must not stand in the way of the next fetch.
            await Task.WhenAny(_abandoned, Task.Delay(s_moment, _stop)).ConfigureAwait(false);
            return ListAnswer.Of(RevocationFetchFailure.TimedOut, $"no complete answer within {_options.Timeout}");
        }
    }

    /// <returns>What is wrong, and the lists that are in force from now on; null where none are.</returns>
    private (ListFlaw? Flaw, RevocationLists? Taken) Take(byte[] content, ListVersion? version, RevocationFetchStatus before)
    {
        RevocationLists next;
        try
        {
            next = RevocationLists.FromFetched(content, Source);
        }
        catch (MaterialException problem)
        {
            return (new ListFlaw(RevocationFetchFailure.Malformed, problem.Message), null);
        }

        if (ForgedIn(next) is { } forged)
        {
            return (forged, null);
        }

        if (next.Lists.Length == _current.Lists.Length && next.Lists.All(list => _current.Lists.Any(list.IsSameAs)))
        {
            _version = version;
            var same = _current.Lists.FirstOrDefault(list => list.IsRefuted) is { } refuted
                ? new ListFlaw(RevocationFetchFailure.NotSigned, $"the {refuted} was not signed by its issuer")
                : FlawOfDates(_current);
            return (same, null);
        }

        try
        {
            _current = _succession.Admit(next);
        }
        catch (MaterialException problem)
        {
            return (new ListFlaw(_succession.HasGoneBack ? RevocationFetchFailure.Older : RevocationFetchFailure.NotCurrent, problem.Message), null);
        }

        _version = version;
        var flaw = FlawOfDates(next);
        Note(flaw, before); // before anybody hears of the lists, and asks how the address is
        return (flaw, next);
    }

    private ListFlaw? ForgedIn(RevocationLists lists) =>
        lists.Lists.FirstOrDefault(list => list.IsSignedByNoneOf(_options.Issuers)) is { } forged
            ? new ListFlaw(RevocationFetchFailure.NotSigned, $"the {forged} was not signed by a key in {nameof(RevocationFetchOptions.Issuers)}")
            : null;

    /// <summary>A list that does not count is kept, for it may still revoke; it is no success, though.</summary>
    private ListFlaw? FlawOfDates(RevocationLists lists)
    {
        var now = _options.TimeProvider.GetUtcNow();
        var flaws = lists.Lists.Where(list => list.NextUpdate is not null)
            .Select(list => RevocationCheck.FlawOfDates(list, now, TimeSpan.Zero, RollbackGuard.ClockSkew));
        return flaws.FirstOrDefault(flaw => flaw is not null) is { } old ? new ListFlaw(RevocationFetchFailure.NotCurrent, old) : null;
    }

    private async Task KeepAsync(RevocationLists lists)
    {
        try
        {
            await (_directory?.WriteAsync(_address, lists, _stop) ?? Task.CompletedTask).ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is MaterialException or IOException or UnauthorizedAccessException)
        {
            FetchLog.NotKept(_logger, Address, exception.Message);
        }
    }

    /// <summary>Says how the address is: the outcome of one fetch, however often it is noted.</summary>
    private RevocationFetchStatus Note(ListFlaw? flaw, RevocationFetchStatus before) => _status = new RevocationFetchStatus(_address)
    {
        LastSuccess = flaw is null ? _options.TimeProvider.GetUtcNow() : before.LastSuccess,
        Failure = flaw?.Reason,
        Detail = flaw?.Detail,
        FailuresInARow = flaw is null ? 0 : before.FailuresInARow + 1,
    };

    private void Tell(ListFlaw? flaw, RevocationFetchStatus before)
    {
        var after = Note(flaw, before);
        var now = _options.TimeProvider.GetUtcNow();
        FetchLog.Count(flaw?.Reason);
        if (flaw is not null)
        {
            FetchLog.Failed(_logger, Address, flaw.Reason, flaw.Detail, after.FailuresInARow);
        }

        if (_current.NextUpdate is { } end && now > end && _saidOver != end)
        {
            _saidOver = end;
            FetchLog.Over(_logger, Address, end);
        }
    }

    private void OnRefuted(MaterialException problem)
    {
        _refuted.TrySetResult();
        FetchLog.Refuted(_logger, Address, problem.Message);
    }

    private void OnUnrecorded(MaterialException? problem)
    {
        if (problem is not null)
        {
            FetchLog.NotKept(_logger, Address, problem.Message);
        }
    }

    private FetchEnd LookAtClock(bool isGood)
    {
        var timestamp = _options.TimeProvider.GetTimestamp();
        return new FetchEnd(isGood, _options.TimeProvider.GetUtcNow(), timestamp);
    }

    private static async Task ObserveAsync(Task work) => await work.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
