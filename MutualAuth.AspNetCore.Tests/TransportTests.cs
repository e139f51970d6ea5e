using System.Buffers;
using System.Net;
using System.Net.Sockets;
using System.Net.WebSockets;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using MutualAuth.AspNetCore;
using MutualAuth.Authorization;
using MutualAuth.Telemetry;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests;

/// <summary>Kestrel over the listener of the library, and clients of both kinds.</summary>
[CancelAfter(60000)]
public sealed class TransportTests
{
    private static readonly World s_world = new();

    private static MutualTlsServerOptions OnlyOurClient => s_world.ServerOptions with { Authorization = Authorize.Dns("client.test") };

    [TestCase(1, "HTTP/1.1")]
    [TestCase(2, "HTTP/2")]
    public async Task A_request_over_plain_tls_knows_its_peer(int version, string protocol, CancellationToken cancellationToken)
    {
        await using var site = await Site.StartAsync(OnlyOurClient, app => app.MapGet("/", Describe));
        using var client = Clients.Plain(s_world.ClientCertificate, version);

        var said = await client.GetStringAsync(client.At(site.Port, "/"), cancellationToken);

        said.Should().Be($"{protocol} https client.test confirmed=False {s_world.ClientCertificate.Certificate.Thumbprint} Tls13 {Clients.Host}");
    }

    [Test]
    public async Task A_request_over_a_confirmed_connection_knows_its_peer(CancellationToken cancellationToken)
    {
        await using var site = await Site.StartAsync(OnlyOurClient, app => app.MapGet("/", Describe));
        using var client = Clients.Confirmed(s_world.ClientOptions);

        var said = await client.GetStringAsync(client.At(site.Port, "/"), cancellationToken);

        said.Should().StartWith("HTTP/1.1 https client.test confirmed=True");
    }

    [Test]
    public async Task Http2_is_spoken_within_the_confirmation(CancellationToken cancellationToken)
    {
        await using var site = await Site.StartAsync(
            OnlyOurClient, app => app.MapGet("/", Describe),
            builder => builder.WebHost.ConfigureKestrel(kestrel => kestrel.AllowAlternateSchemes = true));
        using var client = Clients.Confirmed(s_world.ClientOptions, 2);

        var said = await client.GetStringAsync(client.At(site.Port, "/"), cancellationToken);

        said.Should().StartWith("HTTP/2 http client.test confirmed=True", "this client says http, and we let it");
    }

    /// <summary>As one does whose disk is full. What begins, is aborted, or breaks off is logged.</summary>
    [Test]
    public async Task A_logger_that_throws_costs_no_connection(
        [Values("nowhere", "log", "creation")] string where, CancellationToken cancellationToken)
    {
        var logs = new Logs(where == "log") { ThrowsAtCreation = where == "creation" };
        await using var site = await Site.StartAsync(OnlyOurClient, app => app.MapGet("/", Describe), builder => LogTo(builder, logs));
        foreach (var _ in Enumerable.Range(0, 2))
        {
            await using var connection = await new MutualTlsClient(s_world.ClientOptions).ConnectAsync(Clients.Host, site.Port, cancellationToken);

            await connection.Stream.WriteAsync("GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"u8.ToArray(), cancellationToken);
            using var reader = new StreamReader(connection.Stream);

            (await reader.ReadToEndAsync(cancellationToken)).Should().Contain("HTTP/1.1 https client.test confirmed=True");
            connection.EndedCleanly.Should().BeTrue();
        }
    }

    [Test]
    public async Task A_logger_that_throws_keeps_no_end_from_a_request([Values] bool throws, CancellationToken cancellationToken)
    {
        var begun = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var aborted = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var logs = new Logs(throws: false);
        await using var site = await Site.StartAsync(
            OnlyOurClient,
            app => app.MapGet("/", async (HttpContext context) =>
            {
                using var registration = context.RequestAborted.Register(aborted.SetResult);
                begun.SetResult();
                await aborted.Task;
            }),
            builder => LogTo(builder, logs));
        await using var connection = await new MutualTlsClient(s_world.ClientOptions).ConnectAsync(Clients.Host, site.Port, cancellationToken);
        await connection.Stream.WriteAsync("GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"u8.ToArray(), cancellationToken);
        await begun.Task.WaitAsync(cancellationToken);

        logs.Throws = throws;
        connection.Abort();

        try
        {
            await aborted.Task.WaitAsync(TimeSpan.FromSeconds(20), cancellationToken);
        }
        finally
        {
            aborted.TrySetResult(); // let the site stop, whatever the outcome
        }
    }

