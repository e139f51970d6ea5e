using System.Buffers;
using System.Net.Security;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using MutualAuth.Hello;
using MutualAuth.Validation;

namespace MutualAuth.Transport;

/// <summary>
/// The thin layer beneath <c>SslStream</c>: gives back the bytes that were read ahead, keeps the first ones for diagnosis, bounds what
/// an unauthenticated peer may send, sends our last handshake flight together with our verdict, and from then on passes every call
/// straight through.
/// </summary>
/// <remarks>While it holds what is written, it lets go of it before every read, so that no peer ever waits for what we hold.</remarks>
internal sealed class HandshakeTransport : Stream, IHelloSource
{
    private static readonly Rejection s_resumed = new(
        RejectionReason.TlsProtocolViolation, "a full handshake, in which both sides show what they have", "a session that is resumed")
    {
        Rule = "docs/decisions/0004",
        Hint = "Nobody here gives sessions or offers them. Please report it.",
    };

    private static readonly object s_begun = new();

    private readonly Stream _inner;
    private readonly long _maxHandshakeBytes;
    private readonly bool _heedsTokens;
    private ulong _first;
    private ReadOnlyMemory<byte> _readAhead;
    private byte[]? _readAheadBuffer;
    private byte[]? _held;
    private int _heldLength;
    private bool _holds;
    private bool _passThrough;
    private volatile bool _isCut;
    private volatile object? _start; // while the engine is being started: s_begun, or what a read that has come too soon waits for
    private byte[]? _captured;
    private List<byte>? _clear;
    private int _helloLeft;
    private int _maxHelloBytes;
    private bool _awaitsAnswer;
    private bool _awaitsHello;
    private ServerFlightReader? _serverFlight;
    private KeyExchangePolicy _allowed = KeyExchangePolicy.Any;
    private bool _flightIsOurs;
    private bool _staysOpen;
    private int _recordsOfHandshake;
    private int? _recordsUntilData;

    internal HandshakeTransport(Stream inner, int maxHandshakeBytes)
    {
        _inner = inner;
        _heedsTokens = inner.GetType() == typeof(NetworkStream);
        _maxHandshakeBytes = maxHandshakeBytes;
    }

    /// <summary>
    /// Told when it is closed, perhaps more than once: also when the application closes the stream above and forgets the connection.
    /// </summary>
    internal IEndListener? EndListener { get; set; }

    /// <summary>Notified when a read waits for the peer, outside the TLS engine, and when it continues inside; null without an observer.</summary>
    internal TlsStateOwner? Engine { get; set; }

    /// <summary>While the application writes: notified of each of its records that the transport has accepted. Null without an observer.</summary>
    internal IdleClock? Writing { get; set; }

    /// <summary>Told, during the handshake, when we wait for the peer and when we go on.</summary>
    internal IAdmission Admission { get; set; } = AdmitsAll.Instance;

    /// <summary>
    /// Whether calls to the transport observe their tokens and never block the calling thread; unknown for a stream of the application.
    /// </summary>
    internal bool HeedsTokens => _heedsTokens;

    /// <summary>The transport itself ended, or failed, as seen by a read.</summary>
    internal bool HasEnded { get; private set; }

    /// <summary>The bytes that have come from the peer during the handshake.</summary>
    internal long Received { get; private set; }

    /// <summary>The peer sent more before it was authenticated than it may.</summary>
    internal bool LimitExceeded { get; private set; }

    /// <summary>An alert of ours has gone out in the clear, and must not be overtaken by a reset.</summary>
    internal bool HasRefused { get; private set; }

    /// <summary>The very first bytes of the peer's, at most eight.</summary>
    internal ReadOnlySpan<byte> FirstBytes => MemoryMarshal.AsBytes(new ReadOnlySpan<ulong>(in _first))[..(int)Math.Min(Received, sizeof(ulong))];

    public override bool CanRead => true;

    public override bool CanWrite => true;

    public override bool CanSeek => false;

    /// <summary>What the application sets above TLS reaches the socket. As on every stream, only synchronous calls heed it.</summary>
    public override bool CanTimeout => _inner.CanTimeout;

