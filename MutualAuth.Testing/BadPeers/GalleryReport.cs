using System.Globalization;
using System.Text;

namespace MutualAuth.Testing.BadPeers;

/// <summary>The outcome of a run of the gallery.</summary>
public sealed class GalleryReport
{
    internal GalleryReport(IReadOnlyList<GalleryResult> results, int addressesAsked)
    {
        Results = results;
        AddressesAsked = addressesAsked;
    }

    /// <summary>One result for each bad peer that was tried, in the gallery's order.</summary>
    public IReadOnlyList<GalleryResult> Results { get; }

    /// <summary>How often your side asked an address that stood in a bad peer's certificate. It should be zero.</summary>
    public int AddressesAsked { get; }

    /// <summary>The bad peers that were served.</summary>
    public IEnumerable<GalleryResult> WronglyLetIn => Results.Where(result => result.Bad == PeerOutcome.LetIn);

    /// <summary>The bad peers whose good neighbour was not served, so that the rejection of the bad one proves nothing.</summary>
    public IEnumerable<GalleryResult> WithoutControl => Results.Where(result => result.Good != PeerOutcome.LetIn);

    /// <summary>The bad peers that were neither served nor rejected in time.</summary>
    public IEnumerable<GalleryResult> Unclear => Results.Where(result => result.Bad == PeerOutcome.Unclear);

    /// <summary>Whether every bad peer was refused, every good neighbour served, and no address asked.</summary>
    public bool IsClean =>
        AddressesAsked == 0 && Results.Count > 0 && Results.All(result => result is { Bad: PeerOutcome.Refused, Good: PeerOutcome.LetIn });

    /// <summary>The whole report, the findings first.</summary>
    public override string ToString()
    {
        var text = new StringBuilder();
        text.AppendLine(
            CultureInfo.InvariantCulture,
            $"{Results.Count} bad peers, {WronglyLetIn.Count()} wrongly let in, {WithoutControl.Count()} without control, {Unclear.Count()} unclear, "
                + $"{AddressesAsked} addresses asked");
        foreach (var result in WronglyLetIn)
        {
            text.AppendLine(CultureInfo.InvariantCulture, $"LET IN     {result.Peer.Name}: {result.Peer.Story} [{result.Peer.Rule}]");
        }

        foreach (var result in WithoutControl)
        {
            text.AppendLine(CultureInfo.InvariantCulture, $"NO CONTROL {result.Peer.Name}: its good neighbour was not served ({result.Detail})");
        }

        foreach (var result in Unclear)
        {
            text.AppendLine(CultureInfo.InvariantCulture, $"UNCLEAR    {result.Peer.Name}: {result.Detail}");
        }

        foreach (var result in Results.Where(result => result is { Bad: PeerOutcome.Refused, Good: PeerOutcome.LetIn }))
        {
            text.AppendLine(CultureInfo.InvariantCulture, $"refused    {result.Peer.Name} ({result.Detail})");
        }

        return text.ToString();
    }
}
