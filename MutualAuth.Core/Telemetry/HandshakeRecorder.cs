using System.Diagnostics;
using System.Net;
using Microsoft.Extensions.Logging;
using MutualAuth.Errors;

namespace MutualAuth.Telemetry;

/// <summary>
/// The one outcome record of one handshake: a log event, a measurement and an activity. The first outcome counts; later ones are ignored.
/// </summary>
internal sealed class HandshakeRecorder
{
    // What stands in a text for what there is not.
    private const string None = "none";

    private readonly ILogger _logger;
    private readonly TimeProvider _time;
    private readonly string _role;
    private readonly ConnectionId _id;
    private readonly long _startedAt;
    private Activity? _activity;
    private int _ended;

    internal HandshakeRecorder(ILogger logger, TimeProvider time, PeerRole ourRole, EndPoint? remote, ConnectionId id)
    {
        _logger = logger;
        _time = time;
        Remote = remote;
        _id = id;
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

    /// <summary>Where the peer is; null when it is not known. Of a connection through a proxy, first the proxy.</summary>
    internal EndPoint? Remote { get; set; }

    /// <summary>
    /// Makes the handshake's activity the current one. Call it in an asynchronous method, so that the caller's current activity does not change.
    /// </summary>
    internal void Enter() => Activity.Current = _activity ?? Activity.Current;

    /// <param name="group">The group of the key exchange, out of a closed set of names.</param>
    /// <param name="tls">What has succeeded.</param>
    /// <param name="describe">What is recorded of it where a logger or an activity asks for it.</param>
    internal void Succeeded<T>(string group, T tls, Func<T, HandshakeSuccess> describe)
    {
        if (TryEnd("accepted", new("mutualauth.key_exchange_group", group)) && (_activity is not null || _logger.IsEnabled(LogLevel.Information)))
        {
            Record(describe(tls));
        }
    }

    private void Record(HandshakeSuccess success)
    {
        EndActivity(
            activity =>
            {
                activity.SetTag("tls.protocol.version", success.TlsVersion).SetTag("tls.cipher", success.CipherSuite)
                    .SetTag("mutualauth.key_exchange_group", success.KeyExchangeGroup)
                    .SetTag("mutualauth.peer", success.Peer).SetTag("mutualauth.confirmed", success.IsConfirmed);
                return success.User is { } user ? activity.SetTag("mutualauth.user", user) : activity;
            });
        HandshakeLog.Succeeded(
            _logger,
            _role,
            success.Peer,
            RemoteText,
            success.Proofs,
            success.User ?? None,
            success.SerialNumber ?? None,
            success.Fingerprint ?? None,
            success.Policies ?? None,
            success.TlsVersion,
            success.CipherSuite,
            success.KeyExchangeGroup ?? None,
            success.ApplicationProtocol ?? None,
            success.IsConfirmed,
            _id);
    }

    internal void Failed(HandshakeException outcome)
    {
        var rejection = outcome.Rejection;
        var reason = outcome.Reason.ToCode();
        if (!TryEnd(RejectionReasons.ToSnakeCase(outcome.Failure.ToString()), new("mutualauth.reason", reason)))
        {
            return;
        }

        EndActivity(activity => activity.SetStatus(ActivityStatusCode.Error, reason).SetTag("error.type", reason));
        var peer = outcome.PeerName ?? "a peer without a name";
        switch (outcome.Failure)
        {
            case HandshakeFailure.PeerRejected:
                HandshakeLog.PeerRejected(
                    _logger, _role, peer, RemoteText, rejection, reason, rejection.Expected, rejection.Presented, rejection.Element, _id);
                break;
            case HandshakeFailure.RefusedByPeer:
                HandshakeLog.RefusedByPeer(_logger, _role, peer, RemoteText, outcome.PeerReason?.ToCode() ?? None, rejection, reason, _id);
                break;
            case HandshakeFailure.NoCapacity:
                HandshakeLog.NoCapacity(_logger, _role, RemoteText, rejection, reason, rejection.Expected, rejection.Presented, _id);
                break;
            case HandshakeFailure.TransportLost when rejection.Reason == RejectionReason.NoClientHello:
                HandshakeLog.LeftWithoutHello(_logger, RemoteText, rejection, reason, _id);
                break;
            default:
                HandshakeLog.Failed(
                    _logger, _role, RemoteText, outcome.Failure, rejection, reason, rejection.Expected, rejection.Presented, rejection.Element,
                    _id);
                break;
        }
    }

    internal void Cancelled()
    {
        if (TryEnd("cancelled"))
        {
            EndActivity(static activity => activity.SetStatus(ActivityStatusCode.Error, "cancelled"));
            HandshakeLog.Cancelled(_logger, _role, RemoteText, _id);
        }
    }

    private string RemoteText => EndPointText.Of(Remote) ?? "an unknown address";

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

    private bool TryEnd(string outcome, KeyValuePair<string, object?>? detail = null)
    {
        if (Interlocked.Exchange(ref _ended, 1) != 0)
        {
            return false;
        }

        MutualAuthTelemetry.Try((Recorder: this, outcome, detail), static end =>
        {
            var role = new KeyValuePair<string, object?>("mutualauth.role", end.Recorder._role);
            MutualAuthTelemetry.ActiveHandshakes.Add(-1, role);
            var outcome = new KeyValuePair<string, object?>("mutualauth.outcome", end.outcome);
            var seconds = end.Recorder.Elapsed.TotalSeconds;
            if (end.detail is { } detail)
            {
                MutualAuthTelemetry.HandshakeDuration.Record(seconds, role, outcome, detail);
            }
            else
            {
                MutualAuthTelemetry.HandshakeDuration.Record(seconds, role, outcome);
            }

            end.Recorder._activity?.SetTag("mutualauth.outcome", end.outcome);
        });
        return true;
    }

    private void EndActivity(Func<Activity, Activity> describe)
    {
        if (_activity is { } activity)
        {
            MutualAuthTelemetry.Try((activity, describe, Remote, Id: _id), static end =>
            {
                switch (end.Remote)
                {
                    case IPEndPoint ip:
                        end.activity.SetTag("network.peer.address", ip.Address.ToString()).SetTag("network.peer.port", ip.Port);
                        break;
                    case { } other:
                        end.activity.SetTag("network.peer.address", other.ToString());
                        break;
                }

                end.activity.SetTag("mutualauth.connection.id", end.Id.ToString());
                end.describe(end.activity).Dispose();
            });
        }
    }
}
