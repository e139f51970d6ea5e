using System.Net;
using Microsoft.Extensions.Logging;

namespace MutualAuth.Telemetry;

/// <summary>Events 1000–1099: the outcome of each handshake. Each handshake logs exactly one of them.</summary>
/// <remarks>
/// What a query asks for is a field of its own, beside the rejection, whose text holds all of it. A parameter that the text does not name gives its
/// field its own name, and so begins with a capital.
/// </remarks>
internal static partial class HandshakeLog
{
    [LoggerMessage(1000, LogLevel.Information,
        "Handshake as {Role}: {Peer} at {RemoteEndPoint} authenticated by {Proofs}, user {User}, certificate {SerialNumber}, SHA-256 {Fingerprint}, "
            + "policies {Policies}, TLS {TlsVersion}, {CipherSuite}, key exchange {KeyExchangeGroup}, application protocol {ApplicationProtocol}, "
            + "confirmed {IsConfirmed}.")]
    internal static partial void Succeeded(
        ILogger logger,
        string role,
        string peer,
        string remoteEndPoint,
        string proofs,
        string user,
        string serialNumber,
        string fingerprint,
        string policies,
        string tlsVersion,
        string cipherSuite,
        string keyExchangeGroup,
        string applicationProtocol,
        bool isConfirmed,
        ConnectionId ConnectionId);

    [LoggerMessage(1001, LogLevel.Warning, "Handshake as {Role}: rejected {Peer} at {RemoteEndPoint}. {Rejection}")]
    internal static partial void PeerRejected(
        ILogger logger,
        string role,
        string peer,
        string remoteEndPoint,
        Rejection rejection,
        string Reason,
        string Expected,
        string Presented,
        string? Element,
        ConnectionId ConnectionId);

    [LoggerMessage(1002, LogLevel.Warning, "Handshake as {Role}: refused by {Peer} at {RemoteEndPoint} with reason {PeerReason}. {Rejection}")]
    internal static partial void RefusedByPeer(
        ILogger logger, string role, string peer, string remoteEndPoint, string peerReason, Rejection rejection, string Reason,
        ConnectionId ConnectionId);

    [LoggerMessage(1003, LogLevel.Warning, "Handshake as {Role} with {RemoteEndPoint} failed ({Failure}). {Rejection}")]
    internal static partial void Failed(
        ILogger logger,
        string role,
        string remoteEndPoint,
        HandshakeFailure failure,
        Rejection rejection,
        string Reason,
        string Expected,
        string Presented,
        string? Element,
        ConnectionId ConnectionId);

    [LoggerMessage(1004, LogLevel.Warning, "Handshake as {Role} with {RemoteEndPoint} was not performed: no capacity. {Rejection}")]
    internal static partial void NoCapacity(
        ILogger logger, string role, string remoteEndPoint, Rejection rejection, string Reason, string Expected, string Presented,
        ConnectionId ConnectionId);

    [LoggerMessage(1005, LogLevel.Debug, "Handshake as {Role} with {RemoteEndPoint} cancelled by the caller.")]
    internal static partial void Cancelled(ILogger logger, string role, string remoteEndPoint, ConnectionId ConnectionId);

    [LoggerMessage(1006, LogLevel.Debug, "{RemoteEndPoint} connected and left without a word, as port scanners and health checks do. {Rejection}")]
    internal static partial void LeftWithoutHello(
        ILogger logger, string remoteEndPoint, Rejection rejection, string Reason, ConnectionId ConnectionId);

    [LoggerMessage(1010, LogLevel.Warning,
        "The names of the {Anchors} trust anchors have {Bytes} octets, more than MaxAcceptableIssuerBytes ({Bound}): none are sent to clients.")]
    internal static partial void AcceptableIssuersOmitted(ILogger logger, int anchors, int bytes, int bound);
}
