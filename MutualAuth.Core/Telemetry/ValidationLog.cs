using Microsoft.Extensions.Logging;
using MutualAuth.Errors;

namespace MutualAuth.Telemetry;

/// <summary>Events 1100–1199: judging peers.</summary>
internal static partial class ValidationLog
{
    [LoggerMessage(1100, LogLevel.Error, "The certificate stage failed while judging a peer; the peer was rejected.")]
    internal static partial void StageFaulted(ILogger logger, Exception exception);

    [LoggerMessage(1101, LogLevel.Error, "The validator {Validator} threw; the peer was rejected.")]
    internal static partial void ValidatorFaulted(ILogger logger, string validator, Exception exception);

    [LoggerMessage(1102, LogLevel.Warning, "Pins are report-only: {Peer} would have been rejected. {Rejection}")]
    internal static partial void PinsReportOnly(ILogger logger, string peer, Rejection rejection);

    [LoggerMessage(1110, LogLevel.Warning, "Revocation of peers' certificates is not checked by lists: no revocation lists are configured.")]
    internal static partial void RevocationNotChecked(ILogger logger);

    [LoggerMessage(1111, LogLevel.Warning, "The revocation check is relaxed: coverage {Coverage}, unknown status {Unknown}, grace period {GracePeriod}.")]
    internal static partial void RevocationRelaxed(ILogger logger, string coverage, string unknown, TimeSpan gracePeriod);
}
