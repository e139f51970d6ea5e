using System.Net.Sockets;

namespace MutualAuth.Testing.Transports;

/// <summary>One direction of a <see cref="DuplexPair"/>: a wire that carries octets in order, and breaks when and where it is told to.</summary>
/// <remarks>
/// Positions count octets from the start of the connection, the first being 0. Faults may be set at any time, and take effect on what is written
/// after that. Safe for concurrent use.
/// </remarks>
public sealed class DuplexDirection
{
    private readonly object _gate; // One for both directions: a reset takes both.
    private readonly Queue<Segment> _queue = new();
    private readonly SortedDictionary<long, byte> _corruptions = [];
    private readonly List<byte> _recording = [];
    private readonly Direction _direction;
    private readonly TimeProvider _clock;
    private readonly int _capacity;
    private readonly FlightLog _flights;
    private TaskCompletionSource _changed = NewSignal();
    private int _buffered;
    private int _taken;
    private long _stallAt = long.MaxValue;
    private long _resetAt = long.MaxValue;
    private long _endAt = long.MaxValue;
    private long _busyUntil;
    private long _delivered;
    private bool _ended;
    private bool _readerGone;
    private Exception? _failure;

    internal DuplexDirection(object gate, Direction direction, TimeProvider clock, int capacity, FlightLog flights)
    {
        _gate = gate;
        _direction = direction;
        _clock = clock;
        _capacity = capacity;
        _flights = flights;
    }

    internal DuplexDirection Opposite { private get; set; } = null!;

    /// <summary>The most octets that one read returns: 1 shows every place that trusts reads to be whole. Default: no limit.</summary>
    public int MaxReadSize { get; set; } = int.MaxValue;

    /// <summary>How long each octet is under way. Default: zero.</summary>
    public TimeSpan Latency { get; set; }

    /// <summary>How many octets pass per second; null sets no limit. Default: null.</summary>
    public int? BytesPerSecond { get; set; }

    /// <summary>Whether <see cref="Recording"/> grows. Default: false.</summary>
    public bool Record { get; set; }

    /// <summary>How many octets have been written so far, lost ones included.</summary>
    public long Written { get; private set; }

    /// <summary>How many octets the reader has taken so far.</summary>
    public long Delivered
    {
        get
        {
            lock (_gate)
            {
                return _delivered;
            }
        }
    }

    /// <summary>A copy of what has gone through while <see cref="Record"/> was true, as the writer sent it.</summary>
    public byte[] Recording
    {
        get
        {
            lock (_gate)
            {
                return [.. _recording];
            }
        }
    }

    /// <summary>The faults of this direction.</summary>
    public IReadOnlyList<WireFault> Faults => [];

    /// <summary>Changes the octet at <paramref name="position"/> by exclusive or.</summary>
    /// <param name="position">Which octet.</param>
    /// <param name="mask">The bits to flip. Default: the lowest.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="position"/> is negative.</exception>
    public WireFault CorruptAt(long position, byte mask = 0x01)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(position);
        lock (_gate)
        {
            _corruptions[position] = mask;
        }

