using Microsoft.Extensions.Logging;
using MutualAuth.Names;

namespace MutualAuth.Telemetry;

/// <summary>Events 1100–1199: validating peers.</summary>
internal static partial class ValidationLog
{
    [LoggerMessage(1100, LogLevel.Error, "The certificate stage threw while validating a peer; the peer was rejected.")]
    internal static partial void StageFaulted(ILogger logger, Exception exception);

    [LoggerMessage(1101, LogLevel.Error, "The validator {Validator} threw; the peer was rejected.")]
    internal static partial void ValidatorFaulted(ILogger logger, string validator, Exception exception);

    [LoggerMessage(1102, LogLevel.Warning, "Pins are report-only: {Peer} would have been rejected. {Rejection}")]
    internal static partial void PinsReportOnly(ILogger logger, string peer, Rejection rejection, string Reason);

    [LoggerMessage(1103, LogLevel.Debug, "{Source} accepted {Peer} for {Lifetime}; it knows: {Names}.")]
    internal static partial void FactsGiven(ILogger logger, string source, string peer, string names, TimeSpan lifetime);

    [LoggerMessage(1110, LogLevel.Warning,
        "Peer certificates are not checked against revocation lists: no lists are configured. If that is meant so, "
            + "set AcknowledgedWarnings to RevocationNotChecked.")]
    internal static partial void RevocationNotChecked(ILogger logger);

    [LoggerMessage(1111, LogLevel.Warning,
        "The revocation check is relaxed: coverage {Coverage}, unknown status {Unknown}, grace period {GracePeriod}, no status needed for a "
            + "lifetime of {ShortLivedLifetime}, or with noRevAvail of {NoRevAvailLifetime}.")]
    internal static partial void RevocationRelaxed(
        ILogger logger, string coverage, string unknown, TimeSpan gracePeriod, TimeSpan shortLivedLifetime, TimeSpan noRevAvailLifetime);

    [LoggerMessage(1113, LogLevel.Warning, "Peers are likely to reject our own certificate. {Problem}")]
    internal static partial void OwnIdentityDoubtful(ILogger logger, string problem);

    [LoggerMessage(1112, LogLevel.Warning, "OCSP gave no usable response; the peer was accepted anyway, as configured. {Rejection}")]
    internal static partial void OcspSoftFailed(ILogger logger, Rejection rejection, string Reason);

    [LoggerMessage(1120, LogLevel.Warning, "A known peer presented a different key; the peer was rejected. {Rejection}")]
    internal static partial void PeerKeyChanged(ILogger logger, Rejection rejection, string Reason);

    [LoggerMessage(1121, LogLevel.Information, "First contact with {Peer}; its key {Key} was stored.")]
    internal static partial void PeerFirstMet(ILogger logger, string peer, SpkiPin key);

    [LoggerMessage(1122, LogLevel.Error, "Cannot reload known peers; keeping the previous list and admitting no new peers. {Problem}")]
    internal static partial void KnownPeersUnreadable(ILogger logger, string problem);

    [LoggerMessage(1123, LogLevel.Error, "Cannot store the key of the new peer {Peer}; the peer was rejected.")]
    internal static partial void PeerNotRemembered(ILogger logger, string peer, Exception exception);
}
