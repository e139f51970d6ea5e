using System.Diagnostics;
using System.Globalization;
using System.Net;
using Microsoft.Extensions.Logging;
using MutualAuth.Authorization;
using MutualAuth.Benchmarks.Parts;
using MutualAuth.Names;
using MutualAuth.Paths;
using MutualAuth.Pinning;
using MutualAuth.Reloading;
using MutualAuth.Revalidation;
using MutualAuth.Revocation;
using MutualAuth.Testing;
using MutualAuth.Trust;
using MutualAuth.Validation;

namespace MutualAuth.Benchmarks;

/// <summary>
/// How long it takes until 100,000 registered connections are judged by new rules: after one more revoked serial number, after lists that concern
/// everybody, after a change of trust, and after a change of everything at once. The registry, the rules and the certificates are real; the
/// connections have no sockets.
/// </summary>
internal static class RejudgeTimes
{
    private const int Rounds = 5;
    private const string OldPolicy = "1.3.6.1.4.1.99999.1";
    private const string NewPolicy = "1.3.6.1.4.1.99999.2";

    /// <param name="isSmall">Only shows that it runs.</param>
    internal static async Task PrintAsync(bool isSmall)
    {
        var count = isSmall ? 2_000 : 100_000;
        await PartsAsync(count);
        await EverythingAsync(count);
    }

    private static async Task PartsAsync(int count)
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
        var connections = BareConnection.Of(count, issuing, stage);

        Say(
            $"{count:N0} certificates issued and judged in {clock.Elapsed.TotalSeconds:F1} s, "
                + $"{(GC.GetTotalMemory(forceFullCollection: true) - memory) / count:N0} octets each");
        memory = GC.GetTotalMemory(forceFullCollection: true);
        clock.Restart();
        foreach (var connection in connections)
        {
            using var ticket = registry.Begin();
            ticket.Register(connection, null);
        }

