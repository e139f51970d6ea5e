using System.Diagnostics;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using MutualAuth.Testing.BadPeers;
using MutualAuth.Testing.Tests.Support;
using Org.BouncyCastle.Tls;

namespace MutualAuth.Testing.Tests.BadPeers;

/// <summary>What a run may take for a refusal, and what only looks like one.</summary>
[CancelAfter(60000)]
public sealed class GalleryEvidenceTests
{
    private readonly TestAuthority _authority = new();

    [OneTimeTearDown]
    public void Dispose() => _authority.Dispose();

    [Test]
    public async Task A_server_of_which_one_node_in_three_refuses_everybody_and_the_others_nobody_is_found_out(
        [Values(0, 1, 2)] int which, CancellationToken token)
    {
        using var identity = _authority.IssueServer("server.test");
        var nobody = AlertingServer.Of(identity, AlertDescription.unknown_ca);
        var everybody = SocketServer.Echo(identity, (_, _, _, _) => true);
        await using var server = new SocketServer(
            (socket, number, stop) => (number % 3 == which ? nobody : everybody)(socket, number, stop));

        var report = await GalleryRun.AgainstServerAsync(_authority, server.EndPoint, FewPeers.Only(FewPeers.Some), token);

        report.IsClean.Should().BeFalse(report.ToString());
    }

    [Test]
    public async Task A_server_of_which_two_nodes_in_four_break_at_the_certificate_is_found_out(CancellationToken token)
    {
        using var identity = _authority.IssueServer("server.test");
        var breaking = SocketServer.Tls(identity, (_, _, _, _) => true, (_, _) => Task.CompletedTask);
        var everybody = SocketServer.Echo(identity, (_, _, _, _) => true);
        await using var server = new SocketServer(
            (socket, number, stop) => (number % 4 is 2 or 3 ? breaking : everybody)(socket, number, stop));

        var report = await GalleryRun.AgainstServerAsync(_authority, server.EndPoint, FewPeers.Only(FewPeers.Some), token);

        report.IsClean.Should().BeFalse(report.ToString());
    }

    [Test]
    public async Task A_server_that_breaks_inside_once_has_not_refused(CancellationToken token)
    {
        using var identity = _authority.IssueServer("server.test");
        var broken = AlertingServer.Of(identity, AlertDescription.internal_error);
        var everybody = SocketServer.Echo(identity, (_, _, _, _) => true);
        await using var server = new SocketServer((socket, number, stop) => (number == 2 ? broken : everybody)(socket, number, stop));

        var report = await GalleryRun.AgainstServerAsync(_authority, server.EndPoint, FewPeers.Only(Gallery.ExpiredLeaf), token);

        report.Results.Single().Bad.Should().Be(PeerOutcome.LetIn, report.ToString());
    }

    [TestCase("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n", true)]
    [TestCase("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n", true)]
    [TestCase("HTTP/1.1 103 Early Hints\r\n\r\n", false)]
    public async Task An_answer_before_the_answer_is_none(string before, bool anyAnswer, CancellationToken token)
    {
        var report = await RunAgainstAsync(
            trusted => before + (trusted ? "HTTP/1.1 200 OK\r\n\r\n" : "HTTP/1.1 403 Forbidden\r\n\r\n"), ProbeOf(anyAnswer), token);

        report.IsClean.Should().BeTrue(report.ToString());
    }

    [Test]
    public async Task An_answer_before_an_answer_that_lets_everybody_in_changes_nothing([Values] bool anyAnswer, CancellationToken token)
    {
        var report = await RunAgainstAsync(_ => "HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\n\r\n", ProbeOf(anyAnswer), token);

        report.WronglyLetIn.Should().HaveCount(FewPeers.Some.Length, report.ToString());
    }

    [Test]
    public async Task A_protocol_that_is_switched_to_is_service_to_whoever_takes_any_answer([Values] bool anyAnswer, CancellationToken token)
    {
        var report = await RunAgainstAsync(
            trusted => trusted ? "HTTP/1.1 200 OK\r\n\r\n" : "HTTP/1.1 101 Switching Protocols\r\n\r\n", ProbeOf(anyAnswer), token);

        report.Results.Should().OnlyContain(
            result => result.Bad == (anyAnswer ? PeerOutcome.LetIn : PeerOutcome.Unclear), report.ToString());
    }

