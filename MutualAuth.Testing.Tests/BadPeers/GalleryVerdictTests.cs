using System.Diagnostics;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using MutualAuth.Testing.BadPeers;
using MutualAuth.Testing.Tests.Support;

namespace MutualAuth.Testing.Tests.BadPeers;

/// <summary>Servers and clients that break, hang, come late or judge nobody: none of them comes out as one that judges.</summary>
[CancelAfter(60000)]
public sealed class GalleryVerdictTests
{
    private readonly TestAuthority _authority = new();

    [OneTimeTearDown]
    public void Dispose() => _authority.Dispose();

    [Test]
    public async Task A_server_that_drops_every_second_connection_is_not_taken_for_one_that_judges(CancellationToken token)
    {
        using var identity = _authority.IssueServer("server.test");
        var echo = SocketServer.Echo(identity, (_, _, _, _) => true);
        await using var server = new SocketServer((socket, number, stop) => number % 2 == 0 ? Task.CompletedTask : echo(socket, number, stop));

        var report = await GalleryRun.AgainstServerAsync(_authority, server.EndPoint, FewPeers.Only(FewPeers.Some), token);

        report.IsClean.Should().BeFalse(report.ToString());
        report.Results.Should().NotContain(result => result.Bad == PeerOutcome.Refused, report.ToString());
    }

    [Test]
    public async Task A_client_that_accepts_after_the_patience_is_over_is_unclear(CancellationToken token)
    {
        var options = FewPeers.Only(Gallery.ExpiredLeaf) with { Patience = TimeSpan.FromSeconds(1) };

        var report = await GalleryRun.AgainstClientAsync(
            _authority,
            async (endPoint, _, _) =>
            {
                using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
                await socket.ConnectAsync(endPoint, token);
                await using var tls = new SslStream(
                    new NetworkStream(socket),
                    leaveInnerStreamOpen: false,
                    (_, certificate, chain, _) =>
                    {
                        if (!SocketServer.IsTrusted(_authority, certificate, chain))
                        {
                            Thread.Sleep(1500); // longer than the patience, which is real time: the far end is a program of somebody's
                        }

                        return true;
                    });
                await tls.AuthenticateAsClientAsync(new SslClientAuthenticationOptions { TargetHost = "server.test" }, CancellationToken.None);
                await tls.WriteAsync(new byte[1], CancellationToken.None);
                await tls.ReadExactlyAsync(new byte[1], CancellationToken.None);
            },
            options,
            token);

        report.IsClean.Should().BeFalse(report.ToString());
        report.Results.Single().Bad.Should().Be(PeerOutcome.Unclear, report.ToString());
    }

    [Test]
    public async Task A_server_that_refuses_by_an_answer_of_HTTP_has_refused(CancellationToken token)
    {
        using var identity = _authority.IssueServer("server.test");
        await using var server = new SocketServer(SocketServer.AnsweringAll(identity, _authority, async (tls, trusted, stop) =>
        {
            _ = await tls.ReadAsync(new byte[1000], stop);
            await tls.WriteAsync(Encoding.ASCII.GetBytes($"HTTP/1.1 {(trusted ? "200 OK" : "400 Bad Request")}\r\n\r\n"), stop);
        }));

        var report = await GalleryRun.AgainstServerAsync(_authority, server.EndPoint, FewPeers.Only(FewPeers.Some), token);

        report.IsClean.Should().BeTrue(report.ToString());
    }

    [Test]
    public void What_is_a_limit_a_bound_or_a_strictness_of_ours_is_not_demanded_of_everybody() =>
        Gallery.All.Where(peer => peer.RequiredCheck == RequiredCheck.Nothing).Should().NotContain(
            [
                Gallery.IntermediateAsLeaf, Gallery.Ed25519Leaf, Gallery.NoExtendedKeyUsage, Gallery.KeyAgreementOnly, Gallery.LeafWithCertSign,
                Gallery.PolicyMissing, Gallery.NameBeyondAscii, Gallery.ExtensionsInVersionOne, Gallery.LengthNotMinimal,
                Gallery.AddressOfFiveOctets, Gallery.TooManyCertificates,
            ]);

    [Test]
    public async Task A_run_against_a_hung_server_ends_early(CancellationToken token)
    {
        await using var server = new SocketServer((_, _, stop) => Task.Delay(Timeout.Infinite, stop)); // hung until the test is over
        var watch = Stopwatch.StartNew();

        var report = await GalleryRun.AgainstServerAsync(
            _authority, server.EndPoint, new GalleryRunOptions { Patience = TimeSpan.FromSeconds(0.3) }, token);

        watch.Elapsed.Should().BeLessThan(TimeSpan.FromSeconds(15));
        report.Results.Should().ContainSingle();
        report.Stopped.Should().Contain("two good peers in a row were not served (nothing within 0.3 s)");
        report.IsClean.Should().BeFalse(report.ToString());
    }

