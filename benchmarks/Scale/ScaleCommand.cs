using System.Globalization;
using MutualAuth.Benchmarks.Compare;
using MutualAuth.Testing;

namespace MutualAuth.Benchmarks.Scale;

/// <summary>
/// What many of something cost: idle connections, peers that stall, trust anchors, pins, revoked serials, live connections, live logins.
/// </summary>
internal static class ScaleCommand
{
    internal static async Task RunAsync(string[] arguments)
    {
        var isSmall = arguments.Contains("--small");
        await IdleAsync(isSmall);
        await SaturatedRate.RunAsync(isSmall);
        await AcceptUnderLoad.RunAsync(isSmall ? 50 : 5_000, isSmall ? 5 : 200);
        await RateBySize.RunAsync(isSmall);
        await LiveLogins.RunAsync(isSmall);
    }

    /// <summary>Server and client each in a process of its own, so that each has descriptors enough.</summary>
    internal static async Task IdleAsync(bool isSmall)
    {
        // Each process has 20,000 descriptors here.
        var count = isSmall ? 100 : 15_000;
        var scenario = new Scenario("1.3", KeyAlgorithm.EcdsaP256);
        using var materials = new Materials(scenario.Keys);
        foreach (var kind in new[] { nameof(PlainStyle.Floor), "Ours" })
        {
            await using var server = await ChildProcess.StartSelfAsync(
                1, "compare-server", kind, materials.Directory, scenario.Tls, scenario.Keys.ToString());
            await using var client = await ChildProcess.StartSelfAsync(
                0, "compare-client", materials.Directory, scenario.Tls, scenario.Keys.ToString());
            await client.AskAsync($"handshakes {kind} {server.Port} {Math.Min(count, 500)} 0");
            await server.AskAsync("collect");
            var (serverBefore, clientBefore) = (server.ResidentBytes, client.ResidentBytes);
            await client.AskAsync($"hold {kind} {server.Port} {count} 0");
            await server.AskAsync("collect");
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{count} idle connections, {kind,-6} resident bytes each: server {(server.ResidentBytes - serverBefore) / count:N0}, client "
                    + $"{(client.ResidentBytes - clientBefore) / count:N0}"));
        }
    }
}
