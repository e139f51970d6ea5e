using System.Diagnostics.Metrics;
using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using MutualAuth.Credentials;
using MutualAuth.Factors;
using MutualAuth.Hosting;
using MutualAuth.Hosting.Materials;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests;

/// <summary>Listeners and clients that a host runs, over sockets.</summary>
public sealed class ListenerTests
{
    private HostWorld _world = null!;

    [SetUp]
    public void SetUp() => _world = new HostWorld();

    [TearDown]
    public void TearDown() => _world.Dispose();

    [Test]
    public async Task A_client_that_a_rule_names_is_served()
    {
        _world.Configure(("inventory", HostWorld.Listener()));
        await using var host = await _world.EchoAsync();
        await using var connection = await _world.ConnectAsync(host.EndPoint);

        (await HostWorld.SayAsync(connection, "hello")).Should().Be("hello");
        connection.IsConfirmed.Should().BeTrue();
        host.Listener.Connections.Should().ContainSingle().Which.Peer.Name.Should().Be("client.test");
    }

    [TestCase("mallory.test", false, PublicReason.AccessDenied)]
    [TestCase("client.test", true, PublicReason.UnknownCa)]
    public async Task A_client_of_another_name_or_another_authority_is_not(string name, bool isForeign, PublicReason reason)
    {
        _world.Configure(("inventory", HostWorld.Listener()));
        await using var host = await _world.EchoAsync();

        var connecting = () => _world.ConnectAsync(host.EndPoint, name, isForeign ? _world.Foreign : null);

        (await connecting.Should().ThrowAsync<HandshakeException>()).Which.PeerReason.Should().Be(reason);
    }

    [Test]
    public async Task Listeners_and_clients_are_made_wholly_in_code()
    {
        var builder = _world.Builder();
        builder.Services.AddMutualTlsListener("inventory", settings =>
        {
            settings.Listen.Add("127.0.0.1:0");
            (settings.Identity.Certificate, settings.Identity.Key) = ("server.pem", "server.key");
            settings.Trust.Add("authority.pem");
            settings.Allow.Add("dns us.test");
        }).HandledBy(HostWorld.EchoAsync);
        builder.Services.AddMutualTlsClient("billing", settings =>
        {
            (settings.Identity.Certificate, settings.Identity.Key) = ("us.pem", "us.key");
            settings.Trust.Add("authority.pem");
            settings.Allow.Add("server-name");
        });
        await using var host = await RunningHost.StartAsync(builder);
        var client = host.Host.Services.GetRequiredKeyedService<MutualTlsClient>("billing");
        await using var connection = await client.ConnectAsync(host.EndPoint, "server.test");

        (await HostWorld.SayAsync(connection, "in code")).Should().Be("in code");
        var other = () => client.ConnectAsync(host.EndPoint, "other.test");
        (await other.Should().ThrowAsync<HandshakeException>()).Which.Reason.Should().Be(RejectionReason.ServerNameMismatch);
    }

    [Test]
    public async Task Each_connection_has_a_scope_of_its_own()
    {
        _world.Configure(("inventory", HostWorld.Listener()));
        var builder = _world.Builder();
        builder.Services.AddScoped<Visit>();
        builder.Services.AddSingleton<Visits>();
        builder.Services.AddMutualTlsListener("inventory", HostWorld.Section(builder, "inventory")).HandledBy<Visitors>();
        await using var host = await RunningHost.StartAsync(builder);
        var visits = host.Host.Services.GetRequiredService<Visits>();

        for (var turn = 0; turn < 2; turn++)
        {
            await using var connection = await _world.ConnectAsync(host.EndPoint);
            (await HostWorld.SayAsync(connection, "x")).Should().Be("x");
        }

        await visits.TwoHaveEnded.Task.WaitAsync(HostWorld.Deadline);
        visits.Seen.Should().HaveCount(2).And.OnlyHaveUniqueItems();
    }

