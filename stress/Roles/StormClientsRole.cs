using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Threading.Channels;
using MutualAuth.Credentials;
using MutualAuth.Stress.Users;

namespace MutualAuth.Stress.Roles;

/// <summary>
/// The clients of all users, one connection each: <c>storm-clients FOLDER PORT</c>. <c>login VERSION NAMES</c> has users log in with that password,
/// and <c>guess VERSION NAMES</c> has strangers try it, who must not come in; both are answered at once. <c>news</c> is answered with what has
/// happened since the last question: <c>in:NAME</c>, <c>failed:NAME=REASON</c>, <c>out:NAME</c>, <c>refused:NAME=REASON</c>, <c>guessed:NAME</c>.
/// <c>steady</c> begins logins that must succeed, one after the other; <c>rest</c> ends them and is answered as the honest client answers.
/// <c>echo SECONDS</c> is answered with how many connections are open, and how many of them do not answer.
/// </summary>
internal sealed class StormClientsRole : IDisposable
{
    private const int AtOnce = 12;
    internal const int SteadyUsers = 8;
    private static readonly TimeSpan s_steadyPace = TimeSpan.FromMilliseconds(50);

    private readonly ClientIdentity _certified;
    private readonly TrustAnchors _trust;
    private readonly IPEndPoint _server;
    private readonly ConcurrentQueue<string> _news = new();
    private readonly ConcurrentDictionary<string, Open> _open = new();
    private readonly Channel<Func<Task>> _work = Channel.CreateUnbounded<Func<Task>>();
    private readonly List<double> _times = [];
    private CancellationTokenSource? _steady;
    private Task _keepsSteady = Task.CompletedTask;
    private int _failed;
    private string _why = "-";

    public void Dispose() => _steady?.Dispose();

    private StormClientsRole(string[] words)
    {
        _certified = Material.Identity(words[0], "client");
        _trust = Material.Trust(words[0]);
        _server = new IPEndPoint(IPAddress.Loopback, Lines.Number(words[1]));
    }

    internal static async Task RunAsync(string[] words)
    {
        using var role = new StormClientsRole(words);
        for (var count = 0; count < AtOnce; count++)
        {
            _ = Task.Run(role.WorkAsync);
        }

        await Lines.AnswerAsync("", async asked => asked[0] switch
        {
            "login" => role.Begin(asked, role.LogInAsync),
            "guess" => role.Begin(asked, role.GuessAsync),
            "news" => Lines.TakeAll(role._news),
            "steady" => role.BeginSteady(),
            "rest" => await role.EndSteadyAsync(),
            "echo" => await role.EchoAsync(Lines.Seconds(asked[1])),
            _ => throw new ArgumentException($"'{asked[0]}' is no question."),
        });
    }

    private string Begin(string[] asked, Func<string, int, Task> tryAsync)
    {
        var version = Lines.Number(asked[1]);
        foreach (var name in asked[2].Split(','))
        {
            _work.Writer.TryWrite(() => tryAsync(name, version));
        }

        return string.Empty;
    }

    private async Task WorkAsync()
    {
        await foreach (var todoAsync in _work.Reader.ReadAllAsync())
        {
            await todoAsync();
        }
    }

    private async Task LogInAsync(string name, int version)
    {
        try
        {
            var open = new Open(await ConnectAsync(name, version, IPAddress.Parse("127.77.0.1"), withCertificate: StormUser.HasCertificate(name)));
            _open[name] = open;
            _news.Enqueue($"in:{name}");
            _ = Task.Run(() => WatchAsync(name, open));
        }
        catch (Exception exception) when (exception is HandshakeException or SocketException)
        {
            _news.Enqueue($"failed:{name}={ReasonOf(exception)}");
        }
    }

    private async Task GuessAsync(string name, int version)
    {
        try
        {
            // Each from an address of its own, so that the limits on guesses do not count for the honest.
            var number = RandomNumberGenerator.GetInt32(1 << 16);
            await using var connection = await ConnectAsync(name, version, new IPAddress([127, 66, (byte)(number >> 8), (byte)number]), false);
            _news.Enqueue($"guessed:{name}");
        }
        catch (Exception exception) when (exception is HandshakeException or SocketException)
        {
            _news.Enqueue($"refused:{name}={ReasonOf(exception)}");
        }
    }

