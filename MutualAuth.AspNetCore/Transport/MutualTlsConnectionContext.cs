using System.Buffers;
using System.IO.Pipelines;
using System.Net;
using System.Net.Security;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;
using Microsoft.Extensions.Logging;

namespace MutualAuth.AspNetCore.Transport;

/// <summary>A connection as Kestrel wants it: two pipes, between which and the TLS stream this copies, and its features.</summary>
internal sealed class MutualTlsConnectionContext : DefaultConnectionContext, IMutualTlsFeature
{
    // As Kestrel's sockets have it: how much is read ahead of the application, and how much waits to be sent.
    private const int MaxReadAhead = 1024 * 1024;
    private const int MaxUnsent = 64 * 1024;
    private const int RecordSize = 16 * 1024; // RFC 8446 §5.1

    // How long a peer may take nothing while the last octets are sent.
    private static readonly TimeSpan s_sendPatience = TimeSpan.FromSeconds(10);

    private readonly MutualTlsConnection _connection;
    private readonly SslStream _stream;
    private readonly ILogger _logger;
    private readonly CancellationTokenSource _closed = new(); // without a timer it need not be disposed of
    private readonly IDuplexPipe _ours;
    private readonly Task _receiving;
    private readonly Task _sending;
    private readonly TlsFeatures _tls;
    private long _sent;
    private int _isClosed;
    private ConnectionAbortedException? _aborted;

    internal MutualTlsConnectionContext(MutualTlsConnection connection, EndPoint localEndPoint, ILogger logger)
        : base(NextId())
    {
        _connection = connection;
        _stream = connection.Stream;
        _logger = logger;
        LocalEndPoint = localEndPoint;
        RemoteEndPoint = connection.RemoteEndPoint;
        ConnectionClosed = _closed.Token;
        _tls = new TlsFeatures(connection);
        Features.Set<IMutualTlsFeature>(this);
        Features.Set<ITlsConnectionFeature>(_tls);
        Features.Set<ITlsHandshakeFeature>(_tls);
        Features.Set<ITlsApplicationProtocolFeature>(_tls);

        // Kestrel runs the application elsewhere by itself; the pumps must not run on the thread that completes a read or a write of it.
        var received = new Pipe(new PipeOptions(
            readerScheduler: PipeScheduler.ThreadPool, writerScheduler: PipeScheduler.ThreadPool,
            pauseWriterThreshold: MaxReadAhead, resumeWriterThreshold: MaxReadAhead / 2, useSynchronizationContext: false));
        var toSend = new Pipe(new PipeOptions(
            readerScheduler: PipeScheduler.ThreadPool, writerScheduler: PipeScheduler.ThreadPool,
            pauseWriterThreshold: MaxUnsent, resumeWriterThreshold: MaxUnsent / 2, useSynchronizationContext: false));
        Transport = new DuplexPipe(received.Reader, toSend.Writer);
        _ours = Application = new DuplexPipe(toSend.Reader, received.Writer);
        AspNetCoreLog.Began(logger, ConnectionId, connection.Peer.Name, connection.RemoteEndPoint);
        _receiving = ReceiveAsync();
        _sending = SendAsync();
    }

    public AuthenticatedPeer Peer => _connection.Peer;

    public SessionFacts Session => _connection.Session;

    public MutualTlsConnection Connection => _connection;

    /// <param name="abortReason">Why; Kestrel gives null where the other side has ended already.</param>
    public override void Abort(ConnectionAbortedException? abortReason)
    {
        if (abortReason is not null && Interlocked.CompareExchange(ref _aborted, abortReason, null) is null)
        {
            AspNetCoreLog.Aborted(_logger, ConnectionId, abortReason.Message);
        }

        _connection.Abort();
        _ours.Input.CancelPendingRead();
    }

    /// <summary>The server is done with the connection: what it wrote is sent, and the connection is closed.</summary>
    public override async ValueTask DisposeAsync()
    {
        await Transport.Input.CompleteAsync().ConfigureAwait(false);
        await Transport.Output.CompleteAsync().ConfigureAwait(false);
        await SendRestAsync().ConfigureAwait(false);
        await _connection.DisposeAsync().ConfigureAwait(false);
        await _receiving.ConfigureAwait(false);
        _tls.Dispose();
        await base.DisposeAsync().ConfigureAwait(false);
    }

