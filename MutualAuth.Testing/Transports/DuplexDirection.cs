using System.Net.Sockets;

namespace MutualAuth.Testing.Transports;

/// <summary>One direction of a <see cref="DuplexPair"/>: a wire that carries octets in order, and breaks when and where it is told to.</summary>
/// <remarks>
/// <para>
/// Positions count octets from the start of the connection, the first being 0. A fault may be set at any time before its octet is delivered, also
/// when it has been written. At one octet, a stall comes before a reset, and a reset before an end. A fault takes the place of another of its kind,
/// corruptions that of one of the same octet.
/// </para>
/// <para>Conditions take effect on what is written after they are set. Safe for concurrent use.</para>
/// </remarks>
public sealed class DuplexDirection
{
    private static readonly TimeSpan s_longestLatency = TimeSpan.FromMilliseconds(int.MaxValue);

    private readonly object _gate; // One for both directions: a reset takes both.
    private readonly OctetQueue _queue = new();
    private readonly FaultTable _faults;
    private readonly WaitingLine _readers;
    private readonly WaitingLine _writers;
    private readonly List<byte> _recording = [];
    private readonly Direction _direction;
    private readonly Pace _pace;
    private readonly int _capacity;
    private readonly FlightLog _flights;
    private int _maxReadSize = int.MaxValue;
    private bool _record;
    private long _written;
    private long _delivered;
    private long _lostFrom = long.MaxValue;
    private long _dropped; // arrived when the reader had left
    private long _letGoAt; // when the reader left, or a stall was lifted
    private long? _refusedFrom; // when the writer hears that the reader has left
    private long? _endArrivesAt;
    private bool _writerGone;
    private bool _readerGone;
    private bool _isReset;

    internal DuplexDirection(object gate, Direction direction, TimeProvider clock, int capacity, FlightLog flights)
    {
        _gate = gate;
        _faults = new FaultTable(direction);
        _readers = new WaitingLine(gate, clock);
        _writers = new WaitingLine(gate, clock);
        _direction = direction;
        _pace = new Pace(clock);
        _capacity = capacity;
        _flights = flights;
    }

    internal DuplexDirection Opposite { private get; set; } = null!;

    /// <summary>The most octets that one read returns: 1 shows every place that trusts reads to be whole. Default: no limit.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is zero or negative.</exception>
    public int MaxReadSize
    {
        get => Get(ref _maxReadSize);
        set
        {
            ArgumentOutOfRangeException.ThrowIfNegativeOrZero(value);
            Change(() => _maxReadSize = value);
        }
    }

