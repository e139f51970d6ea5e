using Grpc.Core;
using Microsoft.Extensions.Logging;

namespace MutualAuth.Spiffe;

/// <summary>How a stream of the Workload API is followed.</summary>
/// <param name="Address">Where it is served.</param>
/// <param name="Profile">The profile that it belongs to, for messages.</param>
/// <param name="FirstUpdateTimeout">How long the first message may take.</param>
/// <param name="Backoff">The waits between attempts.</param>
/// <param name="KeepAlive">How long a connection may be silent before a ping.</param>
/// <param name="MaxMessageBytes">The size of a whole message.</param>
/// <param name="Time">The clock.</param>
/// <param name="Logger">Where events go.</param>
internal sealed record FollowerOptions(
    WorkloadApiAddress Address,
    string Profile,
    TimeSpan FirstUpdateTimeout,
    Backoff Backoff,
    TimeSpan KeepAlive,
    int MaxMessageBytes,
    TimeProvider Time,
    ILogger Logger);

/// <summary>What takes the messages of a stream.</summary>
internal interface IStreamConsumer<TMessage>
    where TMessage : class
{
    /// <summary>Whether an update was ever taken.</summary>
    bool HasTaken { get; }

    AsyncServerStreamingCall<TMessage> Call(WorkloadApiChannel channel, CancellationToken cancellationToken);

    /// <summary>Takes a message, or says why not.</summary>
    /// <param name="message">The message.</param>
    /// <param name="watch">To be called when it is in force, and before anybody hears of it.</param>
    UpdateRefusal? Take(TMessage message, Action watch);

    /// <summary>How long the stream may be silent now.</summary>
    TimeSpan UntilOverdue();

    /// <summary>The agent says that this workload has nothing.</summary>
    void OnDenied();
}

/// <summary>Follows one stream after another for as long as it lives, and lets its consumer take the messages.</summary>
internal sealed class WorkloadApiFollower<TMessage>(FollowerOptions options, IStreamConsumer<TMessage> consumer) : IAsyncDisposable
    where TMessage : class
{
    private readonly CancellationTokenSource _stop = new();
    private readonly TaskCompletionSource _first = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Task _following = Task.CompletedTask;
    private volatile WorkloadApiException? _trouble;
    private int _disposed;

    /// <summary>Ends when it follows no longer.</summary>
    internal Task Completion => _completion.Task;

    /// <summary>Begins, and waits for the first message that was taken.</summary>
    /// <exception cref="WorkloadApiException">There was none in time.</exception>
    internal async Task StartAsync(CancellationToken cancellationToken)
    {
        Follow();
        try
        {
            await _first.Task.WaitAsync(options.FirstUpdateTimeout, options.Time, cancellationToken).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            throw _trouble ?? WorkloadApiException.Silent(options.Address);
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) == 0)
        {
            await _stop.CancelAsync().ConfigureAwait(false);
            await _following.ConfigureAwait(false);
            _stop.Dispose();
        }
    }

    /// <summary>
    /// Watches for the lifetime of the process, and so does not capture the caller's ExecutionContext: neither activity nor locals.
    /// </summary>
    private void Follow()
    {
        using (ExecutionContext.SuppressFlow())
        {
            _following = Task.Run(FollowAsync, CancellationToken.None);
        }
    }

    /// <summary>One stream after another, for ever. Never throws.</summary>
    private async Task FollowAsync()
    {
        try
        {
            while (true)
            {
                var trouble = await ReadStreamAsync().ConfigureAwait(false);
                _trouble = trouble;
                if (trouble.Failure == WorkloadApiFailure.NotUnderstood && !consumer.HasTaken)
                {
                    SourceLog.NotUnderstood(options.Logger, options.Address, trouble.Message);
                    _first.TrySetException(trouble);
                    _completion.TrySetException(trouble);
                    _ = _completion.Task.Exception; // Observed here, so that an unread failure is not reported as unobserved.
                    return;
                }

                if (trouble.Failure == WorkloadApiFailure.Denied)
                {
                    consumer.OnDenied();
                }

                // The timer is started before the event is raised, so that a handler can advance the clock.
                var delay = options.Backoff.Next();
                var wait = Task.Delay(delay, options.Time, _stop.Token);
                SourceLog.StreamEnded(options.Logger, options.Address, trouble.Failure, trouble.Message, delay);
                await wait.ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            _completion.TrySetResult();
        }
        catch (Exception exception)
        {
            // A logger of the application may throw, for instance. Waiting callers must not wait for ever.
            _first.TrySetException(exception);
            _completion.TrySetException(exception);
            _ = _completion.Task.Exception;
        }
    }

    /// <summary>Reads one stream to its end, and says why it ended.</summary>
    private async Task<WorkloadApiException> ReadStreamAsync()
    {
        // The first message is owed at once (SPIFFE Workload API §4.3); an agent that hangs must not keep us from trying again.
        var hasSpoken = false;
        using var patience = new CancellationTokenSource(options.FirstUpdateTimeout, options.Time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token, patience.Token);
        try
        {
            using var channel = new WorkloadApiChannel(options.Address, options.MaxMessageBytes, options.KeepAlive);
            using var call = consumer.Call(channel, either.Token);
            while (await call.ResponseStream.MoveNext(either.Token).ConfigureAwait(false))
            {
                patience.CancelAfter(Timeout.InfiniteTimeSpan);
                hasSpoken = true;
                Take(call.ResponseStream.Current, () => patience.CancelAfter(consumer.UntilOverdue()));
            }

            return _trouble is { Failure: WorkloadApiFailure.UpdateRefused } refused
                ? refused
                : WorkloadApiException.Unreachable(options.Address, "it ended the stream", inner: null);
        }
        catch (Exception) when (_stop.IsCancellationRequested)
        {
            throw new OperationCanceledException(_stop.Token);
        }
        catch (Exception) when (patience.IsCancellationRequested)
        {
            return hasSpoken ? WorkloadApiException.Overdue(options.Address) : WorkloadApiException.Silent(options.Address);
        }
        catch (RpcException exception)
        {
            return WorkloadApiException.Of(options.Address, options.Profile, exception);
        }
        catch (Exception exception)
        {
            SourceLog.ReadingFaulted(options.Logger, exception);
            return WorkloadApiException.Unreachable(options.Address, exception.GetType().Name, exception);
        }
    }

    /// <param name="message">The message.</param>
    /// <param name="watch">Watches for silence; begun before anybody hears of the message, who may move the clock.</param>
    private void Take(TMessage message, Action watch)
    {
        var refused = consumer.Take(message, watch);
        watch();
        if (refused is { } refusal)
        {
            // Before the event, so that one who has seen it gets this for an answer.
            _trouble = WorkloadApiException.UpdateRefused(options.Address, refusal);
            SourceLog.UpdateRefused(options.Logger, refusal.Reason, refusal.Detail);
            return;
        }

        _trouble = null;
        options.Backoff.Reset();
        _first.TrySetResult();
    }
}
