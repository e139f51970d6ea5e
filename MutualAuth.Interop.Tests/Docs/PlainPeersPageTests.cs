using System.Diagnostics;
using System.Net;
using MutualAuth.Testing;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Docs;

/// <summary>Every program of docs/how-to/plain-peers.md does what it is for, and does not talk to a peer of another authority.</summary>
[TestFixture("Python", "python", "python3")]
[TestFixture("Node", "js", "node")]
[TestFixture("Go", "go", "go")]
[TestFixture("Java", "java", "java")]
[TestFixture("OpenSSL", "sh", "openssl")]
[CancelAfter(120000)]
public sealed class PlainPeersPageTests(string heading, string language, string program)
{
    private const string Page = "docs/how-to/plain-peers.md";
    private const string Server = "server.example";

    private TestAuthority _authority = null!;
    private TestAuthority _issuing = null!;
    private TestAuthority _foreign = null!;
    private string _directory = null!;

    [SetUp]
    public void SetUp()
    {
        Tool.Find(program);
        _authority = new TestAuthority("Root");
        _issuing = _authority.IssueIntermediate("Issuing");
        _foreign = new TestAuthority("Foreign");
        _directory = Directory.CreateTempSubdirectory("mutualauth-peers-").FullName;
        _authority.WriteTo(_directory);
        File.WriteAllText(Path.Combine(_directory, "issuing.pem"), _issuing.CertificatePem);
        Write(_issuing.IssueClient("client.example"), "client");
        Write(IssueServer(_issuing), "server");
    }

    [TearDown]
    public void TearDown()
    {
        _issuing?.Dispose();
        _authority?.Dispose();
        _foreign?.Dispose();
        if (_directory is not null)
        {
            Directory.Delete(_directory, recursive: true);
        }
    }

    [Test]
    public async Task Its_client_talks_to_our_server(CancellationToken cancellationToken)
    {
        await using var listener = Listen(IssueServer(_issuing), _authority.ToTrustAnchors());
        await using var client = await StartAsync(0, listener.Port);
        if (language == "sh")
        {
            await client.WriteAsync("hello\n");
        }

        var accepted = await listener.Listener.AcceptAsync(cancellationToken);
        accepted.Peer.Name.Should().Be("client.example");
        var line = await new StreamReader(accepted.Stream).ReadLineAsync(cancellationToken);
        await accepted.Stream.WriteAsync("hello, you\n"u8.ToArray(), cancellationToken);

        line.Should().Be("hello");
        (await client.LineAsync("hello")).Should().Be("hello, you");
        await accepted.DisposeAsync();
        if (language != "sh")
        {
            (await client.ExitCodeAsync()).Should().Be(0, client.ToString());
        }
    }

    [Test]
    public async Task Its_client_believes_no_server_of_another_authority(CancellationToken cancellationToken)
    {
        await using var listener = Listen(IssueServer(_foreign), _authority.ToTrustAnchors());
        await using var client = await StartAsync(0, listener.Port);

        (await client.ExitCodeAsync()).Should().NotBe(0, client.ToString());
        (await listener.FailedAsync(cancellationToken)).Failure.Should().NotBe(HandshakeFailure.PeerRejected);
        client.Output.Should().NotContain("hello");
    }

    [Test]
    public async Task Its_client_notices_that_our_server_refuses_it(CancellationToken cancellationToken)
    {
        await using var listener = Listen(IssueServer(_issuing), _foreign.ToTrustAnchors());
        await using var client = await StartAsync(0, listener.Port);
        if (language == "sh")
        {
            await client.WriteAsync("hello\n");
            client.EndInput();
        }

        (await listener.FailedAsync(cancellationToken)).Reason.Should().Be(RejectionReason.UnknownAuthority);
        var exitCode = await client.ExitCodeAsync();
        client.Output.Should().NotContain("hello, you");
        if (language != "sh")
        {
            exitCode.Should().NotBe(0, client.ToString());
        }
    }

