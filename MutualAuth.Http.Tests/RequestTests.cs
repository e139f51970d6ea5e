using System.Net;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests;

/// <summary>What arrives at the server, in which version, and by which name it is verified.</summary>
[CancelAfter(60000)]
public sealed class RequestTests
{
    private HttpWorld _world = null!;

    [SetUp]
    public void SetUp() => _world = new HttpWorld();

    [TearDown]
    public void TearDown() => _world.Dispose();

    [TestCase("1.0", HttpVersionPolicy.RequestVersionExact, "HTTP/1.0")]
    [TestCase("1.1", HttpVersionPolicy.RequestVersionExact, "HTTP/1.1")]
    [TestCase("1.1", HttpVersionPolicy.RequestVersionOrLower, "HTTP/1.1")]
    [TestCase("1.1", HttpVersionPolicy.RequestVersionOrHigher, "HTTP/2")]
    [TestCase("2.0", HttpVersionPolicy.RequestVersionExact, "HTTP/2")]
    [TestCase("2.0", HttpVersionPolicy.RequestVersionOrHigher, "HTTP/2")]
    [TestCase("2.0", HttpVersionPolicy.RequestVersionOrLower, "HTTP/2")]
    [TestCase("3.0", HttpVersionPolicy.RequestVersionOrLower, "HTTP/2")]
    public async Task The_version_and_its_policy_decide_and_the_scheme_is_https(string version, HttpVersionPolicy policy, string spoken)
    {
        foreach (var confirmation in new[] { ConfirmationPolicy.Required, ConfirmationPolicy.Never })
        {
            await using var server = await _world.StartAsync();
            using var http = Client(server, _world.Client with { Confirmation = confirmation });
            using var request = HttpWorld.Get(server.At("/seen/a%2Fb?c=d%20e#f"), Version.Parse(version), policy);

            using var response = await http.SendAsync(request);

            (await response.Content.ReadAsStringAsync()).Should().Be($"https {spoken} server.test:{server.Port} /seen/a%2Fb?c=d%20e");
            server.Accepted.Should().ContainSingle().Which.IsConfirmed.Should().Be(confirmation == ConfirmationPolicy.Required);
            response.RequestMessage.Should().BeSameAs(request);
            (request.RequestUri, request.Version, request.VersionPolicy, request.Headers.Host).Should().Be(
                (server.At("/seen/a%2Fb?c=d%20e#f"), Version.Parse(version), policy, null));
        }
    }

    [TestCase("1.1", HttpVersionPolicy.RequestVersionOrHigher)]
    [TestCase("2.0", HttpVersionPolicy.RequestVersionOrLower)]
    public async Task A_server_without_HTTP_2_is_spoken_to_in_HTTP_1_where_the_policy_lets_it_choose(string version, HttpVersionPolicy policy)
    {
        _world.Server = _world.Server with { ApplicationProtocols = ["http/1.1"] };
        await using var server = await _world.StartAsync();
        using var http = Client(server);

        foreach (var _ in Enumerable.Range(0, 3))
        {
            using var request = HttpWorld.Get(server.At("/seen"), Version.Parse(version), policy);
            using var response = await http.SendAsync(request);
            (await response.Content.ReadAsStringAsync()).Should().StartWith("https HTTP/1.1 ");
        }

        server.Accepted.Should().ContainSingle("the connection by which the version was learned is used");
    }

    [Test]
    public async Task A_server_without_HTTP_2_is_an_error_where_it_is_demanded()
    {
        _world.Server = _world.Server with { ApplicationProtocols = ["http/1.1"] };
        await using var server = await _world.StartAsync();
        using var http = Client(server);

        var failure = await Failure(http.SendAsync(HttpWorld.Get(server.At("/seen"))));

        failure.HttpRequestError.Should().Be(HttpRequestError.VersionNegotiationError);
        failure.TryGetHandshakeFailure(out var handshake).Should().BeTrue();
        handshake!.Reason.Should().Be(RejectionReason.AlpnMismatch);
    }