    [Test]
    public async Task A_handler_that_fails_concerns_its_connection_alone()
    {
        _world.Configure(("inventory", HostWorld.Listener()));
        var builder = _world.Builder();
        var first = 0;
        builder.Services.AddMutualTlsListener("inventory", HostWorld.Section(builder, "inventory")).HandledBy((connection, draining) =>
            Interlocked.Increment(ref first) == 1
                ? throw new InvalidOperationException("a fault of the application's")
                : HostWorld.EchoAsync(connection, draining));
        await using var host = await RunningHost.StartAsync(builder);

        await using (var unlucky = await _world.ConnectAsync(host.EndPoint))
        {
            var saying = () => HostWorld.SayAsync(unlucky, "x");
            (await saying.Should().ThrowAsync<IOException>()).Which.Should().NotBeOfType<EndOfStreamException>("a fault is no clean end");
        }

        var logged = await _world.Events.NextAsync(2004);
        await using var next = await _world.ConnectAsync(host.EndPoint);
        (await HostWorld.SayAsync(next, "y")).Should().Be("y");
        logged.Level.Should().Be(LogLevel.Error);
        logged.Exception!.Message.Should().Be("a fault of the application's");
    }

    [Test]
    public async Task Connections_beyond_the_bound_wait_until_one_ends()
    {
        var settings = HostWorld.Listener();
        settings["Limits"] = new Dictionary<string, object?> { ["MaxConnections"] = 1 };
        _world.Configure(("inventory", settings));
        await using var host = await _world.EchoAsync();
        var first = await _world.ConnectAsync(host.EndPoint);
        await HostWorld.SayAsync(first, "1");
        await using var second = await _world.ConnectAsync(host.EndPoint);

        var waiting = HostWorld.SayAsync(second, "2");
        await HostWorld.SayAsync(first, "still the only one");
        waiting.IsCompleted.Should().BeFalse();

        await first.DisposeAsync();
        (await waiting).Should().Be("2");
    }

    [TestCase("sesame", true)]
    [TestCase("opensesame", false)]
    public async Task Users_of_a_file_log_in(string password, bool isAccepted)
    {
        await _world.WriteUsersAsync();
        var settings = HostWorld.Listener();
        (settings["Require"], settings["UsersFile"]) = ("CertificateAndUser", "users.txt");
        _world.Configure(("inventory", settings));
        await using var host = await _world.EchoAsync();
        using var certificate = _world.Authority.IssueClient("client.test");

        var connecting = () => _world.ConnectAsync(
            host.EndPoint, certificate.ToIdentity(), options => options with { Credentials = Login.WithPassword("alice", password) });

        if (isAccepted)
        {
            await using var connection = await connecting();
            await HostWorld.SayAsync(connection, "x");
            host.Listener.Connections.Should().ContainSingle().Which.Peer.User!.Name.Should().Be("alice");
        }
        else
        {
            (await connecting.Should().ThrowAsync<HandshakeException>()).Which.PeerReason.Should().Be(PublicReason.CredentialsWrong);
        }
    }

    [TestCase("keys.txt", true)]
    [TestCase("others.txt", false)]
    public async Task Second_factors_are_read_with_the_keys_of_the_settings(string keyFile, bool isAccepted)
    {
        await _world.WriteUsersAsync();
        FactorKeyFile.AddKey(_world["keys.txt"], "k1");
        FactorKeyFile.AddKey(_world["others.txt"], "k2");
        var secret = OneTimeCodeSecret.Create();
        using (var users = FileCredentialStore.Open(_world["users.txt"]))
        using (var keys = new FactorKeyFile(_world["keys.txt"]))
        {
            await users.SetFactorAsync("alice", await secret.ToFactorAsync("alice", "phone", keys));
        }

        var settings = HostWorld.Listener();
        (settings["Require"], settings["UsersFile"], settings["FactorKeyFile"]) = ("CertificateAndUser", "users.txt", keyFile);
        _world.Configure(("inventory", settings));
        await using var host = await _world.EchoAsync(listener: AskForCodes);
        using var certificate = _world.Authority.IssueClient("client.test");

        var connecting = () => _world.ConnectAsync(
            host.EndPoint,
            certificate.ToIdentity(),
            options => options with { Credentials = Login.WithPassword("alice", "sesame").Then(SecondFactor.OneTimeCodeFrom(secret)) });

        if (isAccepted)
        {
            await using var connection = await connecting();
            await HostWorld.SayAsync(connection, "x");
            host.Listener.Connections.Should().ContainSingle().Which.Peer.Proofs.Should().HaveFlag(PeerProofs.OneTimeCode);
        }
        else
        {
            (await connecting.Should().ThrowAsync<HandshakeException>()).Which.PeerReason.Should().Be(PublicReason.InternalError);
        }
    }

