using System.Diagnostics.CodeAnalysis;
using System.Net.Sockets;

namespace MutualAuth.Http;

/// <summary>Finds, in what an <see cref="HttpClient"/> or a gRPC call throws, the reason of ours.</summary>
/// <example>
/// <code>
/// try
/// {
///     await http.GetStringAsync(address);
/// }
/// catch (HttpRequestException exception) when (exception.TryGetHandshakeFailure(out var failure))
/// {
///     Console.WriteLine($"{failure.Failure}: {failure.Rejection}, again later: {failure.IsTransient}");
/// }
/// </code>
/// </example>
public static class MutualTlsHttpFailures
{
    /// <summary>How many exceptions inside each other are looked at.</summary>
    private const int MaxDepth = 16;

    /// <summary>
    /// The failed handshake because of which a request was not sent, or the refusal that a server without confirmation sent after it.
    /// </summary>
    /// <param name="exception">What was thrown: an <see cref="HttpRequestException"/>, an <see cref="IOException"/>, an <c>RpcException</c>.</param>
    /// <param name="failure">The handshake's exception; null without one.</param>
    /// <exception cref="ArgumentNullException"><paramref name="exception"/> is null.</exception>
    public static bool TryGetHandshakeFailure(this Exception exception, [NotNullWhen(true)] out HandshakeException? failure)
    {
        ArgumentNullException.ThrowIfNull(exception);
        failure = Within(exception).OfType<HandshakeException>().FirstOrDefault();
        return failure is not null;
    }

    /// <summary>
    /// The reason of ours for which the request failed: that of a failed handshake, or that for which an open connection was ended because its
    /// server is no longer accepted.
    /// </summary>
    /// <param name="exception">What was thrown: an <see cref="HttpRequestException"/>, an <see cref="IOException"/>, an <c>RpcException</c>.</param>
    /// <param name="rejection">The reason; null without one.</param>
    /// <exception cref="ArgumentNullException"><paramref name="exception"/> is null.</exception>
    public static bool TryGetRejection(this Exception exception, [NotNullWhen(true)] out Rejection? rejection)
    {
        ArgumentNullException.ThrowIfNull(exception);
        rejection = Within(exception).Select(inner => inner switch
        {
            HandshakeException handshake => handshake.Rejection,
            ConnectionEndedException ended => ended.Rejection,
            _ => null,
        }).FirstOrDefault(found => found is not null);
        return rejection is not null;
    }

    /// <summary>The same failure with the platform's error that fits ours; null where there is nothing to improve.</summary>
    internal static HttpRequestException? Typed(HttpRequestException exception)
    {
        foreach (var inner in Within(exception))
        {
            if (inner is HandshakeException failure && exception.HttpRequestError is HttpRequestError.SecureConnectionError
                or HttpRequestError.ConnectionError or HttpRequestError.NameResolutionError or HttpRequestError.Unknown)
            {
                return new HttpRequestException(ErrorOf(failure), exception.Message, failure);
            }

            if (inner != exception && inner is HttpRequestException { HttpRequestError: not HttpRequestError.Unknown } ours)
            {
                return new HttpRequestException(ours.HttpRequestError, ours.Message, ours.InnerException);
            }
        }

        return null;
    }

    private static HttpRequestError ErrorOf(HandshakeException failure) => failure.Failure switch
    {
        HandshakeFailure.Unreachable when failure.InnerException is SocketException
        { SocketErrorCode: SocketError.HostNotFound or SocketError.NoData or SocketError.TryAgain } => HttpRequestError.NameResolutionError,
        HandshakeFailure.Unreachable or HandshakeFailure.TransportLost => HttpRequestError.ConnectionError,
        HandshakeFailure.NoAgreement when failure.Reason == RejectionReason.AlpnMismatch => HttpRequestError.VersionNegotiationError,
        _ => HttpRequestError.SecureConnectionError,
    };

    private static IEnumerable<Exception> Within(Exception exception)
    {
        var inner = exception;
        for (var depth = 0; inner is not null && depth < MaxDepth; depth++)
        {
            yield return inner;
            inner = inner.InnerException;
        }
    }
}
