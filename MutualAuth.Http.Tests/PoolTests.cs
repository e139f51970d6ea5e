using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using MutualAuth.Authorization;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests;

/// <summary>Connections are used again for as long as their server is accepted, and no longer.</summary>
[CancelAfter(60000)]
public sealed class PoolTests
{
    private HttpWorld _world = null!;

    [SetUp]
    public void SetUp() => _world = new HttpWorld();

    [TearDown]
    public void TearDown() => _world.Dispose();

    [Test]
    public async Task A_connection_is_used_again([Values("1.1", "2.0")] string version)
    {
        await using var server = await _world.StartAsync();
        using var http = Http(server, out _);

        await Repeatedly(http, server, version);

        server.Accepted.Should().ContainSingle();
    }

    [Test]
    public async Task A_connection_is_not_used_beyond_its_lifetime([Values("1.1", "2.0")] string version)
    {
        await using var server = await _world.StartAsync();
        using var http = Http(server, out _, new MutualTlsHttpOptions { PooledConnectionLifetime = TimeSpan.FromTicks(1) });

        await Repeatedly(http, server, version);

        server.Accepted.Should().HaveCount(3);
    }

    [Test]
    public async Task Requests_at_once_share_an_HTTP_2_connection()
    {
        await using var server = await _world.StartAsync();
        using var http = Http(server, out _);

        await Task.WhenAll(Enumerable.Range(0, 90).Select(_ => SeenAsync(http, server, "2.0")));

        server.Accepted.Should().ContainSingle();
    }

    /// <summary>What a rule no longer accepts drains by default: what has begun ends whole, and what begins is judged anew.</summary>
    [Test]
    public async Task A_server_that_is_no_longer_accepted_gets_no_further_request([Values("1.1", "2.0")] string version)
    {
        await using var server = await _world.StartAsync();
        var rule = new ReplaceableAuthorization(Authorize.Dns("server.test"));
        using var http = Http(server, out var client, client: _world.Client with { Authorization = Authorize.From(rule) });
        await SeenAsync(http, server, version);
        using var slow = await http.SendAsync(
            HttpWorld.Get(server.At("/slow"), Version.Parse(version)), HttpCompletionOption.ResponseHeadersRead);
        var lost = LostAsync(client);

        rule.Replace(Authorize.Dns("another.test"));
        await lost;
        var failure = await FluentActions.Awaiting(() => SeenAsync(http, server, version)).Should().ThrowAsync<HttpRequestException>();
        _world.Gate.SetResult();

        failure.Which.TryGetRejection(out var rejection).Should().BeTrue();
        rejection!.Reason.Should().Be(RejectionReason.NotAuthorized);
        (await slow.Content.ReadAsStringAsync()).Should().Be("first,second");

        rule.Replace(Authorize.Dns("server.test"));
        await SeenAsync(http, server, version);
        await UntilAsync(() => client.Connections.Length == 1); // the old ones end with their requests
    }

    [Test]
    public async Task A_connection_that_is_cut_ends_its_requests_with_the_reason_and_the_next_connects_anew([Values("1.1", "2.0")] string version)
    {
        await using var server = await _world.StartAsync();
        using var http = Http(server, out var client);
        using var slow = await http.SendAsync(
            HttpWorld.Get(server.At("/slow"), Version.Parse(version)), HttpCompletionOption.ResponseHeadersRead);

        client.EndWhere(_ => true, "the test says so").Should().Be(1);
        var failure = await FluentActions.Awaiting(() => slow.Content.ReadAsStringAsync()).Should().ThrowAsync<HttpRequestException>();

        failure.Which.TryGetRejection(out var rejection).Should().BeTrue();
        rejection!.Reason.Should().Be(RejectionReason.EndedByApplication);
        await SeenAsync(http, server, version);
        server.Accepted.Should().HaveCount(2);
    }

    [Test]
    public async Task An_idle_connection_that_is_cut_costs_no_request([Values("1.1", "2.0")] string version)
    {
        await using var server = await _world.StartAsync();
        using var http = Http(server, out var client);

        foreach (var expected in Enumerable.Range(1, 5))
        {
            await SeenAsync(http, server, version);
            server.Accepted.Should().HaveCount(expected);
            client.EndWhere(_ => true, "the test says so").Should().Be(1);
        }
    }