    private static string NextId() => Convert.ToHexString(Guid.CreateVersion7().ToByteArray(bigEndian: true));

    private async Task SendRestAsync()
    {
        while (true)
        {
            var before = Volatile.Read(ref _sent);
            try
            {
                await _sending.WaitAsync(s_sendPatience).ConfigureAwait(false);
                return;
            }
            catch (TimeoutException)
            {
                if (Volatile.Read(ref _sent) == before)
                {
                    Abort(new ConnectionAbortedException("The peer accepted no data while the connection was being closed."));
                    await _sending.ConfigureAwait(false);
                    return;
                }
            }
        }
    }

    private async Task ReceiveAsync()
    {
        await Task.Yield();
        Exception? error = null;
        try
        {
            while (await _stream.ReadAsync(_ours.Output.GetMemory(), CancellationToken.None).ConfigureAwait(false) is > 0 and var count)
            {
                _ours.Output.Advance(count);
                if (await _ours.Output.FlushAsync().ConfigureAwait(false) is { IsCompleted: true } or { IsCanceled: true })
                {
                    break;
                }
            }
        }
        catch (Exception exception)
        {
            error = ToEnd(exception, "read");
        }

        await _ours.Output.CompleteAsync(error).ConfigureAwait(false);
        Close();
    }

    private async Task SendAsync()
    {
        await Task.Yield();
        try
        {
            ReadResult read;
            do
            {
                read = await _ours.Input.ReadAsync().ConfigureAwait(false);
                if (read.IsCanceled)
                {
                    break;
                }

                await WriteAsync(read.Buffer).ConfigureAwait(false);
                _ours.Input.AdvanceTo(read.Buffer.End);
            }
            while (!read.IsCompleted);
        }
        catch (Exception exception)
        {
            _ = ToEnd(exception, "written");
            Close();
        }

        // Never with an error: the server's next flush would throw it. It is told that nobody takes what it writes, as with Kestrel's sockets.
        await _ours.Input.CompleteAsync().ConfigureAwait(false);
        _ours.Output.CancelPendingFlush();
    }

    /// <summary>One record for what fits into one.</summary>
    private async ValueTask WriteAsync(ReadOnlySequence<byte> buffer)
    {
        if (buffer.IsSingleSegment)
        {
            if (!buffer.IsEmpty)
            {
                await _stream.WriteAsync(buffer.First, CancellationToken.None).ConfigureAwait(false);
                Interlocked.Add(ref _sent, buffer.Length);
            }

            return;
        }

        var record = ArrayPool<byte>.Shared.Rent(RecordSize);
        try
        {
            while (!buffer.IsEmpty)
            {
                var part = buffer.Slice(0, Math.Min(buffer.Length, RecordSize));
                part.CopyTo(record);
                await _stream.WriteAsync(record.AsMemory(0, (int)part.Length), CancellationToken.None).ConfigureAwait(false);
                Interlocked.Add(ref _sent, part.Length);
                buffer = buffer.Slice(part.End);
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(record, clearArray: true);
        }
    }

    /// <summary>What Kestrel expects of a transport that ended before its time: an abort of ours, or a reset.</summary>
    private Exception ToEnd(Exception exception, string doing)
    {
        AspNetCoreLog.Broke(_logger, ConnectionId, doing, exception.Message);
        return exception is ConnectionEndedException ended
            ? _aborted ?? new ConnectionAbortedException(ended.Message, ended)
            : new ConnectionResetException(exception.Message, exception);
    }

    private void Close()
    {
        if (Interlocked.Exchange(ref _isClosed, 1) == 0)
        {
            // Callbacks of the application must neither hold the pumps up nor end the process.
            ThreadPool.UnsafeQueueUserWorkItem(static context => context.TellClosed(), this, preferLocal: false);
        }
    }

    private void TellClosed()
    {
        try
        {
            _closed.Cancel();
        }
        catch (Exception exception)
        {
            AspNetCoreLog.CallbackFaulted(_logger, ConnectionId, exception);
        }
    }

    private sealed class DuplexPipe(PipeReader input, PipeWriter output) : IDuplexPipe
    {
        public PipeReader Input => input;

        public PipeWriter Output => output;
    }
}
