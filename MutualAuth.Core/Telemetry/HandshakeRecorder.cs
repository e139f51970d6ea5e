using System.Diagnostics;
using System.Net;
using Microsoft.Extensions.Logging;

namespace MutualAuth.Telemetry;

/// <summary>
/// The one outcome record of one handshake: a log event, a measurement and an activity. The first outcome counts; later ones are ignored.
/// </summary>
internal sealed class HandshakeRecorder
{
    private readonly ILogger _logger;
    private readonly TimeProvider _time;
    private readonly EndPoint? _remote;
    private readonly string _role;
    private readonly long _startedAt;
    private Activity? _activity;
    private int _ended;

    internal HandshakeRecorder(ILogger logger, TimeProvider time, PeerRole ourRole, EndPoint? remote)
    {
        _logger = logger;
        _time = time;
        _remote = remote;
        _role = ourRole == PeerRole.Server ? "server" : "client";
        try
        {
            _startedAt = time.GetTimestamp();
        }
        catch (Exception)
        {
            // A failed measurement must not fail the handshake.
            _time = TimeProvider.System;
            _startedAt = _time.GetTimestamp();
        }

        MutualAuthTelemetry.Try(this, static recorder =>
        {
            MutualAuthTelemetry.ActiveHandshakes.Add(1, new KeyValuePair<string, object?>("mutualauth.role", recorder._role));

            // The activity is current for the handshake, not for the caller.
            var callers = Activity.Current;
            recorder._activity = MutualAuthTelemetry.Activities.StartActivity(
                "mutualauth.handshake", recorder._role == "server" ? ActivityKind.Server : ActivityKind.Client);
            Activity.Current = callers;
        });
    }

    /// <summary>
    /// Makes the handshake's activity the current one. Call it in an asynchronous method, so that the caller's current activity does not change.
    /// </summary>
    internal void Enter() => Activity.Current = _activity ?? Activity.Current;

    internal void Succeeded(string peerName, string tlsVersion, string? applicationProtocol, bool isConfirmed)
    {
        if (TryEnd("accepted", reason: null))
        {
            EndActivity(
                activity => activity.SetTag("tls.protocol.version", tlsVersion).SetTag("mutualauth.peer", peerName).SetTag(
                    "mutualauth.confirmed", isConfirmed));
            HandshakeLog.Succeeded(_logger, _role, peerName, _remote, tlsVersion, applicationProtocol, isConfirmed);
        }
    }

    internal void Failed(HandshakeException outcome)
    {
        if (!TryEnd(RejectionReasons.ToSnakeCase(outcome.Failure.ToString()), outcome.Reason.ToCode()))
        {
            return;
        }

        EndActivity(activity => activity.SetStatus(ActivityStatusCode.Error, outcome.Reason.ToCode()).SetTag("error.type", outcome.Reason.ToCode()));
        var peerReason = outcome.PeerReason?.ToCode();
        switch (outcome.Failure)
        {
            case HandshakeFailure.PeerRejected:
                HandshakeLog.PeerRejected(_logger, _role, outcome.PeerName, _remote, outcome.Rejection);
                break;
            case HandshakeFailure.RefusedByPeer:
                HandshakeLog.RefusedByPeer(_logger, _role, outcome.PeerName, _remote, peerReason);
                break;
            case HandshakeFailure.NoCapacity:
                HandshakeLog.NoCapacity(_logger, _role, _remote, outcome.Rejection);
                break;
            default:
                HandshakeLog.Failed(_logger, _role, outcome.Failure, _remote, outcome.Rejection);
                break;
        }
    }

    internal void Cancelled()
    {
        if (TryEnd("cancelled", reason: null))
        {
            EndActivity(static activity => activity.SetStatus(ActivityStatusCode.Error, "cancelled"));
            HandshakeLog.Cancelled(_logger, _role, _remote);
        }
    }

    private TimeSpan Elapsed
    {
        get
        {
            try
            {
                return _time.GetElapsedTime(_startedAt);
            }
            catch (Exception)
            {
                return TimeSpan.Zero;
            }
        }
    }

    private bool TryEnd(string outcome, string? reason)
    {
        if (Interlocked.Exchange(ref _ended, 1) != 0)
        {
            return false;
        }

        MutualAuthTelemetry.Try((Recorder: this, outcome, reason), static end =>
        {
            var role = new KeyValuePair<string, object?>("mutualauth.role", end.Recorder._role);
            MutualAuthTelemetry.ActiveHandshakes.Add(-1, role);
            MutualAuthTelemetry.HandshakeDuration.Record(
                end.Recorder.Elapsed.TotalSeconds,
                role,
                new KeyValuePair<string, object?>("mutualauth.outcome", end.outcome),
                new KeyValuePair<string, object?>("mutualauth.reason", end.reason));
            end.Recorder._activity?.SetTag("mutualauth.outcome", end.outcome);
        });
        return true;
    }

    private void EndActivity(Func<Activity, Activity> describe)
    {
        if (_activity is { } activity)
        {
            MutualAuthTelemetry.Try((activity, describe), static end => end.describe(end.activity).Dispose());
        }
    }
}
