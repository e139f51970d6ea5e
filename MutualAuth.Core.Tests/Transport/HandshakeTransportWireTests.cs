using System.Net.Sockets;
using Microsoft.Extensions.Time.Testing;
using MutualAuth.Tests.Support;
using MutualAuth.Transport;

namespace MutualAuth.Tests.Transport;

/// <summary>What the layer beneath TLS counts, bounds, keeps and tells, in asynchronous calls and in synchronous ones.</summary>
[CancelAfter(60000)]
public sealed class HandshakeTransportWireTests
{
    private Wire _wire = null!;
    private HandshakeTransport _transport = null!;

    [SetUp]
    public void SetUp()
    {
        _wire = new Wire();
        _transport = new HandshakeTransport(_wire, 20);
    }

    [TearDown]
    public async Task TearDown()
    {
        await _transport.DisposeAsync();
        await _wire.DisposeAsync();
    }

    [Test]
    public async Task The_first_eight_octets_are_kept_however_they_come([Values(1, 3, 5, 8, 11)] int size, [Values] bool isAsync)
    {
        byte[] sent = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11];
        _transport.FirstBytes.Length.Should().Be(0);
        foreach (var piece in sent.Chunk(size))
        {
            _wire.Comes(piece);
            await ReadAsync(new byte[20], isAsync);
        }

