using System.Net.Sockets;
using Microsoft.Extensions.Time.Testing;
using MutualAuth.Testing.Assertions;
using MutualAuth.Testing.Transports;

namespace MutualAuth.Testing.Tests.Transports;

/// <summary>Every fault happens at its octet, or says that it did not.</summary>
[CancelAfter(20000)]
public sealed class WireFaultTests
{
    private static readonly byte[] s_octets = [10, 11, 12, 13, 14, 15, 16, 17, 18];

    public enum Ending
    {
        Shutdown = 1,
        Closing = 2,
        Cut = 3, // by EndAt at the same octet
        Broken = 4, // by ResetAt at the same octet
    }

    private static IEnumerable<TestCaseData> Places() =>
        from kind in Enum.GetValues<WireFaultKind>()
        from position in Enumerable.Range(0, s_octets.Length + 2)
        from before in new[] { true, false }
        from size in new[] { 1, 2, 5, 100 }
        select new TestCaseData(kind, position, before, size);

    [TestCaseSource(nameof(Places))]
    public async Task A_fault_happens_at_its_octet_however_it_is_written_and_read_or_not_at_all(
        WireFaultKind kind, int position, bool before, int size, CancellationToken token)
    {
        await using var pair = new DuplexPair();
        pair.ClientToServer.MaxReadSize = size;
        WireFault fault = null!;
        if (before)
        {
            fault = Set(pair.ClientToServer, kind, position);
        }

        foreach (var part in s_octets.Chunk(4))
        {
            await pair.Client.WriteAsync(part, token);
        }

        if (!before)
        {
            fault = Set(pair.ClientToServer, kind, position);
        }

        pair.Client.ShutdownWrite();
        fault.Happened.Should().Be(kind == WireFaultKind.Stall && position == 0);
        var (read, end) = await DrainAsync(pair.Server, size, token);

        var reached = kind switch
        {
            WireFaultKind.Corruption => position < s_octets.Length,
            _ => position <= s_octets.Length, // the end of what was written is an octet's place too
        };
        var expected = kind == WireFaultKind.Corruption
            ? s_octets.Select((octet, place) => place == position ? (byte)(octet ^ 1) : octet)
            : s_octets.Take(position);
        read.Should().Equal(expected);
        end.Should().Be(kind switch
        {
            WireFaultKind.Stall when reached => "nothing",
            WireFaultKind.Reset when reached => nameof(SocketError.ConnectionReset),
            _ => "end",
        });
        fault.Happened.Should().Be(reached);
        pair.Faults.Should().Equal(fault);
    }

    [Test]
    public async Task No_end_and_no_error_gets_past_a_stall_until_it_is_lifted(
        [Values] Ending ending, [Values(0, 5)] int position, [Values] bool before, CancellationToken token)
    {
        await using var pair = new DuplexPair();
        var stall = before ? pair.ClientToServer.StallAt(position) : null;
        await pair.Client.WriteAsync(new byte[position], token);
        switch (ending)
        {
            case Ending.Shutdown:
                pair.Client.ShutdownWrite();
                break;
            case Ending.Closing:
                await pair.Client.DisposeAsync();
                break;
            case Ending.Cut:
                pair.ClientToServer.EndAt(position);
                break;
            default:
                pair.ClientToServer.ResetAt(position);
                break;
        }

        stall ??= pair.ClientToServer.StallAt(position);
        await pair.Server.ReadExactlyAsync(new byte[position], token);

        var read = pair.Server.ReadAsync(new byte[1], token).AsTask();
        read.IsCompleted.Should().BeFalse();
        stall.ShouldHaveHappened();

        pair.ClientToServer.Resume();
        if (ending == Ending.Broken)
        {
            await FluentActions.Awaiting(() => read).Should().ThrowAsync<IOException>();
        }
        else
        {
            (await read).Should().Be(0);
        }
    }

