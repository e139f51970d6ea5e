using System.Buffers;
using MutualAuth.Hello;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Hello;

/// <summary>A hello as it comes off the wire: how much is read for it, what goes back, and what is said of one that never is complete.</summary>
public sealed class ClientHelloReaderTests
{
    private const int MaxBytes = 1000;

    private static readonly int s_limit = ClientHelloReader.LimitOf(MaxBytes);

    [Test]
    public void Records_may_take_twice_the_message_and_a_kilobyte() => ClientHelloReader.LimitOf(16_384).Should().Be(33_792);

    [TestCase(504, true)]
    [TestCase(505, false)]
    public async Task A_hello_in_tiny_records_is_read_up_to_the_bound_of_its_records(int length, bool isRead)
    {
        // One octet takes a record of six.
        var source = new Source([.. Message(length).Chunk(1).Select(octet => HelloBytes.Records(octet))]);
        s_limit.Should().Be(504 * 6);

        var reading = await ClientHelloReader.ReadAsync(source, MaxBytes, CancellationToken.None);

        if (isRead)
        {
            reading.Hello.Should().NotBeNull();
            source.PutBackBytes.Should().HaveCount(s_limit);
            (source.HelloLength, source.MaxHelloBytes).Should().Be((s_limit, MaxBytes));
        }
        else
        {
            (reading.Problem!.Reason, reading.Alert).Should().Be((RejectionReason.ClientHelloTooLarge, TlsAlerts.DecodeError));
            reading.Problem.Presented.Should().Contain($"{s_limit} bytes");
        }
    }

    [TestCase(MaxBytes, true)]
    [TestCase(MaxBytes + 1, false)]
    public async Task A_message_is_read_up_to_its_own_bound(int length, bool isRead)
    {
        var reading = await ClientHelloReader.ReadAsync(new Source(HelloBytes.Records(Message(length + 4))), MaxBytes, CancellationToken.None);

        (reading.Hello is not null).Should().Be(isRead);
        (reading.Problem?.Reason).Should().Be(isRead ? null : RejectionReason.ClientHelloTooLarge);
    }

    [Test]
    public async Task What_comes_behind_a_hello_goes_back_with_it_and_is_no_part_of_it()
    {
        var hello = HelloBytes.Records(Message(200));
        var source = new Source([.. hello, 1, 2, 3]);

        await ClientHelloReader.ReadAsync(source, MaxBytes, CancellationToken.None);

        source.PutBackBytes.Should().Equal([.. hello, 1, 2, 3]);
        source.HelloLength.Should().Be(hello.Length);
    }

    [Test]
    public async Task A_long_hello_in_pieces_of_any_size_goes_back_whole([Values(1, 7, 1000, 5000)] int size)
    {
        var hello = HelloBytes.Records(Message(12_000), 16_384);
        var source = new Source([.. hello.Chunk(size)]);

        var reading = await ClientHelloReader.ReadAsync(source, 16_384, CancellationToken.None);

        reading.Hello.Should().NotBeNull();
        reading.Length.Should().Be(hello.Length);
        source.PutBackBytes.Should().Equal(hello);
    }

    [Test]
    public async Task A_peer_that_ends_without_a_word_and_one_that_ends_in_the_middle_are_told_apart()
    {
        var silent = await ClientHelloReader.ReadAsync(new Source(), MaxBytes, CancellationToken.None);
        (silent.Problem!.Reason, silent.Alert).Should().Be((RejectionReason.NoClientHello, null));
        silent.Problem.Hint.Should().Contain("Port scanners");

        var half = await ClientHelloReader.ReadAsync(new Source(HelloBytes.Records(Message(200))[..50]), MaxBytes, CancellationToken.None);
        (half.Problem!.Reason, half.Alert).Should().Be((RejectionReason.IncompleteClientHello, null));
        half.Problem.Presented.Should().Be("50 bytes of one");
    }

    [Test]
    public async Task A_peer_that_speaks_something_else_gets_its_own_reason_and_nothing_goes_back()
    {
        var source = new Source("GET / HTTP/1.1\r\n\r\n"u8.ToArray());

        var reading = await ClientHelloReader.ReadAsync(source, MaxBytes, CancellationToken.None);

        reading.Problem!.Reason.Should().Be(RejectionReason.PlainHttp);
        source.PutBackBytes.Should().BeNull();
    }

