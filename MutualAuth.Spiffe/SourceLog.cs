using Microsoft.Extensions.Logging;
using MutualAuth.Names;
using MutualAuth.Telemetry;

namespace MutualAuth.Spiffe;

/// <summary>Events 1500–1549: updates from a SPIFFE Workload API.</summary>
internal static partial class SourceLog
{
    /// <summary>A logger that never throws: a sink that is broken must not end what follows a Workload API.</summary>
    internal static ILogger Create(ILoggerFactory factory) => GuardedLogger.Create(factory, MutualAuthTelemetry.LogCategory + ".Spiffe");

    [LoggerMessage(1500, LogLevel.Information,
        "The SPIFFE identity is {SpiffeId}, valid until {NotAfter:u}; {TrustDomains} trust domains have a bundle.")]
    internal static partial void UpdateTaken(ILogger logger, SpiffeId spiffeId, DateTimeOffset notAfter, int trustDomains);

    [LoggerMessage(1501, LogLevel.Error, "Rejected an update of the SPIFFE Workload API ({Reason}): {Detail} The previous update stays in force.")]
    internal static partial void UpdateRefused(ILogger logger, UpdateRefusalReason reason, string detail);

    [LoggerMessage(
        1502,
        LogLevel.Warning,
        "Rejected the federated bundle of {TrustDomain} ({Reason}): {Detail} Its last valid bundle, if any, stays in force; the rest of the update "
            + "was applied.")]
    internal static partial void FederatedBundleRefused(ILogger logger, string trustDomain, UpdateRefusalReason reason, string detail);

    [LoggerMessage(
        1503, LogLevel.Warning, "The stream from the SPIFFE Workload API at {Address} ended ({Failure}): {Detail} Next attempt in {Delay}.")]
    internal static partial void StreamEnded(ILogger logger, WorkloadApiAddress address, WorkloadApiFailure failure, string detail, TimeSpan delay);

    [LoggerMessage(
        1504,
        LogLevel.Critical,
        "Updates from the SPIFFE Workload API at {Address} have ended permanently: {Detail} The current identity will expire.")]
    internal static partial void NotUnderstood(ILogger logger, WorkloadApiAddress address, string detail);

    [LoggerMessage(1505, LogLevel.Error, "The SPIFFE identity {SpiffeId} expired at {NotAfter:u} and was not renewed; peers now reject it.")]
    internal static partial void IdentityExpired(ILogger logger, SpiffeId spiffeId, DateTimeOffset notAfter);

    [LoggerMessage(
        1506,
        LogLevel.Error,
        "The SPIFFE identity {SpiffeId} was withdrawn from this workload; every peer is rejected until it has an identity again.")]
    internal static partial void Withdrawn(ILogger logger, SpiffeId spiffeId);

    [LoggerMessage(1507, LogLevel.Error, "An event handler of Replaced threw.")]
    internal static partial void HandlerFaulted(ILogger logger, Exception exception);

    [LoggerMessage(1509, LogLevel.Information, "The keys of {TrustDomains} trust domains for JWT-SVIDs are in force: {Bundles}.")]
    internal static partial void KeysTaken(ILogger logger, int trustDomains, string bundles);

    [LoggerMessage(
        1510,
        LogLevel.Error,
        "The keys for JWT-SVIDs were withdrawn from this workload; every token is rejected until it has keys again.")]
    internal static partial void KeysWithdrawn(ILogger logger);

    [LoggerMessage(1508, LogLevel.Error, "Reading from the SPIFFE Workload API failed unexpectedly; retrying.")]
    internal static partial void ReadingFaulted(ILogger logger, Exception exception);
}
