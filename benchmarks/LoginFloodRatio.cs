using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using MutualAuth.Credentials;
using MutualAuth.Testing;

namespace MutualAuth.Benchmarks;

/// <summary>
/// How long an honest login takes on an idle server and while others flood it: with wrong passwords by PLAIN, and with SCRAM exchanges that are begun
/// and never finished. Attackers, clients and server share the processors. Each attack comes from an address of its own (127.0.0.0/8) and half of the
/// wrong passwords are for users of their own, so that limits per address and per user do not help; the others are for the honest user.
/// </summary>
internal static class LoginFloodRatio
{
    private const int Rounds = 5;
    private const int LoginsPerRound = 15;
    private const int Attackers = 12;

    private static readonly TimeSpan s_pace = TimeSpan.FromMilliseconds(200);

    internal static async Task PrintAsync()
    {
        using var password = Password.From("correct horse battery staple");
        var (scram, plain) = (Login.WithPassword("alice", password), Login.DangerouslyWithPasswordInPlain("alice", password));
        await PrintAsync("SCRAM login, flood of wrong passwords by PLAIN", scram, new WrongPassword(), password);
        await PrintAsync("PLAIN login, flood of wrong passwords by PLAIN", plain, new WrongPassword(), password);
        await PrintAsync("SCRAM login, flood of half-finished SCRAM exchanges", scram, new HalfFinished(), password);
    }