        var perConnection = clock.Elapsed.TotalMicroseconds / count;
        Say($"registered in {perConnection:F2} us each, {(GC.GetTotalMemory(forceFullCollection: true) - memory) / count:N0} octets each");

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
            var victim = connections[(round * 17_389 % connections.Length) + 1];
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
                + $"{Environment.ProcessorCount} processors");
    }

    /// <summary>
    /// Trust, revocation lists, the deny list, pins, the policy that is asked for and all names are replaced, one after the other and without a
    /// pause; meanwhile somebody connects, again and again.
    /// </summary>
    private static async Task EverythingAsync(int count)
    {
        using var root = new TestAuthority("Root");
        using var other = new TestAuthority("Other root");
        using var issuing = root.IssueIntermediate("Issuing", spec => spec with { Policies = [OldPolicy, NewPolicy] });
        using var identity = issuing.IssueServer("server.test");
        var trust = new ReplaceableTrustAnchors(root.ToTrustAnchors());
        var lists = new ReplaceableRevocationLists(RevocationLists.FromDer(root.IssueCrl().Raw, issuing.IssueCrl().Raw));
        var pins = new ReplaceablePins(Pins(root));
        var denied = new ReplaceableDenyList(DenyList.Empty);
        var rules = new ReplaceableAuthorization(Rules(OldPolicy, count));
        var walks = new WalkLog();
        var server = new MutualTlsServer(new()
        {
            Identity = Identity.From(identity.Certificate, identity.Chain),
            Trust = trust,
            Authorization = Authorize.From(rules),
            Pins = pins,
            DenyList = denied,
            Revocation = new RevocationPolicy { Lists = lists },
            LoggerFactory = walks,
        });
        var connections = BareConnection.Of(count, issuing, new CertificateStage(server.Options), OldPolicy, NewPolicy);
        foreach (var connection in connections)
        {
            using var ticket = server.Live.Begin();
            ticket.Register(connection, null);
        }

        using var honest = issuing.Issue(spec => spec with { DnsNames = [BareConnection.NameOf(0)], Policies = [OldPolicy, NewPolicy] });
        await using var listener = MutualTlsListener.Start(new() { Server = server, EndPoint = new IPEndPoint(IPAddress.Loopback, 0) });
        var client = new MutualTlsClient(
            new()
            {
                Identity = Identity.From(honest.Certificate, honest.Chain),
                Trust = root.ToTrustAnchors(),
                Authorization = Authorize.ServerName,
            });
        var (accepting, alone) = (AcceptAsync(listener), new List<double>());
        for (var tries = 0; tries < 100; tries++)
        {
            alone.Add(await ConnectAsync(client, listener));
        }

        var (times, processor, meanwhile, judged, allocated) = (new List<double>(), new List<double>(), new List<double>(), 0, 0L);
        for (var round = 0; round < 2 * Rounds; round++)
        {
            var next = (Trust: round % 2 == 0 ? TrustAnchors.Together(root.ToTrustAnchors(), other.ToTrustAnchors()) : root.ToTrustAnchors(),
                Lists: RevocationLists.FromDer(root.IssueCrl().Raw, issuing.IssueCrl().Raw),
                Pins: Pins(root),
                Denied: DenyList.Of(DenyEntry.Parse(string.Create(CultureInfo.InvariantCulture, $"serial {round + 1:X2}00"))),
                Rules: Rules(round % 2 == 0 ? NewPolicy : OldPolicy, count));
            GC.Collect();
            var isWithClient = round >= Rounds;
            var (before, octets, clock) = (Environment.CpuUsage.TotalTime, GC.GetTotalAllocatedBytes(), Stopwatch.StartNew());
            trust.Replace(next.Trust);
            lists.Replace(next.Lists);
            pins.Replace(next.Pins);
            denied.Replace(next.Denied);
            rules.Replace(next.Rules);
            var ending = walks.IdleAsync(server.Live);
            while (isWithClient && !ending.IsCompleted)
            {
                meanwhile.Add(await ConnectAsync(client, listener));
            }

            judged = Math.Max(judged, await ending);
            if (!isWithClient)
            {
                times.Add(clock.Elapsed.TotalMilliseconds);
                allocated = (GC.GetTotalAllocatedBytes() - octets) / judged;
                processor.Add((Environment.CpuUsage.TotalTime - before).TotalMilliseconds);
            }
        }

        if (Array.Exists(connections, connection => connection.Ended.IsCompleted))
        {
            throw new InvalidOperationException("A peer that every rule accepts was ended.");
        }

        Say(
            $"everything changed (trust, lists, deny list, pins, policy, {count:N0} names): {judged:N0} judgements, {Median(times):F0} ms (median of "
                + $"{Rounds}, best {times.Min():F0}, worst {times.Max():F0}), {Median(processor):F0} ms of processor time, {allocated:N0} octets "
                + "allocated for each judgement, on "
                + $"{Environment.ProcessorCount} processors");
        Say(
            $"a handshake, both ends in this process: alone median {Median(alone):F1} ms, worst {alone.Max():F1}; meanwhile median "
                + $"{Median(meanwhile):F1} ms, worst {meanwhile.Max():F1} of {meanwhile.Count}");
        await listener.DisposeAsync();
        await accepting;
    }

    private static PinSet Pins(TestAuthority root) => PinSet.Of(SpkiPin.Of(root.Certificate), PinBenchmarks.Pin(0));

    private static AuthorizationRule Rules(string policy, int count) => Authorize.AllOf(
        Authorize.Policy(policy),
        Authorize.AnyOf(Enumerable.Range(0, count).Select(number => Authorize.Dns(BareConnection.NameOf(number)))));

    private static async Task AcceptAsync(MutualTlsListener listener)
    {
        await foreach (var connection in listener.AcceptAllAsync())
        {
            await connection.DisposeAsync();
        }
    }

    private static async Task<double> ConnectAsync(MutualTlsClient client, MutualTlsListener listener)
    {
        var clock = Stopwatch.StartNew();
        await using var connection = await client.ConnectAsync(listener.LocalEndPoint, "server.test");
        return clock.Elapsed.TotalMilliseconds;
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

    /// <summary>Waits for the events that say how many were judged again.</summary>
    private sealed class WalkLog : ILoggerFactory, ILogger
    {
        private readonly System.Threading.Channels.Channel<int> _judged = System.Threading.Channels.Channel.CreateUnbounded<int>();

        internal async Task<int> NextAsync() => await _judged.Reader.ReadAsync().AsTask().WaitAsync(TimeSpan.FromMinutes(5));

        /// <summary>How many were judged, once the registry has nothing left to do.</summary>
        internal async Task<int> IdleAsync(ConnectionRevalidator registry)
        {
            await registry.Walking.WaitAsync(TimeSpan.FromMinutes(5));
            var judged = 0;
            while (_judged.Reader.TryRead(out var some))
            {
                judged += some;
            }

            return judged;
        }

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