    [Test]
    public async Task A_server_that_names_no_protocol_is_HTTP_1_and_never_HTTP_2()
    {
        _world.Server = _world.Server with { ApplicationProtocols = [] };
        await using var server = await _world.StartAsync();
        using var http = Client(server);

        (await http.GetStringAsync(server.At("/seen"))).Should().StartWith("https HTTP/1.1 ");
        var failure = await Failure(http.SendAsync(HttpWorld.Get(server.At("/seen"))));

        failure.HttpRequestError.Should().Be(HttpRequestError.VersionNegotiationError);
        failure.Message.Should().Contain("has not agreed to speak HTTP/2");
    }

    [Test]
    public async Task HTTP_3_is_refused_before_anything_is_dialled()
    {
        await using var server = await _world.StartAsync();
        using var http = Client(server);

        var failure = await Failure(http.SendAsync(HttpWorld.Get(server.At("/seen"), HttpVersion.Version30)));

        failure.HttpRequestError.Should().Be(HttpRequestError.VersionNegotiationError);
        server.Accepted.Should().BeEmpty();
    }

    [Test]
    public async Task Plain_http_is_refused()
    {
        using var http = new HttpClient(new MutualTlsHttpHandler(new MutualTlsClient(_world.Client)));

        await FluentActions.Awaiting(() => http.GetAsync(new Uri("http://server.test/"))).Should().ThrowAsync<NotSupportedException>();
    }

    [Test]
    public async Task Content_goes_up_and_comes_down([Values("1.1", "2.0")] string version, [Values] bool hasLength)
    {
        await using var server = await _world.StartAsync();
        using var http = Client(server);
        var octets = new byte[300_000];
        Random.Shared.NextBytes(octets);
        octets.AsSpan(1000, 5000).Fill(0x86);
        using var request = new HttpRequestMessage(HttpMethod.Post, server.At("/echo"))
        {
            Version = Version.Parse(version),
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = new ByteArrayContent(octets),
        };
        request.Headers.TransferEncodingChunked = hasLength ? null : true;

        using var response = await http.SendAsync(request);

        (await response.Content.ReadAsByteArrayAsync()).Should().Equal(octets);
    }

    [Test]
    public async Task Headers_and_a_host_of_the_callers_arrive([Values("1.1", "2.0")] string version)
    {
        await using var server = await _world.StartAsync();
        using var http = Client(server);
        using var request = HttpWorld.Get(server.At("/header?name=x-two"), Version.Parse(version));
        request.Headers.Add("x-two", ["one", "two"]);
        using var named = HttpWorld.Get(server.At("/seen"), Version.Parse(version));
        named.Headers.Host = "other.test";

        using var response = await http.SendAsync(request);
        using var other = await http.SendAsync(named);

        (await response.Content.ReadAsStringAsync()).Replace(" ", string.Empty, StringComparison.Ordinal).Should().Be("one,two");
        (await other.Content.ReadAsStringAsync()).Should().Contain(" other.test ");
    }

