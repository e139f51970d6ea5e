using System.Globalization;
using System.Text;

namespace MutualAuth.Testing.BadPeers;

/// <summary>The outcome of a run of the gallery.</summary>
public sealed class GalleryReport
{
    internal GalleryReport(
        IReadOnlyList<GalleryResult> results,
        IReadOnlyList<BadPeer> notTried,
        string? stopped,
        int addressesAsked,
        TimeSpan elapsed)
    {
        Results = results;
        NotTried = notTried;
        Stopped = stopped;
        AddressesAsked = addressesAsked;
        Elapsed = elapsed;
    }

    /// <summary>One result for each bad peer that was tried, in the gallery's order.</summary>
    public IReadOnlyList<GalleryResult> Results { get; }

    /// <summary>The bad peers that were not tried, because the run stopped before.</summary>
    public IReadOnlyList<BadPeer> NotTried { get; }

    /// <summary>Where and why the run stopped before its end; null when it did not.</summary>
    public string? Stopped { get; }

    /// <summary>How long the run took.</summary>
    public TimeSpan Elapsed { get; }

    /// <summary>How often your side asked an address that stood in a bad peer's certificate. It should be zero.</summary>
    public int AddressesAsked { get; }

    /// <summary>The bad peers that were served.</summary>
    public IEnumerable<GalleryResult> WronglyLetIn => Results.Where(result => result.Bad == PeerOutcome.LetIn);

    /// <summary>
    /// The bad peers whose good neighbour was not served before and after, so that the rejection of the bad one proves nothing.
    /// </summary>
    public IEnumerable<GalleryResult> WithoutControl => Results.Where(result => result.Good != PeerOutcome.LetIn);

    /// <summary>The bad peers that were neither served nor seen to be rejected.</summary>
    public IEnumerable<GalleryResult> Unclear => Results.Where(result => result.Bad == PeerOutcome.Unclear);

    /// <summary>Whether every bad peer was tried and refused, every good neighbour served, and no address asked.</summary>
    public bool IsClean =>
        AddressesAsked == 0 && Results.Count > 0 && NotTried.Count == 0 && Stopped is null && Results.All(IsAsItShouldBe);

    /// <summary>The whole report, the findings first; the times are those of the bad peer.</summary>
    public override string ToString()
    {
        var text = new StringBuilder();
        text.AppendLine(
            CultureInfo.InvariantCulture,
            $"{Results.Count} bad peers, {WronglyLetIn.Count()} wrongly let in, {WithoutControl.Count()} without control, {Unclear.Count()} unclear, "
                + $"{NotTried.Count} not tried, {AddressesAsked} addresses asked, {Elapsed.TotalSeconds:0.0} s; "
                + $"processor time {(Results.Any(result => result.ProcessorTime is not null) ? "measured" : "not measured")}");
        if (Stopped is not null)
        {
            text.AppendLine(CultureInfo.InvariantCulture, $"STOPPED    {Stopped}; not tried: {string.Join(", ", NotTried)}");
        }

        foreach (var result in WronglyLetIn)
        {
            text.AppendLine(
                CultureInfo.InvariantCulture,
                $"LET IN     {result.Peer.Name}: {result.Peer.Story} [{result.Peer.Rule}] ({result.Detail}{TimesOf(result)})");
        }

        foreach (var result in WithoutControl)
        {
            text.AppendLine(
                CultureInfo.InvariantCulture, $"NO CONTROL {result.Peer.Name}: its good neighbour was not served ({result.Detail}{TimesOf(result)})");
        }

        foreach (var result in Unclear)
        {
            text.AppendLine(CultureInfo.InvariantCulture, $"UNCLEAR    {result.Peer.Name}: {result.Detail}{TimesOf(result)}");
        }

        foreach (var result in Results.Where(IsAsItShouldBe))
        {
            text.AppendLine(CultureInfo.InvariantCulture, $"refused    {result.Peer.Name} [{result.Peer.Rule}] ({result.Detail}{TimesOf(result)})");
        }

        return text.ToString();
    }

    private static bool IsAsItShouldBe(GalleryResult result) => result is { Bad: PeerOutcome.Refused, Good: PeerOutcome.LetIn };

    private static string TimesOf(GalleryResult result) => string.Create(
        CultureInfo.InvariantCulture,
        $"; {result.Elapsed.TotalSeconds:0.000} s{(result.ProcessorTime is { } spent ? $", processor {spent.TotalSeconds:0.000} s" : string.Empty)}");
}
