using System.Collections.Immutable;
using MutualAuth.Confirmation;
using MutualAuth.Errors;
using MutualAuth.Evidence;

namespace MutualAuth.Handshake;

/// <summary>Turns away, by an alert and before anything is spent, a client whose hello shows that there can be no agreement.</summary>
internal static class OfferAnswer
{
    /// <summary>Returns the application protocol id to agree on; null for none.</summary>
    /// <exception cref="HandshakeException">No version, no application protocol, or no confirmation is shared.</exception>
    internal static async ValueTask<string?> AgreeAsync(HandshakeAttempt attempt, ClientHello hello, HandshakeOptions options)
    {
        var lowest = options.TlsVersions.Lowest;
        if (Highest(hello.Versions) < (int)lowest)
        {
            var offered = string.Join(", ", hello.Versions.Take(8).Select(version => $"0x{version:x4}"));
            var problem = new Rejection(RejectionReason.ProtocolVersionUnsupported, $"TLS {lowest.ToText()} or later", $"versions {offered}");
            throw await RefuseAsync(attempt, TlsAlerts.ProtocolVersion, problem).ConfigureAwait(false);
        }

        var (protocol, disagreement) = ConfirmationProtocol.Choose(hello.ApplicationProtocols, options.ApplicationProtocols, options.EffectiveConfirmation);
        return disagreement is null ? protocol : throw await RefuseAsync(attempt, TlsAlerts.NoApplicationProtocol, disagreement).ConfigureAwait(false);
    }

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
    internal static async ValueTask<HandshakeException> RefuseAsync(HandshakeAttempt attempt, int alert, Rejection problem, Exception? inner = null)
    {
        try
        {
            await attempt.Transport.WriteAsync(TlsAlerts.ToRecord(alert), attempt.Token).ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is IOException or ObjectDisposedException or OperationCanceledException)
        {
            // It was a courtesy; the reason stands without it.
        }

        var failure = problem.Reason switch
        {
            RejectionReason.ValidatorFaulted => HandshakeFailure.OurFault,
            RejectionReason.Overloaded => HandshakeFailure.NoCapacity,
            _ => HandshakeFailure.NoAgreement,
        };
        return new HandshakeException(failure, problem, inner);
    }
}
