namespace MutualAuth.Connections;

/// <summary>Knows whether anything that was begun still runs.</summary>
internal sealed class RunningWork
{
    private readonly Lock _lock = new();
    private int _running;
    private TaskCompletionSource? _idle;

    /// <summary>Completes as soon as nothing runs.</summary>
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

    /// <summary>One more runs, until <see cref="End"/> is called for it.</summary>
    internal void Begin()
    {
        lock (_lock)
        {
            _running++;
        }
    }

    /// <summary>One that was begun has ended.</summary>
    internal void End()
    {
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