    [TestCase("HTTP/1.1 2", "any")]
    [TestCase("HTTP/1.1 2", "http")]
    [TestCase("HTTP/1.1 103 Early Hints\r\n\r\n", "any")]
    [TestCase("MutualAuth gal", "echo")]
    [TestCase("+PON", "request")]
    [TestCase("+PON", "from")]
    public async Task A_server_that_has_begun_to_answer_and_then_breaks_has_not_refused(string begun, string probe, CancellationToken token)
    {
        var report = await RunAgainstAsync(
            trusted => !trusted ? begun
                : probe switch
                {
                    "echo" => "MutualAuth gallery\r\n",
                    "any" or "http" => "HTTP/1.1 200 OK\r\n\r\n",
                    _ => "+PONG\r\n",
                },
            probe switch
            {
                "any" => GalleryProbe.AnyAnswer,
                "http" => GalleryProbe.Http("/"),
                "echo" => GalleryProbe.Echo,
                "request" => GalleryProbe.Request(
                    "PING"u8.ToArray(), answer => answer.Span.IndexOf((byte)'\n') < 0 ? null : PeerOutcome.LetIn),
                _ => GalleryProbe.From(async (stream, cancel) =>
                {
                    await stream.WriteAsync("PING"u8.ToArray(), cancel);
                    await stream.ReadExactlyAsync(new byte[7], cancel);
                    return PeerOutcome.LetIn;
                }),
            },
            token);

        report.Results.Should().OnlyContain(result => result.Bad == PeerOutcome.Unclear && result.Good == PeerOutcome.LetIn, report.ToString());
        report.ToString().Should().Contain($"{begun.Length} octets");
    }

    [Test]
    public async Task Processes_that_nobody_can_read_are_not_said_to_be_measured_and_leave_no_refusal([Values] bool throws, CancellationToken token)
    {
        using var identity = _authority.IssueServer("server.test");
        await using var server = new SocketServer(SocketServer.Echo(identity, _authority));
        using var gone = Process.Start("true");
        await gone.WaitForExitAsync(token);

        var report = await GalleryRun.AgainstServerAsync(
            _authority,
            server.EndPoint,
            FewPeers.Only(FewPeers.Some) with
            {
                Processes = () => throws ? throw new InvalidOperationException("there is none of that name") : [gone.Id],
            },
            token);

        report.ToString().Should().Contain("processor time not measured");
        report.Results.Should().OnlyContain(result => result.Bad == PeerOutcome.Unclear, report.ToString());
    }

    [Test]
    public async Task A_process_that_can_be_named_before_a_visit_and_not_after_it_leaves_no_refusal(CancellationToken token)
    {
        using var identity = _authority.IssueServer("server.test");
        await using var server = new SocketServer(SocketServer.Echo(identity, _authority));
        var asked = 0;

        var report = await GalleryRun.AgainstServerAsync(
            _authority,
            server.EndPoint,
            FewPeers.Only(Gallery.ExpiredLeaf) with
            {
                // Between the third and the fourth reading the bad peer is there.
                Processes = () => ++asked == 4 ? throw new InvalidOperationException("it is gone") : [Environment.ProcessId],
            },
            token);

        report.Results.Single().Bad.Should().Be(PeerOutcome.Unclear, report.ToString());
    }

    [TestCase(typeof(ArgumentOutOfRangeException))]
    [TestCase(typeof(KeyNotFoundException))]
    [TestCase(typeof(OverflowException))]
    [TestCase(typeof(FormatException))]
    [TestCase(typeof(ObjectDisposedException))]
    public async Task A_client_with_a_defect_has_not_refused(Type defect, CancellationToken token)
    {
        var report = await RunAgainstClientAsync(
            () => defect == typeof(ObjectDisposedException) ? new ObjectDisposedException("pool") : (Exception)Activator.CreateInstance(defect)!,
            token);

        report.Results.Single().Bad.Should().Be(PeerOutcome.Unclear, report.ToString());
    }

    [Test]
    public async Task A_client_that_gives_up_says_so_deep_in_what_it_throws([Values(0, 1, 2, 3)] int how, CancellationToken token)
    {
        var report = await RunAgainstClientAsync(
            () => how switch
            {
                0 => new HttpRequestException("the request was not sent", new TimeoutException()),
                1 => new IOException("it was not read", new SocketException((int)SocketError.TimedOut)),
                2 => new AggregateException(new IOException("one"), new OperationCanceledException("two")),
                _ => new HttpRequestException("the connection was not made", new IOException("inner", new InvalidCastException())),
            },
            token);

        report.Results.Single().Bad.Should().Be(PeerOutcome.Unclear, report.ToString());
    }

    [Test]
    public async Task A_client_whose_refusal_has_another_inside_has_refused(CancellationToken token)
    {
        var report = await RunAgainstClientAsync(
            () => new HttpRequestException("no TLS", new System.Security.Authentication.AuthenticationException("expired")), token);

        report.IsClean.Should().BeTrue(report.ToString());
    }

    [Test]
    public async Task A_server_that_goes_by_the_name_that_is_asked_for_is_asked_for_its_A_labels(CancellationToken token)
    {
        using var identity = _authority.IssueServer("bücher.test");
        var asked = string.Empty;
        await using var server = new SocketServer(async (socket, _, stop) =>
        {
            await using var tls = new SslStream(new NetworkStream(socket, ownsSocket: true));
            await tls.AuthenticateAsServerAsync(
                (_, hello, _, _) =>
                {
                    asked = hello.ServerName;
                    return ValueTask.FromResult(new SslServerAuthenticationOptions
                    {
                        ServerCertificateContext = identity.ToSslContext(),
                        ClientCertificateRequired = true,
                        RemoteCertificateValidationCallback = (_, certificate, chain, _) => SocketServer.IsTrusted(_authority, certificate, chain),
                    });
                },
                null,
                stop);
            await tls.CopyToAsync(tls, stop);
        });

        var report = await GalleryRun.AgainstServerAsync(
            _authority, server.EndPoint, FewPeers.Only(Gallery.ExpiredLeaf) with { Names = new GalleryNames { Server = "bücher.test" } }, token);

        asked.Should().Be("bücher.test", "SslStream turns A-labels back");
        report.IsClean.Should().BeTrue(report.ToString());
    }

