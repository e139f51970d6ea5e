using Microsoft.Extensions.Logging;
using MutualAuth.Names;

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

    [LoggerMessage(1112, LogLevel.Warning, "OCSP gave no answer to rely on, and the peer passes all the same, as configured. {Rejection}")]
    internal static partial void OcspSoftFailed(ILogger logger, Rejection rejection);

    [LoggerMessage(1120, LogLevel.Warning, "A known peer shows another key; it was rejected. {Rejection}")]
    internal static partial void PeerKeyChanged(ILogger logger, Rejection rejection);

    [LoggerMessage(1121, LogLevel.Information, "The peer {Peer} was met for the first time; its key {Key} is kept.")]
    internal static partial void PeerFirstMet(ILogger logger, string peer, SpkiPin key);

    [LoggerMessage(1122, LogLevel.Error, "The known peers cannot be read anew; those that were read last stay in force, and nobody new is let in. {Problem}")]
    internal static partial void KnownPeersUnreadable(ILogger logger, string problem);

    [LoggerMessage(1123, LogLevel.Error, "The key of {Peer}, which was met for the first time, could not be kept; the peer was rejected.")]
    internal static partial void PeerNotRemembered(ILogger logger, string peer, Exception exception);
}
