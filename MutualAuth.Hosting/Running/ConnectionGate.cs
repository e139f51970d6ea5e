namespace MutualAuth.Hosting.Running;

/// <summary>A bound on connections that are served at once; it may change at any time.</summary>
internal sealed class ConnectionGate
{
    private readonly Lock _turn = new();
    private readonly Queue<TaskCompletionSource> _waiting = [];
    private int _inside;
    private int _max = int.MaxValue;

    internal int? Max
    {
        get => _max;
        set
        {
            lock (_turn)
            {
                _max = value ?? int.MaxValue;
                LetIn();
            }
        }
    }

    internal Task EnterAsync()
    {
        lock (_turn)
        {
            if (_inside < _max)
            {
                _inside++;
                return Task.CompletedTask;
            }

            var turn = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            _waiting.Enqueue(turn);
            return turn.Task;
        }
    }

    internal void Leave()
    {
        lock (_turn)
        {
            _inside--;
            LetIn();
        }
    }

    private void LetIn()
    {
        while (_inside < _max && _waiting.TryDequeue(out var next))
        {
            _inside++;
            next.SetResult();
        }
    }
}
