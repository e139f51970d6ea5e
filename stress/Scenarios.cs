using MutualAuth.Stress.Closing;
using MutualAuth.Stress.Lives;
using MutualAuth.Stress.Strangers;
using MutualAuth.Stress.Users;

namespace MutualAuth.Stress;

/// <summary>All scenarios, in the order in which <c>all</c> runs them.</summary>
internal static class Scenarios
{
    internal static IReadOnlyList<Scenario> All { get; } =
    [
        Control.Scenario,
        .. from way in Enum.GetValues<Way>() from load in new[] { Load.Writes, Load.Reads, Load.Both } select CloseUnderLoad.Scenario(way, load),
        CutHandshakes.Scenario,
        RandomCancels.Scenario,
        StopAgainstConnect.Scenario,
        RejudgeAgainstDispose.Scenario,
        SwapsUnderLoad.Scenario,
        ThrowingObservers.Scenario,
        ManyConnections.Scenario,
        new UsersStorm("file").Scenario,
        new UsersStorm("sqlite").Scenario,
        Descriptors.ThrowingLog,
        new Flood("hello", 1).Scenario(
            "strangers-hellos-one-address", "complete hellos and silence: 5,000 sockets of one address and 300 new ones a second"),
        new Flood("hello", 50).Scenario("strangers-hellos-50-addresses", "the same from 50 addresses"),
        new Flood("hello", 50) { RoundTrip = 200 }.Scenario("strangers-hellos-far-client", "the same, with an honest client that is 200 ms away"),
        new Flood("foreign", 50) { Leash = 0.5 }.Scenario(
            "strangers-foreign-certificates", "foreign certificates that finish TLS and are silent, on half a processor"),
        new Flood("tls11", 50) { MostKept = 256 }.Scenario("strangers-tls11", "hellos of TLS 1.1: refused, and they do not close"),
        new Flood("login", 50) { Leash = 0.5, ServerKind = "login" }.Scenario(
            "strangers-logins", "logins that are begun and not finished, on half a processor"),
        new Flood("hello", 50) { ServerKind = "kestrel" }.Scenario(
            "strangers-kestrel", "complete hellos and silence from 50 addresses, against Kestrel over the listener"),
        FiniteField.Scenario,
        Descriptors.Thousand,
        Descriptors.Few,
    ];

    internal static Scenario Named(string name) =>
        All.FirstOrDefault(scenario => scenario.Name == name) ?? throw new ArgumentException($"There is no scenario '{name}'; 'list' names them.");
}
