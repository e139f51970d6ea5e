using Microsoft.Extensions.Logging;
using MutualAuth.Telemetry;

namespace MutualAuth.Audit;

/// <summary>Records the events of one server or client, by its policy. There is none where nothing is recorded.</summary>
internal sealed class Auditor
{
    private readonly AuditPolicy _policy;
    private readonly SinkWriter _writer;
    private readonly ILogger _logger;
    private readonly TimeProvider _time;

    private Auditor(AuditPolicy policy, ILoggerFactory loggerFactory, TimeProvider time)
    {
        _policy = policy;
        _writer = SinkWriter.Of(policy.Sink);
        _logger = MutualAuthTelemetry.CreateLogger(loggerFactory, LogArea.Audit);
        _time = time;
    }

    internal AuditPolicy Policy => _policy;

    internal static Auditor? For(AuditPolicy? policy, ILoggerFactory loggerFactory, TimeProvider time) =>
        policy is null ? null : new Auditor(policy, loggerFactory, time);

    /// <summary>Records an event that nothing depends on. Never throws, and does not wait.</summary>
    /// <param name="what">The event.</param>
    /// <param name="isOfStranger">Whether it is about a peer that no one has authenticated.</param>
    /// <returns>Completes when it has an outcome, for callers that may wait a moment; never fails.</returns>
    internal Task Tell(AuditEvent what, bool isOfStranger = false) => _writer.WriteAsync(what, this, isOfStranger);

    /// <summary>The same of a source that may outlive the trail.</summary>
    internal void TellUnlessClosed(AuditEvent what)
    {
        if (!_writer.IsClosed)
        {
            Tell(what);
        }
    }

    /// <summary>Records an event without which what it tells of must not happen.</summary>
    /// <returns>Why it must not; null when it may.</returns>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> ended first.</exception>
    internal async ValueTask<Rejection?> RequireAsync(AuditEvent what, CancellationToken cancellationToken)
    {
        var fault = await _writer.WriteAsync(what, this, isOfStranger: false).WaitAsync(cancellationToken).ConfigureAwait(false);
        return fault is null || _policy.OnFailure == AuditFailureAction.DangerouslyContinueWithoutAudit
            ? null
            : new Rejection(RejectionReason.AuditNotRecorded, $"an entry for the auditor within {_policy.Timeout}", Describe(fault))
            {
                IsOurFault = true,
                Hint = "Who is not recorded is not accepted: see to the sink of the audit, such as the disk of the trail.",
            };
    }

    /// <summary>Calls the handler at the changes of a source, once for all servers and clients that share source and sink.</summary>
    internal void Watch<T>(T source, Action<T> subscribe)
        where T : class
    {
        if (_writer.TryWatch(source))
        {
            subscribe(source);
        }
    }

    /// <summary>Whether the owner has closed the trail.</summary>
    internal bool IsClosed => _writer.IsClosed;

    internal CancellationTokenSource BeginTimeout()
    {
        try
        {
            return new CancellationTokenSource(_policy.Timeout, _time);
        }
        catch (Exception)
        {
            return new CancellationTokenSource(_policy.Timeout); // the application's clock threw; others look at it
        }
    }

    internal void SayLost(AuditEvent what, Exception fault, bool isFirst)
    {
        MutualAuthTelemetry.Try(what.What, static kind =>
            MutualAuthTelemetry.AuditEventsLost.Add(1, new KeyValuePair<string, object?>("mutualauth.audit.kind", kind)));
        if (!isFirst)
        {
            return;
        }

        var connection = what.Connection ?? "none";
        if (_policy.OnFailure == AuditFailureAction.DangerouslyContinueWithoutAudit)
        {
            AuditLog.ContinuesWithoutAudit(_logger, what.What, connection, Describe(fault), fault);
        }
        else
        {
            AuditLog.NotRecorded(_logger, what.What, connection, Describe(fault), fault);
        }
    }

    internal void SayRecordedAgain(long lost) => AuditLog.RecordedAgain(_logger, lost);

    private static string Describe(Exception fault) =>
        fault is TimeoutException or OperationCanceledException ? "no answer in that time" : $"an exception, {fault.GetType().Name}";
}
