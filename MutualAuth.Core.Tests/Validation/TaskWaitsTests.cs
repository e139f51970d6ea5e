using MutualAuth.Tests.Support;
using MutualAuth.Validation;

namespace MutualAuth.Tests.Validation;

/// <summary>Work that is left alone when nobody waits for it any longer: what it makes is taken care of once it comes.</summary>
public sealed class TaskWaitsTests
{
    [Test]
    public async Task Work_that_comes_in_time_is_handed_over_and_not_taken_care_of()
    {
        var late = new TaskCompletionSource<int>();
        using var cancellation = new CancellationTokenSource();

        (await Task.FromResult(5).OrLeaveAsync(cancellation.Token, late.SetResult).WaitAsync(ConnectedPair.Deadline)).Should().Be(5);
        (await TaskWaits.RunOrLeaveAsync(() => ValueTask.FromResult(6), cancellation.Token).WaitAsync(ConnectedPair.Deadline)).Should().Be(6);
        await cancellation.CancelAsync();

        late.Task.IsCompleted.Should().BeFalse();
    }

    [Test]
    public async Task Work_that_is_left_is_taken_care_of_when_it_comes()
    {
        var work = new TaskCompletionSource<int>(TaskCreationOptions.RunContinuationsAsynchronously);
        var late = new TaskCompletionSource<int>(TaskCreationOptions.RunContinuationsAsynchronously);
        using var cancellation = new CancellationTokenSource();
        var waiting = work.Task.OrLeaveAsync(cancellation.Token, late.SetResult);

        await cancellation.CancelAsync();
        await FluentActions.Awaiting(() => waiting.WaitAsync(ConnectedPair.Deadline)).Should().ThrowAsync<OperationCanceledException>();
        late.Task.IsCompleted.Should().BeFalse("it has not come yet");
        work.SetResult(7);

        (await late.Task.WaitAsync(ConnectedPair.Deadline)).Should().Be(7);
    }

    [Test]
    public async Task Work_that_fails_fails_for_whoever_waits_and_leaves_nothing_to_take_care_of()
    {
        var late = new TaskCompletionSource<int>();
        using var cancellation = new CancellationTokenSource();

        await FluentActions.Awaiting(
                () => Task.FromException<int>(new IOException("story")).OrLeaveAsync(cancellation.Token, late.SetResult))
            .Should().ThrowAsync<IOException>();
        await FluentActions.Awaiting(
                () => Task.FromException<int>(new OperationCanceledException("its own")).OrLeaveAsync(cancellation.Token, late.SetResult))
            .Should().ThrowAsync<OperationCanceledException>();

        late.Task.IsCompleted.Should().BeFalse();
    }
}