        return new WireFault(_direction, WireFaultKind.Corruption, position);
    }

    /// <summary>Holds back everything from <paramref name="position"/> on, without an end or an error, until <see cref="Resume"/>.</summary>
    public WireFault StallAt(long position)
    {
        Set(() => _stallAt = position, position);
        return new WireFault(_direction, WireFaultKind.Stall, position);
    }

    /// <summary>Lets go what <see cref="StallAt"/> holds back.</summary>
    public void Resume() => Set(() => _stallAt = long.MaxValue, 0);

    /// <summary>Lets the octets before <paramref name="position"/> through and then breaks the connection, both ways, as a reset does.</summary>
    public WireFault ResetAt(long position)
    {
        Set(() => _resetAt = position, position);
        return new WireFault(_direction, WireFaultKind.Reset, position);
    }

    /// <summary>
    /// Lets the octets before <paramref name="position"/> through and then shows the reader an orderly end; the writer notices nothing.
    /// </summary>
    public WireFault EndAt(long position)
    {
        Set(() => _endAt = position, position);
        return new WireFault(_direction, WireFaultKind.End, position);
    }

    internal void Reset()
    {
        Fail();
        Opposite.Fail();
    }

    /// <summary>The writer has sent all: the reader sees an end after what is still under way.</summary>
    internal void End() => Change(() => _ended = true);

    /// <summary>The reader is gone: writing fails from here on.</summary>
    internal void Abandon() => Change(() => _readerGone = true);

    internal async ValueTask WriteAsync(ReadOnlyMemory<byte> octets, int trip, CancellationToken cancellationToken)
    {
        while (!octets.IsEmpty)
        {
            Task room;
            lock (_gate)
            {
                ThrowIfUnwritable();
                var count = Math.Min(octets.Length, _capacity - _buffered);
                if (count > 0)
                {
                    Accept(octets.Span[..count], trip);
                    octets = octets[count..];
                    continue;
                }

                room = _changed.Task;
            }

            await room.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Reads at least one octet, or none at the end; waits for something to read even when <paramref name="buffer"/> is empty.</summary>
    internal async ValueTask<(int Count, int Trip)> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        while (true)
        {
            Task change;
            TimeSpan wait;
            lock (_gate)
            {
                if (Take(buffer.Span, out wait) is { } taken)
                {
                    return taken;
                }

                change = _changed.Task;
            }

            await WaitAsync(change, wait, cancellationToken).ConfigureAwait(false);
        }
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private static IOException ConnectionReset() => new("The connection was reset.", new SocketException((int)SocketError.ConnectionReset));

    private void Set(Action set, long position)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(position);
        Change(set);
    }

    private void Change(Action change)
    {
        lock (_gate)
        {
            change();
            Pulse();
        }
    }

    private void Fail() => Change(() =>
    {
        _failure ??= ConnectionReset();
        _queue.Clear();
        _buffered = 0;
        _taken = 0;
    });

    private void Pulse()
    {
        _changed.TrySetResult();
        _changed = NewSignal();
    }

    private void ThrowIfUnwritable()
    {
        if (_failure is not null)
        {
            throw ConnectionReset();
        }

        if (_ended)
        {
            throw new IOException("This direction has been ended.", new SocketException((int)SocketError.Shutdown));
        }

        if (_readerGone)
        {
            throw new IOException("The far end has closed.", new SocketException((int)SocketError.ConnectionReset));
        }
    }

    private void Accept(ReadOnlySpan<byte> octets, int trip)
    {
        _flights.Record(_direction, octets.Length);
        if (Record)
        {
            _recording.AddRange(octets);
        }

        // What lies beyond an end that the reader will see is lost, and must not hold up the writer.
        var copy = octets[..(int)Math.Clamp(_endAt - Written, 0, octets.Length)].ToArray();
        foreach (var (position, mask) in _corruptions)
        {
            if (position >= Written && position < Written + copy.Length)
            {
                copy[position - Written] ^= mask;
            }
        }

        if (copy.Length > 0)
        {
            _queue.Enqueue(new Segment(copy, trip, ArrivalOf(copy.Length)));
            _buffered += copy.Length;
        }

        Written += octets.Length;
        Pulse();
    }

    private long ArrivalOf(int count)
    {
        var now = _clock.GetTimestamp();
        if (BytesPerSecond is { } rate)
        {
            _busyUntil = Math.Max(now, _busyUntil) + (long)(count * (double)_clock.TimestampFrequency / rate);
            now = _busyUntil;
        }

        return now + (long)(Latency.TotalSeconds * _clock.TimestampFrequency);
    }

    private (int Count, int Trip)? Take(Span<byte> buffer, out TimeSpan wait)
    {
        wait = Timeout.InfiniteTimeSpan;
        ObjectDisposedException.ThrowIf(_readerGone, typeof(DuplexStream));
        if (_delivered >= _resetAt)
        {
            Reset();
        }

        if (_failure is not null)
        {
            throw ConnectionReset();
        }

        if (_delivered >= _endAt)
        {
            return (0, 0);
        }

        if (!_queue.TryPeek(out var segment))
        {
            return _ended ? (0, 0) : null;
        }

        var limit = Math.Min(Math.Min(_stallAt, _resetAt), _endAt) - _delivered;
        if (limit <= 0)
        {
            return null;
        }

        var early = segment.ArrivesAt - _clock.GetTimestamp();
        if (early > 0)
        {
            wait = TimeSpan.FromTicks((long)Math.Ceiling(early * (double)TimeSpan.TicksPerSecond / _clock.TimestampFrequency));
            return null;
        }

        var available = segment.Octets.AsSpan(_taken);
        var count = (int)Math.Min(Math.Min(Math.Min(buffer.Length, MaxReadSize), available.Length), limit);
        available[..count].CopyTo(buffer);
        Consume(segment, count);
        return (count, count == 0 ? 0 : segment.Trip);
    }

    private void Consume(Segment segment, int count)
    {
        _taken += count;
        _buffered -= count;
        _delivered += count;
        if (_taken == segment.Octets.Length)
        {
            _queue.Dequeue();
            _taken = 0;
        }

        if (_delivered >= _resetAt)
        {
            Reset();
        }
        else if (count > 0)
        {
            Pulse();
        }
    }

    private async Task WaitAsync(Task change, TimeSpan wait, CancellationToken cancellationToken)
    {
        if (wait == Timeout.InfiniteTimeSpan)
        {
            await change.WaitAsync(cancellationToken).ConfigureAwait(false);
            return;
        }

        using var cancelDelay = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var delay = Task.Delay(wait, _clock, cancelDelay.Token);
        await Task.WhenAny(change, delay).ConfigureAwait(false);
        await cancelDelay.CancelAsync().ConfigureAwait(false);
        cancellationToken.ThrowIfCancellationRequested();
    }

    private sealed record Segment(byte[] Octets, int Trip, long ArrivesAt);
}
