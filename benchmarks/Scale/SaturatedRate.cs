using System.Globalization;
using MutualAuth.Benchmarks.Compare;
using MutualAuth.Testing;

namespace MutualAuth.Benchmarks.Scale;

/// <summary>
/// Handshakes per second of a server at its limit, ours beside the floor, in turns: each server has one processor to itself, and a client that costs
/// less than they do has the other.
/// </summary>
internal static class SaturatedRate
{
    private const int AtOnce = 32;

    internal static async Task RunAsync(bool isSmall)
    {
        var (rounds, seconds) = isSmall ? (2, 1) : (9, 4);
        var scenario = new Scenario("1.3", KeyAlgorithm.EcdsaP256);
        using var materials = new Materials(scenario.Keys);
        if (NativePeers.BuildGoClient(materials.Directory, Console.Out) is not { } program)
        {
            return;
        }

        await using var client = await ChildProcess.StartAsync(0, program, materials.Directory);
        await using var floor = await StartAsync(nameof(PlainStyle.Floor));
        await using var ours = await StartAsync("Ours");
        var ratios = new List<double>();
        var rates = (Floor: new List<double>(), Ours: new List<double>());
        var busy = new List<double>();
        await MeasureAsync(floor);
        await MeasureAsync(ours);
        for (var round = 0; round < rounds; round++)
        {
            // Whoever is first is the other each time.
            var (first, second) = round % 2 == 0 ? (floor, ours) : (ours, floor);
            var (one, other) = (await MeasureAsync(first), await MeasureAsync(second));
            var (plain, with) = round % 2 == 0 ? (one, other) : (other, one);
            rates.Floor.Add(plain.Rate);
            rates.Ours.Add(with.Rate);
            ratios.Add(with.Rate / plain.Rate);
            busy.Add(with.Busy);
        }

        ratios.Sort();
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"a server at its limit, {AtOnce} clients at once: the floor {Median(rates.Floor):F0} handshakes a second, ours {Median(rates.Ours):F0}, "
                + $"which is {ratios[rounds / 2]:F2} of it (median of {rounds} turns, {ratios[rounds / 4]:F2}-{ratios[rounds * 3 / 4]:F2}); ours "
                + $"uses {Median(busy):P0} of its processor"));

        Task<ChildProcess> StartAsync(string kind) => ChildProcess.StartSelfAsync(
            1, "compare-server", kind, materials.Directory, scenario.Tls, scenario.Keys.ToString());

        async Task<(double Rate, double Busy)> MeasureAsync(ChildProcess server)
        {
            var before = (await server.AskAsync("usage"))[0];
            var answer = await client.AskAsync($"rate {server.Port} {seconds} {AtOnce}");
            return (answer[0] * 1e9 / answer[1], (double)((await server.AskAsync("usage"))[0] - before) / answer[1]);
        }
    }

    private static double Median(List<double> values) => values.Order().ElementAt(values.Count / 2);
}
