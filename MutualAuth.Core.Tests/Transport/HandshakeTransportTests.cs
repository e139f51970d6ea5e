using System.Buffers;
using MutualAuth.Transport;

namespace MutualAuth.Tests.Transport;

/// <summary>What we write may wait for more of ours, and never while we wait for the peer.</summary>
[CancelAfter(20000)]
public sealed class HandshakeTransportTests
{
    private Wire _wire = null!;
    private HandshakeTransport _transport = null!;

    [SetUp]
    public void SetUp()
    {
        _wire = new Wire();
        _transport = new HandshakeTransport(_wire, 1000);
    }

    [TearDown]
    public async Task TearDown()
    {
        await _transport.DisposeAsync();
        await _wire.DisposeAsync();
    }

    [Test]
    public async Task What_is_not_held_goes_out_as_it_is_written(CancellationToken cancellationToken)
    {
        await WriteAsync([1, 2], cancellationToken);
        await WriteAsync([3], cancellationToken);

        _wire.Writes.Should().BeEquivalentTo(new byte[][] { [1, 2], [3] });
    }

    [Test]
    public async Task What_is_held_goes_out_in_one_piece_with_what_is_written_next(CancellationToken cancellationToken)
    {
        _transport.Hold();
        await WriteAsync([1, 2], cancellationToken);
        await WriteAsync([3], cancellationToken);
        _wire.Writes.Should().BeEmpty();

        _transport.EndHandshake();
        await WriteAsync([4], cancellationToken);
        await WriteAsync([5], cancellationToken);

        _wire.Writes.Should().BeEquivalentTo(new byte[][] { [1, 2, 3, 4], [5] });
    }

    [Test]
    public async Task What_is_held_goes_out_before_anything_is_waited_for([Values(0, 1)] int readSize, CancellationToken cancellationToken)
    {
        _transport.Hold();
        await WriteAsync([1, 2], cancellationToken);

        (await _transport.ReadAsync(new byte[readSize], cancellationToken)).Should().Be(0, "nothing comes from the wire");

        _wire.Writes.Should().BeEquivalentTo(new byte[][] { [1, 2] });
    }

    [Test]
    public async Task What_is_held_goes_out_when_it_is_released_and_only_once(CancellationToken cancellationToken)
    {
        _transport.Hold();
        await WriteAsync(new byte[5000], cancellationToken);
        await WriteAsync([7], cancellationToken);

        await _transport.ReleaseAsync(cancellationToken);
        await _transport.ReleaseAsync(cancellationToken);
        (await _transport.ReadAsync(new byte[1], cancellationToken)).Should().Be(0, "nothing comes from the wire");

        _wire.Writes.Should().ContainSingle().Which.Should().Equal([.. new byte[5000], 7]);
    }

    [Test]
    public async Task A_write_that_fails_is_told_by_whoever_lets_go_of_what_was_held(CancellationToken cancellationToken)
    {
        _transport.Hold();
        await WriteAsync([1], cancellationToken);
        _wire.IsBroken = true;
        _transport.EndHandshake();

        await _transport.Awaiting(transport => transport.WriteAsync(new byte[1], cancellationToken).AsTask()).Should().ThrowAsync<IOException>();
    }

    [TestCase(1)]
    [TestCase(3)]
    [TestCase(64)]
    public async Task What_was_read_ahead_is_read_again_whatever_the_size_of_the_reads(int size)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(16);
        byte[] ahead = [10, 11, 12, 13, 14];
        ahead.CopyTo(buffer, 0);
        _transport.PutBack(buffer, ahead.Length);

        var read = new List<byte>();
        var piece = new byte[size];
        while (read.Count < ahead.Length)
        {
            read.AddRange(piece[..await _transport.ReadAsync(piece)]);
        }

        read.Should().Equal(ahead);
        (await _transport.ReadAsync(piece)).Should().Be(0, "the wire has nothing");
    }

    private ValueTask WriteAsync(byte[] bytes, CancellationToken cancellationToken) => _transport.WriteAsync(bytes, cancellationToken);

    /// <summary>Keeps each write apart; nothing ever comes from it.</summary>
    private sealed class Wire : MemoryStream
    {
        internal List<byte[]> Writes { get; } = [];

        internal bool IsBroken { get; set; }

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            if (IsBroken)
            {
                throw new IOException("The wire is broken.");
            }

            Writes.Add(buffer.ToArray());
            return default;
        }
    }
}