    [TestCase("GET", "1.1")]
    [TestCase("POST", "1.1")]
    [TestCase("HEAD", "1.0")]
    public async Task A_client_of_HTTP_is_answered_as_it_wants(string method, string version, CancellationToken token)
    {
        var report = await GalleryRun.AgainstClientAsync(
            _authority,
            async (endPoint, name, cancel) =>
            {
                using var http = new HttpClient(HandlerTo(endPoint));
                using var request = new HttpRequestMessage(new HttpMethod(method), $"https://{name}:{endPoint.Port}/")
                {
                    Version = Version.Parse(version),
                    Content = method == "POST" ? new ByteArrayContent(new byte[100_000]) : null,
                };
                using var answer = await http.SendAsync(request, cancel);
                answer.EnsureSuccessStatusCode();
            },
            FewPeers.Only(FewPeers.Some),
            token);

        report.IsClean.Should().BeTrue(report.ToString());
    }

    [TestCase("GET / HTTP/1.1\n\n")]
    [TestCase("GET / HTTP/2.0\r\n\r\n")]
    [TestCase("get a HTTP/1.1 line\r\n\r\n")]
    [TestCase("G")]
    public async Task A_client_of_something_else_gets_back_what_it_sends(string sent, CancellationToken token)
    {
        var report = await GalleryRun.AgainstClientAsync(
            _authority,
            async (endPoint, name, cancel) =>
            {
                using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
                await socket.ConnectAsync(endPoint, cancel);
                await using var tls = new SslStream(new NetworkStream(socket));
                await tls.AuthenticateAsClientAsync(OptionsFor(name), cancel);
                await tls.WriteAsync(Encoding.ASCII.GetBytes(sent), cancel);
                var back = new byte[sent.Length];
                await tls.ReadExactlyAsync(back, cancel);
                if (Encoding.ASCII.GetString(back) != sent)
                {
                    throw new InvalidDataException("no echo");
                }
            },
            FewPeers.Only(FewPeers.Some),
            token);

        report.IsClean.Should().BeTrue(report.ToString());
    }

    private SocketsHttpHandler HandlerTo(System.Net.IPEndPoint endPoint) => new()
    {
        ConnectCallback = async (_, cancel) =>
        {
            var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
            await socket.ConnectAsync(endPoint, cancel);
            return new NetworkStream(socket, ownsSocket: true);
        },
        SslOptions = OptionsFor(null),
    };

    private SslClientAuthenticationOptions OptionsFor(string? name) => new()
    {
        TargetHost = name,
        CertificateChainPolicy = new X509ChainPolicy
        {
            TrustMode = X509ChainTrustMode.CustomRootTrust,
            CustomTrustStore = { _authority.Certificate },
            RevocationMode = X509RevocationMode.NoCheck,
            DisableCertificateDownloads = true,
        },
    };

    private static GalleryProbe ProbeOf(bool anyAnswer) => anyAnswer ? GalleryProbe.AnyAnswer : GalleryProbe.Http("/");

    /// <summary>A server that finishes the handshake with everybody, reads something, answers and closes.</summary>
    private async Task<GalleryReport> RunAgainstAsync(Func<bool, string> answer, GalleryProbe probe, CancellationToken token)
    {
        using var identity = _authority.IssueServer("server.test");
        await using var server = new SocketServer(SocketServer.AnsweringAll(identity, _authority, async (tls, trusted, stop) =>
        {
            _ = await tls.ReadAsync(new byte[1000], stop);
            await tls.WriteAsync(Encoding.ASCII.GetBytes(answer(trusted)), stop);
        }));
        return await GalleryRun.AgainstServerAsync(_authority, server.EndPoint, FewPeers.Only(FewPeers.Some) with { Probe = probe }, token);
    }

    /// <summary>A client that accepts every server in TLS, and throws when it has looked at an expired one.</summary>
    private Task<GalleryReport> RunAgainstClientAsync(Func<Exception> failure, CancellationToken token) => GalleryRun.AgainstClientAsync(
        _authority,
        async (endPoint, _, cancel) =>
        {
            using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
            await socket.ConnectAsync(endPoint, cancel);
            await using var tls = new SslStream(new NetworkStream(socket), leaveInnerStreamOpen: false, (_, _, _, _) => true);
            await tls.AuthenticateAsClientAsync(new SslClientAuthenticationOptions { TargetHost = "server.test" }, cancel);
            using var shown = X509CertificateLoader.LoadCertificate(tls.RemoteCertificate!.GetRawCertData());
            if (shown.NotAfter < DateTime.Now)
            {
                throw failure();
            }
        },
        FewPeers.Only(Gallery.ExpiredLeaf),
        token);
}
