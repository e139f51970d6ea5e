using System.Net;
using System.Net.Sockets;
using MutualAuth.Testing.Responders;
using MutualAuth.Testing.Revocation;
using MutualAuth.Testing.Tests.Support;

namespace MutualAuth.Testing.Tests.Responders;

/// <summary>Where responders are reached, and how they end.</summary>
[CancelAfter(20000)]
public sealed class ResponderLifetimeTests
{
    private static readonly HttpClient s_http = new();

    [Test]
    public async Task To_dispose_twice_is_to_dispose_once_and_the_addresses_remain(CancellationToken token)
    {
        using var authority = new TestAuthority();
        var responder = new CrlResponder(authority);
        var (uri, full) = (responder.BaseUri, responder.FullUri);
        uri.Port.Should().BePositive();

        await responder.DisposeAsync();
        await responder.DisposeAsync();

        (responder.BaseUri, responder.FullUri).Should().Be((uri, full));
        await FluentActions.Awaiting(() => RawHttp.ConnectAsync(uri, token)).Should().ThrowAsync<SocketException>();
    }

    [Test]
    public async Task Sixteen_may_dispose_at_once_and_each_waits_for_the_end(CancellationToken token)
    {
        using var authority = new TestAuthority();
        var responder = new CrlResponder(authority) { Mode = ResponderMode.Hang };
        using var client = await RawHttp.ConnectAsync(responder.BaseUri, token);
        await client.SendAsync("GET /full.crl HTTP/1.1\r\nHost: a\r\n\r\n", token);
        while (responder.Hits == 0)
        {
            await Task.Yield();
        }

        await Parallel.ForAsync(0, 16, token, async (_, _) =>
        {
            await responder.DisposeAsync();
            await FluentActions.Awaiting(() => RawHttp.ConnectAsync(responder.BaseUri, token)).Should().ThrowAsync<SocketException>();
        });

        (await client.ReceiveRestAsync(token)).Should().BeEmpty();
        responder.Problems.Should().BeEmpty("to be stopped is no problem");
    }

    [Test]
    public async Task A_callback_may_dispose_of_its_responder(CancellationToken token)
    {
        using var authority = new TestAuthority();
        using var leaf = authority.IssueClient("leaf.test");
        await using var responder = new OcspResponder(authority);
        var disposing = Task.CompletedTask;
        responder.Spec = spec =>
        {
            disposing = responder.DisposeAsync().AsTask();
            return spec;
        };

        await FluentActions.Awaiting(() => s_http.PostAsync(responder.BaseUri, new ByteArrayContent(OcspQuestion.About(authority, leaf)), token))
            .Should().ThrowAsync<HttpRequestException>();
        await disposing.WaitAsync(token);
    }

    [Test]
    public async Task A_responder_comes_back_where_it_was(CancellationToken token)
    {
        using var authority = new TestAuthority();
        var first = new CrlResponder(authority);
        await s_http.GetByteArrayAsync(new Uri(first.FullUri), token);
        await first.DisposeAsync();

        await using var second = new CrlResponder(authority, port: first.BaseUri.Port);

        second.FullUri.Should().Be(first.FullUri);
        using var http = new HttpClient();
        (await http.GetByteArrayAsync(new Uri(first.FullUri), token)).Should().NotBeEmpty();
        FluentActions.Invoking(() => new CrlResponder(authority, port: first.BaseUri.Port)).Should().Throw<SocketException>();
        FluentActions.Invoking(() => new CrlResponder(authority, port: 70_000)).Should().Throw<ArgumentOutOfRangeException>();
    }

    [Test]
    public async Task On_its_own_it_is_reached_on_loopback_alone(CancellationToken token)
    {
        await using var trap = new AiaTrap();

        trap.PublishedHost.Should().BeNull();
        trap.BaseUri.Host.Should().Be("127.0.0.1");
        await FluentActions.Awaiting(() => RawHttp.ConnectAsync(new Uri($"http://127.0.0.2:{trap.BaseUri.Port}/"), token))
            .Should().ThrowAsync<SocketException>();
    }

    [TestCase("host.docker.internal", "host.docker.internal", "127.0.0.2")]
    [TestCase("host.docker.internal", "host.docker.internal", "::1")]
    [TestCase("test-runner", "test-runner", "127.0.0.2")]
    [TestCase("127.0.0.3", "127.0.0.3", "127.0.0.2")]
    [TestCase("::1", "[::1]", "::1")]
    public async Task Published_it_is_reached_on_every_address_and_its_URIs_say_the_published_name(
        string published, string inUris, string reachedAt, CancellationToken token)
    {
        if (reachedAt.Contains(':') && !Socket.OSSupportsIPv6)
        {
            Assert.Ignore("This machine has no IPv6.");
        }

        using var authority = new TestAuthority();
        await using var crl = new CrlResponder(authority, published);
        await using var ocsp = new OcspResponder(authority, published);
        await using var trap = new AiaTrap(authority.AsCertificate.RawCertificate, published);

        crl.PublishedHost.Should().Be(published);
        foreach (var (responder, uri) in new (HttpResponder, string)[] { (crl, crl.DeltaUri), (ocsp, ocsp.Uri), (trap, trap.IssuerUri) })
        {
            var base64 = $"http://{inUris}:{responder.BaseUri.Port}/";
            responder.BaseUri.ToString().Should().Be(base64);
            uri.Should().StartWith(base64);
            var address = new UriBuilder(uri) { Host = reachedAt }.Uri;
            (await RawHttp.AskAsync(address, $"GET {address.PathAndQuery} HTTP/1.1\r\nHost: {inUris}\r\n\r\n", token)).Status.Should().Be(200);
        }
    }

    [TestCase("")]
    [TestCase("host:80")]
    [TestCase("http://host/")]
    [TestCase("two words")]
    [TestCase("[::1]")]
    [TestCase("fe80::1%1")]
    [TestCase("user@host")]
    public void A_host_that_cannot_stand_in_a_URI_is_refused(string published) =>
        FluentActions.Invoking(() => new AiaTrap(publishedHost: published)).Should().Throw<ArgumentException>().WithMessage("*host.docker.internal*");
}