    [Test]
    public async Task A_dial_that_ignores_its_token_does_not_hang_the_run(CancellationToken token)
    {
        var options = FewPeers.Only(Gallery.ExpiredLeaf) with { Patience = TimeSpan.FromSeconds(0.2) };

        var report = await GalleryRun.AgainstClientAsync(_authority, (_, _, _) => new TaskCompletionSource().Task, options, token)
            .WaitAsync(TimeSpan.FromSeconds(20), token);

        report.IsClean.Should().BeFalse(report.ToString());
        report.Results.Should().OnlyContain(result => result.Bad == PeerOutcome.Unclear, report.ToString());
    }

    [Test]
    public async Task The_results_are_kept_whatever_the_probe_throws(CancellationToken token)
    {
        using var identity = _authority.IssueServer("server.test");
        await using var server = new SocketServer(SocketServer.Echo(identity, (_, _, _, _) => true));
        var probes = 0;
        var options = FewPeers.Only(FewPeers.Some) with
        {
            Probe = GalleryProbe.From((_, _) => ++probes is 2
                ? throw new InvalidDataException("not the answer that I expected")
                : Task.FromResult(PeerOutcome.LetIn)),
            Processes = () => throw new InvalidDataException("nor are they known"),
        };

        var report = await GalleryRun.AgainstServerAsync(_authority, server.EndPoint, options, token);

        report.Results.Should().HaveCount(FewPeers.Some.Length);
        report.Results[0].Bad.Should().Be(PeerOutcome.Unclear);
        report.ToString().Should().Contain("not the answer that I expected");
    }

    [Test]
    public async Task A_server_that_drops_one_connection_of_three_is_not_taken_for_one_that_judges(
        [Values(0, 1, 2)] int which, [Values] bool afterTheCertificate, CancellationToken token)
    {
        using var identity = _authority.IssueServer("server.test");
        var echo = SocketServer.Echo(identity, (_, _, _, _) => true);
        var breaking = SocketServer.Tls(identity, (_, _, _, _) => true, (_, _) => Task.CompletedTask);
        await using var server = new SocketServer((socket, number, stop) =>
            number % 3 != which ? echo(socket, number, stop) : afterTheCertificate ? breaking(socket, number, stop) : Task.CompletedTask);

        var report = await GalleryRun.AgainstServerAsync(_authority, server.EndPoint, FewPeers.Only(FewPeers.Some), token);

        report.IsClean.Should().BeFalse(report.ToString());
        report.Stopped.Should().BeNull("the half that works is not nobody");
        (report.WronglyLetIn.Any() || report.Unclear.Any()).Should().BeTrue(report.ToString());
    }

    [Test]
    public async Task A_server_that_is_too_busy_has_not_refused([Values(429, 503)] int status, CancellationToken token)
    {
        using var identity = _authority.IssueServer("server.test");
        await using var server = new SocketServer((socket, number, stop) => SocketServer.Tls(
            identity,
            (_, _, _, _) => true,
            async (tls, cancel) =>
            {
                _ = await tls.ReadAsync(new byte[1000], cancel);
                await tls.WriteAsync(Encoding.ASCII.GetBytes($"HTTP/1.1 {(number % 2 == 1 ? 200 : status)} x\r\n\r\n"), cancel);
            })(socket, number, stop));

        var report = await GalleryRun.AgainstServerAsync(
            _authority, server.EndPoint, FewPeers.Only(FewPeers.Some) with { Probe = GalleryProbe.Http("/") }, token);

        report.IsClean.Should().BeFalse(report.ToString());
        report.Results[0].Bad.Should().Be(PeerOutcome.Unclear, report.ToString());
        report.Results.Should().NotContain(result => result.Bad == PeerOutcome.Refused, report.ToString());
    }

    [Test]
    public async Task A_server_that_starts_again_costs_one_peer_its_control_and_not_the_run(CancellationToken token)
    {
        using var identity = _authority.IssueServer("server.test");
        var echo = SocketServer.Echo(identity, _authority);
        await using var server = new SocketServer(
            (socket, number, stop) => number is >= 2 and <= 5 ? Task.CompletedTask : echo(socket, number, stop));

        var report = await GalleryRun.AgainstServerAsync(_authority, server.EndPoint, FewPeers.Only(FewPeers.Some), token);

        (report.Stopped, report.IsClean).Should().Be((null, false), report.ToString());
        report.WithoutControl.Select(result => result.Peer).Should().Equal(report.Results[0].Peer);
        report.Results.Skip(1).Should().OnlyContain(
            result => result.Bad == PeerOutcome.Refused && result.Good == PeerOutcome.LetIn, report.ToString());
    }

