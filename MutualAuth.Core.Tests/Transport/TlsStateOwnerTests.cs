using MutualAuth.Tests.Support;
using MutualAuth.Transport;

namespace MutualAuth.Tests.Transport;

/// <summary>Who may call into a TLS engine, and when nobody is inside.</summary>
[CancelAfter(20000)]
public sealed class TlsStateOwnerTests
{
    private static readonly Rejection s_rejection = new(RejectionReason.MaximumAgeReached, "x", "y");

    private readonly IOException _inner = new("inner");

    [Test]
    public void Before_the_end_everybody_may_enter_and_there_is_nothing_to_throw()
    {
        var owner = new TlsStateOwner();
        owner.HasEnded.Should().BeFalse();
        owner.ToException(_inner).Should().BeNull();

        owner.EnterToRead();
        owner.EnterToWrite();
    }

    [Test]
    public void After_the_end_nobody_may_enter_and_the_first_reason_counts()
    {
        var owner = new TlsStateOwner();
        owner.End(ConnectionEnd.Invalidated, s_rejection);
        owner.End(ConnectionEnd.Aborted, null);
        owner.CompleteWrites();

        owner.HasEnded.Should().BeTrue();
        foreach (var enter in new Action[] { owner.EnterToRead, owner.EnterToWrite })
        {
            var thrown = enter.Should().Throw<ConnectionEndedException>().Which;
            (thrown.End, thrown.Rejection).Should().Be((ConnectionEnd.Invalidated, s_rejection));
        }

        owner.ToException(_inner)!.InnerException.Should().BeSameAs(_inner);
        owner.EnterToDrain();
    }

    [Test]
    public void After_the_end_of_writes_reads_may_enter_and_writes_may_not()
    {
        var owner = new TlsStateOwner();
        owner.CompleteWrites();

        owner.EnterToRead();
        owner.Invoking(each => each.EnterToWrite()).Should().Throw<ConnectionEndedException>().Which.End.Should().Be(ConnectionEnd.WritesCompleted);
        owner.HasEnded.Should().BeFalse();
        owner.ToException(_inner)!.InnerException.Should().BeSameAs(_inner);
    }

    [Test]
    public void What_waits_for_the_engine_runs_at_once_when_nobody_is_inside_and_else_when_the_last_one_leaves()
    {
        var owner = new TlsStateOwner();
        var ran = new List<string>();
        owner.RunWhenFree(() => ran.Add("at once"));
        owner.EnterToRead();
        owner.EnterToWrite();
        owner.EnterToDrain();
        owner.RunWhenFree(() => ran.Add("first"));
        owner.RunWhenFree(() => ran.Add("second"));
        owner.LeaveRead();
        owner.LeaveWrite();
        ran.Should().Equal("at once");

        owner.LeaveRead();
        ran.Should().Equal("at once", "first", "second");

        owner.EnterToWrite();
        owner.LeaveWrite();
        ran.Should().HaveCount(3, "each runs once");
    }

    [Test]
    public void A_read_that_waits_for_the_peer_is_outside_until_the_peer_has_answered()
    {
        var owner = new TlsStateOwner();
        var ran = 0;
        owner.EnterToRead();
        owner.TryPark().Should().BeTrue();
        owner.RunWhenFree(() => ran++);
        ran.Should().Be(1);

        owner.Unpark();
        owner.RunWhenFree(() => ran++);
        ran.Should().Be(1);
        owner.LeaveRead();

        ran.Should().Be(2);
    }

    [Test]
    public void A_handshake_that_waits_for_the_peer_stays_inside()
    {
        var owner = new TlsStateOwner();
        var ran = 0;
        owner.EnterToWrite();

        owner.TryPark().Should().BeFalse();

        owner.RunWhenFree(() => ran++);
        ran.Should().Be(0);
        owner.LeaveWrite();
        ran.Should().Be(1);
    }

    [Test]
    public async Task Reads_are_over_when_the_last_one_is_also_one_that_waits_for_the_peer()
    {
        var owner = new TlsStateOwner();
        owner.EnterToWrite();
        owner.WhenNoReads().IsCompleted.Should().BeTrue("a write is no read");
        owner.EnterToRead();
        owner.EnterToRead();
        owner.TryPark();
        var over = owner.WhenNoReads();
        owner.WhenNoReads().Should().BeSameAs(over);

        owner.LeaveRead();
        over.IsCompleted.Should().BeFalse();
        owner.Unpark();
        owner.LeaveRead();

        await over.WaitAsync(ConnectedPair.Deadline);
        owner.EnterToRead();
        owner.WhenNoReads().IsCompleted.Should().BeFalse();
        owner.LeaveRead();
        owner.WhenNoReads().IsCompleted.Should().BeTrue();
    }
}
