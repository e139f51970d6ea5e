using System.Collections.Immutable;
using MutualAuth.Confirmation;
using MutualAuth.Hello;

namespace MutualAuth.Handshake;

/// <summary>Rejects, with an alert and before any costly work, a client whose hello shows that agreement is impossible.</summary>
internal static class HelloNegotiation
{
    /// <summary>Returns the application protocol id to agree on; null for none.</summary>
    /// <exception cref="HandshakeException">No version, no application protocol, or no confirmation is shared.</exception>
    internal static async ValueTask<string?> AgreeAsync(HandshakeAttempt attempt, ClientHello hello, HandshakeOptions options)
    {
        var lowest = options.TlsVersions.Lowest;
        if (Highest(hello.Versions) < (int)lowest)
        {
            var offered = string.Join(", ", hello.Versions.Take(8).Select(NameOf));
            var problem = new Rejection(
                RejectionReason.ProtocolVersionUnsupported, $"TLS {lowest.ToText()} or later", offered.Length == 0 ? "no version" : offered);
            throw await RefuseAsync(attempt, TlsAlerts.ProtocolVersion, problem).ConfigureAwait(false);
        }

        if (options.KeyExchange.Examine(hello) is { } notAllowed)
        {
            throw await RefuseAsync(attempt, TlsAlerts.HandshakeFailure, notAllowed).ConfigureAwait(false);
        }

        var (protocol, disagreement) = ConfirmationProtocol.Choose(
            hello.ApplicationProtocols, options.ApplicationProtocols, options.EffectiveConfirmation);
        return disagreement is null
            ? protocol
            : throw await RefuseAsync(attempt, TlsAlerts.NoApplicationProtocol, disagreement).ConfigureAwait(false);
    }

    private static string NameOf(int version) => version switch
    {
        0x0300 => "SSL 3.0",
        0x0301 => "TLS 1.0",
        0x0302 => "TLS 1.1",
        0x0303 => "TLS 1.2",
        0x0304 => "TLS 1.3",
        _ => $"0x{version:x4}",
    };

    private static int Highest(ImmutableArray<int> versions)
    {
        var highest = 0;
        foreach (var version in versions)
        {
            highest = Math.Max(highest, version);
        }

        return highest;
    }

    /// <summary>Writes an alert in the clear, as TLS allows until the ServerHello, and says what to throw.</summary>
    /// <param name="attempt">Whose client it is.</param>
    /// <param name="alert">The alert; null for none.</param>
    /// <param name="problem">What is wrong.</param>
    /// <param name="inner">What was thrown about it.</param>
    internal static async ValueTask<HandshakeException> RefuseAsync(HandshakeAttempt attempt, int? alert, Rejection problem, Exception? inner = null)
    {
        if (alert is { } description)
        {
            await attempt.Transport.RefuseAsync(description, attempt.Token).ConfigureAwait(false);
        }

        return new HandshakeException(FailureOf(problem), problem, inner);
    }

    /// <summary>What became of a handshake that ended before there were keys.</summary>
    internal static HandshakeFailure FailureOf(Rejection problem) =>
        problem.Reason switch
        {
            RejectionReason.ValidatorFaulted => HandshakeFailure.OurFault,
            RejectionReason.Overloaded => HandshakeFailure.NoCapacity,
            RejectionReason.NoClientHello or RejectionReason.IncompleteClientHello or RejectionReason.ProxyHeaderIncomplete =>
                HandshakeFailure.TransportLost,
            RejectionReason.MalformedClientHello or RejectionReason.ClientHelloTooLarge or RejectionReason.ProxyHeaderMalformed =>
                HandshakeFailure.PeerMisbehaved,
            _ => HandshakeFailure.NoAgreement,
        };
}