    [Test]
    public async Task A_server_that_the_first_bad_peer_kills_ends_the_run(CancellationToken token)
    {
        using var identity = _authority.IssueServer("server.test");
        var dead = false;
        var echo = SocketServer.Echo(
            identity, (_, certificate, chain, _) => !(dead |= !SocketServer.IsTrusted(_authority, certificate, chain)));
        await using var server = new SocketServer((socket, number, stop) => dead ? Task.CompletedTask : echo(socket, number, stop));

        var report = await GalleryRun.AgainstServerAsync(
            _authority, server.EndPoint, FewPeers.Only(FewPeers.Some) with { Patience = TimeSpan.FromSeconds(1) }, token);

        report.IsClean.Should().BeFalse(report.ToString());
        report.Results.Should().ContainSingle().Which.Good.Should().Be(PeerOutcome.Unclear, report.ToString());
        report.Stopped.Should().StartWith($"after {report.Results[0].Peer.Name}: two good peers in a row were not served");
        report.NotTried.Should().HaveCount(FewPeers.Some.Length - 1);
        report.ToString().Should().Contain("STOPPED    after ").And.Contain($"not tried: {report.NotTried[0].Name}");
    }

    [Test]
    public async Task Where_nobody_listens_nothing_is_refused(CancellationToken token)
    {
        using var unused = new Socket(SocketType.Stream, ProtocolType.Tcp);
        unused.Bind(new IPEndPoint(IPAddress.Loopback, 0));

        var report = await GalleryRun.AgainstServerAsync(
            _authority, unused.LocalEndPoint!, FewPeers.Only(FewPeers.Some) with { Patience = TimeSpan.FromSeconds(0.2) }, token);

        report.Results.Should().ContainSingle().Which.Bad.Should().Be(PeerOutcome.Unclear, report.ToString());
        report.Stopped.Should().Contain("no connection: ");
    }

    [Test]
    public async Task The_whole_run_has_a_bound_and_keeps_its_results(CancellationToken token)
    {
        using var identity = _authority.IssueServer("server.test");
        // It hangs before each stranger.
        await using var server = new SocketServer(SocketServer.Tls(
            identity,
            (_, certificate, chain, _) =>
            {
                var good = SocketServer.IsTrusted(_authority, certificate, chain);
                token.WaitHandle.WaitOne(good ? 0 : 1500);
                return good;
            },
            (tls, stop) => tls.CopyToAsync(tls, stop)));
        var options = FewPeers.Only(FewPeers.Some) with { Patience = TimeSpan.FromSeconds(1), TotalTime = TimeSpan.FromSeconds(1.5) };

        var report = await GalleryRun.AgainstServerAsync(_authority, server.EndPoint, options, token);

        report.Elapsed.Should().BeLessThan(TimeSpan.FromSeconds(10));
        report.Results.Should().NotBeEmpty().And.OnlyContain(result => result.Bad == PeerOutcome.Unclear, report.ToString());
        report.Stopped.Should().Contain("the 1.5 s of the whole run are over");
        report.NotTried.Should().NotBeEmpty();
    }

    /// <summary>The time ends while the run still asks whether good peers are served; that says nothing of the far end.</summary>
    [Test]
    public async Task A_run_whose_time_ends_while_a_good_peer_waits_says_that_its_time_is_over(CancellationToken token)
    {
        // Accepts, and says nothing until the test is over.
        await using var deaf = new SocketServer((_, _, stop) => Task.Delay(Timeout.Infinite, stop));
        var options = FewPeers.Only(FewPeers.Some) with { Patience = TimeSpan.FromSeconds(0.4), TotalTime = TimeSpan.FromSeconds(1) };

        var report = await GalleryRun.AgainstServerAsync(_authority, deaf.EndPoint, options, token);

        report.Stopped.Should().Contain("the 1 s of the whole run are over");
    }