    [TestCase(HttpProtocols.Http1, 2)]
    [TestCase(HttpProtocols.Http2, 1)]
    public async Task What_Kestrel_does_not_speak_there_is_not_offered(HttpProtocols spoken, int version, CancellationToken cancellationToken)
    {
        await using var site = await Site.StartAsync(OnlyOurClient, app => app.MapGet("/", Describe), listen: listen => listen.Protocols = spoken);
        using var wrong = Clients.Plain(s_world.ClientCertificate, version);
        using var right = Clients.Plain(s_world.ClientCertificate, 3 - version);

        var getting = () => wrong.GetStringAsync(wrong.At(site.Port, "/"), cancellationToken);

        await getting.Should().ThrowAsync<HttpRequestException>();
        (await right.GetStringAsync(right.At(site.Port, "/"), cancellationToken)).Should().StartWith($"HTTP/{(version == 2 ? "1.1" : "2")} https");
    }

    [Test]
    public async Task A_client_without_an_application_protocol_speaks_http_1(CancellationToken cancellationToken)
    {
        await using var site = await Site.StartAsync(OnlyOurClient, app => app.MapGet("/", Describe));
        await using var connection = await new MutualTlsClient(s_world.ClientOptions).ConnectAsync(Clients.Host, site.Port, cancellationToken);

        await connection.Stream.WriteAsync("GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"u8.ToArray(), cancellationToken);
        using var reader = new StreamReader(connection.Stream);

        (await reader.ReadToEndAsync(cancellationToken)).Should().Contain("HTTP/1.1 https client.test confirmed=True");
        connection.EndedCleanly.Should().BeTrue();
    }

    [TestCase("another authority", RejectionReason.UnknownAuthority)]
    [TestCase("another name", RejectionReason.NotAuthorized)]
    [TestCase("no certificate", RejectionReason.NoCertificate)]
    public async Task A_client_that_the_stage_rejects_sends_no_request(string fact, RejectionReason expected, CancellationToken cancellationToken)
    {
        using var other = fact == "another name" ? s_world.Authority.IssueClient("other.test") : s_world.Foreign.IssueClient("client.test");
        var failed = new TaskCompletionSource<HandshakeException>();
        var served = 0;
        await using var site = await Site.StartAsync(
            builder => builder.WebHost.ListenMutualTls(_ => new MutualTlsListenerOptions
            {
                Server = new MutualTlsServer(OnlyOurClient with { ApplicationProtocols = ["http/1.1"] }),
                EndPoint = Site.AnyPort,
                OnHandshakeFailed = failure => failed.TrySetResult(failure),
            }),
            app => app.MapGet("/", () => Interlocked.Increment(ref served)));
        using var client = Clients.Plain(fact == "no certificate" ? null : other);

        var getting = () => client.GetStringAsync(client.At(site.Port, "/"), cancellationToken);

        await getting.Should().ThrowAsync<HttpRequestException>();
        (await failed.Task.WaitAsync(cancellationToken)).Reason.Should().Be(expected);
        served.Should().Be(0);
    }

    [Test]
    public async Task Another_end_point_of_the_same_Kestrel_is_as_it_was(CancellationToken cancellationToken)
    {
        await using var site = await Site.StartAsync(
            OnlyOurClient,
            app => app.MapGet("/", (HttpContext context) => $"{context.Request.Scheme} {context.GetMutualTlsPeer()?.Name ?? "nobody"}"),
            builder => builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(Site.AnyPort)));
        using var mutual = Clients.Plain(s_world.ClientCertificate);
        using var plain = new HttpClient();
        var (open, ours) = (site.Addresses.Single(it => it.StartsWith("http:", StringComparison.Ordinal)), site.Addresses.Single(
            it => it.StartsWith("https:", StringComparison.Ordinal)));