    public override int ReadTimeout
    {
        get => _inner.ReadTimeout;
        set => _inner.ReadTimeout = value;
    }

    public override int WriteTimeout
    {
        get => _inner.WriteTimeout;
        set => _inner.WriteTimeout = value;
    }

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <summary>What is wrong with the second hello, the key exchange, or a session that is resumed; null when nothing is.</summary>
    internal Rejection? Objection { get; private set; }

    public int ReadAheadLength => _readAhead.Length;

    public void PutBackHello(byte[] buffer, int length, int helloLength, int maxHelloBytes)
    {
        PutBack(buffer, length);
        _helloLeft = helloLength;
        _maxHelloBytes = maxHelloBytes;
        _awaitsAnswer = _awaitsHello = true;
    }

    public void PutBack(byte[] buffer, int length)
    {
        _readAheadBuffer = buffer;
        _readAhead = buffer.AsMemory(0, length);
    }

    /// <summary>
    /// Forgets a header that a proxy has put in front of the peer's octets: these are counted from here on, and read again. The buffer is the shared
    /// pool's, and returns to it.
    /// </summary>
    internal void SkipHeader(byte[] buffer, int length, int headerLength)
    {
        _first = 0;
        Received = 0;
        var rest = length - headerLength;
        if (rest == 0)
        {
            ArrayPool<byte>.Shared.Return(buffer);
            return;
        }

        buffer.AsSpan(headerLength, rest).CopyTo(buffer);
        PutBack(buffer, rest);
        Count(_readAhead.Span);
    }

    /// <summary>Writes a fatal alert in the clear, as long as there is no TLS engine, or it has no keys.</summary>
    /// <remarks>It is a courtesy: the reason stands where it does not arrive.</remarks>
    internal async ValueTask RefuseAsync(int alert, CancellationToken cancellationToken)
    {
        try
        {
            HasRefused = true;
            await WriteAsync(TlsAlerts.ToRecord(alert), cancellationToken).ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is IOException or ObjectDisposedException or OperationCanceledException)
        {
            // The peer is gone, or takes nothing.
        }
    }

    /// <summary>
    /// Follows the server's first flight, and ends the handshake where the policy does not allow the key exchange that it agrees on.
    /// </summary>
    /// <param name="allowed">The policy.</param>
    /// <param name="isOurs">Whether the flight is ours, and passes when we write.</param>
    internal void FollowKeyExchange(KeyExchangePolicy allowed, bool isOurs)
    {
        _serverFlight = new ServerFlightReader();
        _allowed = allowed;
        _flightIsOurs = isOurs;
    }

    /// <summary>The group by which keys are exchanged; null as long as that is not known, and where there is none.</summary>
    internal KeyExchangeGroup? KeyExchangeGroup => _serverFlight?.Group;

    /// <summary>
    /// From here on what is written waits for the next read, for <see cref="EndHandshake"/> with what is written then, or
    /// for <see cref="ReleaseAsync"/>.
    /// </summary>
    internal void Hold() => _holds = true;

    /// <summary>
    /// While we hold: asked, with what the peer has sent, before anything that is held goes out because a read follows, until it has an answer. A no
    /// withholds it for good, and the read fails.
    /// </summary>
    internal IFlightJudge? BeforeFlight
    {
        get;
        set
        {
            field = value;
            _clear = null;
        }
    }

    /// <summary><see cref="BeforeFlight"/> said no.</summary>
    internal bool HasWithheld { get; private set; }

    /// <summary>Something that was written has not gone out yet.</summary>
    internal bool HoldsSomething => _heldLength > 0;

    /// <summary>Something has gone out.</summary>
    internal bool HasSent { get; private set; }

    /// <summary>
    /// Our hello goes out only if it offers no session. One that does fails the write and sets <see cref="HasWithheldSession"/>; nothing has gone
    /// out.
    /// </summary>
    internal bool OffersNoSession { private get; set; }

    /// <summary>
    /// As a client, once the server has sent data: whether more than these came first, which were sessions (RFC 8446 §4.6.1). Where much has come at
    /// once it may say so although there were none.
    /// </summary>
    internal bool HasTakenSessions => _recordsUntilData is not { } count || count - _recordsOfHandshake > 1;

