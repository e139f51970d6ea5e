using System.Diagnostics;
using Microsoft.Extensions.Logging;
using MutualAuth.Paths;
using MutualAuth.Reloading;
using MutualAuth.Revalidation;
using MutualAuth.Revocation;
using MutualAuth.Testing;
using MutualAuth.Validation;

namespace MutualAuth.Benchmarks;

/// <summary>
/// How long it takes until 100,000 registered connections are judged by new rules: after one more revoked serial number, after lists that concern
/// everybody, and after a change of trust. The registry, the rules and the certificates are real; the connections have no sockets.
/// </summary>
internal static class RejudgeTimes
{
    private const int Connections = 100_000;
    private const int Rounds = 5;

    internal static async Task PrintAsync()
    {
        using var root = new TestAuthority("Root");
        using var issuing = root.IssueIntermediate("Issuing");
        using var identity = issuing.IssueServer("server.test");
        var lists = new ListSource(RevocationLists.FromDer(root.IssueCrl().Raw, issuing.IssueCrl().Raw));
        var trust = new TrustSource(root.ToTrustAnchors());
        var walks = new WalkLog();
        var options = new MutualTlsServerOptions
        {
            Identity = Identity.From(identity.Certificate, identity.Chain),
            Trust = trust,
            Authorization = Authorize.AnyTrustedPeer,
            Revocation = new RevocationPolicy { Lists = lists },
            LoggerFactory = walks,
        };
        var stage = new CertificateStage(options);
        var registry = new ConnectionRevalidator(stage, options, new RevalidationPolicy(), PeerRole.Server);

        var clock = Stopwatch.StartNew();
        var memory = GC.GetTotalMemory(forceFullCollection: true);
        var connections = BareConnection.Of(Connections, issuing, stage);

        Say(
            $"{Connections:N0} certificates issued and judged in {clock.Elapsed.TotalSeconds:F1} s, "
                + $"{(GC.GetTotalMemory(forceFullCollection: true) - memory) / Connections:N0} octets each");
        memory = GC.GetTotalMemory(forceFullCollection: true);
        clock.Restart();
        foreach (var connection in connections)
        {
            using var ticket = registry.Begin();
            ticket.Register(connection, null);
        }

        var perConnection = clock.Elapsed.TotalMicroseconds / Connections;
        Say($"registered in {perConnection:F2} us each, {(GC.GetTotalMemory(forceFullCollection: true) - memory) / Connections:N0} octets each");

        await OneSerialAsync(root, issuing, lists, walks, connections);
        await EverybodyAsync(
            "lists that concern everybody (none were checked before)",
            () => lists.Replace(RevocationLists.DangerouslyUnchecked),
            () => lists.Replace(RevocationLists.FromDer(root.IssueCrl().Raw, issuing.IssueCrl().Raw)),
            walks);
        await EverybodyAsync("a change of trust", null, trust.SayReplaced, walks);
        Say($"{registry.Count:N0} are left");
    }

    private static async Task OneSerialAsync(TestAuthority root, TestAuthority issuing, ListSource lists, WalkLog walks, BareConnection[] connections)
    {
        var (times, judged) = (new List<double>(), 0);
        for (var round = 0; round < Rounds; round++)
        {
            var victim = connections[(round * 17_389) + 1];
            issuing.Revoke(new System.Numerics.BigInteger(victim.Peer.Certificate!.Serial.Span, isUnsigned: true, isBigEndian: true));
            var next = RevocationLists.FromDer(root.IssueCrl().Raw, issuing.IssueCrl().Raw);
            var clock = Stopwatch.StartNew();
            lists.Replace(next);
            await victim.Ended.WaitAsync(TimeSpan.FromMinutes(1));
            times.Add(clock.Elapsed.TotalMilliseconds);
            judged = Math.Max(judged, await walks.NextAsync());
        }

        Say(
            $"one revoked serial number: its connection ended after {Median(times):F1} ms (median of {Rounds}, worst {times.Max():F1}); {judged} "
                + "judged again");
    }

    private static async Task EverybodyAsync(string what, Action? before, Action change, WalkLog walks)
    {
        var (times, judged) = (new List<double>(), 0);
        for (var round = 0; round < 3; round++)
        {
            if (before is not null)
            {
                before();
                await walks.NextAsync();
            }

            var clock = Stopwatch.StartNew();
            change();
            judged = await walks.NextAsync();
            times.Add(clock.Elapsed.TotalSeconds);
        }

        Say(
            $"{what}: {judged:N0} judged again in {Median(times):F2} s (median of 3), {Median(times) * 1e6 / judged:F1} us each, on "
                + $"{Math.Max(1, Environment.ProcessorCount / 2)} of {Environment.ProcessorCount} processors");
    }

    private static double Median(List<double> values) => values.Order().ElementAt(values.Count / 2);

    // The invariant culture is the only one here: InvariantGlobalization.
    private static void Say(string text) => Console.WriteLine(text);

    private sealed class ListSource(RevocationLists first) : IRevocationListSource, IReloadable
    {
        public event EventHandler? Replaced;

        public RevocationLists Current { get; private set; } = first;

        internal void Replace(RevocationLists next)
        {
            Current = next;
            Replaced?.Invoke(this, EventArgs.Empty);
        }
    }

    private sealed class TrustSource(TrustAnchors anchors) : ITrustAnchorSource, IReloadable
    {
        public event EventHandler? Replaced;

        public TrustAnchors Current { get; } = anchors;

        internal void SayReplaced() => Replaced?.Invoke(this, EventArgs.Empty);
    }

    /// <summary>Waits for the event that says how many were judged again.</summary>
    private sealed class WalkLog : ILoggerFactory, ILogger
    {
        private readonly System.Threading.Channels.Channel<int> _judged = System.Threading.Channels.Channel.CreateUnbounded<int>();

        internal async Task<int> NextAsync() => await _judged.Reader.ReadAsync().AsTask().WaitAsync(TimeSpan.FromMinutes(5));

        public ILogger CreateLogger(string categoryName) => this;

        public void AddProvider(ILoggerProvider provider) => throw new NotSupportedException();

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel == LogLevel.Information;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (eventId.Id == 1452)
            {
                _judged.Writer.TryWrite((int)((IReadOnlyList<KeyValuePair<string, object?>>)state!).First(value => value.Key == "Judged").Value!);
            }
        }

        public void Dispose()
        {
        }
    }
}