    [Test]
    public async Task An_end_before_the_octet_of_a_stall_is_seen_and_the_stall_has_not_happened(CancellationToken token)
    {
        await using var pair = new DuplexPair();
        var stall = pair.ClientToServer.StallAt(6);

        await pair.Client.WriteAsync(new byte[5], token);
        await pair.Client.DisposeAsync();

        await pair.Server.ReadExactlyAsync(new byte[5], token);
        (await pair.Server.ReadAsync(new byte[1], token)).Should().Be(0);
        stall.Invoking(fault => fault.ShouldHaveHappened()).Should().Throw<MutualAuthAssertionException>();
    }

    [Test]
    public async Task A_stall_that_has_nothing_to_hold_back_has_not_happened_yet(CancellationToken token)
    {
        await using var pair = new DuplexPair();
        var stall = pair.ClientToServer.StallAt(2);

        await pair.Client.WriteAsync(new byte[2], token);
        await pair.Server.ReadExactlyAsync(new byte[2], token);
        stall.Happened.Should().BeFalse();

        await pair.Client.WriteAsync(new byte[1], token);
        stall.Happened.Should().BeTrue();
    }

    [Test]
    public async Task A_stall_before_octets_that_the_reader_never_came_to_has_not_happened(CancellationToken token)
    {
        await using var pair = new DuplexPair();
        var stall = pair.ClientToServer.StallAt(2);

        await pair.Client.WriteAsync(new byte[9], token);
        await pair.Server.ReadExactlyAsync(new byte[1], token);

        stall.Happened.Should().BeFalse();
    }

    [Test]
    public void A_setting_that_cannot_be_is_refused_when_it_is_set()
    {
        using var pair = new DuplexPair();
        var wire = pair.ClientToServer;
        Action[] impossible =
        [
            () => wire.MaxReadSize = 0,
            () => wire.MaxReadSize = -1,
            () => wire.BytesPerSecond = 0,
            () => wire.BytesPerSecond = -1,
            () => wire.Latency = TimeSpan.FromTicks(-1),
            () => wire.Latency = Timeout.InfiniteTimeSpan,
            () => wire.Latency = TimeSpan.MaxValue,
            () => wire.CorruptAt(-1),
            () => wire.CorruptAt(0, 0),
            () => wire.StallAt(-1),
            () => wire.ResetAt(-1),
            () => wire.EndAt(-1),
        ];

        foreach (var set in impossible)
        {
            set.Should().Throw<ArgumentOutOfRangeException>();
        }

        wire.Faults.Should().BeEmpty();
        (wire.MaxReadSize, wire.BytesPerSecond, wire.Latency).Should().Be((int.MaxValue, null, TimeSpan.Zero));
    }

    [Test]
    public async Task The_smallest_settings_that_can_be_work(CancellationToken token)
    {
        var clock = new FakeTimeProvider();
        await using var pair = new DuplexPair(clock);
        var wire = pair.ClientToServer;
        (wire.MaxReadSize, wire.BytesPerSecond, wire.Latency) = (1, 1, TimeSpan.FromTicks(1));

        await pair.Client.WriteAsync(new byte[2], token);
        clock.Advance(TimeSpan.FromSeconds(2));
        var read = pair.Server.ReadAsync(new byte[9], token).AsTask();
        read.IsCompleted.Should().BeFalse();
        clock.Advance(TimeSpan.FromTicks(1));

        (await read).Should().Be(1);
        (wire.BytesPerSecond, wire.Latency) = (null, TimeSpan.Zero);
        (await pair.Server.ReadAsync(new byte[9], token)).Should().Be(1);
    }

    [Test]
    public async Task The_slowest_wire_has_a_reader_wait_and_not_fail(CancellationToken token)
    {
        var clock = new FakeTimeProvider();
        await using var pair = new DuplexPair(clock, capacity: 10_000_000);
        pair.ClientToServer.BytesPerSecond = 1;

        await pair.Client.WriteAsync(new byte[10_000_000], token);
        var read = pair.Server.ReadAsync(new byte[1], token).AsTask();
        read.IsCompleted.Should().BeFalse();
        while (!read.IsCompleted)
        {
            clock.Advance(TimeSpan.FromDays(1));
            await Task.Yield();
        }

        (await read).Should().Be(1);
        clock.GetUtcNow().Should().BeOnOrAfter(clock.Start.AddSeconds(10_000_000));
    }

