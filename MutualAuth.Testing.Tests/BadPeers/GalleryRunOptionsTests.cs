using System.Net.Security;
using System.Security.Authentication;
using MutualAuth.Testing.BadPeers;
using MutualAuth.Testing.Tests.Support;
using MutualAuth.Testing.Transports;

namespace MutualAuth.Testing.Tests.BadPeers;

/// <summary>What no run can be made with is told by name before any peer is played.</summary>
[CancelAfter(60000)]
public sealed class GalleryRunOptionsTests
{
    private readonly TestAuthority _authority = new();

    [OneTimeTearDown]
    public void Dispose() => _authority.Dispose();

    private static IEnumerable<TestCaseData> Wrong()
    {
        static TestCaseData Case(string option, GalleryRunOptions options, string what = "") =>
            new TestCaseData(option, options).SetArgDisplayNames($"{option} {what}");

        var right = new GalleryRunOptions();
        yield return Case("Patience", right with { Patience = TimeSpan.Zero }, "zero");
        yield return Case("Patience", right with { Patience = Timeout.InfiniteTimeSpan }, "infinite");
        yield return Case("TotalTime", right with { TotalTime = TimeSpan.FromTicks(-1) }, "negative");
        yield return Case("TotalTime", right with { TotalTime = TimeSpan.FromDays(2) }, "two days");
        yield return Case("Protocols", right with { Protocols = SslProtocols.None }, "none");
#pragma warning disable SYSLIB0039 // An old version is what is refused.
        yield return Case("Protocols", right with { Protocols = SslProtocols.Tls11 }, "1.1");
        yield return Case("Protocols", right with { Protocols = SslProtocols.Tls11 | SslProtocols.Tls12 }, "1.1 and 1.2");
#pragma warning restore SYSLIB0039
        yield return Case("ApplicationProtocols", right with { ApplicationProtocols = null! }, "null");
        yield return Case("ApplicationProtocols", right with { ApplicationProtocols = ["h2", ""] }, "empty");
        yield return Case("ApplicationProtocols", right with { ApplicationProtocols = ["h2", null!] }, "with null");
        yield return Case("ApplicationProtocols", right with { ApplicationProtocols = [new string('a', 256)] }, "too long");
        yield return Case("Demands", right with { Demands = [RequiredCheck.Nothing, default] }, "zero");
        yield return Case("Except", right with { Except = null! }, "null");
        yield return Case("Except", right with { Except = [null!] }, "with null");
        yield return Case("Probe", right with { Probe = null! }, "null");
        yield return Case("Names", right with { Names = null! }, "null");
        yield return Case("Names.Client", right with { Names = new GalleryNames { Client = "" } }, "empty");
        yield return Case("Names.Server", right with { Names = new GalleryNames { Server = null! } }, "null");
        yield return Case("Names.Server", right with { Names = new GalleryNames { Server = "\ud800.test" } }, "without a form in ASCII");
        yield return Case("Names.TrustDomain", right with { Names = new GalleryNames { TrustDomain = "" } }, "empty");
        yield return Case("PublishedHost", right with { PublishedHost = "http://a" }, "a URI");
    }

    [TestCaseSource(nameof(Wrong))]
    public async Task What_no_run_can_be_made_with_is_refused_by_name(string option, GalleryRunOptions options, CancellationToken token)
    {
        var played = 0;

        foreach (var run in (Func<Task>[])
        [
            () => GalleryRun.AgainstClientAsync(_authority, (_, _, _) => Task.FromResult(played++), options, token),
            () => GalleryRun.AgainstServerAsync(_authority, _ => Task.FromException<Stream>(new IOException($"{played++}")), options, token),
        ])
        {
            (await run.Should().ThrowAsync<ArgumentException>()).Which.Should().Match<ArgumentException>(
                refused => refused.ParamName == "options" && refused.Message.StartsWith(option + " "));
        }

        played.Should().Be(0);
    }

