using MutualAuth.Collections;
using MutualAuth.Credentials;
using MutualAuth.Tests.Support;
using MutualAuth.Validation;

namespace MutualAuth.Tests.Collections;

/// <summary>Whoever waits for code of the application's ends with its own token, whatever that code registers on the one that it gets.</summary>
[CancelAfter(60000)]
public sealed class HandedTokenTests
{
    private readonly ManualResetEventSlim _blocked = new();

    [OneTimeTearDown]
    public void OneTimeTearDown()
    {
        _blocked.Set();
        _blocked.Dispose();
    }

    [Test]
    public async Task A_wait_ends_with_its_token_whatever_was_registered([Values] bool onThread, [Values] bool blocks)
    {
        using var ours = new CancellationTokenSource();
        var asked = new TaskCompletionSource<CancellationToken>(TaskCreationOptions.RunContinuationsAsynchronously);
        Func<CancellationToken, ValueTask<int>> work = async token =>
        {
            token.Register(Register);
            asked.SetResult(token);
            await Task.Delay(Timeout.InfiniteTimeSpan, token);
            return 1;
        };
        var waiting = onThread ? new BlockingCallThreads(1).RunAsync(work, ours.Token).AsTask() : TaskWaits.RunOrLeaveAsync(work, ours.Token);
        var given = await asked.Task.WaitAsync(ConnectedPair.Deadline);

        await Task.Run(ours.Cancel).WaitAsync(ConnectedPair.Deadline);

        given.IsCancellationRequested.Should().BeTrue("the work hears of it at once");
        await FluentActions.Awaiting(() => waiting.WaitAsync(ConnectedPair.Deadline)).Should().ThrowAsync<OperationCanceledException>();

        void Register()
        {
            if (!blocks)
            {
                throw new InvalidOperationException("bug");
            }

            _blocked.Wait(CancellationToken.None);
        }
    }

    [Test]
    public async Task Work_that_has_come_back_is_not_told_any_more([Values] bool hasComeBack)
    {
        using var ours = new CancellationTokenSource();
        var given = CancellationToken.None;
        var end = new TaskCompletionSource<int>(TaskCreationOptions.RunContinuationsAsynchronously);
        var work = HandedToken.RunAsync(
            token =>
            {
                given = token;
                return new ValueTask<int>(end.Task);
            },
            ours.Token).AsTask();
        if (hasComeBack)
        {
            end.SetResult(3);
            (await work.WaitAsync(ConnectedPair.Deadline)).Should().Be(3);
        }

        await ours.CancelAsync();

        given.IsCancellationRequested.Should().Be(!hasComeBack);
    }
}
