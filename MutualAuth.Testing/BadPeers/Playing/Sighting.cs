using MutualAuth.Testing.Building;
using MutualAuth.Testing.Transports;
using Org.BouncyCastle.Tls;

namespace MutualAuth.Testing.BadPeers;

/// <summary>What was seen of one peer's visit.</summary>
/// <param name="Outcome">What became of the peer.</param>
/// <param name="Detail">What that was told by, for a person to read.</param>
/// <param name="ByClosing">
/// Whether all that speaks for a refusal is an end, by closing or by an alert, that a server which breaks comes to as well.
/// </param>
internal sealed record Sighting(PeerOutcome Outcome, string Detail, bool ByClosing = false)
{
    internal TimeSpan Elapsed { get; init; }

    internal TimeSpan? ProcessorTime { get; init; }

    internal bool IsLetIn => Outcome == PeerOutcome.LetIn;

    internal static Sighting Unclear(string detail) => new(PeerOutcome.Unclear, detail);

    /// <summary>What the end of a visit without a verdict says: a refusal only where it is the far end's reaction to the certificate.</summary>
    /// <param name="seen">What TLS saw.</param>
    /// <param name="endedByFarEnd">Whether the far end has ended it, and not we or something else.</param>
    /// <param name="what">What was seen, in words.</param>
    /// <param name="answered">How many octets the far end has said before: a peer that is answered has not been refused.</param>
    internal static Sighting OfTheEnd(LooseTlsRecord seen, bool endedByFarEnd, string what, long answered = 0)
    {
        if (!seen.CertificateShown)
        {
            return Unclear($"it was over before the certificate was shown: {seen.Obstacle ?? what}");
        }

        var isOfTheCertificate = seen.Alert is not (null or AlertDescription.internal_error or AlertDescription.user_canceled);
        if (answered > 0 && !isOfTheCertificate)
        {
            return Unclear($"after {answered} octets of an answer that were no verdict: {what}");
        }

        if (seen.Alert is { } alert)
        {
            return new Sighting(PeerOutcome.Refused, $"alert {LooseTlsPeer.NameOf(alert)}", ByClosing: !isOfTheCertificate);
        }

        return endedByFarEnd ? new Sighting(PeerOutcome.Refused, $"it ended after the certificate: {what}", ByClosing: true) : Unclear(what);
    }

    /// <summary>
    /// Of two visits of one peer the worse for the judge: to be served once is to be served, and what is unclear once is not clear.
    /// </summary>
    internal Sighting Or(Sighting second)
    {
        var worse = Rank(second.Outcome) > Rank(Outcome) ? second : this;
        return worse with
        {
            Detail = Outcome == second.Outcome ? worse.Detail : $"{worse.Detail}; another time: {(worse == this ? second : this).Detail}",
            Elapsed = TimeSpan.FromTicks(Math.Max(Elapsed.Ticks, second.Elapsed.Ticks)),
            ProcessorTime = ProcessorTime > second.ProcessorTime ? ProcessorTime : second.ProcessorTime,
        };
    }

    private static int Rank(PeerOutcome outcome) => outcome switch
    {
        PeerOutcome.LetIn => 3,
        PeerOutcome.Unclear => 2,
        _ => 1,
    };
}
