using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using MutualAuth.Credentials;

namespace MutualAuth.Tests.Credentials;

/// <summary>The notices of lock-outs that wait to be told: how many, and who waits for whom.</summary>
[CancelAfter(20000)]
public sealed class LockOutTellerTests
{
    private static readonly LockOutNotice s_notice = new("alice", LockOutKind.ForATime, 5, DateTimeOffset.UnixEpoch);

    [Test]
    public async Task A_notice_beyond_the_bound_is_dropped_with_a_word_that_no_login_waits_for(CancellationToken deadline)
    {
        var (isTelling, goesOn) = (NewSignal(), NewSignal());
        var told = 0;
        var teller = new LockOutTeller(
            async (_, _) =>
            {
                told++;
                isTelling.TrySetResult();
                await goesOn.Task;
            },
            TimeProvider.System);
        teller.Tell(s_notice, NullLogger.Instance);
        await isTelling.Task.WaitAsync(deadline);
        for (var waiting = 0; waiting < LockOutTeller.MaxWaiting; waiting++)
        {
            teller.Tell(s_notice, NullLogger.Instance);
        }

        // A log that is slow: meanwhile another login is told of.
        var log = new CallingLogger(
            () => Task.Run(() => teller.Tell(s_notice, NullLogger.Instance), deadline).Wait(TimeSpan.FromSeconds(10), deadline));
        teller.Tell(s_notice, log);

        log.HasReturned.Should().BeTrue("the notice that is dropped keeps nobody waiting");
        goesOn.SetResult();
        await SpinUntilAsync(() => Volatile.Read(ref told) == LockOutTeller.MaxWaiting + 1, deadline);
    }

    private static async Task SpinUntilAsync(Func<bool> holds, CancellationToken deadline)
    {
        while (!holds())
        {
            deadline.ThrowIfCancellationRequested();
            await Task.Yield();
        }
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private sealed class CallingLogger(Func<bool> call) : ILogger
    {
        internal bool? HasReturned { get; private set; }

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            HasReturned = call();
    }
}