    [Test]
    public async Task Patience_has_no_end_but_that_of_the_run(CancellationToken token)
    {
        using var identity = _authority.IssueServer("server.test");
        await using var server = Server(identity, (tls, stop) => tls.CopyToAsync(tls, stop));
        var options = Only(Gallery.ExpiredLeaf) with { Patience = TimeSpan.MaxValue, TotalTime = TimeSpan.FromDays(1) };

        var report = await GalleryRun.AgainstServerAsync(_authority, server.EndPoint, options, token);

        report.IsClean.Should().BeTrue(report.ToString());
    }

    [Test]
    public async Task A_server_of_TLS_1_2_can_be_clean_for_what_it_can_be_shown(CancellationToken token)
    {
        using var identity = _authority.IssueServer("server.test");
        await using var server = Server(identity, (tls, stop) => tls.CopyToAsync(tls, stop), SslProtocols.Tls12);
        var options = Only(Gallery.ExpiredLeaf, Gallery.HashMLDsaLeaf, Gallery.MLDsaKeyWithParameters, Gallery.MLDsaKeyCutShort);

        var both = await GalleryRun.AgainstServerAsync(_authority, server.EndPoint, options, token);
        var report = await GalleryRun.AgainstServerAsync(_authority, server.EndPoint, options with { Protocols = SslProtocols.Tls12 }, token);

        both.Unclear.Should().HaveCount(3).And.AllSatisfy(
            result => result.Detail.Should().Contain("TLS 1.3").And.Contain(nameof(GalleryRunOptions.Protocols)));
        report.IsClean.Should().BeTrue(report.ToString());
        report.Results.Select(result => result.Peer).Should().Equal(Gallery.ExpiredLeaf);
    }

    [Test]
    public async Task A_server_that_has_nothing_to_say_is_told_from_one_that_does_not_shake_hands(CancellationToken token)
    {
        using var identity = _authority.IssueServer("server.test");
        await using var silent = Server(identity, (tls, stop) => tls.CopyToAsync(Stream.Null, stop));
        // Accepts, and says nothing until the test is over.
        await using var deaf = new SocketServer((_, _, stop) => Task.Delay(Timeout.Infinite, stop));
        var options = Only(Gallery.ExpiredLeaf) with { Patience = TimeSpan.FromSeconds(1) };

        var first = await GalleryRun.AgainstServerAsync(_authority, silent.EndPoint, options, token);
        var second = await GalleryRun.AgainstServerAsync(_authority, deaf.EndPoint, options, token);

        first.Stopped.Should().Contain("handshake").And.Contain("probe");
        second.Stopped.Should().NotContain("probe");
    }

    [TestCase(SslProtocols.None)]
#pragma warning disable SYSLIB0039
    [TestCase(SslProtocols.Tls11 | SslProtocols.Tls12)]
#pragma warning restore SYSLIB0039
    public async Task A_loose_peer_does_not_leave_a_version_out_in_silence(SslProtocols protocols, CancellationToken token)
    {
        using var pair = new DuplexPair();
        using var identity = _authority.IssueServer("server.test");
        var options = new LooseTlsOptions { Protocols = protocols };

        (await FluentActions.Awaiting(() => LooseTlsPeer.ConnectAsync(pair.Client, identity, options, token))
            .Should().ThrowAsync<ArgumentException>()).Which.Message.Should().Contain("Protocols");
        (await FluentActions.Awaiting(() => LooseTlsPeer.AcceptAsync(pair.Server, identity, options, token))
            .Should().ThrowAsync<ArgumentException>()).Which.Message.Should().Contain("Protocols");
    }

    private SocketServer Server(
        TestCertificate identity, Func<SslStream, CancellationToken, Task> answer, SslProtocols protocols = SslProtocols.None) =>
        new(SocketServer.Tls(
            identity, (_, certificate, chain, _) => SocketServer.IsTrusted(_authority, certificate, chain), answer, protocols));

    private static GalleryRunOptions Only(params BadPeer[] peers) => new()
    {
        Except = [.. Gallery.All.Except(peers)],
        Patience = TimeSpan.FromSeconds(10),
    };
}