    [Test]
    public async Task Time_and_processor_time_stand_in_the_report(CancellationToken token)
    {
        using var identity = _authority.IssueServer("server.test");
        await using var server = new SocketServer(SocketServer.Echo(identity, _authority));

        var measured = await GalleryRun.AgainstServerAsync(
            _authority, server.EndPoint, FewPeers.Only(Gallery.ExpiredLeaf) with { Processes = () => [Environment.ProcessId] }, token);
        var unmeasured = await GalleryRun.AgainstServerAsync(_authority, server.EndPoint, FewPeers.Only(Gallery.ExpiredLeaf), token);

        measured.IsClean.Should().BeTrue(measured.ToString());
        (measured.Results[0].Elapsed > TimeSpan.Zero, measured.Results[0].ProcessorTime >= TimeSpan.Zero).Should().Be((true, true));
        measured.ToString().Should().Contain("processor time measured").And.Contain(" s, processor ");
        unmeasured.Results[0].ProcessorTime.Should().BeNull();
        unmeasured.ToString().Should().Contain("processor time not measured");
    }

    [Test]
    public async Task A_refusal_by_a_process_that_ended_is_none(CancellationToken token)
    {
        using var identity = _authority.IssueServer("server.test");
        await using var server = new SocketServer(SocketServer.Echo(identity, _authority));
        using var victim = Process.Start("sleep", "100");
        var asked = 0;

        // The process ends while the bad peer is there: between the third and the fourth reading.
        int[] Processes()
        {
            if (++asked == 4)
            {
                victim.Kill();
                victim.WaitForExit();
            }

            return [victim.Id];
        }

        var report = await GalleryRun.AgainstServerAsync(
            _authority, server.EndPoint, FewPeers.Only(Gallery.ExpiredLeaf) with { Processes = Processes }, token);

        report.Results.Single().Bad.Should().Be(PeerOutcome.Unclear, report.ToString());
        report.ToString().Should().Contain($"process {victim.Id} of the judged side ended");
    }

