using MutualAuth.Connections;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Connections;

/// <summary>A listener stops when all of its handshakes have ended, and not before.</summary>
[CancelAfter(60000)]
public sealed class TaskTrackerTests
{
    [Test]
    public void Without_a_task_there_is_nothing_to_wait_for() => new TaskTracker().WhenAllEnded.IsCompleted.Should().BeTrue();

    [Test]
    public async Task All_have_ended_when_the_last_one_has_whatever_became_of_it()
    {
        var tracker = new TaskTracker();
        var tasks = Enumerable.Range(0, 3).Select(_ => new TaskCompletionSource()).ToArray();
        Array.ForEach(tasks, task => tracker.Track(task.Task));
        var all = tracker.WhenAllEnded;
        tracker.WhenAllEnded.Should().BeSameAs(all);

        tasks[0].SetException(new InvalidOperationException("planted"));
        tasks[1].SetCanceled();
        all.IsCompleted.Should().BeFalse();
        tasks[2].SetResult();

        await all.WaitAsync(ConnectedPair.Deadline);
        tracker.WhenAllEnded.IsCompleted.Should().BeTrue();
    }

    [Test]
    public async Task A_task_that_comes_later_is_waited_for_as_well()
    {
        var tracker = new TaskTracker();
        var (first, second) = (new TaskCompletionSource(), new TaskCompletionSource());
        tracker.Track(first.Task);
        var before = tracker.WhenAllEnded;
        first.SetResult();
        await before.WaitAsync(ConnectedPair.Deadline);

        tracker.Track(second.Task);
        var after = tracker.WhenAllEnded;
        after.IsCompleted.Should().BeFalse();
        second.SetResult();

        await after.WaitAsync(ConnectedPair.Deadline);
    }
}