    [Test]
    public async Task An_end_is_under_way_for_as_long_as_octets_are([Values] bool closing, [Values(0, 3)] int octets, CancellationToken token)
    {
        var clock = new FakeTimeProvider();
        await using var pair = new DuplexPair(clock);
        pair.ClientToServer.Latency = TimeSpan.FromMilliseconds(500);
        await pair.Client.WriteAsync(new byte[octets], token);
        clock.Advance(TimeSpan.FromMilliseconds(500));
        await pair.Server.ReadExactlyAsync(new byte[octets], token);

        if (closing)
        {
            await pair.Client.DisposeAsync();
        }
        else
        {
            pair.Client.ShutdownWrite();
        }

        clock.Advance(TimeSpan.FromMilliseconds(499));
        var read = pair.Server.ReadAsync(new byte[1], token).AsTask();
        read.IsCompleted.Should().BeFalse();
        clock.Advance(TimeSpan.FromMilliseconds(1));
        (await read).Should().Be(0);
    }

    [Test]
    public async Task A_fault_at_an_octet_that_was_delivered_is_refused_and_the_one_before_stays(
        [Values] WireFaultKind kind, CancellationToken token)
    {
        await using var pair = new DuplexPair();
        var wire = pair.ClientToServer;
        var before = Set(wire, kind, 7);
        await pair.Client.WriteAsync(s_octets, token);
        await pair.Server.ReadExactlyAsync(new byte[5], token);

        wire.Invoking(it => Set(it, kind, 4)).Should().Throw<ArgumentOutOfRangeException>();

        wire.Faults.Should().Equal(before);
        await DrainAsync(pair.Server, 1, token);
        before.ShouldHaveHappened();
    }

    [Test]
    public async Task A_fault_at_the_next_octet_still_happens([Values] WireFaultKind kind, CancellationToken token)
    {
        await using var pair = new DuplexPair();
        await pair.Client.WriteAsync(s_octets, token);
        await pair.Server.ReadExactlyAsync(new byte[5], token);

        var fault = Set(pair.ClientToServer, kind, 5);
        await DrainAsync(pair.Server, 1, token);

        fault.ShouldHaveHappened();
    }

    [Test]
    public async Task Nobody_takes_a_green_test_for_one_whose_fault_has_happened(CancellationToken token)
    {
        using var authority = new TestAuthority();
        using var peers = authority.CreatePair();
        var wire = new DuplexPair();
        wire.ServerToClient.ResetAt(10_000_000);
        wire.ClientToServer.CorruptAt(20_000_000);

        await using var outcome = await peers.ConnectAsync(wire, token);

        outcome.ShouldBeConnected();
        wire.Faults.Should().HaveCount(2);
        wire.Faults.Invoking(faults => faults.ShouldHaveHappened())
            .Should().Throw<MutualAuthAssertionException>()
            .WithMessage("*ServerToClient: Reset at octet 10000000, has not happened*");
    }

    [Test]
    public async Task A_fault_that_has_happened_in_a_handshake_says_so(CancellationToken token)
    {
        using var authority = new TestAuthority();
        using var peers = authority.CreatePair();
        var wire = new DuplexPair();
        wire.ServerToClient.ResetAt(500);

        await using var outcome = await peers.ConnectAsync(wire, token);

        outcome.ClientFailure.Should().NotBeNull();
        wire.Faults.ShouldHaveHappened();
        wire.ServerToClient.Delivered.Should().Be(500);
    }

    [Test]
    public void A_wire_without_faults_has_had_none()
    {
        using var pair = new DuplexPair();

        pair.Faults.Invoking(faults => faults.ShouldHaveHappened()).Should().Throw<MutualAuthAssertionException>();
    }