    [Test]
    public async Task Without_its_file_of_keys_a_listener_does_not_start()
    {
        await _world.WriteUsersAsync();
        var settings = HostWorld.Listener();
        (settings["Require"], settings["UsersFile"], settings["FactorKeyFile"]) = ("CertificateAndUser", "users.txt", "keys.txt");
        _world.Configure(("inventory", settings));

        var starting = () => _world.EchoAsync(listener: AskForCodes);

        (await starting.Should().ThrowAsync<HostingConfigurationException>()).Which.Problems.Should()
            .ContainSingle().Which.Should().StartWith("MutualTls:inventory:FactorKeyFile: The file ");
    }

    [Test]
    public async Task A_named_client_logs_in_with_the_password_of_a_file()
    {
        await _world.WriteUsersAsync();
        _world.Write("password.txt", "sesame\n");
        var (listener, client) = (HostWorld.Listener(), HostWorld.Client());
        (listener["Require"], listener["UsersFile"]) = ("User", "users.txt");
        client.Remove("Identity");
        (client["WithoutCertificate"], client["User"], client["PasswordFile"]) = (true, "alice", "password.txt");
        _world.Configure(("inventory", listener), ("billing", client));
        await using var host = await _world.EchoAsync(
            builder => builder.Services.AddMutualTlsClient("billing", HostWorld.Section(builder, "billing")));

        await using var connection = await host.Host.Services.GetRequiredKeyedService<MutualTlsClient>("billing").ConnectAsync(
            host.EndPoint, "server.test");

        (await HostWorld.SayAsync(connection, "x")).Should().Be("x");
    }

    [Test]
    [Platform(Exclude = "Win")]
    public async Task A_listener_has_several_end_points()
    {
        var settings = HostWorld.Listener();
        settings["Listen"] = new[] { "127.0.0.1:0", "[::1]:0", "unix:" + _world["socket"] };
        _world.Configure(("inventory", settings));
        await using var host = await _world.EchoAsync();

        host.Listener.EndPoints.Should().HaveCount(3);
        foreach (var endPoint in host.Listener.EndPoints)
        {
            await using var connection = await _world.ConnectAsync(endPoint);
            (await HostWorld.SayAsync(connection, "x")).Should().Be("x");
        }
    }

    [Test]
    public async Task Who_names_the_same_files_shares_them_and_the_container_gives_them_back()
    {
        _world.Configure(("inventory", HostWorld.Listener()), ("other", HostWorld.Listener()));
        MaterialStore store;
        await using (var host = await _world.EchoAsync(builder =>
            builder.Services.AddMutualTlsListener("other", HostWorld.Section(builder, "other")).HandledBy(HostWorld.EchoAsync)))
        {
            store = host.Host.Services.GetRequiredService<MaterialStore>();
            store.Count.Should().Be(2, "the identity and the trust of both are the same");
        }

        store.Count.Should().Be(0);
    }

    [Test]
    public async Task Options_that_a_configuration_cannot_say_are_added_in_code()
    {
        _world.Configure(("inventory", HostWorld.Listener()));
        var builder = _world.Builder();
        var failures = new TaskCompletionSource<HandshakeException>();
        builder.Services.AddMutualTlsListener("inventory", HostWorld.Section(builder, "inventory")).HandledBy(HostWorld.EchoAsync)
            .ConfigureServer((_, options) => options with { Authorization = Authorize.Nobody })
            .ConfigureListener((_, options) => options with { OnHandshakeFailed = failures.SetResult });
        await using var host = await RunningHost.StartAsync(builder);

        var connecting = () => _world.ConnectAsync(host.EndPoint);

        await connecting.Should().ThrowAsync<HandshakeException>();
        (await failures.Task.WaitAsync(HostWorld.Deadline)).Reason.Should().Be(RejectionReason.NotAuthorized);
    }

