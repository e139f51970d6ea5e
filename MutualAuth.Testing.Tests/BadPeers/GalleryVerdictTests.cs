using System.Diagnostics;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Text;
using MutualAuth.Testing.BadPeers;
using MutualAuth.Testing.Tests.Support;

namespace MutualAuth.Testing.Tests.BadPeers;

/// <summary>Servers and clients that break, hang, come late or judge nobody: none of them comes out as one that judges.</summary>
[CancelAfter(60000)]
public sealed class GalleryVerdictTests
{
    private static readonly BadPeer[] s_few = [Gallery.ExpiredLeaf, Gallery.UnknownAuthority, Gallery.CorruptSignature];

    private readonly TestAuthority _authority = new();

    [OneTimeTearDown]
    public void Dispose() => _authority.Dispose();

    [Test]
    public async Task A_server_that_drops_every_second_connection_is_not_taken_for_one_that_judges(CancellationToken token)
    {
        using var identity = _authority.IssueServer("server.test");
        var echo = SocketServer.Echo(identity, (_, _, _, _) => true);
        await using var server = new SocketServer((socket, number, stop) => number % 2 == 0 ? Task.CompletedTask : echo(socket, number, stop));

        var report = await GalleryRun.AgainstServerAsync(_authority, server.EndPoint, Only(s_few), token);

        report.IsClean.Should().BeFalse(report.ToString());
        report.Results.Should().NotContain(result => result.Bad == PeerOutcome.Refused, report.ToString());
    }

    [Test]
    public async Task A_client_that_accepts_after_the_patience_is_over_is_unclear(CancellationToken token)
    {
        var options = Only(Gallery.ExpiredLeaf) with { Patience = TimeSpan.FromSeconds(1) };

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
                            Thread.Sleep(1500);
                        }

                        return true;
                    });
                await tls.AuthenticateAsClientAsync(new SslClientAuthenticationOptions { TargetHost = "server.test" }, CancellationToken.None);
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
        await using var server = new SocketServer(async (socket, number, stop) =>
        {
            var trusted = false;
            await SocketServer.Tls(
                identity,
                (_, certificate, chain, _) =>
                {
                    trusted = SocketServer.IsTrusted(_authority, certificate, chain);
                    return true;
                },
                async (tls, cancel) =>
                {
                    _ = await tls.ReadAsync(new byte[1000], cancel);
                    await tls.WriteAsync(Encoding.ASCII.GetBytes($"HTTP/1.1 {(trusted ? "200 OK" : "400 Bad Request")}\r\n\r\n"), cancel);
                })(socket, number, stop);
        });

        var report = await GalleryRun.AgainstServerAsync(_authority, server.EndPoint, Only(s_few), token);

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
        await using var server = new SocketServer((_, _, stop) => Task.Delay(Timeout.Infinite, stop));
        var watch = Stopwatch.StartNew();

        var report = await GalleryRun.AgainstServerAsync(
            _authority, server.EndPoint, new GalleryRunOptions { Patience = TimeSpan.FromSeconds(1) }, token);

        watch.Elapsed.Should().BeLessThan(TimeSpan.FromSeconds(15));
        report.IsClean.Should().BeFalse(report.ToString());
    }

    [Test]
    public async Task A_dial_that_ignores_its_token_does_not_hang_the_run(CancellationToken token)
    {
        var options = Only(Gallery.ExpiredLeaf) with { Patience = TimeSpan.FromSeconds(1) };

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
        var options = Only(s_few) with
        {
            Probe = (_, _) => ++probes is 2 ? throw new InvalidDataException("not the answer that I expected") : Task.FromResult(true),
        };

        var report = await GalleryRun.AgainstServerAsync(_authority, server.EndPoint, options, token);

        report.Results.Should().HaveCount(s_few.Length);
        report.Results[0].Bad.Should().Be(PeerOutcome.Unclear);
        report.ToString().Should().Contain("not the answer that I expected");
    }

    private static GalleryRunOptions Only(params BadPeer[] peers) => new()
    {
        Except = [.. Gallery.All.Except(peers)],
        Patience = TimeSpan.FromSeconds(10),
    };
}
