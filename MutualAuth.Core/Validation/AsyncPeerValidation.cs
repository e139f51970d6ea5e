using System.Collections.Immutable;
using Microsoft.Extensions.Logging;
using MutualAuth.Collections;
using MutualAuth.Evidence;
using MutualAuth.Telemetry;

namespace MutualAuth.Validation;

/// <summary>
/// Runs the asynchronous validators: a bound on how many peers are in them, one deadline, and every way out but a plain yes is a no.
/// </summary>
internal sealed class AsyncPeerValidation
{
    private readonly ImmutableArray<IAsyncPeerValidator> _validators;
    private readonly TimeSpan _timeout;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly SemaphoreSlim _places;

    internal AsyncPeerValidation(ImmutableArray<IAsyncPeerValidator> validators, int places, TimeSpan timeout, TimeProvider time, ILogger logger)
    {
        _validators = validators;
        _timeout = timeout;
        _time = time;
        _logger = logger;
        _places = new SemaphoreSlim(places, places);
    }

    /// <summary>Asks each validator in turn and stops at the first objection.</summary>
    /// <returns>The objection, or what was said of the peer.</returns>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> ended.</exception>
    internal ValueTask<AsyncVerdict> ExamineAsync(AuthenticatedPeer peer, CancellationToken cancellationToken) =>
        _validators.IsEmpty ? ValueTask.FromResult(new AsyncVerdict(null, [])) : AskAllAsync(peer, cancellationToken);

    private async ValueTask<AsyncVerdict> AskAllAsync(AuthenticatedPeer peer, CancellationToken cancellationToken)
    {
        using var deadline = new CancellationTokenSource(_timeout, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, cancellationToken);
        try
        {
            await _places.WaitAsync(either.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return AsyncVerdict.No(
                new Rejection(RejectionReason.ValidatorOverloaded, $"a free place among the asynchronous validators within {_timeout}", "none")
                {
                    Hint = "The validators are slow, or MaxConcurrentAsyncValidations is too low for the load.",
                });
        }

        // On a thread of its own, so that one that blocks instead of waiting cannot hold the deadline up.
        var token = either.Token;
        var asked = Task.Run(() => HandedToken.RunAsync(given => AskAsync(peer, given), token).AsTask(), CancellationToken.None);
        _ = ReturnPlaceAsync(asked);
        try
        {
            var verdict = await asked.WaitAsync(either.Token).ConfigureAwait(false);
            return verdict.Objection is null && deadline.IsCancellationRequested ? AsyncVerdict.No(TimedOut()) : verdict;
        }
        catch (Exception) when (!cancellationToken.IsCancellationRequested)
        {
            return AsyncVerdict.No(TimedOut());
        }
        catch (Exception exception) when (exception is not OperationCanceledException)
        {
            throw new OperationCanceledException(exception.Message, exception, cancellationToken);
        }
    }

    private Rejection TimedOut() => new(RejectionReason.ValidatorTimedOut, $"a verdict within {_timeout}", "none in time");

    /// <summary>The place stays taken until the validator has really come back, or one that ignores its token would evade the bound.</summary>
    private async Task ReturnPlaceAsync(Task asked)
    {
        await asked.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _places.Release();
    }

    private async ValueTask<AsyncVerdict> AskAsync(AuthenticatedPeer peer, CancellationToken cancellationToken)
    {
        List<FactLease> leases = [];
        foreach (var validator in _validators)
        {
            try
            {
                Rejection? objection;
                if (validator is IPeerFactValidator facts)
                {
                    (objection, var lease) = await FactQuestion.AskAsync(facts, facts.Name, peer, _time, cancellationToken).ConfigureAwait(false);
                    leases.AddRange(lease is null ? [] : [lease]);
                }
                else
                {
                    objection = await validator.ExamineAsync(peer, cancellationToken).ConfigureAwait(false);
                }

                if (objection is not null)
                {
                    return AsyncVerdict.No(objection);
                }
            }
            catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
            {
                var name = validator.GetType().Name;
                ValidationLog.ValidatorFaulted(_logger, name, exception);
                return AsyncVerdict.No(
                    new Rejection(RejectionReason.ValidatorFaulted, $"a verdict of {name}", $"an exception, {exception.GetType().Name}"));
            }
        }

        // Those behind it may have taken longer than an earlier yes counts.
        if (leases.Find(lease => lease.Left(_time) <= TimeSpan.Zero) is { } over)
        {
            return AsyncVerdict.No(FactQuestion.Expired(over, "one that was over before the others had answered"));
        }

        foreach (var lease in leases)
        {
            ValidationLog.FactsGiven(_logger, lease.Source, peer.Name, FactQuestion.NamesOf(lease), lease.Lifetime);
        }

        return new AsyncVerdict(null, [.. leases]);
    }
}

/// <summary>What the asynchronous validators say together.</summary>
/// <param name="Objection">The first objection; null for a yes.</param>
/// <param name="Leases">With a yes, what they said of the peer, and for how long.</param>
internal readonly record struct AsyncVerdict(Rejection? Objection, ImmutableArray<FactLease> Leases)
{
    internal static AsyncVerdict No(Rejection objection) => new(objection, []);
}