    [Test]
    public async Task Disposal_closes_idle_connections_and_lets_a_response_end([Values("1.1", "2.0")] string version)
    {
        await using var server = await _world.StartAsync();
        using var handler = new MutualTlsHttpHandler(new MutualTlsClient(_world.Client), HttpWorld.Dialling(server));
        using var http = new HttpMessageInvoker(handler, disposeHandler: false);
        using var slow = await http.SendAsync(HttpWorld.Get(server.At("/slow"), Version.Parse(version)), CancellationToken.None);

        handler.Dispose();
        _world.Gate.SetResult();

        (await slow.Content.ReadAsStringAsync()).Should().Be("first,second");
        await FluentActions.Awaiting(() => http.SendAsync(HttpWorld.Get(server.At("/seen"), Version.Parse(version)), CancellationToken.None))
            .Should().ThrowAsync<ObjectDisposedException>();
        await EndAsync(server.Accepted.Single());
    }

    /// <summary>It was opened to learn the version; its request was given up in the moment between.</summary>
    [Test]
    public async Task A_connection_whose_request_was_given_up_is_closed_and_its_pool_let_go([Values] bool isGivenUp)
    {
        await using var server = await _world.StartAsync();
        using var givesUp = new CancellationTokenSource();
        var atSuccess = new AtSuccess(() => _ = isGivenUp ? givesUp.CancelAsync() : Task.CompletedTask);
        var client = new MutualTlsClient(_world.Client with { LoggerFactory = atSuccess });
        using var handler = new MutualTlsHttpHandler(client, HttpWorld.Dialling(server));
        using var http = new HttpMessageInvoker(handler, disposeHandler: false);
        using var request = HttpWorld.Get(server.At("/seen"), HttpVersion.Version20, HttpVersionPolicy.RequestVersionOrLower);

        var sending = () => http.SendAsync(request, givesUp.Token);

        if (isGivenUp)
        {
            await sending.Should().ThrowAsync<OperationCanceledException>();
            await UntilAsync(() => handler.PoolCount == 0 && client.Connections.IsEmpty);
            await UntilAsync(() => !server.Accepted.IsEmpty); // the client has its verdict before the server hands its connection over
            await EndAsync(server.Accepted.Single());
        }
        else
        {
            using var response = await sending();
            response.StatusCode.Should().Be(HttpStatusCode.OK);
            (handler.PoolCount, client.Connections.Length).Should().Be((1, 1));
        }
    }

    [Test]
    public async Task A_pool_without_connections_is_let_go()
    {
        await using var server = await _world.StartAsync();
        var client = new MutualTlsClient(_world.Client);
        using var handler = new MutualTlsHttpHandler(client, HttpWorld.Dialling(server));
        using var http = new HttpClient(handler);

        await SeenAsync(http, server, "1.1");
        handler.PoolCount.Should().Be(1);
        await FluentActions.Awaiting(() => http.GetAsync(server.At("/", "other.test"))).Should().ThrowAsync<HttpRequestException>();
        handler.PoolCount.Should().Be(1, "no connection to the other host was made");
        client.EndWhere(_ => true, "the test says so");
        await FluentActions.Awaiting(() => http.GetAsync(server.At("/", "other.test"))).Should().ThrowAsync<HttpRequestException>();
        await UntilAsync(() => handler.PoolCount == 0); // the platform's handler notices the end by itself
    }

    [Test]
    public async Task A_caller_that_gives_up_is_heard([Values("1.1", "2.0")] string version)
    {
        await using var server = await _world.StartAsync();
        using var http = Http(server, out _);
        using var source = new CancellationTokenSource();

        var sending = http.SendAsync(HttpWorld.Get(server.At("/never"), Version.Parse(version)), source.Token);
        await source.CancelAsync();

        await FluentActions.Awaiting(() => sending).Should().ThrowAsync<OperationCanceledException>();
        await SeenAsync(http, server, version);
    }