    [TestCase(true)]
    [TestCase(false)]
    public async Task Our_client_talks_to_its_server_if_it_is_the_right_one(bool isTrusted, CancellationToken cancellationToken)
    {
        var port = FreePorts.Next();
        await using var server = await StartAsync(1, port);
        await server.LineAsync(language == "sh" ? "ACCEPT" : "listening");
        using var certificate = _issuing.IssueClient("client.test");
        var client = new MutualTlsClient(new MutualTlsClientOptions
        {
            Identity = certificate.ToIdentity(),
            Trust = (isTrusted ? _authority : _foreign).ToTrustAnchors(),
            Authorization = Authorize.ServerName,
            // The name of our own protocol would not trouble any of these servers; none of them insists on one.
            Confirmation = ConfirmationPolicy.Preferred,
        });

        var connecting = client.ConnectAsync(new IPEndPoint(IPAddress.Loopback, port), Server, cancellationToken);

        if (isTrusted)
        {
            await using var connection = await connecting;
            await connection.Stream.WriteAsync("abc\n"u8.ToArray(), cancellationToken);
            var line = await new StreamReader(connection.Stream).ReadLineAsync(cancellationToken);
            (connection.IsConfirmed, line).Should().Be((false, language == "sh" ? "cba" : "abc"));
        }
        else
        {
            var rejected = await FluentActions.Awaiting(() => connecting).Should().ThrowAsync<HandshakeException>();
            rejected.Which.Reason.Should().Be(RejectionReason.UnknownAuthority);
        }
    }

    private static TestCertificate IssueServer(TestAuthority authority) => authority.IssueServer(Server, "localhost");

    private void Write(TestCertificate certificate, string name)
    {
        using (certificate)
        {
            certificate.WriteTo(_directory, name);
            File.WriteAllBytes(Path.Combine(_directory, $"{name}.p12"), certificate.ToPkcs12("changeit"));
        }
    }

    /// <summary>Starts the page's client (0) or server (1), with another port, and with the name by which this machine is known to itself.</summary>
    private async Task<RunningProgram> StartAsync(int index, int port)
    {
        var text = PageBlocks.Of(Page, heading, language)[index]
            .Replace(Server, "localhost", StringComparison.Ordinal).Replace("8443", $"{port}", StringComparison.Ordinal);
        var name = Path.Combine(_directory, language switch
        {
            "java" => index == 0 ? "Client.java" : "Server.java",
            "js" => "peer.cjs",
            "go" => "peer.go",
            var other => $"peer.{other}",
        });
        await File.WriteAllTextAsync(name, text);
        if (language == "go")
        {
            var build = new ProcessStartInfo(Tool.Find("go"), ["build", "-o", "peer", "peer.go"]) { WorkingDirectory = _directory };
            using var go = Process.Start(build)!;
            await go.WaitForExitAsync();
            go.ExitCode.Should().Be(0);
            return RunningProgram.Start(Tool.Find("env"), $"--chdir={_directory}", "./peer");
        }

        return RunningProgram.Start(Tool.Find("env"), $"--chdir={_directory}", language == "sh" ? "bash" : program, name);
    }

    private static OurServer Listen(TestCertificate certificate, TrustAnchors trust) => new(certificate, trust);

    private sealed class OurServer : IAsyncDisposable
    {
        private readonly TestCertificate _certificate;
        private readonly TaskCompletionSource<HandshakeException> _failed = new(TaskCreationOptions.RunContinuationsAsynchronously);

        internal OurServer(TestCertificate certificate, TrustAnchors trust)
        {
            _certificate = certificate;
            Listener = MutualTlsListener.Start(new MutualTlsListenerOptions
            {
                EndPoint = new IPEndPoint(IPAddress.Loopback, 0),
                Server = new MutualTlsServer(new MutualTlsServerOptions
                {
                    Identity = certificate.ToIdentity(),
                    Trust = trust,
                    Authorization = Authorize.AnyTrustedPeer,
                }),
                OnHandshakeFailed = failure => _failed.TrySetResult(failure),
            });
        }

        internal MutualTlsListener Listener { get; }

        internal int Port => ((IPEndPoint)Listener.LocalEndPoint).Port;

        internal Task<HandshakeException> FailedAsync(CancellationToken cancellationToken) =>
            _failed.Task.WaitAsync(RunningProgram.Deadline, cancellationToken);

        public async ValueTask DisposeAsync()
        {
            await Listener.StopAsync(TimeSpan.Zero);
            await Listener.DisposeAsync();
            _certificate.Dispose();
        }
    }
}
