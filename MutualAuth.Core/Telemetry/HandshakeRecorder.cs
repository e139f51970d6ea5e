using System.Diagnostics;
using System.Net;
using Microsoft.Extensions.Logging;
using MutualAuth.Errors;
using MutualAuth.Evidence;

namespace MutualAuth.Telemetry;

/// <summary>The one outcome record of one handshake: a log event, a measurement and an activity. The first outcome counts; later ones are ignored.</summary>
internal sealed class HandshakeRecorder
{
    private readonly ILogger _logger;
    private readonly TimeProvider _time;
    private readonly EndPoint? _remote;
    private readonly string _role;
    private readonly long _startedAt;
    private readonly Activity? _activity;
    private int _ended;

    internal HandshakeRecorder(ILogger logger, TimeProvider time, PeerRole peerRole, EndPoint? remote)
    {
        _logger = logger;
        _time = time;
        _remote = remote;
        _role = peerRole == PeerRole.Client ? "server" : "client";
        _startedAt = time.GetTimestamp();
        _activity = MutualAuthTelemetry.Activities.StartActivity(
            "mutualauth.handshake", peerRole == PeerRole.Client ? ActivityKind.Server : ActivityKind.Client);
        MutualAuthTelemetry.ActiveHandshakes.Add(1, new KeyValuePair<string, object?>("mutualauth.role", _role));
    }

    internal void Succeeded(string peerName, string tlsVersion, string? applicationProtocol, bool isConfirmed)
    {
        if (TryEnd("accepted", reason: null))
        {
            _activity?.SetTag("tls.protocol.version", tlsVersion).SetTag("mutualauth.peer", peerName).SetTag("mutualauth.confirmed", isConfirmed).Dispose();
            HandshakeLog.Succeeded(_logger, _role, peerName, _remote, tlsVersion, applicationProtocol, isConfirmed);
        }
    }

    internal void Failed(HandshakeException outcome)
    {
        if (!TryEnd(RejectionReasons.ToSnakeCase(outcome.Failure.ToString()), outcome.Reason.ToCode()))
        {
            return;
        }

        _activity?.SetStatus(ActivityStatusCode.Error, outcome.Reason.ToCode()).SetTag("error.type", outcome.Reason.ToCode()).Dispose();
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
            _activity?.SetStatus(ActivityStatusCode.Error, "cancelled").Dispose();
            HandshakeLog.Cancelled(_logger, _role, _remote);
        }
    }

    private bool TryEnd(string outcome, string? reason)
    {
        if (Interlocked.Exchange(ref _ended, 1) != 0)
        {
            return false;
        }

        var role = new KeyValuePair<string, object?>("mutualauth.role", _role);
        MutualAuthTelemetry.ActiveHandshakes.Add(-1, role);
        MutualAuthTelemetry.HandshakeDuration.Record(
            _time.GetElapsedTime(_startedAt).TotalSeconds,
            role,
            new KeyValuePair<string, object?>("mutualauth.outcome", outcome),
            new KeyValuePair<string, object?>("mutualauth.reason", reason));
        _activity?.SetTag("mutualauth.outcome", outcome);
        return true;
    }
}