    [Test]
    public async Task Handlers_are_measured_with_a_meter_of_the_factory()
    {
        _world.Configure(("inventory", HostWorld.Listener()));
        await using var host = await _world.EchoAsync();
        var factory = host.Host.Services.GetRequiredService<IMeterFactory>();
        var measured = new TaskCompletionSource<(double Seconds, string Tags)>();
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, meter) =>
            {
                if (instrument.Name == "mutualauth.handler.duration" && instrument.Meter.Scope == factory)
                {
                    meter.EnableMeasurementEvents(instrument);
                }
            },
        };
        listener.SetMeasurementEventCallback<double>((_, value, tags, _) => measured.TrySetResult(
            (value, string.Join(' ', tags.ToArray().Select(tag => $"{tag.Key}={tag.Value}")))));
        listener.Start();

        await using (var connection = await _world.ConnectAsync(host.EndPoint))
        {
            await HostWorld.SayAsync(connection, "x");
        }

        var (seconds, tags) = await measured.Task.WaitAsync(HostWorld.Deadline);
        seconds.Should().BePositive();
        tags.Should().Be("mutualauth.listener=inventory mutualauth.outcome=ended");
    }

    [Test]
    public void A_name_is_given_once_and_a_handler_too()
    {
        var services = new ServiceCollection();
        var builder = services.AddMutualTlsListener("inventory", _ => { }).HandledBy(HostWorld.EchoAsync);
        services.AddMutualTlsClient("billing", _ => { });

        FluentActions.Invoking(() => services.AddMutualTlsListener("inventory", _ => { })).Should().Throw<InvalidOperationException>()
            .WithMessage("*listener 'inventory' already*");
        FluentActions.Invoking(() => services.AddMutualTlsClient("billing", _ => { })).Should().Throw<InvalidOperationException>()
            .WithMessage("*client 'billing' already*");
        FluentActions.Invoking(() => builder.HandledBy(HostWorld.EchoAsync)).Should().Throw<InvalidOperationException>()
            .WithMessage("*has a handler already*");
        services.Invoking(all => all.AddMutualTlsListener("billing", _ => { })).Should().NotThrow("a client may have the name of a listener");
    }

    [Test]
    public async Task An_end_point_that_is_taken_stops_the_start_and_what_had_begun()
    {
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        var settings = HostWorld.Listener();
        settings["Listen"] = new[] { "127.0.0.1:0", taken.LocalEndpoint.ToString() };
        _world.Configure(("inventory", settings));

        var starting = () => _world.EchoAsync();

        (await starting.Should().ThrowAsync<HostingConfigurationException>()).Which.Problems.Should().ContainSingle()
            .Which.Should().Match($"MutualTls:inventory:Listen:1: {taken.LocalEndpoint} cannot be listened on: *");
    }

    private sealed class Visits
    {
        private int _ended;

        internal List<Guid> Seen { get; } = [];

        internal TaskCompletionSource TwoHaveEnded { get; } = new();

        internal void End(Guid visit)
        {
            lock (Seen)
            {
                Seen.Add(visit);
                if (++_ended == 2)
                {
                    TwoHaveEnded.SetResult();
                }
            }
        }
    }

    private sealed class Visit(Visits visits) : IDisposable
    {
        private readonly Guid _id = Guid.NewGuid();

        public void Dispose() => visits.End(_id);
    }

    private sealed class Visitors(Visit visit) : IMutualTlsHandler
    {
        public Task HandleAsync(MutualTlsConnection connection, CancellationToken draining)
        {
            visit.Should().NotBeNull();
            return HostWorld.EchoAsync(connection, draining);
        }
    }

    private static void AskForCodes(MutualTlsListenerBuilder listener) => listener.ConfigureCredentials((_, users, policy) => policy with
    {
        SecondFactors =
            [SecondFactors.OneTimeCodes(users.Store, new OneTimeCodeOptions { Keys = users.FactorKeys, RequireEncryption = true })],
        LoginFactors = FactorRequirement.TwoKinds,
    });
}