    [Test]
    public async Task A_caller_that_gives_up_during_the_handshake_is_heard([Values] HttpVersionPolicy policy)
    {
        using var silent = new TcpListener(IPAddress.Loopback, 0);
        silent.Start();
        using var http = new HttpClient(new MutualTlsHttpHandler(new MutualTlsClient(_world.Client), new MutualTlsHttpOptions
        {
            Target = _ => new MutualTlsHttpTarget { EndPoint = silent.LocalEndpoint },
        }));
        using var source = new CancellationTokenSource();

        var sending = http.SendAsync(HttpWorld.Get(new Uri("https://server.test/"), HttpVersion.Version20, policy), source.Token);
        using var accepted = await silent.AcceptTcpClientAsync();
        await source.CancelAsync();

        await FluentActions.Awaiting(() => sending).Should().ThrowAsync<OperationCanceledException>();
    }

    /// <summary>A response without a length ends where its connection does: then an attacker's cut must not pass for the end.</summary>
    [Test]
    public async Task A_response_that_ends_with_its_connection_must_end_with_close_notify([Values] bool says)
    {
        var server = new MutualTlsServer(_world.Server);
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        using var http = new HttpClient(new MutualTlsHttpHandler(new MutualTlsClient(_world.Client), new MutualTlsHttpOptions
        {
            Target = _ => new MutualTlsHttpTarget { EndPoint = listener.LocalEndpoint },
        }));

        var getting = http.GetStringAsync(new Uri("https://server.test/"));
        using var socket = await listener.AcceptSocketAsync();
        await using var transport = new NetworkStream(socket, ownsSocket: false);
        await using var connection = await server.AcceptAsync(transport);
        await connection.Stream.ReadAtLeastAsync(new byte[1], 1);
        await connection.Stream.WriteAsync("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nall of it"u8.ToArray());
        if (says)
        {
            await connection.CompleteWritesAsync();
        }

        socket.Shutdown(SocketShutdown.Send);

        if (says)
        {
            (await getting).Should().Be("all of it");
        }
        else
        {
            (await FluentActions.Awaiting(() => getting).Should().ThrowAsync<HttpRequestException>())
                .Which.InnerException!.Message.Should().Contain("without close_notify");
        }
    }

    private HttpClient Http(
        WebServer server, out MutualTlsClient mutualTls, MutualTlsHttpOptions? options = null, MutualTlsClientOptions? client = null)
    {
        mutualTls = new MutualTlsClient(client ?? _world.Client);
        return new HttpClient(new MutualTlsHttpHandler(mutualTls, HttpWorld.Dialling(server, options)));
    }

    private static async Task Repeatedly(HttpClient http, WebServer server, string version)
    {
        foreach (var _ in Enumerable.Range(0, 3))
        {
            await SeenAsync(http, server, version);
            for (var seen = Environment.TickCount64; Environment.TickCount64 == seen;)
            {
                await Task.Yield(); // lifetimes are counted by this clock
            }
        }
    }

    private static async Task SeenAsync(HttpClient http, WebServer server, string version)
    {
        using var response = await http.SendAsync(HttpWorld.Get(server.At("/seen"), Version.Parse(version)));
        (await response.Content.ReadAsStringAsync()).Should().StartWith("https ");
    }

    /// <summary>Every open connection has been judged again, and lost.</summary>
    private static Task LostAsync(MutualTlsClient client) => Task.WhenAll(client.Connections.Select(async connection =>
    {
        var lost = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var registration = connection.DrainRequested.Register(lost.SetResult);
        await lost.Task.WaitAsync(TimeSpan.FromSeconds(20));
    }));

    private static async Task UntilAsync(Func<bool> holds)
    {
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        while (!holds())
        {
            deadline.Token.ThrowIfCancellationRequested();
            await Task.Yield();
        }
    }

    private static async Task EndAsync(MutualTlsConnection connection)
    {
        try
        {
            while (await connection.Stream.ReadAsync(new byte[100]).AsTask().WaitAsync(TimeSpan.FromSeconds(20)) > 0)
            {
            }
        }
        catch (Exception exception) when (exception is IOException or NotSupportedException or ObjectDisposedException)
        {
            // Over, or about to be: Kestrel reads it.
        }
    }

    /// <summary>Acts in the moment in which a handshake has succeeded, before anybody has its connection.</summary>
    private sealed class AtSuccess(Action act) : ILoggerFactory, ILogger
    {
        public ILogger CreateLogger(string categoryName) => this;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (eventId.Id == 1000)
            {
                act();
            }
        }

        public void AddProvider(ILoggerProvider provider) => throw new NotSupportedException();

        public void Dispose()
        {
        }
    }
}