    /// <summary>The first of the peer's data has come out of the TLS engine.</summary>
    internal void NoteData() => _recordsUntilData ??= _serverFlight?.ProtectedRecords;

    /// <summary>The TLS engine above would have offered a session. Another one may begin again.</summary>
    internal bool HasWithheldSession { get; private set; }

    /// <summary>The engine above is given up before anything of its has gone out; the transport stays open for the next one.</summary>
    internal void Abandon(SslStream engine)
    {
        _staysOpen = true;
        try
        {
            engine.Dispose();
        }
        finally
        {
            _staysOpen = false;
            OffersNoSession = HasWithheldSession = false;
        }
    }

    /// <summary>What is held never goes out.</summary>
    internal void DropHeld()
    {
        BeforeFlight = null;
        _heldLength = 0;
        GiveBackHeld();
    }

    /// <summary>What is held is more than alerts: these are short, in the clear (RFC 8446 §5.1) and protected alike (§5.2).</summary>
    internal bool HoldsFlight
    {
        get
        {
            const byte ChangeCipherSpec = 20;
            const byte Alert = 21;
            const int LongestProtectedAlert = 2 + 1 + 16;
            var records = new WireReader(_held.AsSpan(0, _heldLength));
            while (records.TryRead(3, out var header) && records.TryReadVector16(out var content))
            {
                if (header[0] is not (ChangeCipherSpec or Alert) && content.Length > LongestProtectedAlert)
                {
                    return true;
                }
            }

            return false;
        }
    }

    /// <summary>TLS is complete. What is held goes out in front of whatever is written next.</summary>
    internal void EndHandshake()
    {
        _recordsOfHandshake = _serverFlight?.ProtectedRecords ?? 0;
        StopHolding();
    }

    private void StopHolding()
    {
        _holds = false;
        BeforeFlight = null;
    }

    /// <summary>What is held goes out now.</summary>
    internal ValueTask ReleaseAsync(CancellationToken cancellationToken)
    {
        StopHolding();
        return _heldLength == 0 ? default : SendHeldAsync(cancellationToken);
    }

    /// <summary>What is written from here on is kept for <see cref="EndCapture"/>.</summary>
    internal void BeginCapture() => _captured = [];

    /// <summary>What was written since <see cref="BeginCapture"/>, to be written now.</summary>
    internal ReadOnlyMemory<byte> EndCapture()
    {
        var captured = _captured!;
        _captured = null;
        return captured;
    }

    /// <summary>
    /// The TLS engine above is being started, and not waited for yet. Until <see cref="EndStart"/> no read from the wire ends, however quick the peer
    /// is: so the engine never comes as far as to judge the peer, which the application may hold, on the thread that is to wait for it.
    /// </summary>
    internal void BeginStart() => _start = s_begun;

    /// <summary>The engine is waited for from here on.</summary>
    internal void EndStart() => (Interlocked.Exchange(ref _start, null) as TaskCompletionSource)?.SetResult();

    /// <summary>The engine above has been left where it is: should it ever come back, it reads and writes nothing any more.</summary>
    internal void Cut() => _isCut = true;

    /// <summary>Writes what ends TLS; to a stream of the application's on a thread of its own, which it may hold.</summary>
    internal Task WriteLastAsync(ReadOnlyMemory<byte> octets) => _heedsTokens ? WriteAllAsync(octets) : WriteLastDeafAsync(octets);

    private Task WriteLastDeafAsync(ReadOnlyMemory<byte> octets) => Task.Run(() => WriteAllAsync(octets));

    private async Task WriteAllAsync(ReadOnlyMemory<byte> octets)
    {
        await WriteAsync(octets).ConfigureAwait(false);
        await FlushAsync(CancellationToken.None).ConfigureAwait(false);
    }

    /// <summary>The peer is authenticated: counting and bounding end here.</summary>
    internal void PassThrough() => _passThrough = true;

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (_isCut)
        {
            return ValueTask.FromException<int>(CutOff());
        }

        if (_awaitsHello && _helloLeft == 0)
        {
            return ReadSecondHelloAsync(buffer, cancellationToken);
        }