    [Test]
    public async Task A_fault_that_takes_the_place_of_another_begins_anew_and_is_listed_alone([Values] WireFaultKind kind, CancellationToken token)
    {
        await using var pair = new DuplexPair();
        var wire = pair.ClientToServer;
        var first = Set(wire, kind, 3);
        var second = Set(wire, kind, kind == WireFaultKind.Corruption ? 3 : 4);

        wire.Faults.Should().Equal(second);
        await pair.Client.WriteAsync(s_octets, token);
        var (read, _) = await DrainAsync(pair.Server, 1, token);

        (first.Happened, second.Happened).Should().Be((false, true));
        if (kind == WireFaultKind.Corruption)
        {
            read.Should().Equal(s_octets.Select((octet, place) => place == 3 ? (byte)(octet ^ 1) : octet));
        }
        else
        {
            read.Should().Equal(s_octets.Take(4));
        }
    }

    [Test]
    public async Task A_stall_that_is_lifted_and_set_again_begins_anew([Values(2, 4, 60)] int next, CancellationToken token)
    {
        await using var pair = new DuplexPair();
        var wire = pair.ClientToServer;
        var first = wire.StallAt(2);
        await pair.Client.WriteAsync(s_octets, token);
        await pair.Server.ReadExactlyAsync(new byte[2], token);
        wire.Resume();
        wire.Faults.Should().Equal(first);
        first.ShouldHaveHappened();

        wire.StallAt(60);
        var second = wire.StallAt(next);

        wire.Faults.Should().Equal(second);
        second.Happened.Should().Be(next == 2); // there is something to hold back there already
        await DrainAsync(pair.Server, 1, token);
        second.Happened.Should().Be(next < s_octets.Length);
        first.Happened.Should().BeTrue();
    }

    [Test]
    public async Task A_stall_that_is_lifted_before_its_octet_has_not_happened(CancellationToken token)
    {
        await using var pair = new DuplexPair();
        var stall = pair.ClientToServer.StallAt(2);
        await pair.Client.WriteAsync(s_octets, token);

        pair.ClientToServer.Resume();
        (await DrainAsync(pair.Server, 1, token)).Read.Should().Equal(s_octets);

        pair.Faults.Should().Equal(stall);
        stall.Happened.Should().BeFalse();
    }

    [TestCase(0)]
    [TestCase(2)]
    [TestCase(4)]
    [TestCase(9)]
    public async Task A_writer_notices_nothing_of_an_end_that_is_set_while_it_waits_for_room(int position, CancellationToken token)
    {
        await using var pair = new DuplexPair(capacity: 4);
        var write = pair.Client.WriteAsync(s_octets, token).AsTask();
        write.IsCompleted.Should().BeFalse();

        pair.ClientToServer.EndAt(position);
        if (position > 4)
        {
            await pair.Server.ReadExactlyAsync(new byte[5], token); // makes room for what comes before the end
            await write;
            (await DrainAsync(pair.Server, 100, token)).Read.Should().Equal(s_octets[5..]);
            return;
        }

        await write;
        await pair.Client.WriteAsync(new byte[1000], token);
        var (read, end) = await DrainAsync(pair.Server, 100, token);
        read.Should().Equal(s_octets.Take(position));
        end.Should().Be("end");
    }

    [Test]
    public async Task A_full_wire_takes_what_comes_after_an_end(CancellationToken token)
    {
        await using var pair = new DuplexPair(capacity: 4);
        pair.ClientToServer.EndAt(4);

        await pair.Client.WriteAsync(new byte[4], token);
        await pair.Client.WriteAsync(new byte[1], token);

        pair.ClientToServer.Written.Should().Be(5);
    }