    /// <summary>How long each octet, and the end of the stream, is under way. Default: zero.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is negative, or more than <see cref="int.MaxValue"/> milliseconds.</exception>
    public TimeSpan Latency
    {
        get
        {
            lock (_gate)
            {
                return _pace.Latency;
            }
        }

        set
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(value, TimeSpan.Zero);
            ArgumentOutOfRangeException.ThrowIfGreaterThan(value, s_longestLatency);
            Change(() => _pace.Latency = value);
        }
    }

    /// <summary>How many octets pass per second; null sets no limit. Default: null.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is zero or negative.</exception>
    public int? BytesPerSecond
    {
        get
        {
            lock (_gate)
            {
                return _pace.BytesPerSecond;
            }
        }

        set
        {
            ArgumentOutOfRangeException.ThrowIfNegativeOrZero(value ?? 1, nameof(value));
            Change(() => _pace.BytesPerSecond = value);
        }
    }

    /// <summary>Whether <see cref="Recording"/> grows. Default: false.</summary>
    public bool Record
    {
        get => Get(ref _record);
        set => Change(() => _record = value);
    }

    /// <summary>How many octets have been written so far, lost ones included.</summary>
    public long Written => Get(ref _written);

    /// <summary>How many octets the reader has taken so far.</summary>
    public long Delivered => Get(ref _delivered);

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

    /// <summary>
    /// A copy of the list of the faults that were set, in that order, each saying whether it has happened. One that another took the place of is not
    /// listed; a stall that was lifted is.
    /// </summary>
    public IReadOnlyList<WireFault> Faults
    {
        get
        {
            lock (_gate)
            {
                return _faults.Listed;
            }
        }
    }

    /// <summary>Changes the octet at <paramref name="position"/> by exclusive or.</summary>
    /// <param name="position">Which octet.</param>
    /// <param name="mask">The bits to flip. Default: the lowest.</param>
    /// <returns>The fault, which says whether it has happened.</returns>
    /// <exception cref="ArgumentOutOfRangeException">
    /// <paramref name="position"/> is negative, or the octet has been delivered already; or <paramref name="mask"/> is zero.
    /// </exception>
    public WireFault CorruptAt(long position, byte mask = 0x01)
    {
        ArgumentOutOfRangeException.ThrowIfZero(mask);
        return Set(position, () => _faults.Corrupt(position, mask));
    }

    /// <summary>
    /// Holds back everything from <paramref name="position"/> on, without an end or an error, until <see cref="Resume"/>. Only a reset of both
    /// directions gets past it: <see cref="DuplexPair.Reset"/>, and <see cref="ResetAt"/> of the other direction.
    /// </summary>
    /// <returns>The fault, which says whether it has happened.</returns>
    /// <exception cref="ArgumentOutOfRangeException">
    /// <paramref name="position"/> is negative, or the octet has been delivered already; <see cref="Written"/> is the first that cannot have been.
    /// </exception>
    public WireFault StallAt(long position) => Set(position, () => _faults.Stall(position));

    /// <summary>Lets go what <see cref="StallAt"/> holds back.</summary>
    public void Resume() => Change(() =>
    {
        _faults.Lift();
        _letGoAt = _pace.Now;
        Opposite.Pulse(); // a refusal may have been held back
    });

    /// <summary>Lets the octets before <paramref name="position"/> through and then breaks the connection, both ways, as a reset does.</summary>
    /// <returns>The fault, which says whether it has happened.</returns>
    /// <exception cref="ArgumentOutOfRangeException">
    /// <paramref name="position"/> is negative, or the octet has been delivered already; <see cref="Written"/> is the first that cannot have been.
    /// </exception>
    public WireFault ResetAt(long position) => Set(position, () => _faults.Reset(position));

    /// <summary>
    /// Lets the octets before <paramref name="position"/> through and then shows the reader an orderly end; the writer notices nothing.
    /// </summary>
    /// <returns>The fault, which says whether it has happened.</returns>
    /// <exception cref="ArgumentOutOfRangeException">
    /// <paramref name="position"/> is negative, or the octet has been delivered already, or an earlier end has swallowed octets before it;
    /// <see cref="Written"/> is the first that cannot have been delivered.
    /// </exception>
    public WireFault EndAt(long position) => Set(
        position,
        () =>
        {
            if (position > _lostFrom)
            {
                throw new ArgumentOutOfRangeException(
                    nameof(position), position, $"The octets from {_lostFrom} on are lost: the end was to come there when they were written.");
            }

            var end = _faults.End(position);
            Lose();
            return end;
        });

    internal void Reset()
    {
        Fail();
        Opposite.Fail();
    }

    /// <summary>The writer has sent all: the reader sees an end after what is still under way.</summary>
    internal void End() => Change(() => _endArrivesAt ??= _pace.ArrivalOf(0));

    /// <summary>The writer is gone: the reader sees the same, and a write that waits for room fails.</summary>
    internal void Leave() => Change(() =>
    {
        _endArrivesAt ??= _pace.ArrivalOf(0);
        _writerGone = true;
    });

    /// <summary>The reader is gone: octets that arrive from here on, or have not been read, are answered by a refusal.</summary>
    internal void Abandon() => Change(() =>
    {
        _readerGone = true;
        _letGoAt = _pace.Now;
    });

    internal ValueTask WriteAsync(ReadOnlyMemory<byte> octets, int trip, CancellationToken cancellationToken) => _writers.InTurnAsync(
        (out TimeSpan wait) =>
        {
            int count;
            do
            {
                count = Put(octets.Span, trip, out wait);
                octets = octets[count..];
            }
            while (count > 0 && !octets.IsEmpty);
            return octets.IsEmpty;
        },
        cancellationToken);

    /// <summary>Reads at least one octet, or none at the end; waits for something to read even when <paramref name="buffer"/> is empty.</summary>
    internal async ValueTask<(int Count, int Trip)> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        (int Count, int Trip)? taken = null;
        await _readers.InTurnAsync((out TimeSpan wait) => (taken = Take(buffer.Span, out wait)) is not null, cancellationToken).ConfigureAwait(false);
        return taken!.Value;
    }

    private static IOException Error(SocketError error, string message) => new(message, new SocketException((int)error));

    private static IOException ConnectionReset() => Error(SocketError.ConnectionReset, "The connection was reset.");

    private static IOException Aborted() => Error(SocketError.OperationAborted, "This end has been closed.");

    /// <summary>The position of the first octet that is under way.</summary>
    private long Front => _delivered + _dropped;

    private T Get<T>(ref T field)
    {
        lock (_gate)
        {
            return field;
        }
    }

    private WireFault Set(long position, Func<WireFault> set)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(position);
        lock (_gate)
        {
            if (position < _delivered)
            {
                throw new ArgumentOutOfRangeException(
                    nameof(position), position, $"The octet has been delivered already, as {_delivered} have. {_written} is the next to be written.");
            }

            var fault = set();
            Pulse();
            return fault;
        }
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
        _isReset = true;
        _queue.Clear();
    });

    /// <summary>Has those who wait look again, and notes whether a stall has come to hold something back.</summary>
    private void Pulse()
    {
        DropUnread();
        var holdsBack = !_queue.IsEmpty || _endArrivesAt is not null || Math.Min(_faults.ResetAt, _faults.EndAt) <= _delivered;
        if (holdsBack && _delivered == _faults.StallAt && !_isReset && !_readerGone)
        {
            _faults.StallHappens();
        }

        _readers.Wake();
        _writers.Wake();
    }

    /// <summary>Octets that come when the reader has left are dropped. The first of them has the writer told.</summary>
    private void DropUnread()
    {
        while (_readerGone && !_queue.IsEmpty && _faults.StallAt > Front && _pace.HasCome(_queue.ArrivesAt))
        {
            _refusedFrom ??= Opposite._pace.After(Math.Max(_queue.ArrivesAt, _letGoAt));
            _dropped += _queue.Drop(_faults.StallAt - Front);
        }
    }

    /// <summary>Takes as many octets as there is room for.</summary>
    private int Put(ReadOnlySpan<byte> octets, int trip, out TimeSpan wait)
    {
        DropUnread();
        ThrowIfUnwritable();
        var room = _capacity - _queue.Count;

        // What lies beyond an end that the reader will see is lost, and must not hold up the writer.
        var count = _faults.EndAt - _written <= room ? octets.Length : Math.Min(octets.Length, room);
        wait = Timeout.InfiniteTimeSpan;
        if (count == 0)
        {
            wait = _readerGone ? UntilDroppedOrRefused() : wait;
            return 0;
        }

        _flights.Record(_direction, count);
        if (_record)
        {
            _recording.AddRange(octets[..count]);
        }

        var carried = (int)Math.Clamp(_faults.EndAt - _written, 0, count);
        _queue.Add(octets[..carried], trip, _pace.ArrivalOf(carried));
        _written += count;
        Lose();
        Pulse();
        return count;
    }

    /// <summary>When the reader has left, room comes by itself when octets arrive, and an error when the refusal does.</summary>
    private TimeSpan UntilDroppedOrRefused()
    {
        var next = !_queue.IsEmpty && _faults.StallAt > Front ? _queue.ArrivesAt : long.MaxValue;
        if (_refusedFrom is { } refused && !_pace.HasCome(refused))
        {
            next = Math.Min(next, refused);
        }

        _pace.HasCome(next, out var wait);
        return wait;
    }

    private void ThrowIfUnwritable()
    {
        if (_isReset)
        {
            throw ConnectionReset();
        }

        if (_writerGone)
        {
            throw Aborted();
        }

        if (_endArrivesAt is not null)
        {
            throw Error(SocketError.Shutdown, "This direction has been ended.");
        }

        // The refusal comes the other way, and a stall there holds it back.
        if (_refusedFrom is { } refused && _pace.HasCome(refused) && Opposite._faults.StallAt > Opposite._written)
        {
            throw Error(SocketError.Shutdown, "The far end has closed.");
        }
    }

    /// <summary>Drops what is under way behind the end that the reader is going to see.</summary>
    private void Lose()
    {
        if (_written > _faults.EndAt)
        {
            _lostFrom = Math.Min(_lostFrom, _faults.EndAt);
            _queue.Truncate(Math.Max(0, _lostFrom - Front));
        }
    }

    private (int Count, int Trip)? Take(Span<byte> buffer, out TimeSpan wait)
    {
        wait = Timeout.InfiniteTimeSpan;
        if (_readerGone)
        {
            throw Aborted();
        }

        if (_isReset)
        {
            throw ConnectionReset();
        }

        if (_delivered >= _faults.StallAt)
        {
            return null;
        }

        if (_delivered >= _faults.ResetAt)
        {
            _faults.ResetHappens();
            Reset();
            throw ConnectionReset();
        }

        if (_delivered >= _faults.EndAt)
        {
            _faults.EndHappens();
            return (0, 0);
        }

        if (_queue.IsEmpty)
        {
            return _endArrivesAt is { } end && _pace.HasCome(end, out wait) ? (0, 0) : null;
        }

        return _pace.HasCome(_queue.ArrivesAt, out wait) ? Deliver(buffer) : null;
    }

    private (int Count, int Trip) Deliver(Span<byte> buffer)
    {
        var limit = Math.Min(Math.Min(_faults.StallAt, _faults.ResetAt), _faults.EndAt) - _delivered;
        var room = buffer[..(int)Math.Min(Math.Min(buffer.Length, _maxReadSize), limit)];
        if (room.IsEmpty)
        {
            return (0, 0);
        }

        // Octets of several writes come together, as those of a socket do, but not those of several trips: what counts as read would be chance.
        var (trip, count) = (_queue.Trip, 0);
        do
        {
            count += _queue.Take(room[count..]);
        }
        while (count < room.Length && !_queue.IsEmpty && _queue.Trip == trip && _pace.HasCome(_queue.ArrivesAt));

        _faults.Apply(buffer[..count], _delivered);
        _delivered += count;
        if (_delivered >= _faults.ResetAt && _delivered < _faults.StallAt)
        {
            _faults.ResetHappens();
            Reset();
        }
        else
        {
            Pulse();
        }

        return (count, trip);
    }
}