    private static async Task PrintAsync(string name, ClientCredentials honest, ISaslClientMechanism attack, Password password)
    {
        using var authority = new TestAuthority();
        using var serverCertificate = authority.IssueServer("server.test");
        var store = new MemoryCredentialStore();
        await store.SetAsync("alice", ScramVerifier.Create(password));
        var trust = authority.ToTrustAnchors();
        var server = new MutualTlsServer(new()
        {
            Identity = Identity.From(serverCertificate.Certificate),
            Trust = trust,
            Authorization = Authorize.AnyTrustedPeer,
            Credentials = Require.User(SaslServer.Scram(store), SaslServer.PasswordsInPlain(store)),
        });
        await using var listener = MutualTlsListener.Start(new() { Server = server, EndPoint = new IPEndPoint(IPAddress.Any, 0) });
        _ = AnswerAsync(listener);
        var port = ((IPEndPoint)listener.LocalEndPoint).Port;
        var options = new MutualTlsClientOptions { Identity = ClientIdentity.None, Trust = trust, Authorization = Authorize.ServerName };
        var client = new MutualTlsClient(options with { Credentials = honest });
        var attacker = new MutualTlsClient(options with { Credentials = Login.With(attack), HandshakeTimeout = TimeSpan.FromMinutes(1) });

        // A few, so that everything is compiled and the user has been seen.
        await MeasureAsync(client, port, 5);
        var (idle, flooded) = (new List<double>(), new List<double>());
        var flood = new Flood(attacker, port);
        for (var round = 0; round < Rounds; round++)
        {
            idle.AddRange(await MeasureAsync(client, port, LoginsPerRound));
            await using (await flood.StartAsync())
            {
                flooded.AddRange(await MeasureAsync(client, port, LoginsPerRound));
            }
        }

        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{name}: median {Median(idle):F1} ms idle, {Median(flooded):F1} ms flooded, ratio {Median(flooded) / Median(idle):F2}; {flooded.Count} "
                + $"of {Rounds * LoginsPerRound} honest logins succeeded; {flood}"));
    }

    private static async Task<List<double>> MeasureAsync(MutualTlsClient client, int port, int count)
    {
        var times = new List<double>();
        for (var login = 0; login < count; login++)
        {
            var began = Stopwatch.GetTimestamp();
            await using var connection = await client.ConnectAsync(new IPEndPoint(IPAddress.Loopback, port), "server.test");
            times.Add(Stopwatch.GetElapsedTime(began).TotalMilliseconds);
        }

        return times;
    }

    private static double Median(List<double> values) => values.Order().ElementAt(values.Count / 2);

    private static async Task AnswerAsync(MutualTlsListener listener)
    {
        await foreach (var connection in listener.AcceptAllAsync())
        {
            await connection.DisposeAsync();
        }
    }

    /// <summary>Attackers who each begin an attack at a steady pace, whether or not the last one has ended.</summary>
    private sealed class Flood(MutualTlsClient client, int port)
    {
        private readonly ConcurrentDictionary<string, int> _ends = new();
        private int _attacks;
        private int _mostAtOnce;
        private int _underWay;

        internal async Task<IAsyncDisposable> StartAsync()
        {
            var stop = new CancellationTokenSource();
            var attacking = Enumerable.Range(0, Attackers).Select(_ => AttackAsync(stop.Token)).ToArray();

            // Until as many are under way as the server lets be: those that hold on stay for its deadline of ten seconds.
            await Task.Delay(TimeSpan.FromSeconds(8));
            return new Stopper(stop, Task.WhenAll(attacking));
        }

        public override string ToString() => string.Create(
            CultureInfo.InvariantCulture,
            $"{_attacks} attacks, {_mostAtOnce} at once at most ({string.Join(", ", _ends.Select(end => $"{end.Value} {end.Key}"))})");

        private async Task AttackAsync(CancellationToken cancellationToken)
        {
            var attacks = new List<Task>();
            while (!cancellationToken.IsCancellationRequested)
            {
                attacks.Add(AttackOnceAsync(cancellationToken));
                await Task.Delay(s_pace, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }

            await Task.WhenAll(attacks);
        }

        private async Task AttackOnceAsync(CancellationToken cancellationToken)
        {
            Interlocked.Increment(ref _attacks);
            var underWay = Interlocked.Increment(ref _underWay);
            _mostAtOnce = Math.Max(_mostAtOnce, underWay);
            var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            try
            {
                var octets = RandomNumberGenerator.GetBytes(3);
                socket.Bind(new IPEndPoint(new IPAddress([127, (byte)(octets[0] | 1), octets[1], (byte)(octets[2] | 2)]), 0));
                await socket.ConnectAsync(new IPEndPoint(IPAddress.Loopback, port), cancellationToken);
                await using var connection = await client.UpgradeAsync(socket, "server.test", cancellationToken);
                throw new InvalidOperationException("An attacker was let in.");
            }
            catch (Exception exception) when (exception is HandshakeException or OperationCanceledException or SocketException)
            {
                // What became of an attack is told, so that nobody takes one that failed by itself for one that was borne.
                _ends.AddOrUpdate(
                    (exception as HandshakeException)?.PeerReason?.ToString()
                        ?? (exception as HandshakeException)?.Reason.ToString()
                        ?? exception.GetType().Name,
                    1,
                    (_, count) => count + 1);
                socket.Dispose();
            }
            finally
            {
                Interlocked.Decrement(ref _underWay);
            }
        }

        private sealed class Stopper(CancellationTokenSource stop, Task attacking) : IAsyncDisposable
        {
            public async ValueTask DisposeAsync()
            {
                await stop.CancelAsync();
                await attacking;
                stop.Dispose();
            }
        }
    }

    /// <summary>What both attacks have in common: a first message, and then silence.</summary>
    private abstract class Attack(string name) : ISaslClientMechanism, ISaslClientExchange
    {
        public IEnumerable<string> NamesFor(SaslClientContext context) => [name];

        public ISaslClientExchange Begin(string name, SaslClientContext context) => this;

        public abstract ValueTask<ReadOnlyMemory<byte>?> StartAsync(CancellationToken cancellationToken);

        public async ValueTask<SaslClientStep> StepAsync(ReadOnlyMemory<byte> challenge, CancellationToken cancellationToken)
        {
            await Task.Delay(Timeout.InfiniteTimeSpan, cancellationToken);
            return default;
        }

        public SaslClientEnd Complete(ReadOnlyMemory<byte>? additionalData) => new(null, PeerProofs.None);

        public void Dispose()
        {
        }
    }

    /// <summary>Every second one in the honest user's name, the others in one of their own each.</summary>
    private sealed class WrongPassword() : Attack("PLAIN")
    {
        private int _count;

        public override ValueTask<ReadOnlyMemory<byte>?> StartAsync(CancellationToken cancellationToken)
        {
            var count = Interlocked.Increment(ref _count);
            var user = count % 2 == 0 ? "alice" : string.Create(CultureInfo.InvariantCulture, $"user{count}");
            return ValueTask.FromResult<ReadOnlyMemory<byte>?>(Encoding.UTF8.GetBytes($"\0{user}\0wrong"));
        }
    }

    /// <summary>In the honest user's name, each of them.</summary>
    private sealed class HalfFinished() : Attack("SCRAM-SHA-256-PLUS")
    {
        public override ValueTask<ReadOnlyMemory<byte>?> StartAsync(CancellationToken cancellationToken) =>
            ValueTask.FromResult<ReadOnlyMemory<byte>?>("p=tls-server-end-point,,n=alice,r=rOprNGfwEbeRWgbNEkqO"u8.ToArray());
    }
}