    [Test]
    public async Task An_end_cannot_be_moved_behind_octets_that_it_has_swallowed(CancellationToken token)
    {
        await using var pair = new DuplexPair();
        var wire = pair.ClientToServer;
        var end = wire.EndAt(2);
        await pair.Client.WriteAsync(s_octets, token);

        wire.Invoking(it => it.EndAt(3)).Should().Throw<ArgumentOutOfRangeException>();
        wire.Faults.Should().Equal(end);

        var earlier = wire.EndAt(1);
        (await DrainAsync(pair.Server, 100, token)).Read.Should().Equal(10);
        (end.Happened, earlier.Happened).Should().Be((false, true));
    }

    [Test]
    public async Task Of_two_faults_at_one_octet_each_is_told_for_itself(CancellationToken token)
    {
        await using var pair = new DuplexPair();
        var wire = pair.ClientToServer;
        var (stall, reset, end, corruption) = (wire.StallAt(3), wire.ResetAt(3), wire.EndAt(3), wire.CorruptAt(3));
        await pair.Client.WriteAsync(s_octets, token);

        await DrainAsync(pair.Server, 100, token);
        pair.Faults.Where(fault => fault.Happened).Should().Equal(stall);
        wire.Resume();
        await DrainAsync(pair.Server, 100, token);

        pair.Faults.Where(fault => fault.Happened).Should().Equal(stall, reset);
        (end.Happened, corruption.Happened).Should().Be((false, false));
    }

    [Test]
    public async Task A_reset_of_the_whole_connection_is_no_fault_at_an_octet(CancellationToken token)
    {
        await using var pair = new DuplexPair();
        var faults = Enum.GetValues<WireFaultKind>().Select(kind => Set(pair.ClientToServer, kind, 3)).ToList();

        pair.Reset();

        await FluentActions.Awaiting(() => pair.Server.ReadAsync(new byte[1], token).AsTask()).Should().ThrowAsync<IOException>();
        faults.Should().OnlyContain(fault => !fault.Happened);
    }

    [Test]
    public async Task Faults_that_are_set_while_octets_pass_happen_or_are_refused(CancellationToken token)
    {
        const int Count = 20_000;
        await using var pair = new DuplexPair(capacity: 64);
        var wire = pair.ClientToServer;
        var set = new List<WireFault> { wire.CorruptAt(3) };
        var received = new byte[Count];
        var writing = Task.Run(() => pair.Client.WriteAsync(new byte[Count], token).AsTask(), token);
        var reading = Task.Run(() => ReadOneByOneAsync(pair.Server, received, token), token);

        // Just ahead of the reader, and so often behind it before the call comes through.
        for (var place = 4L; place < Count && !reading.IsCompleted; place = Math.Max(place + 1, wire.Delivered))
        {
            try
            {
                set.Add(wire.CorruptAt(place));
            }
            catch (ArgumentOutOfRangeException)
            {
                received[place].Should().Be(0);
            }
        }

        await Task.WhenAll(writing, reading);

        set.ShouldHaveHappened();
        Enumerable.Range(0, Count).Where(place => received[place] == 1).Should().Equal(set.Select(fault => (int)fault.Position));

        static async Task ReadOneByOneAsync(DuplexStream stream, byte[] into, CancellationToken token)
        {
            for (var place = 0; place < into.Length; place++)
            {
                await stream.ReadExactlyAsync(into.AsMemory(place, 1), token);
            }
        }
    }

    [Test]
    public async Task A_refusal_is_under_way_for_as_long_as_octets_are(CancellationToken token)
    {
        var clock = new FakeTimeProvider();
        await using var pair = new DuplexPair(clock);
        (pair.ClientToServer.Latency, pair.ServerToClient.Latency) = (TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(3));
        await pair.Server.DisposeAsync();

        await pair.Client.WriteAsync(new byte[1], token);
        clock.Advance(TimeSpan.FromMilliseconds(3999));
        await pair.Client.WriteAsync(new byte[1], token);
        clock.Advance(TimeSpan.FromMilliseconds(1));

        await RefusedAsync(pair.Client, token);
    }