        if (!_readAhead.IsEmpty)
        {
            return new ValueTask<int>(TakeReadAhead(buffer.Span));
        }

        return _passThrough ? ReadOnAsync(buffer, cancellationToken) : ReadCountedAsync(buffer, cancellationToken);
    }

    public override int Read(Span<byte> buffer)
    {
        SendHeld();
        if (!_readAhead.IsEmpty)
        {
            return TakeReadAhead(buffer);
        }

        var isParked = Engine?.TryPark() == true;
        int count;
        try
        {
            count = _inner.Read(buffer);
            HasEnded |= count == 0 && !buffer.IsEmpty;
        }
        catch (Exception exception) when (!IsTimeout(exception))
        {
            HasEnded = true;
            throw;
        }
        finally
        {
            if (isParked)
            {
                Engine!.Unpark();
            }
        }

        if (!_passThrough)
        {
            Count(buffer[..count]);
        }

        return count;
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (_isCut)
        {
            return ValueTask.FromException(CutOff());
        }

        if (_captured is { } captured)
        {
            _captured = [.. captured, .. buffer.Span]; // one alert
            return default;
        }

        if (OffersNoSession)
        {
            if (HasWithheldSession || OfferedSession.IsIn(buffer.Span))
            {
                HasWithheldSession = true;
                return ValueTask.FromException(new IOException("A hello that offers a session is withheld."));
            }

            OffersNoSession = false;
        }

        if (_awaitsAnswer)
        {
            _awaitsAnswer = false;
            _awaitsHello = HelloAfterRetry.IsAskedFor(buffer.Span);
        }

        if (_flightIsOurs && IsRefusedBy(buffer.Span))
        {
            return new ValueTask(RefuseKeyExchangeAsync<bool>(cancellationToken));
        }

        if (!_holds && _heldLength == 0)
        {
            HasSent = true;
            return !_passThrough ? WriteInnerAsync(buffer, cancellationToken)
                : Writing is { } clock ? WriteTimedAsync(clock, buffer, cancellationToken) : _inner.WriteAsync(buffer, cancellationToken);
        }

        Keep(buffer.Span);
        return _holds ? default : SendHeldAsync(cancellationToken);
    }

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        SendHeld();
        _inner.Write(buffer);
        Writing?.Moved();
    }

    public override void Flush()
    {
        SendHeld();
        _inner.Flush();
    }

    /// <summary>
    /// While we hold, the TLS engine's wish to flush after every flight is not listened to: its next read comes when it waits for the peer.
    /// </summary>
    public override Task FlushAsync(CancellationToken cancellationToken) => _holds ? Task.CompletedTask : FlushInnerAsync(cancellationToken);

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override async ValueTask DisposeAsync()
    {
        await _inner.DisposeAsync().ConfigureAwait(false);
        await base.DisposeAsync().ConfigureAwait(false);
    }

    protected override void Dispose(bool disposing)
    {
        if (_staysOpen)
        {
            return;
        }

        if (disposing)
        {
            _inner.Dispose();
            EndListener?.HasEnded();
        }

        base.Dispose(disposing);
    }

    /// <summary>A synchronous read waited for as long as the application allows, which says nothing of the peer; the next one may serve.</summary>
    private bool IsTimeout(Exception exception) =>
        exception is TimeoutException
            || (exception.GetBaseException() is SocketException { SocketErrorCode: SocketError.TimedOut or SocketError.WouldBlock }
                && _inner.CanTimeout && _inner.ReadTimeout > 0);

    private Task WhenStartedAsync()
    {
        var waits = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        return Interlocked.CompareExchange(ref _start, waits, s_begun) == s_begun ? waits.Task : Task.CompletedTask;
    }

    private static IOException CutOff() => new("The handshake has ended.");

    private int TakeReadAhead(Span<byte> buffer)
    {
        var count = Math.Min(buffer.Length, _helloLeft > 0 ? Math.Min(_helloLeft, _readAhead.Length) : _readAhead.Length);
        _helloLeft = Math.Max(0, _helloLeft - count);
        _readAhead.Span[..count].CopyTo(buffer);
        _readAhead = _readAhead[count..];
        if (_readAhead.IsEmpty && _readAheadBuffer is { } used)
        {
            _readAheadBuffer = null;
            ArrayPool<byte>.Shared.Return(used);
        }

        return count;
    }

    private async ValueTask<int> ReadSecondHelloAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        _awaitsHello = false;
        if (_heldLength > 0)
        {
            await SendHeldAsync(cancellationToken).ConfigureAwait(false);
        }

        if (await HelloAfterRetry.ReadAsync(this, _maxHelloBytes, cancellationToken).ConfigureAwait(false) is { } reading)
        {
            Objection = reading.Problem;
            if (reading.Alert is { } alert)
            {
                await RefuseAsync(alert, cancellationToken).ConfigureAwait(false);
            }

            throw new IOException("The client's second hello is refused.");
        }

        return await ReadAsync(buffer, cancellationToken).ConfigureAwait(false);
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<int> ReadCountedAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        if (_heldLength > 0)
        {
            AskBeforeFlight();
            await SendHeldAsync(cancellationToken).ConfigureAwait(false);
        }

        var reading = ReadOnAsync(buffer, cancellationToken);
        int count;
        if (reading.IsCompleted)
        {
            count = await reading.ConfigureAwait(false);
        }
        else
        {
            Admission.BeginWait();
            count = await reading.ConfigureAwait(false);
            await Admission.EndWaitAsync().ConfigureAwait(false);
        }

        if (_start is not null)
        {
            await WhenStartedAsync().ConfigureAwait(false);
        }

        Count(buffer.Span[..count]);
        var isRefused = !_flightIsOurs && IsRefusedBy(buffer.Span[..count]);
        KeepClear(buffer.Span[..count]);
        return isRefused ? await RefuseKeyExchangeAsync<int>(cancellationToken).ConfigureAwait(false) : count;
    }

    /// <summary>What is protected says nothing to who is asked before the flight, and in TLS 1.3 the certificates are.</summary>
    private void KeepClear(ReadOnlySpan<byte> octets)
    {
        if (BeforeFlight is not null && _serverFlight is not { IsTls13: true })
        {
            var clear = _clear ??= [];
            clear.AddRange(_serverFlight?.ClearLength is { } end ? octets[..(int)Math.Clamp(end - clear.Count, 0, octets.Length)] : octets);
        }
    }

    /// <summary>Whether the flight, with these octets, agrees on a key exchange that is not allowed, or resumes a session.</summary>
    private bool IsRefusedBy(ReadOnlySpan<byte> octets)
    {
        if (_serverFlight is not { } flight)
        {
            return false;
        }

        var wasComplete = flight.IsComplete;
        flight.Take(octets);
        if (wasComplete || !flight.IsComplete)
        {
            return false;
        }

        _flightIsOurs = false;
        Objection = flight.TakesUpSession ? s_resumed : _allowed.Examine(flight.Group);
        return Objection is not null;
    }

    /// <summary>Nothing of the flight goes out or comes in; the peer gets an alert in the clear, as it takes it until there are keys.</summary>
    private async Task<T> RefuseKeyExchangeAsync<T>(CancellationToken cancellationToken)
    {
        DropHeld();
        await RefuseAsync(TlsAlerts.HandshakeFailure, cancellationToken).ConfigureAwait(false);
        throw new IOException("The key exchange is refused.");
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<int> ReadOnAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        var isParked = Engine?.TryPark() == true;
        try
        {
            var count = _heedsTokens || _passThrough
                ? await _inner.ReadAsync(buffer, cancellationToken).ConfigureAwait(false)
                : await ReadDeafAsync(buffer, cancellationToken).ConfigureAwait(false);
            HasEnded |= count == 0 && !buffer.IsEmpty;
            return count;
        }
        catch (Exception exception) when (exception is not OperationCanceledException)
        {
            HasEnded = true;
            throw;
        }
        finally
        {
            if (isParked)
            {
                Engine!.Unpark();
            }
        }
    }

    /// <summary>A long write goes out record by record, and moves as long as the peer takes them.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private async ValueTask WriteTimedAsync(IdleClock clock, ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken)
    {
        await _inner.WriteAsync(buffer, cancellationToken).ConfigureAwait(false);
        clock.Moved();
    }

    private void AskBeforeFlight()
    {
        if (_clear is not { Count: > 0 } || BeforeFlight?.MayAnswer([.. _clear]) is not { } answer)
        {
            return;
        }

        BeforeFlight = null;
        if (!answer)
        {
            HasWithheld = true;
            throw new IOException("What we would have answered is withheld.");
        }
    }

    /// <summary>
    /// Reads from the application's stream, which may ignore its token or block its thread: the read gets a thread of its own, and a buffer
    /// of its own, so that it can be left where it is.
    /// </summary>
    private async ValueTask<int> ReadDeafAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        var own = new byte[buffer.Length];
        var count = await LeaveAtEndAsync(
            async given => await _inner.ReadAsync(own, given).ConfigureAwait(false), cancellationToken).ConfigureAwait(false);
        own.AsMemory(0, count).CopyTo(buffer);
        return count;
    }

    /// <summary>Writes during the handshake; to a stream of the application's as it is read from.</summary>
    private ValueTask WriteInnerAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken) =>
        _heedsTokens ? _inner.WriteAsync(bytes, cancellationToken) : WriteDeafAsync(bytes.ToArray(), cancellationToken);

    private async ValueTask WriteDeafAsync(byte[] own, CancellationToken cancellationToken) => await LeaveAtEndAsync(
        async given =>
        {
            await _inner.WriteAsync(own, given).ConfigureAwait(false);
            await _inner.FlushAsync(given).ConfigureAwait(false);
            return own.Length;
        },
        cancellationToken).ConfigureAwait(false);

    private static async ValueTask<int> LeaveAtEndAsync(Func<CancellationToken, ValueTask<int>> call, CancellationToken cancellationToken)
    {
        try
        {
            return await TaskWaits.RunOrLeaveAsync(call, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is OperationCanceledException
            ? !cancellationToken.IsCancellationRequested
            : exception is not (IOException or ObjectDisposedException or SocketException))
        {
            // Whatever a stream throws in its own words, it is the transport that has failed.
            throw new IOException("The stream beneath the handshake failed.", exception);
        }
    }

    // During the handshake every write to such a stream is flushed with it.
    private Task FlushInnerAsync(CancellationToken cancellationToken) =>
        _heedsTokens || _passThrough ? _inner.FlushAsync(cancellationToken) : Task.CompletedTask;

    private void Keep(ReadOnlySpan<byte> bytes)
    {
        var needed = _heldLength + bytes.Length;
        if (_held is null || _held.Length < needed)
        {
            var larger = ArrayPool<byte>.Shared.Rent(Math.Max(needed, 4096));
            _held.AsSpan(0, _heldLength).CopyTo(larger);
            GiveBackHeld();
            _held = larger;
        }

        bytes.CopyTo(_held.AsSpan(_heldLength));
        _heldLength = needed;
    }

    private async ValueTask SendHeldAsync(CancellationToken cancellationToken)
    {
        var length = _heldLength;
        _heldLength = 0;
        try
        {
            HasSent = true;
            await WriteInnerAsync(_held.AsMemory(0, length), cancellationToken).ConfigureAwait(false);
            await FlushInnerAsync(cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            GiveBackHeld();
        }
    }

    private void SendHeld()
    {
        if (_heldLength > 0)
        {
            _inner.Write(_held.AsSpan(0, _heldLength));
            _heldLength = 0;
            GiveBackHeld();
        }
    }

    private void GiveBackHeld()
    {
        if (_held is { } buffer)
        {
            _held = null;
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private void Count(ReadOnlySpan<byte> bytes)
    {
        if (Received < sizeof(ulong))
        {
            var first = MemoryMarshal.AsBytes(new Span<ulong>(ref _first));
            bytes[..(int)Math.Min(bytes.Length, first.Length - Received)].CopyTo(first[(int)Received..]);
        }

        Received += bytes.Length;
        if (Received > _maxHandshakeBytes)
        {
            LimitExceeded = true;
            throw new IOException($"The peer sent more than {_maxHandshakeBytes} bytes before it was authenticated.");
        }
    }
}