    [Test]
    public async Task A_client_that_breaks_down_or_gives_up_has_not_refused([Values] bool breaksDown, CancellationToken token)
    {
        var report = await GalleryRun.AgainstClientAsync(
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
                    throw breaksDown ? new InvalidCastException("a defect") : new TimeoutException("the client's own limit");
                }
            },
            FewPeers.Only(Gallery.ExpiredLeaf),
            token);

        report.Results.Single().Should().Match<GalleryResult>(
            result => result.Bad == PeerOutcome.Unclear && result.Good == PeerOutcome.LetIn, report.ToString());
    }

    [Test]
    public async Task A_client_that_is_content_without_a_look_at_the_server_is_unclear(CancellationToken token)
    {
        var options = FewPeers.Only(Gallery.ExpiredLeaf) with { Patience = TimeSpan.FromSeconds(0.2) };

        var report = await GalleryRun.AgainstClientAsync(_authority, (_, _, _) => Task.CompletedTask, options, token);

        report.Results.Single().Bad.Should().Be(PeerOutcome.Unclear, report.ToString());
        report.IsClean.Should().BeFalse();
    }

    [Test]
    public async Task A_client_that_fails_every_second_time_and_accepts_everybody_else_is_found_out(CancellationToken token)
    {
        var dials = 0;

        var report = await GalleryRun.AgainstClientAsync(
            _authority,
            async (endPoint, _, cancel) =>
            {
                await ConnectAsync(endPoint, cancel);
                if (++dials % 2 == 0)
                {
                    throw new IOException("half of the time");
                }
            },
            FewPeers.Only(FewPeers.Some),
            token);

        report.IsClean.Should().BeFalse(report.ToString());
        (report.Stopped, report.NotTried.Count).Should().Be((null, 0), report.ToString());
        report.WronglyLetIn.Should().HaveCount(FewPeers.Some.Length, report.ToString());
    }

    [Test]
    public async Task A_client_that_accepts_nobody_proves_nothing(CancellationToken token)
    {
        var report = await GalleryRun.AgainstClientAsync(
            _authority,
            async (endPoint, _, cancel) =>
            {
                await ConnectAsync(endPoint, cancel);
                throw new AuthenticationException("never");
            },
            FewPeers.Only(FewPeers.Some),
            token);

        report.IsClean.Should().BeFalse(report.ToString());
        report.WithoutControl.Should().ContainSingle(report.ToString());
        report.Stopped.Should().Contain("two good peers in a row were not served");
    }

    [Test]
    public async Task A_server_that_lets_everybody_in_after_the_patience_is_over_is_unclear(CancellationToken token)
    {
        using var identity = _authority.IssueServer("server.test");
        await using var server = new SocketServer(SocketServer.AnsweringAll(identity, _authority, async (tls, trusted, stop) =>
        {
            await Task.Delay(trusted ? 0 : 1500, stop); // longer than the patience, which is real time
            await tls.CopyToAsync(tls, stop);
        }));

        var report = await GalleryRun.AgainstServerAsync(
            _authority, server.EndPoint, FewPeers.Only(Gallery.ExpiredLeaf) with { Patience = TimeSpan.FromSeconds(1) }, token);

        (report.IsClean, report.Results.Single().Bad, report.Results.Single().Good).Should().Be(
            (false, PeerOutcome.Unclear, PeerOutcome.LetIn), report.ToString());
    }

    [Test]
    public async Task A_probe_of_the_users_own_request_judges_the_answer(CancellationToken token)
    {
        using var identity = _authority.IssueServer("server.test");
        await using var server = new SocketServer(SocketServer.AnsweringAll(identity, _authority, async (tls, trusted, stop) =>
        {
            await tls.ReadExactlyAsync(new byte[4], stop);
            await tls.WriteAsync(Encoding.ASCII.GetBytes(trusted ? "+PONG\r\n" : "-ERR\r\n"), stop);
        }));
        var probe = GalleryProbe.Request("PING"u8.ToArray(), answer => answer.Span.IndexOf((byte)'\n') < 0 ? null
            : answer.Span[0] == '+' ? PeerOutcome.LetIn : PeerOutcome.Refused);

        var judged = await GalleryRun.AgainstServerAsync(_authority, server.EndPoint, FewPeers.Only(FewPeers.Some) with { Probe = probe }, token);
        var byEcho = await GalleryRun.AgainstServerAsync(
            _authority,
            server.EndPoint,
            FewPeers.Only(FewPeers.Some) with { Probe = GalleryProbe.Echo, Patience = TimeSpan.FromSeconds(0.5) },
            token);

        judged.IsClean.Should().BeTrue(judged.ToString());
        byEcho.Results.Should().OnlyContain(result => result.Bad == PeerOutcome.Unclear && result.Good == PeerOutcome.Unclear, byEcho.ToString());
    }

    [Test]
    public async Task Times_that_end_a_run_before_it_begins_are_refused([Values(-1, 0)] int seconds, [Values] bool patience)
    {
        var time = TimeSpan.FromSeconds(seconds);
        var options = patience ? new GalleryRunOptions { Patience = time } : new GalleryRunOptions { TotalTime = time };

        await FluentActions.Awaiting(() => GalleryRun.AgainstClientAsync(_authority, (_, _, _) => Task.CompletedTask, options))
            .Should().ThrowAsync<ArgumentException>();
    }

    [TestCase("health", "server.test")]
    [TestCase("/a b", "server.test")]
    [TestCase("/a\r\nX: y", "server.test")]
    [TestCase("/", "server.test\r\nX: y")]
    [TestCase("/", "")]
    public void A_page_that_is_none_is_refused_at_once(string path, string host) =>
        FluentActions.Invoking(() => GalleryProbe.Http(path, host)).Should().Throw<ArgumentException>();

    [Test]
    public async Task A_judge_in_a_container_can_reach_the_trap_and_is_counted(CancellationToken token)
    {
        using var identity = _authority.IssueServer("server.test");
        var asked = string.Empty;
        await using var server = new SocketServer(SocketServer.Tls(
            identity,
            (_, certificate, chain, _) =>
            {
                if (!SocketServer.IsTrusted(_authority, certificate, chain))
                {
                    using var shown = X509CertificateLoader.LoadCertificate(certificate!.GetRawCertData());
                    asked = shown.Extensions.OfType<X509AuthorityInformationAccessExtension>().Single().EnumerateCAIssuersUris().Single();
                    using var socket = new TcpClient();
                    socket.Connect(IPAddress.Parse("127.0.0.2"), new Uri(asked).Port);
                    _ = socket.GetStream().ReadByte();
                    return false;
                }

                return true;
            },
            (tls, stop) => tls.CopyToAsync(tls, stop)));

        var report = await GalleryRun.AgainstServerAsync(
            _authority, server.EndPoint, FewPeers.Only(Gallery.MissingIntermediate) with { PublishedHost = "host.docker.internal" }, token);

        asked.Should().StartWith("http://host.docker.internal:").And.EndWith("/issuer.cer");
        report.AddressesAsked.Should().BePositive();
        report.IsClean.Should().BeFalse(report.ToString());
    }

    /// <summary>A client that accepts everybody.</summary>
    private static async Task ConnectAsync(IPEndPoint endPoint, CancellationToken token)
    {
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(endPoint, token);
        await using var tls = new SslStream(new NetworkStream(socket), leaveInnerStreamOpen: false, (_, _, _, _) => true);
        await tls.AuthenticateAsClientAsync(new SslClientAuthenticationOptions { TargetHost = "server.test" }, token);
    }
}