        (await plain.GetStringAsync(new Uri(open), cancellationToken)).Should().Be("http nobody");
        (await mutual.GetStringAsync(new Uri(ours), cancellationToken)).Should().Be("https client.test");
    }

    [TestCase(1)]
    [TestCase(2)]
    public async Task Long_bodies_arrive_whole_in_both_directions(int version, CancellationToken cancellationToken)
    {
        await using var site = await Site.StartAsync(
            OnlyOurClient,
            app => app.MapPost("/", async context =>
            {
                using var whole = new MemoryStream();
                await context.Request.Body.CopyToAsync(whole, context.RequestAborted);
                await context.Response.Body.WriteAsync(whole.ToArray(), context.RequestAborted);
            }));
        using var client = Clients.Plain(s_world.ClientCertificate, version);
        var body = RandomNumberGenerator.GetBytes(5_000_000);

        using var content = new ByteArrayContent(body);
        using var response = await client.PostAsync(client.At(site.Port, "/"), content, cancellationToken);

        (await response.Content.ReadAsByteArrayAsync(cancellationToken)).Should().Equal(body);
    }

    [Test]
    public async Task A_connection_handler_has_the_plain_text_and_the_peer(CancellationToken cancellationToken)
    {
        await using var site = await Site.StartAsync(
            OnlyOurClient with { ApplicationProtocols = ["echo"] }, _ => { }, listen: listen => listen.UseConnectionHandler<Greeter>());
        await using var connection = await new MutualTlsClient(s_world.ClientOptions with { ApplicationProtocols = ["echo"] })
            .ConnectAsync(Clients.Host, site.Port, cancellationToken);

        await connection.Stream.WriteAsync("hello\n"u8.ToArray(), cancellationToken);
        using var reader = new StreamReader(connection.Stream);

        (await reader.ReadToEndAsync(cancellationToken)).Should().Be("client.test says hello\n");
    }

    [Test]
    public async Task A_client_that_goes_away_aborts_its_request(CancellationToken cancellationToken)
    {
        var began = new TaskCompletionSource();
        var aborted = new TaskCompletionSource();
        await using var site = await Site.StartAsync(OnlyOurClient, app => app.MapGet("/", async context =>
        {
            context.RequestAborted.Register(aborted.SetResult);
            began.SetResult();
            await aborted.Task;
        }));
        await using var connection = await new MutualTlsClient(s_world.ClientOptions).ConnectAsync(Clients.Host, site.Port, cancellationToken);
        await connection.Stream.WriteAsync("GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"u8.ToArray(), cancellationToken);
        await began.Task.WaitAsync(cancellationToken);
        aborted.Task.IsCompleted.Should().BeFalse();

        connection.Abort();

        await aborted.Task.WaitAsync(cancellationToken);
    }

    [TestCase(1)]
    [TestCase(2)]
    public async Task A_peer_that_is_no_longer_accepted_loses_its_response(int version, CancellationToken cancellationToken)
    {
        var rule = new ReplaceableAuthorization(Authorize.Dns("client.test"));
        var aborted = new TaskCompletionSource();
        await using var site = await Site.StartAsync(
            OnlyOurClient with
            {
                Authorization = Authorize.From(rule),
                Revalidation = new RevalidationPolicy { OnUnauthorized = InvalidationAction.Abort },
            },
            app => app.MapGet("/", async context =>
            {
                context.RequestAborted.Register(aborted.SetResult);
                await context.Response.WriteAsync("first");
                await context.Response.Body.FlushAsync();
                await aborted.Task;
            }));
        using var client = Clients.Plain(s_world.ClientCertificate, version);
        using var response = await client.GetAsync(client.At(site.Port, "/"), HttpCompletionOption.ResponseHeadersRead, cancellationToken);
        var body = await response.Content.ReadAsStreamAsync(cancellationToken);
        var first = new byte[5];
        await body.ReadExactlyAsync(first, cancellationToken);
        aborted.Task.IsCompleted.Should().BeFalse();

        rule.Replace(Authorize.Dns("other.test"));

        await aborted.Task.WaitAsync(cancellationToken);
        var reading = async () => await body.ReadAsync(first, cancellationToken);
        await reading.Should().ThrowAsync<IOException>();
    }

    [TestCase(1)]
    [TestCase(2)]
    public async Task A_peer_that_is_to_be_drained_has_its_response_whole_and_then_no_connection(int version, CancellationToken cancellationToken)
    {
        var rule = new ReplaceableAuthorization(Authorize.Dns("client.test"));
        await using var site = await Site.StartAsync(
            OnlyOurClient with
            {
                Authorization = Authorize.From(rule),
                Revalidation = new RevalidationPolicy { GracePeriod = TimeSpan.FromHours(1) }, // it is Kestrel that ends the connection
            },
            app => app.MapGet("/", async (HttpContext context) =>
            {
                var drained = new TaskCompletionSource();
                context.Features.Get<IMutualTlsFeature>()!.Connection!.DrainRequested.Register(drained.SetResult);
                rule.Replace(Authorize.Dns("other.test"));
                await drained.Task;
                return "whole";
            }));
        using var client = Clients.Plain(s_world.ClientCertificate, version);

        (await client.GetStringAsync(client.At(site.Port, "/"), cancellationToken)).Should().Be("whole");

        // Kestrel may be told a moment after the application.
        var goingOn = async () =>
        {
            while (true)
            {
                await client.GetStringAsync(client.At(site.Port, "/"), cancellationToken);
            }
        };
        await goingOn.Should().ThrowAsync<HttpRequestException>();
    }

    [Test]
    public async Task A_web_socket_knows_its_peer(CancellationToken cancellationToken)
    {
        await using var site = await Site.StartAsync(OnlyOurClient, app =>
        {
            app.UseWebSockets();
            app.MapGet("/", async (HttpContext context) =>
            {
                using var accepted = await context.WebSockets.AcceptWebSocketAsync();
                var name = Encoding.ASCII.GetBytes(context.GetMutualTlsPeer()!.Name);
                await accepted.SendAsync(name, WebSocketMessageType.Text, endOfMessage: true, cancellationToken);
                await accepted.CloseAsync(WebSocketCloseStatus.NormalClosure, null, cancellationToken);
            });
        });
        using var socket = new ClientWebSocket();
        socket.Options.RemoteCertificateValidationCallback = static (_, _, _, _) => true;
        socket.Options.ClientCertificates.Add(s_world.ClientCertificate.Certificate);
        await socket.ConnectAsync(new Uri($"wss://{Clients.Host}:{site.Port}/"), cancellationToken);
        var buffer = new byte[100];

        var said = await socket.ReceiveAsync(buffer.AsMemory(), cancellationToken);

        Encoding.ASCII.GetString(buffer, 0, said.Count).Should().Be("client.test");
        await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, null, cancellationToken);
    }

    [TestCase(1)]
    [TestCase(2)]
    public async Task A_slow_request_ends_whole_when_the_host_stops(int version, CancellationToken cancellationToken)
    {
        var (began, finish) = (new TaskCompletionSource(), new TaskCompletionSource());
        await using var site = await Site.StartAsync(OnlyOurClient, app => app.MapGet("/", async () =>
        {
            began.SetResult();
            await finish.Task;
            return "whole";
        }));
        var port = site.Port;
        using var client = Clients.Plain(s_world.ClientCertificate, version);
        var getting = client.GetStringAsync(client.At(port, "/"), cancellationToken);
        await began.Task.WaitAsync(cancellationToken);

        var stopping = site.Application.StopAsync(cancellationToken);
        await RefusedAsync(port, cancellationToken);
        stopping.IsCompleted.Should().BeFalse();
        finish.SetResult();

        (await getting).Should().Be("whole");
        await stopping.WaitAsync(cancellationToken);
    }

    [Test]
    public async Task What_has_not_ended_at_the_deadline_is_aborted(CancellationToken cancellationToken)
    {
        var (began, aborted) = (new TaskCompletionSource(), new TaskCompletionSource());
        await using var site = await Site.StartAsync(OnlyOurClient, app => app.MapGet("/", async context =>
        {
            context.RequestAborted.Register(aborted.SetResult);
            began.SetResult();
            await aborted.Task;
        }));
        using var client = Clients.Plain(s_world.ClientCertificate);
        var getting = client.GetStringAsync(client.At(site.Port, "/"), cancellationToken);
        await began.Task.WaitAsync(cancellationToken);
        using var deadline = new CancellationTokenSource();

        var stopping = site.Application.StopAsync(deadline.Token);
        await RefusedAsync(site.Port, cancellationToken);
        aborted.Task.IsCompleted.Should().BeFalse();
        await deadline.CancelAsync();

        await aborted.Task.WaitAsync(cancellationToken);
        await FluentActions.Awaiting(() => getting).Should().ThrowAsync<HttpRequestException>();
        await stopping.WaitAsync(cancellationToken);
    }

    [Test]
    public async Task An_idle_connection_does_not_hold_the_stop_up(CancellationToken cancellationToken)
    {
        await using var site = await Site.StartAsync(OnlyOurClient, app => app.MapGet("/", Describe));
        using var client = Clients.Plain(s_world.ClientCertificate);
        await client.GetStringAsync(client.At(site.Port, "/"), cancellationToken);

        await site.Application.StopAsync(cancellationToken).WaitAsync(TimeSpan.FromSeconds(5), cancellationToken);
    }

    [Test]
    public async Task Every_problem_of_the_options_is_told_at_the_start()
    {
        var starting = () => Site.StartAsync(
            OnlyOurClient with { HandshakeTimeout = TimeSpan.Zero, CloseTimeout = TimeSpan.FromDays(-1) }, _ => { });

        (await starting.Should().ThrowAsync<ArgumentException>()).Which.Message.Should().Contain("HandshakeTimeout").And.Contain("CloseTimeout");
    }

    [Test]
    public async Task Http3_is_refused_at_the_start()
    {
        var starting = () => Site.StartAsync(OnlyOurClient, _ => { }, listen: listen => listen.Protocols = HttpProtocols.Http1AndHttp2AndHttp3);

        (await starting.Should().ThrowAsync<ArgumentException>()).Which.Message.Should().Contain("HTTP/3");
    }

    [Test]
    public async Task A_port_that_is_taken_is_told_as_with_other_end_points()
    {
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();

        var starting = () => Site.StartAsync(
            builder => builder.WebHost.ListenMutualTls((IPEndPoint)taken.LocalEndpoint, OnlyOurClient), _ => { });

        (await starting.Should().ThrowAsync<IOException>()).WithInnerException<AddressInUseException>();
    }

    private static async Task RefusedAsync(int port, CancellationToken cancellationToken)
    {
        while (true)
        {
            using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
            try
            {
                await socket.ConnectAsync(IPAddress.Loopback, port, cancellationToken);
            }
            catch (SocketException exception) when (exception.SocketErrorCode == SocketError.ConnectionRefused)
            {
                return;
            }
            catch (SocketException)
            {
                // It was in the queue of the socket that is being closed.
            }
        }
    }

    private static string Describe(HttpContext context)
    {
        var feature = context.Features.Get<IMutualTlsFeature>()!;
        var tls = context.Features.Get<ITlsHandshakeFeature>()!;
        return $"{context.Request.Protocol} {context.Request.Scheme} {feature.Peer.Name} confirmed={feature.Connection!.IsConfirmed} "
            + $"{context.Connection.ClientCertificate!.Thumbprint} {tls.Protocol} {context.Connection.RemoteIpAddress}";
    }

    private static void LogTo(WebApplicationBuilder builder, Logs logs) => builder.Logging.SetMinimumLevel(LogLevel.Debug).AddProvider(logs);

    /// <summary>Throws, or not, for whatever the transport logs.</summary>
    private sealed class Logs(bool throws) : ILoggerProvider, ILogger
    {
        internal bool Throws { get; set; } = throws;

        internal bool ThrowsAtCreation { get; init; }

        public ILogger CreateLogger(string categoryName) =>
            categoryName != MutualAuthTelemetry.LogCategory + ".AspNetCore" ? NullLogger.Instance
            : ThrowsAtCreation ? throw new IOException("no space left on device")
            : this;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (Throws)
            {
                throw new IOException("no space left on device");
            }
        }

        public void Dispose()
        {
        }
    }

    private sealed class Greeter : ConnectionHandler
    {
        public override async Task OnConnectedAsync(ConnectionContext connection)
        {
            var read = await connection.Transport.Input.ReadAsync();
            var text = Encoding.ASCII.GetString(read.Buffer.ToArray());
            var peer = connection.Features.Get<IMutualTlsFeature>()!.Peer;
            await connection.Transport.Output.WriteAsync(Encoding.ASCII.GetBytes($"{peer.Name} says {text}"));
        }
    }
}
