using MutualAuth.Connections;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Connections;

/// <summary>A listener stops when all of its handshakes have ended, and not before.</summary>
[CancelAfter(60000)]
public sealed class RunningWorkTests
{
    [Test]
    public void Without_work_there_is_nothing_to_wait_for() => new RunningWork().WhenAllEnded.IsCompleted.Should().BeTrue();

    [Test]
    public async Task All_have_ended_when_the_last_one_has()
    {
        var work = new RunningWork();
        for (var began = 0; began < 3; began++)
        {
            work.Begin();
        }

        var all = work.WhenAllEnded;
        work.WhenAllEnded.Should().BeSameAs(all);

        work.End();
        work.End();
        all.IsCompleted.Should().BeFalse();
        work.End();

        await all.WaitAsync(ConnectedPair.Deadline);
        work.WhenAllEnded.IsCompleted.Should().BeTrue();
    }

    [Test]
    public async Task What_comes_later_is_waited_for_as_well()
    {
        var work = new RunningWork();
        work.Begin();
        var before = work.WhenAllEnded;
        work.End();
        await before.WaitAsync(ConnectedPair.Deadline);

        work.Begin();
        var after = work.WhenAllEnded;
        after.IsCompleted.Should().BeFalse();
        work.End();

        await after.WaitAsync(ConnectedPair.Deadline);
    }

    [Test]
    public async Task Many_at_once_leave_nothing_running()
    {
        var work = new RunningWork();
        await Task.WhenAll(Enumerable.Range(0, 1_000).Select(_ => Task.Run(() =>
        {
            work.Begin();
            work.End();
        }))).WaitAsync(ConnectedPair.Deadline);

        work.WhenAllEnded.IsCompleted.Should().BeTrue();
    }
}
