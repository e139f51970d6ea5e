using System.Diagnostics;
using System.Diagnostics.Metrics;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using MutualAuth.Telemetry;

namespace MutualAuth;

/// <summary>
/// The names of this library's telemetry. They are part of the public contract; <c>docs/reference/telemetry.md</c> lists every one.
/// </summary>
public static class MutualAuthTelemetry
{
    /// <summary>The name of the meter and of the activity source.</summary>
    public const string SourceName = "MutualAuth";

    /// <summary>The category under which events are logged.</summary>
    public const string LogCategory = "MutualAuth";

    internal static readonly ActivitySource Activities = new(SourceName);

    internal static readonly Meter Meter = new(SourceName);

    /// <summary>From the moment a socket is handed over to the outcome, in seconds.</summary>
    internal static readonly Histogram<double> HandshakeDuration = Meter.CreateHistogram<double>(
        "mutualauth.handshake.duration", unit: "s", description: "From the moment the transport is handed over to the outcome.");

    internal static readonly UpDownCounter<int> ActiveHandshakes = Meter.CreateUpDownCounter<int>(
        "mutualauth.handshake.active", unit: "{handshake}", description: "Handshakes that have no outcome yet.");

    internal static readonly UpDownCounter<int> OpenConnections = Meter.CreateUpDownCounter<int>(
        "mutualauth.connection.open", unit: "{connection}", description: "Authenticated connections that are not disposed of.");

    /// <summary>Counts new material that was found, whether it was accepted or rejected.</summary>
    internal static readonly Counter<long> Reloads = Meter.CreateCounter<long>(
        "mutualauth.reload", unit: "{reload}", description: "Reloads of our own material, by outcome.");

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

    /// <summary>The logger of our category. Its exceptions are swallowed: logging must not change an outcome or a close.</summary>
    internal static ILogger CreateLogger(ILoggerFactory? factory)
    {
        try
        {
            return factory is null or NullLoggerFactory ? NullLogger.Instance : new GuardedLogger(factory.CreateLogger(LogCategory));
        }
        catch (Exception)
        {
            return NullLogger.Instance;
        }
    }

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
