namespace MutualAuth.Connections;

/// <summary>Knows whether any of the tasks given to it still runs.</summary>
internal sealed class TaskTracker
{
    private readonly Lock _lock = new();
    private int _running;
    private TaskCompletionSource? _idle;

    /// <summary>Completes as soon as no task runs.</summary>
    internal Task WhenAllEnded
    {
        get
        {
            lock (_lock)
            {
                return _running == 0
                    ? Task.CompletedTask
                    : (_idle ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).Task;
            }
        }
    }

    /// <summary>Counts <paramref name="task"/> until it ends.</summary>
    internal void Track(Task task)
    {
        lock (_lock)
        {
            _running++;
        }

        _ = CountAsync(task);
    }

    private async Task CountAsync(Task task)
    {
        await task.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        lock (_lock)
        {
            if (--_running == 0)
            {
                _idle?.TrySetResult();
                _idle = null;
            }
        }
    }
}
