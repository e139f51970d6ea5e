using System.Net;
using System.Net.Sockets;
using MutualAuth.Errors;
using MutualAuth.Evidence;
using MutualAuth.Telemetry;

namespace MutualAuth.Handshake;

/// <summary>
/// One transport on its way to a connection: owns it, holds the one deadline, and sees to it that there is exactly one outcome and that
/// every outcome but a connection closes the transport.
/// </summary>
internal sealed class HandshakeAttempt : IDisposable
{
    private readonly HandshakeOptions _options;
    private readonly HandshakeRecorder _recorder;
    private readonly CancellationToken _callerToken;
    private readonly CancellationTokenSource _end;
    private readonly CancellationTokenRegistration _callerGivesUp;
    private Rejection? _abortReason;

    private HandshakeAttempt(Stream stream, Socket? socket, PeerRole peerRole, HandshakeOptions options, CancellationToken callerToken)
    {
        _options = options;
        _callerToken = callerToken;
        Socket = socket;
        PeerRole = peerRole;
        RemoteEndPoint = EndPointOf(socket);
        Transport = new HandshakeTransport(stream, options.HandshakeLimits.MaxHandshakeBytes);
        _recorder = new HandshakeRecorder(MutualAuthTelemetry.CreateLogger(options.LoggerFactory), options.TimeProvider, peerRole, RemoteEndPoint);
        _end = new CancellationTokenSource(options.HandshakeTimeout, options.TimeProvider);
        _callerGivesUp = callerToken.UnsafeRegister(static end => ((CancellationTokenSource)end!).Cancel(), _end);
    }

    internal Socket? Socket { get; }

    internal PeerRole PeerRole { get; }

    internal EndPoint? RemoteEndPoint { get; }

    internal HandshakeTransport Transport { get; }

    /// <summary>Where it stands among others; the transport tells it when we wait for the peer.</summary>
    internal IHandshakeGate Gate
    {
        get => Transport.Gate;
        set => Transport.Gate = value;
    }

    /// <summary>The TLS engine, once it exists. It is disposed of with the transport.</summary>
    internal GuardedSslStream? Tls { get; set; }

    /// <summary>The ClientHello of a client is complete.</summary>
    internal bool HelloSeen { get; set; }

    /// <summary>Ends at the deadline, when the caller gives up, and when the attempt is aborted.</summary>
    internal CancellationToken Token => _end.Token;

    /// <summary>What the peer calls itself, once it has shown a certificate: a claim until the attempt has succeeded.</summary>
    internal string? ClaimedName { get; set; }

    internal static HandshakeAttempt Begin(Socket socket, PeerRole peerRole, HandshakeOptions options, CancellationToken callerToken)
    {
        if (socket.ProtocolType == ProtocolType.Tcp)
        {
            // Verdicts and handshake messages are small and waited for.
            socket.NoDelay = true;
        }

        return new HandshakeAttempt(new NetworkStream(socket, ownsSocket: true), socket, peerRole, options, callerToken);
    }

    internal static HandshakeAttempt Begin(Stream stream, PeerRole peerRole, HandshakeOptions options, CancellationToken callerToken) =>
        new(stream, null, peerRole, options, callerToken);

    /// <summary>Ends the attempt from outside, for a reason of ours. Without effect when it has an outcome already.</summary>
    internal void Abort(Rejection reason)
    {
        Interlocked.CompareExchange(ref _abortReason, reason, null);
        try
        {
            _end.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // It has just ended by itself.
        }
    }

    /// <summary>Records the success. From here on the transport belongs to the connection.</summary>
    internal void Succeeded(AuthenticatedTls tls)
    {
        Transport.PassThrough();
        _recorder.Succeeded(tls.Peer.Name, tls.Session.TlsVersion.ToText(), tls.Session.ApplicationProtocol, tls.IsConfirmed);
    }

    /// <summary>Closes the transport, records the failure, and says what to throw.</summary>
    internal async ValueTask<Exception> FailedAsync(Exception exception)
    {
        if (exception is OperationCanceledException && _callerToken.IsCancellationRequested && _abortReason is null)
        {
            await CloseAsync(polite: false).ConfigureAwait(false);
            _recorder.Cancelled();
            return new OperationCanceledException("The caller gave up the handshake.", exception, _callerToken);
        }

        Gate.Leave();
        var outcome = ToOutcome(exception);
        outcome.PeerName ??= ClaimedName;
        outcome.RemoteEndPoint ??= RemoteEndPoint;
        await CloseAsync(polite: outcome.Failure is HandshakeFailure.PeerRejected or HandshakeFailure.NoAgreement).ConfigureAwait(false);
        _recorder.Failed(outcome);
        return outcome;
    }

    public void Dispose()
    {
        _callerGivesUp.Dispose();
        _end.Dispose();
    }

    private Rejection DescribeLateness()
    {
        if (PlainProtocols.Recognise(Transport.FirstBytes, final: true) is { } plain)
        {
            return plain;
        }

        return PeerRole == PeerRole.Client && !HelloSeen
            ? ClientHelloReader.Incomplete(Transport.Received)
            : new Rejection(RejectionReason.HandshakeTimedOut, $"a handshake within {_options.HandshakeTimeout}", $"{Transport.Received} bytes and no end of it");
    }

    private HandshakeException ToOutcome(Exception exception) => exception switch
    {
        HandshakeException known => known,
        _ when _abortReason is { } aborted => new HandshakeException(HandshakeFailure.NoCapacity, aborted, exception),
        OperationCanceledException => new HandshakeException(HandshakeFailure.TimedOut, DescribeLateness(), exception),
        _ => TlsFaults.ToOutcome(exception, Transport, weAreServer: PeerRole == PeerRole.Client),
    };

    private async ValueTask CloseAsync(bool polite)
    {
        try
        {
            if (polite && Gate.TryBeginLinger())
            {
                try
                {
                    await PoliteClose.RunAsync(Tls, Transport, Socket, PoliteClose.StrangersPatience, PoliteClose.MaxDrainedFromStranger).ConfigureAwait(false);
                }
                finally
                {
                    Gate.EndLinger();
                }
            }
            else if (Transport.HoldsSomething)
            {
                // The TLS engine's alert may be in it.
                await PoliteClose.ReleaseAsync(Transport).ConfigureAwait(false);
            }

            if (Tls is not null)
            {
                await Tls.DisposeAsync().ConfigureAwait(false);
            }

            await Transport.DisposeAsync().ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is IOException or SocketException or ObjectDisposedException or InvalidOperationException)
        {
            // It is closed, which is all that was wanted.
        }
    }

    private static EndPoint? EndPointOf(Socket? socket)
    {
        try
        {
            return socket?.RemoteEndPoint;
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
        {
            return null;
        }
    }
}
