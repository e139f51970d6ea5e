using System.Globalization;
using MutualAuth.Stress.Roles;

namespace MutualAuth.Stress.Strangers;

/// <summary>What an honest client says that it met.</summary>
/// <param name="Count">How often it succeeded.</param>
/// <param name="Failed">How often not.</param>
/// <param name="Median">In milliseconds.</param>
/// <param name="Worst">The 99th of a hundred, in milliseconds.</param>
/// <param name="Longest">In milliseconds.</param>
/// <param name="Why">Why it failed last.</param>
internal sealed record Times(int Count, int Failed, double Median, double Worst, double Longest, string Why)
{
    internal static Times Of(string[] words) => new(
        Lines.Number(words[0]), Lines.Number(words[1]), Lines.Seconds(words[2]), Lines.Seconds(words[3]), Lines.Seconds(words[4]), words[5]);

    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture, $"median {Median:F1} p99 {Worst:F1} ms{(Failed == 0 ? "" : $" refused {Failed} for {Why}")}");
}