    [Test]
    public async Task A_writer_that_waits_for_room_hears_the_refusal_when_it_arrives(CancellationToken token)
    {
        var clock = new FakeTimeProvider();
        await using var pair = new DuplexPair(clock, capacity: 4);
        pair.ServerToClient.Latency = TimeSpan.FromSeconds(1);
        var write = pair.Client.WriteAsync(new byte[9], token).AsTask();
        pair.ClientToServer.StallAt(4);

        await pair.Server.DisposeAsync(); // drops four, and the next four are held back
        write.IsCompleted.Should().BeFalse();
        clock.Advance(TimeSpan.FromSeconds(1));

        await FluentActions.Awaiting(() => write).Should().ThrowAsync<IOException>();
    }

    [Test]
    public async Task No_refusal_gets_past_a_stall_of_either_direction([Values] Direction stalled, CancellationToken token)
    {
        await using var pair = new DuplexPair();
        var wire = stalled == Direction.ClientToServer ? pair.ClientToServer : pair.ServerToClient;
        wire.StallAt(0);
        await pair.Server.DisposeAsync();

        await pair.Client.WriteAsync(new byte[1], token);
        await pair.Client.WriteAsync(new byte[1], token);
        pair.Client.ReadAsync(new byte[1], token).AsTask().IsCompleted.Should().Be(stalled == Direction.ClientToServer);
        wire.Resume();

        await RefusedAsync(pair.Client, token);
    }

    [Test]
    public async Task A_writer_that_waits_on_a_stalled_wire_hears_the_refusal_when_it_is_lifted(CancellationToken token)
    {
        await using var pair = new DuplexPair(capacity: 4);
        pair.ClientToServer.StallAt(0);
        var write = pair.Client.WriteAsync(new byte[9], token).AsTask();
        await pair.Server.DisposeAsync();
        write.IsCompleted.Should().BeFalse();

        pair.ClientToServer.Resume();

        await FluentActions.Awaiting(() => write).Should().ThrowAsync<IOException>();
    }

    [Test]
    public async Task What_an_end_swallows_is_never_refused(CancellationToken token)
    {
        await using var pair = new DuplexPair();
        pair.ClientToServer.EndAt(0);
        await pair.Server.DisposeAsync();

        await pair.Client.WriteAsync(new byte[1], token);
        await pair.Client.WriteAsync(new byte[1], token);

        pair.ClientToServer.Written.Should().Be(2);
    }

    private static async Task RefusedAsync(DuplexStream stream, CancellationToken token) =>
        (await FluentActions.Awaiting(() => stream.WriteAsync(new byte[1], token).AsTask()).Should().ThrowAsync<IOException>())
            .WithInnerException<SocketException>().Which.SocketErrorCode.Should().Be(SocketError.Shutdown);

    private static WireFault Set(DuplexDirection wire, WireFaultKind kind, long position) => kind switch
    {
        WireFaultKind.Corruption => wire.CorruptAt(position),
        WireFaultKind.Stall => wire.StallAt(position),
        WireFaultKind.Reset => wire.ResetAt(position),
        _ => wire.EndAt(position),
    };

    /// <summary>Reads until there is an end, an error or nothing to read.</summary>
    private static async Task<(byte[] Read, string End)> DrainAsync(DuplexStream stream, int size, CancellationToken token)
    {
        var octets = new List<byte>();
        var buffer = new byte[size];
        while (true)
        {
            using var giveUp = CancellationTokenSource.CreateLinkedTokenSource(token);
            var read = stream.ReadAsync(buffer, giveUp.Token).AsTask();
            if (!read.IsCompleted)
            {
                await giveUp.CancelAsync();
                await FluentActions.Awaiting(() => read).Should().ThrowAsync<OperationCanceledException>();
                return ([.. octets], "nothing");
            }

            try
            {
                if (await read is not (> 0 and var count))
                {
                    return ([.. octets], "end");
                }

                octets.AddRange(buffer[..count]);
            }
            catch (IOException error)
            {
                return ([.. octets], ((SocketException)error.InnerException!).SocketErrorCode.ToString());
            }
        }
    }
}