        _transport.FirstBytes.ToArray().Should().Equal(sent[..8]);
        _transport.Received.Should().Be(sent.Length);
    }

    [Test]
    public async Task Fewer_than_eight_octets_are_kept_as_they_are()
    {
        _wire.Comes([1, 2, 3]);
        await ReadAsync(new byte[20], isAsync: true);

        _transport.FirstBytes.ToArray().Should().Equal(1, 2, 3);
    }

    [Test]
    public async Task A_peer_may_send_as_much_as_the_bound_and_no_octet_more([Values] bool isAsync)
    {
        _wire.Comes(new byte[20]);
        (await ReadAsync(new byte[30], isAsync)).Should().Be(20);
        _transport.LimitExceeded.Should().BeFalse();
        _wire.Comes(new byte[1]);

        var read = () => ReadAsync(new byte[30], isAsync);

        await read.Should().ThrowAsync<IOException>().WithMessage("*20 bytes*");
        _transport.LimitExceeded.Should().BeTrue();
    }

    [Test]
    public async Task A_peer_that_is_authenticated_is_counted_no_more([Values] bool isAsync)
    {
        _transport.PassThrough();
        _wire.Comes(new byte[25]);

        (await ReadAsync(new byte[30], isAsync)).Should().Be(25);

        (_transport.Received, _transport.LimitExceeded).Should().Be((0, false));
    }

    [Test]
    public async Task The_transports_end_is_seen_by_a_read_that_asks_for_something([Values] bool isAsync, [Values] bool isOver)
    {
        if (isOver)
        {
            _transport.PassThrough();
        }

        (await ReadAsync([], isAsync)).Should().Be(0);
        _transport.HasEnded.Should().BeFalse("nothing was asked for");

        (await ReadAsync(new byte[1], isAsync)).Should().Be(0);

        _transport.HasEnded.Should().BeTrue();
    }

    [Test]
    public async Task A_transport_that_fails_has_ended([Values] bool isAsync)
    {
        _wire.Fault = new IOException("planted");

        await FluentActions.Awaiting(() => ReadAsync(new byte[1], isAsync)).Should().ThrowAsync<IOException>().WithMessage("planted");

        _transport.HasEnded.Should().BeTrue();
    }

    [Test]
    public async Task A_read_that_is_cancelled_says_nothing_of_the_transport()
    {
        _wire.Fault = new OperationCanceledException();
        _transport.PassThrough();

        await FluentActions.Awaiting(() => ReadAsync(new byte[1], isAsync: true)).Should().ThrowAsync<OperationCanceledException>();

        _transport.HasEnded.Should().BeFalse();
    }

    [TestCase(typeof(TimeoutException), false)]
    [TestCase(typeof(IOException), true)]
    public async Task A_synchronous_read_that_waited_as_long_as_it_may_is_no_end(Type type, bool hasEnded)
    {
        _wire.Fault = (Exception)Activator.CreateInstance(type)!;

        await FluentActions.Awaiting(() => ReadAsync(new byte[1], isAsync: false)).Should().ThrowAsync<Exception>();

        _transport.HasEnded.Should().Be(hasEnded);
    }

    [TestCase(SocketError.TimedOut, 100, false)]
    [TestCase(SocketError.WouldBlock, 100, false)]
    [TestCase(SocketError.TimedOut, 0, true)]
    [TestCase(SocketError.ConnectionReset, 100, true)]
    public void A_sockets_timeout_is_no_end_where_the_application_has_set_one(SocketError error, int timeout, bool hasEnded)
    {
        _wire.Timeout = timeout;
        _wire.Fault = new IOException("outer", new SocketException((int)error));

        _transport.Invoking(each => each.Read(new byte[1], 0, 1)).Should().Throw<IOException>();

        _transport.HasEnded.Should().Be(hasEnded);
    }

    [Test]
    public async Task A_read_parks_outside_the_engine_while_it_waits_and_is_back_inside_afterwards([Values] bool isAsync, [Values] bool fails)
    {
        var engine = _transport.Engine = new TlsStateOwner();
        engine.EnterToRead();
        var ran = 0;
        _wire.Fault = fails ? new IOException("planted") : null;
        _wire.Comes([1]);
        _wire.WhenReading = () => engine.RunWhenFree(() => ran++);

        try
        {
            await ReadAsync(new byte[1], isAsync);
        }
        catch (IOException)
        {
            // as planted
        }

        ran.Should().Be(1, "the engine was free while the transport waited");
        engine.RunWhenFree(() => ran++);
        ran.Should().Be(1, "the read goes on inside");
        engine.LeaveRead();
        ran.Should().Be(2);
    }

    [Test]
    public async Task A_handshake_that_reads_stays_inside_the_engine([Values] bool isAsync)
    {
        var engine = _transport.Engine = new TlsStateOwner();
        engine.EnterToWrite();
        var ran = 0;
        _wire.Comes([1]);
        _wire.WhenReading = () => engine.RunWhenFree(() => ran++);

        await ReadAsync(new byte[1], isAsync);

        ran.Should().Be(0);
        engine.LeaveWrite();
        ran.Should().Be(1);
    }

    [Test]
    public void A_synchronous_read_lets_go_of_what_is_held_first()
    {
        Keep(1, 2);
        _wire.Comes([9]);
        var sentBefore = 0;
        _wire.WhenReading = () => sentBefore = _wire.Sent.Count;

        _transport.Read(new byte[1], 0, 1).Should().Be(1);

        sentBefore.Should().Be(2);
        _transport.HoldsSomething.Should().BeFalse();
    }

    [Test]
    public void A_synchronous_write_goes_out_behind_what_is_held_and_moves_the_clock()
    {
        var time = new FakeTimeProvider();
        _transport.Writing = new IdleClock(time);
        Keep(1, 2);
        time.Advance(TimeSpan.FromSeconds(1));

        _transport.Write([3], 0, 1);

        _wire.Sent.Should().Equal(1, 2, 3);
        _transport.Writing.Elapsed.Should().Be(TimeSpan.Zero);
        _transport.HoldsSomething.Should().BeFalse();
    }

    [Test]
    public void A_synchronous_flush_lets_go_of_what_is_held_and_flushes()
    {
        Keep(1, 2);

        _transport.Flush();

        _wire.Sent.Should().Equal(1, 2);
        _wire.Flushes.Should().Be(1);
        _transport.Flush();
        _wire.Sent.Should().HaveCount(2, "once");
    }

    [Test]
    public async Task During_the_handshake_every_write_to_a_stream_of_the_applications_is_flushed_with_it(CancellationToken cancellationToken)
    {
        await _transport.WriteAsync(new byte[] { 1 }, cancellationToken);
        _wire.Flushes.Should().Be(1);
        await _transport.FlushAsync(cancellationToken);
        _wire.Flushes.Should().Be(1, "it has been flushed");

        _transport.PassThrough();
        await _transport.WriteAsync(new byte[] { 2 }, cancellationToken);
        _wire.Flushes.Should().Be(1);
        await _transport.FlushAsync(cancellationToken);
        _wire.Flushes.Should().Be(2);
    }

    [Test]
    public async Task While_we_hold_nothing_is_flushed(CancellationToken cancellationToken)
    {
        _transport.PassThrough();
        _transport.Hold();
        await _transport.FlushAsync(cancellationToken);
        _wire.Flushes.Should().Be(0);

        _transport.EndHandshake();
        await _transport.FlushAsync(cancellationToken);
        _wire.Flushes.Should().Be(1);
    }

    [Test]
    public async Task A_write_of_the_applications_moves_the_clock_once_the_transport_has_taken_it(CancellationToken cancellationToken)
    {
        var time = new FakeTimeProvider();
        _transport.Writing = new IdleClock(time);
        _transport.PassThrough();
        time.Advance(TimeSpan.FromSeconds(1));

        await _transport.WriteAsync(new byte[] { 1 }, cancellationToken);

        _transport.Writing.Elapsed.Should().Be(TimeSpan.Zero);
        _wire.Sent.Should().Equal(1);
    }

    [Test]
    public async Task What_has_gone_out_is_known_and_what_is_held_has_not(CancellationToken cancellationToken)
    {
        _transport.HasSent.Should().BeFalse();
        Keep(1);
        (_transport.HasSent, _transport.HoldsSomething).Should().Be((false, true));

        await _transport.ReleaseAsync(cancellationToken);

        (_transport.HasSent, _transport.HoldsSomething).Should().Be((true, false));
    }

    [Test]
    public async Task What_is_dropped_never_goes_out(CancellationToken cancellationToken)
    {
        Keep(1, 2);

        _transport.DropHeld();

        _transport.HoldsSomething.Should().BeFalse();
        _transport.EndHandshake();
        await _transport.WriteAsync(new byte[] { 3 }, cancellationToken);
        _wire.Sent.Should().Equal(3);
    }

    private static IEnumerable<TestCaseData> Held()
    {
        static TestCaseData Case(string name, bool isFlight, params byte[][] records) =>
            new TestCaseData(records.SelectMany(record => record).ToArray(), isFlight).SetArgDisplayNames(name);
        static byte[] Record(byte type, int length) => [type, 3, 3, (byte)(length >> 8), (byte)length, .. new byte[length]];

        yield return Case("nothing", false);
        yield return Case("an alert in the clear", false, Record(21, 2));
        yield return Case("a long alert", false, Record(21, 200));
        yield return Case("a protected alert", false, Record(23, 19));
        yield return Case("one octet more than a protected alert", true, Record(23, 20));
        yield return Case("a handshake message", true, Record(22, 100));
        yield return Case("change_cipher_spec, however long", false, Record(20, 100));
        yield return Case("change_cipher_spec and a Finished", true, Record(20, 1), Record(23, 53));
        yield return Case("an alert and a Finished", true, Record(21, 2), Record(23, 53));
        yield return Case("change_cipher_spec and a protected alert", false, Record(20, 1), Record(23, 19));
    }

    [TestCaseSource(nameof(Held))]
    public void A_flight_is_told_from_an_alert_by_its_length(byte[] held, bool isFlight)
    {
        Keep(held);

        _transport.HoldsFlight.Should().Be(isFlight);
    }

    [Test]
    public async Task Before_a_flight_leaves_somebody_is_asked_with_all_that_the_peer_has_sent_until_there_is_an_answer(
        CancellationToken cancellationToken)
    {
        var asked = new List<byte[]>();
        bool? answer = null;
        _transport.BeforeFlight = new Answering(flight =>
        {
            asked.Add(flight);
            return answer;
        });
        Keep(1);
        _wire.Comes([10]);
        await ReadAsync(new byte[1], isAsync: true);
        asked.Should().BeEmpty("the peer had sent nothing");
        foreach (var (says, comes) in new (bool?, byte)[] { (null, 11), (true, 12), (true, 13) })
        {
            answer = says;
            await _transport.WriteAsync(new byte[] { 2 }, cancellationToken);
            _wire.Comes([comes]);
            await ReadAsync(new byte[1], isAsync: true);
        }

        asked.Should().BeEquivalentTo(new byte[][] { [10], [10, 11] }, "after an answer nobody is asked");
        _wire.Sent.Should().Equal(1, 2, 2, 2);
        _transport.HasWithheld.Should().BeFalse();
    }

    [Test]
    public async Task Who_is_asked_sees_all_that_is_in_the_clear_and_nothing_behind_it_however_it_comes([Values(1, 4, 7, 19)] int size)
    {
        byte[] clear = [22, 3, 3, 0, 2, 1, 2];
        byte[]? asked = null;
        _transport.FollowKeyExchange(KeyExchangePolicy.Any, isOurs: false);
        _transport.BeforeFlight = new Answering(flight =>
        {
            asked = flight;
            return true;
        });
        foreach (var piece in clear.Concat<byte>([23, 3, 3, 0, 1, 9, 22, 3, 3, 0, 1, 5]).Chunk(size))
        {
            _wire.Comes(piece);
            await ReadAsync(new byte[20], isAsync: true);
        }

        Keep(1);
        _wire.Comes([1]);
        await ReadAsync(new byte[1], isAsync: true);

        asked.Should().StartWith(clear);
        asked!.Length.Should().BeLessThan(clear.Length + 5, "the rest of a header does no harm");
    }

    [Test]
    public async Task No_read_ends_as_long_as_the_engine_is_being_started([Values] bool isStarting, CancellationToken cancellationToken)
    {
        var (peer, socket) = await ConnectedPair.SocketPairAsync();
        using var closing = peer;
        await using var transport = new HandshakeTransport(new NetworkStream(socket, ownsSocket: true), 20);
        await peer.SendAsync(new byte[] { 7 }, cancellationToken);
        socket.Poll(TimeSpan.FromSeconds(30), SelectMode.SelectRead).Should().BeTrue();
        if (isStarting)
        {
            transport.BeginStart();
        }

        var reading = transport.ReadAsync(new byte[1], cancellationToken).AsTask();

        reading.IsCompleted.Should().Be(!isStarting);
        transport.EndStart();
        (await reading).Should().Be(1);
        await peer.SendAsync(new byte[] { 8 }, cancellationToken);
        (await transport.ReadAsync(new byte[1], cancellationToken)).Should().Be(1, "the start is over");
    }

    [Test]
    public async Task A_no_withholds_the_flight_and_fails_the_read(CancellationToken cancellationToken)
    {
        _transport.BeforeFlight = new Answering(_ => false);
        _transport.Hold();
        _wire.Comes([10]);
        await ReadAsync(new byte[1], isAsync: true);
        await _transport.WriteAsync(new byte[] { 1 }, cancellationToken);

        await FluentActions.Awaiting(() => ReadAsync(new byte[1], isAsync: true)).Should().ThrowAsync<IOException>().WithMessage("*withheld*");

        _transport.HasWithheld.Should().BeTrue();
        _wire.Sent.Should().BeEmpty();
    }

    [TestCase(typeof(IOException))]
    [TestCase(typeof(ObjectDisposedException))]
    [TestCase(typeof(OperationCanceledException))]
    public async Task An_alert_that_does_not_arrive_changes_nothing(Type type)
    {
        _wire.Fault = type == typeof(ObjectDisposedException)
            ? new ObjectDisposedException("it")
            : (Exception)Activator.CreateInstance(type)!;
        using var over = new CancellationTokenSource();
        await over.CancelAsync();

        await _transport.RefuseAsync(40, type == typeof(OperationCanceledException) ? over.Token : CancellationToken.None);

        _transport.HasRefused.Should().BeTrue();
    }

    [Test]
    public async Task An_alert_is_one_record_in_the_clear()
    {
        _transport.HasRefused.Should().BeFalse();

        await _transport.RefuseAsync(40, CancellationToken.None);

        _wire.Sent.Should().Equal(21, 3, 3, 0, 2, 2, 40);
        _transport.HasRefused.Should().BeTrue();
    }

    [Test]
    public async Task What_a_stream_throws_in_its_own_words_is_a_failure_of_the_transport([Values] bool reads)
    {
        _wire.Fault = new InvalidOperationException("in its own words");

        var call = reads ? () => ReadAsync(new byte[1], isAsync: true) : (Func<Task>)(() => _transport.WriteAsync(new byte[1]).AsTask());

        (await call.Should().ThrowAsync<IOException>()).Which.InnerException.Should().BeSameAs(_wire.Fault);
    }

    [Test]
    public async Task Once_it_is_cut_off_nothing_is_read_or_written()
    {
        _wire.Comes([1]);
        _transport.Cut();

        await FluentActions.Awaiting(() => ReadAsync(new byte[1], isAsync: true)).Should().ThrowAsync<IOException>();
        await FluentActions.Awaiting(() => _transport.WriteAsync(new byte[1]).AsTask()).Should().ThrowAsync<IOException>();
        _wire.Sent.Should().BeEmpty();
        _transport.Received.Should().Be(0);
    }

    [Test]
    public async Task What_is_captured_does_not_go_out(CancellationToken cancellationToken)
    {
        _transport.BeginCapture();
        await _transport.WriteAsync(new byte[] { 1 }, cancellationToken);
        await _transport.WriteAsync(new byte[] { 2 }, cancellationToken);
        _wire.Sent.Should().BeEmpty();

        var captured = _transport.EndCapture();
        captured.ToArray().Should().Equal(1, 2);
        await _transport.WriteLastAsync(captured);

        _wire.Sent.Should().Equal(1, 2);
        _wire.Flushes.Should().BeGreaterThan(0);
    }

    [Test]
    public async Task A_hello_is_given_out_alone_and_what_came_behind_it_once_we_have_answered_otherwise_than_by_asking_again()
    {
        var buffer = new byte[16];
        ((byte[])[1, 2, 3, 4, 5, 6, 7]).CopyTo(buffer, 0);
        _transport.PutBackHello(buffer, 7, helloLength: 4, maxHelloBytes: 100);
        _transport.ReadAheadLength.Should().Be(7);
        var read = new byte[10];

        (await ReadAsync(read.AsMemory(0, 3).ToArray(), isAsync: true)).Should().Be(3);
        (await ReadAsync(read, isAsync: true)).Should().Be(1, "the hello ends here");
        read[0].Should().Be(4);
        _transport.ReadAheadLength.Should().Be(3);
        await _transport.WriteAsync(new byte[] { 22, 3, 3, 0, 1, 2 });

        (await ReadAsync(read, isAsync: true)).Should().Be(3);
        read[..3].Should().Equal(5, 6, 7);
        _transport.ReadAheadLength.Should().Be(0);
    }

    [Test]
    public async Task Whoever_admits_us_is_told_when_we_wait_for_the_peer_and_not_when_it_has_answered_already()
    {
        var admission = new Noting();
        _transport.Admission = admission;
        var (peer, ours) = await ConnectedPair.SocketPairAsync();
        using var _ = peer;
        await using var transport = new HandshakeTransport(new NetworkStream(ours, ownsSocket: true), 1000) { Admission = admission };
        await peer.SendAsync(new byte[1]).WaitAsync(ConnectedPair.Deadline);
        ours.Poll(ConnectedPair.Deadline, SelectMode.SelectRead).Should().BeTrue();
        (await transport.ReadAsync(new byte[1])).Should().Be(1);
        admission.Said.Should().BeEmpty();

        var reading = transport.ReadAsync(new byte[1]).AsTask();
        admission.Said.Should().Equal("begin");
        await peer.SendAsync(new byte[1]).WaitAsync(ConnectedPair.Deadline);
        await reading.WaitAsync(ConnectedPair.Deadline);

        admission.Said.Should().Equal("begin", "end");
    }

    [Test]
    public async Task Closing_closes_the_stream_beneath_in_the_callers_way_and_tells([Values] bool isAsync)
    {
        var told = 0;
        _transport.EndListener = new EndListener(() => told++);

        if (isAsync)
        {
            await _transport.DisposeAsync();
        }
        else
        {
            _transport.Dispose();
        }

        (_wire.IsDisposed, _wire.IsDisposedAsync).Should().Be((true, isAsync));
        told.Should().Be(1);
    }

    [Test]
    public void Timeouts_are_the_sockets()
    {
        _wire.Timeout = 5;
        (_transport.CanTimeout, _transport.ReadTimeout, _transport.WriteTimeout).Should().Be((true, 5, 5));

        _transport.ReadTimeout = 6;
        _wire.Timeout.Should().Be(6);
        _transport.WriteTimeout = 7;
        _wire.Timeout.Should().Be(7);
        _wire.Timeout = 0;
        _transport.CanTimeout.Should().BeFalse();
    }

    [Test]
    public async Task Only_a_sockets_own_stream_is_known_to_look_at_its_tokens()
    {
        _transport.HeedsTokens.Should().BeFalse();
        var (peer, ours) = await ConnectedPair.SocketPairAsync();
        using var _ = peer;
        await using var transport = new HandshakeTransport(new NetworkStream(ours, ownsSocket: true), 1000);

        transport.HeedsTokens.Should().BeTrue();
    }

    private async Task<int> ReadAsync(byte[] buffer, bool isAsync) =>
        isAsync ? await _transport.ReadAsync(buffer) : _transport.Read(buffer, 0, buffer.Length);

    private void Keep(params byte[] bytes)
    {
        _transport.Hold();
        _transport.WriteAsync(bytes).AsTask().IsCompletedSuccessfully.Should().BeTrue();
    }

    private sealed class Answering(Func<byte[], bool?> answer) : IFlightJudge
    {
        public bool? MayAnswer(byte[] flight) => answer(flight);
    }

    private sealed class Noting : IAdmission
    {
        internal List<string> Said { get; } = [];

        public void AddressIsKnown()
        {
        }

        public void HelloIsComplete() => Said.Add("hello");

        public ValueTask EnterAsync()
        {
            Said.Add("enter");
            return default;
        }

        public void BeginWait() => Said.Add("begin");

        public ValueTask EndWaitAsync()
        {
            Said.Add("end");
            return default;
        }

        public void WorkIsDone() => Said.Add("done");

        public void Leave() => Said.Add("leave");

        public bool TryBeginLinger() => true;

        public void EndLinger()
        {
        }
    }

    /// <summary>A stream of the application's in memory: what comes from it, what went into it, and how it was closed.</summary>
    private sealed class Wire : Stream
    {
        private readonly Queue<byte[]> _coming = new();

        internal List<byte> Sent { get; } = [];

        internal int Flushes { get; private set; }

        internal Exception? Fault { get; set; }

        internal Action? WhenReading { get; set; }

        internal int Timeout { get; set; }

        internal bool IsDisposed { get; private set; }

        internal bool IsDisposedAsync { get; private set; }

        public override bool CanRead => true;

        public override bool CanWrite => true;

        public override bool CanSeek => false;

        public override bool CanTimeout => Timeout > 0;

        public override int ReadTimeout
        {
            get => Timeout;
            set => Timeout = value;
        }

        public override int WriteTimeout
        {
            get => Timeout;
            set => Timeout = value;
        }

        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => throw new NotSupportedException();
            set => throw new NotSupportedException();
        }

        internal void Comes(byte[] bytes) => _coming.Enqueue(bytes);

        public override int Read(Span<byte> buffer)
        {
            WhenReading?.Invoke();
            if (Fault is { } fault)
            {
                throw fault;
            }

            if (buffer.IsEmpty || !_coming.TryDequeue(out var bytes))
            {
                return 0;
            }

            bytes.CopyTo(buffer);
            return bytes.Length;
        }

        public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) => new(Read(buffer.Span));

        public override void Write(ReadOnlySpan<byte> buffer)
        {
            if (Fault is { } fault)
            {
                throw fault;
            }

            Sent.AddRange(buffer);
        }

        public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            Write(buffer.Span);
            return default;
        }

        public override void Flush() => Flushes++;

        public override Task FlushAsync(CancellationToken cancellationToken)
        {
            Flushes++;
            return Task.CompletedTask;
        }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override ValueTask DisposeAsync()
        {
            IsDisposedAsync = true;
            return base.DisposeAsync();
        }

        protected override void Dispose(bool disposing)
        {
            IsDisposed = true;
            base.Dispose(disposing);
        }
    }
}