    [Test]
    public async Task A_second_hello_has_the_same_bound_of_its_records()
    {
        foreach (var (length, isRead) in new[] { (504, true), (505, false) })
        {
            var source = new Source([.. Message(length).Chunk(1).Select(octet => HelloBytes.Records(octet))]);

            var reading = await HelloAfterRetry.ReadAsync(source, MaxBytes, CancellationToken.None);

            (reading?.Problem?.Reason).Should().Be(isRead ? null : RejectionReason.ClientHelloTooLarge);
            (source.PutBackBytes is not null).Should().Be(isRead);
        }
    }

    [Test]
    public async Task A_second_hello_goes_back_whole_with_what_came_before_and_behind_it([Values(1, 5, 6, 7, 5000)] int size)
    {
        byte[] bytes = [20, 3, 3, 0, 1, 1, .. HelloBytes.Records(Message(5_000)), 23, 3, 3, 0, 1, 9];
        var source = new Source([.. bytes.Chunk(size)]) { ReadAheadLength = 5_000 };

        (await HelloAfterRetry.ReadAsync(source, 16_384, CancellationToken.None)).Should().BeNull();

        source.PutBackBytes.Should().Equal(bytes[..source.PutBackBytes!.Length]);
        source.PutBackBytes.Length.Should().BeGreaterThanOrEqualTo(bytes.Length - 6);
    }

    [Test]
    public async Task What_is_no_second_hello_and_an_end_are_left_to_the_engine()
    {
        foreach (var bytes in new byte[][] { [23, 3, 3, 0, 1, 9], [20, 3, 3, 0, 1, 1, 21, 3, 3, 0, 2, 2, 40], [20, 3, 3, 0, 1, 1], [22, 3, 3] })
        {
            var source = new Source(bytes);

            (await HelloAfterRetry.ReadAsync(source, MaxBytes, CancellationToken.None)).Should().BeNull();

            source.PutBackBytes.Should().Equal(bytes);
        }
    }

    [Test]
    public void A_buffer_grows_when_it_is_full_and_no_further_than_the_limit()
    {
        var buffer = ArrayPool<byte>.Shared.Rent(16);
        buffer[0] = 7;
        ClientHelloReader.Grow(buffer, buffer.Length - 1, 1000).Should().BeSameAs(buffer);

        var larger = ClientHelloReader.Grow(buffer, buffer.Length, 1000);

        larger.Length.Should().BeGreaterThanOrEqualTo(32);
        larger[0].Should().Be(7);
        ArrayPool<byte>.Shared.Return(larger);
    }

    /// <summary>A hello of so many octets, its header included.</summary>
    private static byte[] Message(int length)
    {
        var padding = length - new HelloDraft().With((21, [])).Message().Length;
        var message = new HelloDraft().With((21, new byte[padding])).Message();
        message.Should().HaveCount(length);
        return message;
    }

    /// <summary>Gives one piece for each read, and keeps what is put back.</summary>
    private sealed class Source(params byte[][] pieces) : IHelloSource
    {
        private readonly Queue<byte[]> _pieces = new(pieces);

        public int ReadAheadLength { get; init; }

        internal byte[]? PutBackBytes { get; private set; }

        internal int HelloLength { get; private set; }

        internal int MaxHelloBytes { get; private set; }

        public ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken)
        {
            if (buffer.IsEmpty || !_pieces.TryPeek(out var piece))
            {
                return new(0);
            }

            _pieces.Dequeue();
            var count = Math.Min(piece.Length, buffer.Length);
            piece.AsSpan(0, count).CopyTo(buffer.Span);
            if (count < piece.Length)
            {
                var rest = _pieces.ToArray();
                _pieces.Clear();
                _pieces.Enqueue(piece[count..]);
                Array.ForEach(rest, _pieces.Enqueue);
            }

            return new(count);
        }

        public void PutBackHello(byte[] buffer, int length, int helloLength, int maxHelloBytes)
        {
            PutBack(buffer, length);
            (HelloLength, MaxHelloBytes) = (helloLength, maxHelloBytes);
        }

        public void PutBack(byte[] buffer, int length)
        {
            PutBackBytes = buffer[..length];
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}
