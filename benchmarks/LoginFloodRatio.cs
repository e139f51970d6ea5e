using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using MutualAuth.Certificates;
using MutualAuth.Credentials;
using MutualAuth.Errors;
using MutualAuth.Testing;
using MutualAuth.Trust;
using MutualAuth.Validation;

namespace MutualAuth.Benchmarks;

/// <summary>
/// How long an honest login takes on an idle server and while others flood it: with wrong passwords by PLAIN, and with SCRAM exchanges that are begun and
/// never finished. Attackers, clients and server share the processors. Each attack comes from an address of its own (127.0.0.0/8), so that limits per address
/// do not help; half of the wrong passwords are for the honest user's own name.
/// </summary>
internal static class LoginFloodRatio
{
    private const int Rounds = 5;
    private const int LoginsPerRound = 15;
    private const int Attackers = 10;

    private static readonly TimeSpan s_pace = TimeSpan.FromMilliseconds(250);

    internal static async Task PrintAsync()
    {
        using var authority = new TestAuthority();
        using var serverCertificate = authority.IssueServer("server.test");
        using var password = Password.From("correct horse battery staple");
        var store = new MemoryCredentialStore();
        await store.SetAsync("alice", ScramVerifier.Create(password));
        var server = new MutualTlsServer(new()
        {
            Identity = Identity.From(serverCertificate.Certificate),
            Trust = TrustAnchors.From(authority.AsTrustAnchors),
            Authorization = Authorize.AnyTrustedPeer,
            Credentials = Require.User(SaslServer.Scram(store), SaslServer.PasswordsInPlain(store)),
        });
        await using var listener = MutualTlsListener.Start(new() { Server = server, EndPoint = new IPEndPoint(IPAddress.Any, 0) });
        _ = AnswerAsync(listener);
        var port = ((IPEndPoint)listener.LocalEndPoint).Port;
        var options = new MutualTlsClientOptions
        {
            Identity = ClientIdentity.None,
            Trust = TrustAnchors.From(authority.AsTrustAnchors),
            Authorization = Authorize.ServerName,
        };
        var scram = new MutualTlsClient(options with { Credentials = Login.WithPassword("alice", password) });
        var plain = new MutualTlsClient(options with { Credentials = Login.DangerouslyWithPasswordInPlain("alice", password) });
        using var wrong = Password.From("wrong");
        MutualTlsClient[] wrongPasswords =
        [
            new(options with { Credentials = Login.DangerouslyWithPasswordInPlain("alice", wrong) }),
            new(options with { Credentials = Login.DangerouslyWithPasswordInPlain("nobody", wrong) }),
        ];
        MutualTlsClient[] halfFinished = [new(options with { Credentials = Login.With(new HalfFinished()), HandshakeTimeout = TimeSpan.FromMinutes(1) })];

        // Once each, so that everything is compiled and the user has been seen.
        await MeasureAsync(scram, port, 3);
        await MeasureAsync(plain, port, 3);
        await PrintAsync("SCRAM login, flood of wrong passwords by PLAIN", scram, wrongPasswords, port, hold: false);
        await PrintAsync("PLAIN login, flood of wrong passwords by PLAIN", plain, wrongPasswords, port, hold: false);
        await PrintAsync("SCRAM login, flood of half-finished SCRAM exchanges", scram, halfFinished, port, hold: true);
    }

    private static async Task PrintAsync(string name, MutualTlsClient honest, MutualTlsClient[] attackers, int port, bool hold)
    {
        var (idle, flooded) = (new List<double>(), new List<double>());
        var flood = new Flood(attackers, port, hold);
        for (var round = 0; round < Rounds; round++)
        {
            idle.AddRange(await MeasureAsync(honest, port, LoginsPerRound));
            await using (await flood.StartAsync())
            {
                flooded.AddRange(await MeasureAsync(honest, port, LoginsPerRound));
            }
        }

        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{name}: median {Median(idle):F1} ms idle, {Median(flooded):F1} ms flooded, ratio {Median(flooded) / Median(idle):F2}; {flooded.Count} of {Rounds * LoginsPerRound} honest logins succeeded; {flood}"));
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
    private sealed class Flood(MutualTlsClient[] clients, int port, bool hold)
    {
        private int _attacks;
        private int _mostAtOnce;
        private int _underWay;

        internal async Task<IAsyncDisposable> StartAsync()
        {
            var stop = new CancellationTokenSource();
            var attacking = Enumerable.Range(0, Attackers).Select(number => AttackAsync(number, stop.Token)).ToArray();

            // Those that hold on pile up for as long as the server lets them; the others only need to have begun.
            await Task.Delay(hold ? TimeSpan.FromSeconds(6) : TimeSpan.FromSeconds(1));
            return new Stopper(stop, Task.WhenAll(attacking));
        }

        public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{_attacks} attacks, {_mostAtOnce} at once at most");

        private async Task AttackAsync(int number, CancellationToken cancellationToken)
        {
            var attacks = new List<Task>();
            for (var at = number; !cancellationToken.IsCancellationRequested; at++)
            {
                attacks.Add(AttackOnceAsync(clients[at % clients.Length], cancellationToken));
                await Task.Delay(hold ? s_pace / 3 : s_pace, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }

            await Task.WhenAll(attacks);
        }

        private async Task AttackOnceAsync(MutualTlsClient client, CancellationToken cancellationToken)
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

    /// <summary>Begins a SCRAM exchange in the honest user's name, and says no more.</summary>
    private sealed class HalfFinished : ISaslClientMechanism, ISaslClientExchange
    {
        public IEnumerable<string> NamesFor(SaslClientContext context) => ["SCRAM-SHA-256-PLUS"];

        public ISaslClientExchange Begin(string name, SaslClientContext context) => this;

        public ValueTask<ReadOnlyMemory<byte>?> StartAsync(CancellationToken cancellationToken) =>
            ValueTask.FromResult<ReadOnlyMemory<byte>?>("p=tls-server-end-point,,n=alice,r=rOprNGfwEbeRWgbNEkqO"u8.ToArray());

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
}
