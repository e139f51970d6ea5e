using Microsoft.Extensions.Logging;
using MutualAuth.Names;

namespace MutualAuth.Spiffe;

/// <summary>Events 1500–1549: following a SPIFFE Workload API.</summary>
internal static partial class SourceLog
{
    [LoggerMessage(1500, LogLevel.Information, "The SPIFFE identity is {SpiffeId}, valid until {NotAfter:u}; {TrustDomains} trust domains have a bundle.")]
    internal static partial void UpdateTaken(ILogger logger, SpiffeId spiffeId, DateTimeOffset notAfter, int trustDomains);

    [LoggerMessage(1501, LogLevel.Error, "An update of the SPIFFE Workload API was refused, {Reason}: {Detail} What was in force stays so.")]
    internal static partial void UpdateRefused(ILogger logger, UpdateRefusalReason reason, string detail);

    [LoggerMessage(1502, LogLevel.Warning, "The federated bundle of {TrustDomain} was refused, {Reason}: {Detail} Its last good one stays, if there is one; the rest of the update was taken.")]
    internal static partial void FederatedBundleRefused(ILogger logger, string trustDomain, UpdateRefusalReason reason, string detail);

    [LoggerMessage(1503, LogLevel.Warning, "The stream from the SPIFFE Workload API at {Address} ended, {Failure}: {Detail} Next attempt in {Delay}.")]
    internal static partial void StreamEnded(ILogger logger, WorkloadApiAddress address, WorkloadApiFailure failure, string detail, TimeSpan delay);

    [LoggerMessage(1504, LogLevel.Critical, "Following the SPIFFE Workload API at {Address} has ended for good: {Detail} The identity in force will expire.")]
    internal static partial void NotUnderstood(ILogger logger, WorkloadApiAddress address, string detail);

    [LoggerMessage(1505, LogLevel.Error, "The SPIFFE identity {SpiffeId} expired at {NotAfter:u} and was not renewed: peers reject it.")]
    internal static partial void IdentityExpired(ILogger logger, SpiffeId spiffeId, DateTimeOffset notAfter);

    [LoggerMessage(1506, LogLevel.Error, "The SPIFFE identity {SpiffeId} was taken from this workload: nobody is trusted until there is one again.")]
    internal static partial void Withdrawn(ILogger logger, SpiffeId spiffeId);

    [LoggerMessage(1507, LogLevel.Error, "A handler of Replaced threw.")]
    internal static partial void HandlerFaulted(ILogger logger, Exception exception);

    [LoggerMessage(1508, LogLevel.Error, "Reading from the SPIFFE Workload API failed in a way that was not foreseen; it is tried again.")]
    internal static partial void ReadingFaulted(ILogger logger, Exception exception);
}
