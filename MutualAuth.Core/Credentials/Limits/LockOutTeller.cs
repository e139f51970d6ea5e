using Microsoft.Extensions.Logging;
using MutualAuth.Collections;
using MutualAuth.Telemetry;

namespace MutualAuth.Credentials;

/// <summary>
/// Tells one party of lock-outs, one after the other and beside the login: a callback that throws is called for the next one, and one that does
/// not come
/// back is called no more, and holds up no login and no other party.
/// </summary>
internal sealed class LockOutTeller(Func<LockOutNotice, CancellationToken, ValueTask> tell, TimeProvider time)
{
    internal const int MaxWaiting = 1024;

    internal static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private readonly Lock _lock = new();
    private readonly Queue<(LockOutNotice Notice, ILogger Logger)> _waiting = new();
    private bool _isTelling;

    internal void Tell(LockOutNotice notice, ILogger logger)
    {
        bool isDropped;
        bool begins;
        lock (_lock)
        {
            isDropped = _waiting.Count >= MaxWaiting;
            if (!isDropped)
            {
                _waiting.Enqueue((notice, logger));
            }

            begins = !isDropped && !_isTelling;
            _isTelling |= begins;
        }

        if (isDropped)
        {
            CredentialLog.NoticeDropped(logger, Errors.SafeText.Quote(notice.UserName), MaxWaiting);
        }

        if (!begins)
        {
            return;
        }

        // What is told belongs neither to the request nor to the activity of the login.
        using (ExecutionContext.SuppressFlow())
        {
            _ = Task.Run(TellAllAsync);
        }
    }

    private async Task TellAllAsync()
    {
        while (Next() is var (notice, logger))
        {
            try
            {
                using var deadline = new CancellationTokenSource(Patience, time);
                using var handed = new HandedToken(deadline.Token);
                await tell(notice, handed.Token).ConfigureAwait(false);
            }
            catch (Exception exception)
            {
                CredentialLog.NoticeFaulted(logger, Errors.SafeText.Quote(notice.UserName), exception.GetType().Name);
            }
        }
    }

    private (LockOutNotice Notice, ILogger Logger)? Next()
    {
        lock (_lock)
        {
            _isTelling = _waiting.TryDequeue(out var next);
            return _isTelling ? next : null;
        }
    }
}
