using System.Diagnostics;
using System.Net;
using System.Text.RegularExpressions;
using System.Threading.Channels;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests;

/// <summary>The sample as its users start it.</summary>
[Platform(Exclude = "Win")]
[NonParallelizable]
public sealed partial class WorkerTests
{
    private static readonly string s_program = Path.Combine(
        AppContext.BaseDirectory.Replace("MutualAuth.Hosting.Tests", "Worker", StringComparison.Ordinal), "Worker.dll");

    private HostWorld _world = null!;

    [SetUp]
    public void SetUp() => _world = new HostWorld();

    [TearDown]
    public void TearDown() => _world.Dispose();

    private IEnumerable<string> OwnFiles =>
    [
        "--MutualTls:echo:Identity:Certificate", _world["server.pem"], "--MutualTls:echo:Identity:Key", _world["server.key"],
        "--MutualTls:echo:Trust:0", _world["authority.pem"],
    ];

    [Test]
    public async Task It_makes_certificates_at_its_first_start_echoes_and_drains_at_SIGTERM()
    {
        var made = Path.Combine(Path.GetDirectoryName(s_program)!, "certificates");
        if (Directory.Exists(made))
        {
            Directory.Delete(made, recursive: true);
        }

        await using var worker = Worker.Start(["--MutualTls:echo:Listen:0", "127.0.0.1:0"]);
        var endPoint = await worker.EndPointAsync();
        await using var connection = await new MutualTlsClient(new MutualTlsClientOptions
        {
            Identity = Identity.FromPemFiles(Path.Combine(made, "client.pem"), Path.Combine(made, "client.key")),
            Trust = TrustAnchors.FromPemFiles(Path.Combine(made, "authority.pem")),
            Authorization = Authorize.ServerName,
            Confirmation = ConfirmationPolicy.Required,
        }).ConnectAsync(endPoint, "localhost");
        (await HostWorld.SayAsync(connection, "hello")).Should().Be("hello");

        worker.Terminate();

        using var deadline = new CancellationTokenSource(HostWorld.Deadline);
        (await connection.Stream.ReadAsync(new byte[1], deadline.Token)).Should().Be(0, "it drains");
        (await worker.ExitAsync()).Should().Be(0);
        worker.Errors.Should().Contain("A throwaway authority vouches").And.Contain("samples/EchoClient -- --connect 127.0.0.1:8443");
    }

    [Test]
    public async Task It_rejects_who_is_not_named()
    {
        await using var worker = Worker.Start([.. OwnFiles, "--MutualTls:echo:Listen:0", "127.0.0.1:0"]);
        var endPoint = await worker.EndPointAsync();
        await using var connection = await _world.ConnectAsync(endPoint);

        var connecting = () => _world.ConnectAsync(endPoint, "mallory.test");

        (await connecting.Should().ThrowAsync<HandshakeException>()).Which.PeerReason.Should().Be(PublicReason.AccessDenied);
    }

    [Test]
    public async Task Bad_configuration_ends_it_with_every_problem()
    {
        await using var worker = Worker.Start(
            [.. OwnFiles, "--MutualTls:echo:Listen:0", "nowhere", "--MutualTls:echo:Alow", "x", "--MutualTls:echo:GracePeriod", "soon"]);

        (await worker.ExitAsync()).Should().Be(2);
        worker.Errors.Should().Contain("MutualTls:echo:Listen:0: 'nowhere'").And.Contain("MutualTls:echo:Alow is not known")
            .And.Contain("MutualTls:echo:GracePeriod must be a time");
    }

    /// <summary>Passes on a socket as systemd does: descriptor 3, and the variables.</summary>
    [Test]
    public async Task It_serves_on_a_socket_that_is_passed_on()
    {
        const string Activate = """
            import os, socket, sys
            listening = socket.socket()
            listening.bind(("127.0.0.1", 0))
            listening.listen()
            os.dup2(listening.fileno(), 3)
            os.set_inheritable(3, True)
            os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS="1", LISTEN_FDNAMES="echo")
            os.execvp(sys.argv[1], sys.argv[1:])
            """;
        await using var worker = Worker.Start([.. OwnFiles, "--MutualTls:echo:Listen:0", "systemd:echo"], Activate);
        await using var connection = await _world.ConnectAsync(await worker.EndPointAsync());

        (await HostWorld.SayAsync(connection, "activated")).Should().Be("activated");
    }

    [GeneratedRegex(@"The listener echo listens on (\S+:\d+)\.")]
    private static partial Regex Listening();

    private sealed class Worker : IAsyncDisposable
    {
        private readonly Process _process;
        private readonly Channel<string> _lines = Channel.CreateUnbounded<string>();
        private readonly List<string> _errors = [];

        private Worker(Process process)
        {
            _process = process;
            process.OutputDataReceived += (_, line) => _lines.Writer.TryWrite(line.Data ?? "");
            process.ErrorDataReceived += (_, line) =>
            {
                lock (_errors)
                {
                    _errors.Add(line.Data ?? "");
                }
            };
            process.BeginOutputReadLine();
            process.BeginErrorReadLine();
        }

        internal string Errors
        {
            get
            {
                lock (_errors)
                {
                    return string.Join('\n', _errors);
                }
            }
        }

        internal static Worker Start(IEnumerable<string> arguments, string? python = null)
        {
            var start = new ProcessStartInfo(python is null ? "dotnet" : "python3")
            {
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            };
            foreach (var argument in (python is null ? [] : new[] { "-c", python, "dotnet" }).Append(s_program).Concat(arguments))
            {
                start.ArgumentList.Add(argument);
            }

            return new Worker(Process.Start(start)!);
        }

        internal async Task<IPEndPoint> EndPointAsync()
        {
            using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(60));
            while (true)
            {
                if (Listening().Match(await _lines.Reader.ReadAsync(deadline.Token)) is { Success: true } match)
                {
                    return IPEndPoint.Parse(match.Groups[1].Value);
                }
            }
        }

        internal void Terminate()
        {
            using var kill = Process.Start("kill", ["-TERM", $"{_process.Id}"]);
            kill.WaitForExit();
        }

        internal async Task<int> ExitAsync()
        {
            using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(60));
            await _process.WaitForExitAsync(deadline.Token);
            return _process.ExitCode;
        }

        public async ValueTask DisposeAsync()
        {
            if (!_process.HasExited)
            {
                _process.Kill();
                await _process.WaitForExitAsync();
            }

            _process.Dispose();
        }
    }
}
