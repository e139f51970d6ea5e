using System.Diagnostics;
using System.Diagnostics.Metrics;
using Microsoft.Extensions.Logging;
using MutualAuth.Telemetry;

namespace MutualAuth;

/// <summary>
/// The names of this library's telemetry. They are part of the public contract; <c>docs/reference/telemetry.md</c> lists every one.
/// </summary>
public static class MutualAuthTelemetry
{
    /// <summary>The name of the meter and of the activity source.</summary>
    public const string SourceName = "MutualAuth";

    /// <summary>
    /// What the categories begin with under which events are logged: <c>MutualAuth.Handshake</c>, <c>MutualAuth.Validation</c>,
    /// <c>MutualAuth.Listener</c>, <c>MutualAuth.Login</c>, <c>MutualAuth.Reload</c>, <c>MutualAuth.Connection</c> and
    /// <c>MutualAuth.Audit</c>. A filter for this prefix covers all of them.
    /// </summary>
    public const string LogCategory = "MutualAuth";

    private static readonly string s_version = typeof(MutualAuthTelemetry).Assembly.GetName().Version!.ToString(3);

    internal static readonly ActivitySource Activities = new(SourceName, s_version);

    internal static readonly Meter Meter = new(SourceName, s_version);

    // Seconds. A handshake takes milliseconds between neighbours, tenths of seconds around the world, and ten seconds at most by default.
    private static readonly InstrumentAdvice<double> s_durations = new()
    { HistogramBucketBoundaries = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10] };

    /// <summary>From the moment a socket is handed over to the outcome, in seconds.</summary>
    internal static readonly Histogram<double> HandshakeDuration = Meter.CreateHistogram<double>(
        "mutualauth.handshake.duration", "s", "From the moment the transport is handed over to the outcome.", tags: null, s_durations);

    internal static readonly UpDownCounter<int> ActiveHandshakes = Meter.CreateUpDownCounter<int>(
        "mutualauth.handshake.active", unit: "{handshake}", description: "Handshakes that have no outcome yet.");

    internal static readonly UpDownCounter<int> OpenConnections = Meter.CreateUpDownCounter<int>(
        "mutualauth.connection.open", unit: "{connection}", description: "Authenticated connections that are not disposed of.");

    /// <summary>Counts new material that was found, whether it was accepted or rejected.</summary>
    internal static readonly Counter<long> Reloads = Meter.CreateCounter<long>(
        "mutualauth.reload", unit: "{reload}", description: "Reloads of our own material, by outcome.");

    internal static readonly Counter<long> RevocationFetches = Meter.CreateCounter<long>(
        "mutualauth.revocation.fetches", unit: "{fetch}", description: "Fetches of revocation lists, by outcome.");

    /// <summary>Days until the watched material expires; negative after expiry.</summary>
    internal static readonly ObservableGauge<double> DaysLeft = Meter.CreateObservableGauge(
        "mutualauth.days_left",
        DaysLeftGauge.Read,
        unit: "d",
        description: "Days until our identity expires, or until the first revocation list expires.");

    internal static readonly Counter<long> Invalidated = Meter.CreateCounter<long>(
        "mutualauth.connection.invalidated", unit: "{connection}", description: "Live connections that were invalidated.");

    internal static readonly Counter<long> CallbackVerdicts = Meter.CreateCounter<long>(
        "mutualauth.callback.verdicts", unit: "{verdict}", description: "Peers judged in the validation callbacks of other libraries.");

    internal static readonly Counter<long> AuditEventsLost = Meter.CreateCounter<long>(
        "mutualauth.audit.lost", unit: "{event}", description: "Events for an auditor that could not be recorded.");

    internal static string CategoryOf(LogArea area) => $"{LogCategory}.{area}";

    /// <summary>The logger of one area. Its exceptions are swallowed: logging must not change an outcome or a close.</summary>
    internal static ILogger CreateLogger(ILoggerFactory? factory, LogArea area) =>
        GuardedLogger.Create(factory, CategoryOf(area));

    /// <summary>A logger that logs each event under the category of its area.</summary>
    internal static ILogger CreateLogger(ILoggerFactory? factory) =>
        GuardedLogger.Create(factory, 0, static (usable, _) => new AreaLogger(usable));

    /// <summary>Measures or traces. The application's listeners run inside; their exceptions are swallowed.</summary>
    internal static void Try<TState>(TState state, Action<TState> observe)
    {
        try
        {
            observe(state);
        }
        catch (Exception)
        {
            // Only the observation is lost.
        }
    }
}