    private async Task WatchAsync(string name, Open open)
    {
        var buffer = new byte[64];
        try
        {
            await using (open.Connection)
            {
                while (await open.Connection.Stream.ReadAsync(buffer) > 0)
                {
                    open.Answered.TrySetResult();
                }
            }
        }
        catch (IOException)
        {
            // Ended by an abort.
        }

        _open.TryRemove(KeyValuePair.Create(name, open));
        _news.Enqueue($"out:{name}");
    }

    private string BeginSteady()
    {
        _steady = new CancellationTokenSource();
        _keepsSteady = Task.Run(() => KeepSteadyAsync(_steady.Token));
        return string.Empty;
    }

    private async Task<string> EndSteadyAsync()
    {
        await _steady!.CancelAsync();
        await _keepsSteady;
        _times.Sort();
        var times = _times.Count == 0
            ? "0 0 0"
            : $"{Lines.Text(_times[_times.Count / 2])} {Lines.Text(_times[_times.Count * 99 / 100])} {Lines.Text(_times[^1])}";
        return string.Create(CultureInfo.InvariantCulture, $"{_times.Count} {_failed} {times} {_why}");
    }

    private async Task KeepSteadyAsync(CancellationToken stop)
    {
        for (var count = 0; !stop.IsCancellationRequested; count++)
        {
            var clock = Stopwatch.GetTimestamp();
            try
            {
                await using var connection = await ConnectAsync(
                    StormUser.Steady(count % SteadyUsers), StormUser.FirstVersion, IPAddress.Parse("127.77.0.2"), withCertificate: count % 2 == 0);
                await connection.Stream.WriteAsync(new byte[1], CancellationToken.None);
                await connection.Stream.ReadExactlyAsync(new byte[1], CancellationToken.None);
                _times.Add(Stopwatch.GetElapsedTime(clock).TotalMilliseconds);
            }
            catch (Exception exception) when (exception is HandshakeException or SocketException or IOException)
            {
                _failed++;
                _why = ReasonOf(exception);
            }

            await Task.Delay(s_steadyPace, CancellationToken.None);
        }
    }

    private async Task<string> EchoAsync(double seconds)
    {
        var asked = _open.Values.ToArray();
        using var over = new CancellationTokenSource(TimeSpan.FromSeconds(seconds));
        foreach (var open in asked)
        {
            try
            {
                await open.Connection.Stream.WriteAsync(new byte[1], over.Token);
            }
            catch (Exception exception) when (exception is IOException or OperationCanceledException)
            {
                // It does not answer.
            }
        }

        var answers = Task.WhenAll(asked.Select(open => open.Answered.Task));
        await Task.WhenAny(answers, Task.Delay(Timeout.InfiniteTimeSpan, over.Token));
        return string.Create(CultureInfo.InvariantCulture, $"{asked.Length} {asked.Count(open => !open.Answered.Task.IsCompleted)}");
    }

    private async Task<MutualTlsConnection> ConnectAsync(string name, int version, IPAddress from, bool withCertificate)
    {
        var client = new MutualTlsClient(new()
        {
            Identity = withCertificate ? _certified : ClientIdentity.None,
            Trust = _trust,
            Authorization = Authorize.ServerName,
            Credentials = Login.WithPassword(name, StormUser.PasswordOf(version)),
        });
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            socket.Bind(new IPEndPoint(from, 0));
            await socket.ConnectAsync(_server);
            return await client.UpgradeAsync(socket, Material.ServerName);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private static string ReasonOf(Exception exception) => exception is HandshakeException failure
        ? failure.PeerReason?.ToCode() ?? failure.Reason.ToCode()
        : exception.GetType().Name;

    private sealed record Open(MutualTlsConnection Connection)
    {
        internal TaskCompletionSource Answered { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
