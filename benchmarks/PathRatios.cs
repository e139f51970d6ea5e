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
        WarmUp();
        Console.WriteLine("leaf + intermediate + anchor, from DER to verdict; microseconds, best of many rounds");
        Console.WriteLine("                       platform    cold  ratio new leaf  ratio    warm  ratio   parse signatures");
        foreach (var algorithm in new[]
        {
            KeyAlgorithm.EcdsaP256, KeyAlgorithm.EcdsaP384, KeyAlgorithm.EcdsaP521, KeyAlgorithm.Rsa2048, KeyAlgorithm.Rsa3072, KeyAlgorithm.Rsa4096,
        })
        {
            Print($"{algorithm}", algorithm, 1);
        }

        foreach (var anchors in new[] { 100, 10_000 })
        {
            Print($"EcdsaP256, {anchors} anchors", KeyAlgorithm.EcdsaP256, anchors);
        }
    }

    /// <summary>The runtime compiles once more what is used often, after a pause: no algorithm is to be measured with its compiler.</summary>
    private static void WarmUp()
    {
        using var material = new PathMaterial(KeyAlgorithm.EcdsaP256);
        for (var pause = 0; pause < 10; pause++)
        {
            Measure(WaysOf(material));
            Thread.Sleep(200);
        }
    }

    private static Func<bool>[] WaysOf(PathMaterial material) =>
        [material.Platform, material.Cold, material.NewLeaf, material.Warm, material.Parse, material.Signatures];

    private static void Print(string name, KeyAlgorithm algorithm, int anchors)
    {
        using var material = new PathMaterial(algorithm, anchors);
        var best = Measure(WaysOf(material));
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{name,-22} {best[0],8:F0} {best[1],7:F0} {best[1] / best[0],6:F2} {best[2],8:F0} {best[2] / best[0],6:F2} {best[3],7:F0} "
                + $"{best[3] / best[0],6:F2} {best[4],7:F1} {best[5],10:F0}"));
    }

    private static double[] Measure(Func<bool>[] ways)
    {
        // In turns, so that a noisy neighbour hits all alike.
        var best = Array.ConvertAll(ways, _ => double.MaxValue);
        for (var round = 0; round < Rounds; round++)
        {
            for (var way = 0; way < ways.Length; way++)
            {
                best[way] = Math.Min(best[way], Time(ways[way]));
            }
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
