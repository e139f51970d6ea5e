using System.Diagnostics;
using System.Globalization;
using MutualAuth.Testing;

namespace MutualAuth.Benchmarks;

/// <summary>
/// Prints, from one run, what a verdict costs in ratio to the platform's. The best of many short rounds, since the machine is never quiet.
/// </summary>
internal static class PathRatios
{
    private const int Rounds = 15;
    private const int PerRound = 64;

    internal static void Print()
    {
        Console.WriteLine("leaf + intermediate + anchor, from DER to verdict; microseconds, best of many rounds");
        Console.WriteLine("                       platform    cold  ratio    warm  ratio   parse");
        foreach (var algorithm in new[] { KeyAlgorithm.EcdsaP256, KeyAlgorithm.EcdsaP384, KeyAlgorithm.Rsa2048 })
        {
            Print($"{algorithm}", algorithm, 1);
        }

        foreach (var anchors in new[] { 100, 10_000 })
        {
            Print($"EcdsaP256, {anchors} anchors", KeyAlgorithm.EcdsaP256, anchors);
        }
    }

    private static void Print(string name, KeyAlgorithm algorithm, int anchors)
    {
        using var material = new PathMaterial(algorithm, anchors);
        var (platform, cold, warm, parse) = Measure(material);
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{name,-22} {platform,8:F0} {cold,7:F0} {cold / platform,6:F2} {warm,7:F0} {warm / platform,6:F2} {parse,7:F1}"));
    }

    private static (double Platform, double Cold, double Warm, double Parse) Measure(PathMaterial material)
    {
        // In turns, so that a noisy neighbour hits all alike.
        var best = (Platform: double.MaxValue, Cold: double.MaxValue, Warm: double.MaxValue, Parse: double.MaxValue);
        for (var round = 0; round < Rounds; round++)
        {
            best = (
                Math.Min(best.Platform, Time(material.Platform)),
                Math.Min(best.Cold, Time(material.Cold)),
                Math.Min(best.Warm, Time(material.Warm)),
                Math.Min(best.Parse, Time(material.Parse)));
        }

        return best;
    }

    private static double Time(Func<bool> action)
    {
        var clock = Stopwatch.StartNew();
        for (var i = 0; i < PerRound; i++)
        {
            if (!action())
            {
                throw new InvalidOperationException("A path that is valid was not found.");
            }
        }

        return clock.Elapsed.TotalMicroseconds / PerRound;
    }
}