    [TestCase("https://server.test/a?b", "server.test", "http://server.test:443/a?b")]
    [TestCase("https://SERVER.test:8443/", "server.test:8443", "http://server.test:8443/")]
    [TestCase("https://[::1]/", "[::1]", "http://[::1]:443/")]
    [TestCase("https://bücher.test/", "xn--bcher-kva.test", "http://xn--bcher-kva.test:443/")]
    public void The_default_port_of_https_is_not_in_the_host(string uri, string host, string wire)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, uri);
        var authority = Http.Pooling.Authority.Of(request.RequestUri!);
        using var pools = new Http.Pooling.PoolSet(new MutualTlsClient(_world.Client), new MutualTlsHttpOptions());

        using var made = WireRequest.Of(request, pools.Rent(authority).Prefix, HttpVersion.Version11);

        (made.Headers.Host, made.RequestUri!.OriginalString).Should().Be((host, wire));
    }

    [Test]
    public async Task The_server_must_have_the_name_in_the_URI()
    {
        await using var server = await _world.StartAsync();
        using var http = Client(server);

        (await http.GetStringAsync(server.At("/seen"))).Should().NotBeEmpty();
        var failure = await Failure(http.GetAsync(server.At("/seen", "other.test")));

        failure.HttpRequestError.Should().Be(HttpRequestError.SecureConnectionError);
        failure.TryGetRejection(out var rejection).Should().BeTrue();
        rejection!.Reason.Should().Be(RejectionReason.ServerNameMismatch);
    }

    [Test]
    public async Task A_target_says_by_which_name_and_rule_a_host_is_judged()
    {
        await using var server = await _world.StartAsync();
        var byRule = new MutualTlsClient(_world.Client with { Authorization = Authorize.Dns("server.test") });
        var endPoint = new IPEndPoint(IPAddress.Loopback, server.Port);
        using var http = new HttpClient(new MutualTlsHttpHandler(new MutualTlsClient(_world.Client), new MutualTlsHttpOptions
        {
            Target = authority => authority.Host switch
            {
                "renamed" => new MutualTlsHttpTarget { EndPoint = endPoint, ServerName = "server.test" },
                "by-rule" => new MutualTlsHttpTarget { EndPoint = endPoint, Client = byRule },
                "localhost" => new MutualTlsHttpTarget { ServerName = "server.test" },
                "unrenamed" => new MutualTlsHttpTarget { EndPoint = endPoint },
                _ => null,
            },
        }));

        foreach (var host in new[] { "renamed", "by-rule", "localhost" })
        {
            (await http.GetStringAsync(server.At("/seen", host))).Should().Contain($" {host}:{server.Port} ");
        }

        (await Failure(http.GetAsync(server.At("/seen", "unrenamed")))).TryGetRejection(out var rejection).Should().BeTrue();
        rejection!.Reason.Should().Be(RejectionReason.ServerNameMismatch);
        (await Failure(http.GetAsync(server.At("/seen", "nobody")))).Message.Should().Contain("No server is expected at nobody:");
    }

    [Test]
    public async Task A_server_that_refuses_us_is_an_error_with_its_reason([Values("1.1", "2.0")] string version)
    {
        _world.Server = _world.Server with { Authorization = Authorize.Dns("another.test") };
        await using var server = await _world.StartAsync();
        using var http = Client(server);

        var failure = await Failure(http.SendAsync(HttpWorld.Get(server.At("/seen"), Version.Parse(version))));

        failure.HttpRequestError.Should().Be(HttpRequestError.SecureConnectionError);
        failure.TryGetHandshakeFailure(out var handshake).Should().BeTrue();
        (handshake!.Reason, handshake.PeerReason).Should().Be((RejectionReason.RefusedByPeer, PublicReason.AccessDenied));
    }

    [Test]
    public async Task Nobody_at_the_other_end_is_an_error_of_the_connection([Values] HttpVersionPolicy policy)
    {
        await using var server = await _world.StartAsync();
        using var http = Client(server);
        await server.DisposeAsync();

        var failure = await Failure(http.SendAsync(HttpWorld.Get(server.At("/seen"), HttpVersion.Version20, policy)));

        failure.HttpRequestError.Should().Be(HttpRequestError.ConnectionError);
        failure.TryGetHandshakeFailure(out var handshake).Should().BeTrue();
        handshake!.IsTransient.Should().BeTrue();
    }

    private HttpClient Client(WebServer server, MutualTlsClientOptions? options = null) =>
        new(new MutualTlsHttpHandler(new MutualTlsClient(options ?? _world.Client), HttpWorld.Dialling(server)));

    private static async Task<HttpRequestException> Failure(Task sending) =>
        (await FluentActions.Awaiting(() => sending).Should().ThrowAsync<HttpRequestException>()).Which;
}
