using System.Net;
using Microsoft.Extensions.Logging;

namespace MutualAuth.Telemetry;

/// <summary>Events 1000–1099: the outcome of each handshake. Each handshake logs exactly one of them.</summary>
internal static partial class HandshakeLog
{
    [LoggerMessage(1000, LogLevel.Information,
        "Handshake as {Role}: {Peer} at {RemoteEndPoint} authenticated, TLS {TlsVersion}, application protocol {ApplicationProtocol}, "
            + "confirmed {IsConfirmed}.")]
    internal static partial void Succeeded(
        ILogger logger, string role, string peer, EndPoint? remoteEndPoint, string tlsVersion, string? applicationProtocol, bool isConfirmed);

    [LoggerMessage(1001, LogLevel.Warning, "Handshake as {Role}: rejected {Peer} at {RemoteEndPoint}. {Rejection}")]
    internal static partial void PeerRejected(ILogger logger, string role, string? peer, EndPoint? remoteEndPoint, Rejection rejection);

    [LoggerMessage(1002, LogLevel.Warning, "Handshake as {Role}: refused by {Peer} at {RemoteEndPoint} with reason {PeerReason}.")]
    internal static partial void RefusedByPeer(ILogger logger, string role, string? peer, EndPoint? remoteEndPoint, string? peerReason);

    [LoggerMessage(1003, LogLevel.Warning, "Handshake as {Role} with {RemoteEndPoint} failed ({Failure}). {Rejection}")]
    internal static partial void Failed(ILogger logger, string role, HandshakeFailure failure, EndPoint? remoteEndPoint, Rejection rejection);

    [LoggerMessage(1004, LogLevel.Warning, "Handshake as {Role} with {RemoteEndPoint} was not performed: no capacity. {Rejection}")]
    internal static partial void NoCapacity(ILogger logger, string role, EndPoint? remoteEndPoint, Rejection rejection);

    [LoggerMessage(1005, LogLevel.Debug, "Handshake as {Role} with {RemoteEndPoint} cancelled by the caller.")]
    internal static partial void Cancelled(ILogger logger, string role, EndPoint? remoteEndPoint);

    [LoggerMessage(1010, LogLevel.Warning,
        "The names of the {Anchors} trust anchors have {Bytes} octets, more than MaxAcceptableIssuerBytes ({Bound}): none are sent to clients.")]
    internal static partial void AcceptableIssuersOmitted(ILogger logger, int anchors, int bytes, int bound);
}
