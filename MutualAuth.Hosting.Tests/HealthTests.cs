using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using MutualAuth.Credentials;
using MutualAuth.Hosting;
using MutualAuth.Hosting.Running;
using MutualAuth.Platforms;
using MutualAuth.Testing;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests;

/// <summary>What the health check says of a host.</summary>
public sealed class HealthTests
{
    private HostWorld _world = null!;

    [SetUp]
    public void SetUp() => _world = new HostWorld();

    [TearDown]
    public void TearDown() => _world.Dispose();

    [Test]
    public async Task A_host_that_runs_is_healthy_and_says_how_many_days_are_left()
    {
        _world.Configure(("inventory", HostWorld.Listener()));
        await using var host = await StartAsync();

        var entry = await HealthAsync(host.Host);

        entry.Status.Should().Be(HealthStatus.Healthy);
        entry.Data["inventory.days_left"].Should().BeOfType<double>().Which.Should().BePositive();
    }

    /// <summary>OPENSSL_CONF decides which; the tests hold in both.</summary>
    [Test]
    public async Task A_host_that_runs_says_in_which_mode_and_what_lies_beneath()
    {
        _world.Configure(("inventory", HostWorld.Listener()));
        await using var host = await StartAsync();
        var platform = await PlatformReport.ReadAsync();

        var entry = await HealthAsync(host.Host);

        var isShared = platform.Server.GivesSessions == PlatformAnswer.No;
        entry.Data["platform.tls_context"].Should().Be(isShared ? "shared" : "per_connection");
        entry.Data["platform.key_logging"].Should().Be("no");
        entry.Data["platform.fips"].Should().BeOneOf("no", "yes", "unknown");
        entry.Data["platform.openssl"].Should().Be(platform.OpenSsl ?? "unknown");
        entry.Description.Should().Contain(isShared ? "share one TLS context" : "a TLS context of its own");
    }

    [TestCase(PlatformAnswer.Yes, true)]
    [TestCase(PlatformAnswer.No, false)]
    [TestCase(PlatformAnswer.Unknown, false)]
    public void Keys_that_are_written_down_are_an_alarm(PlatformAnswer answer, bool isAlarm)
    {
        var data = new Dictionary<string, object>();
        var health = new PlatformHealth(null, PlatformAnswer.No, answer, PlatformAnswer.No);

        health.AddTo(data);

        (health.Alarm is not null).Should().Be(isAlarm);
        health.Mode.Should().Contain("share one TLS context");
        (health with { GivesSessions = PlatformAnswer.Unknown }).Mode.Should().Contain("of its own");
        data["platform.key_logging"].Should().Be(answer.ToString().ToLowerInvariant());
    }

    [TestCase(2, 100, HealthStatus.Degraded, "expires on")]
    [TestCase(40, 100, HealthStatus.Healthy, null)]
    [TestCase(2, 4, HealthStatus.Healthy, null)] // half of a short life is left
    public async Task A_certificate_that_expires_soon_is_degraded(int daysLeft, int lifetime, HealthStatus status, string? said)
    {
        var now = TimeProvider.System.GetUtcNow();
        using var certificate = _world.Authority.Issue(spec => spec with
        {
            DnsNames = ["server.test"],
            ExtendedKeyUsages = [ExtendedKeyUsage.ServerAuth],
            NotBefore = now.AddDays(daysLeft - lifetime),
            NotAfter = now.AddDays(daysLeft),
        });
        certificate.WriteTo(Path.GetDirectoryName(_world["server.pem"])!, "server");
        _world.Configure(("inventory", HostWorld.Listener()));
        await using var host = await StartAsync();

        var entry = await HealthAsync(host.Host);

        entry.Status.Should().Be(status);
        if (said is not null)
        {
            entry.Description.Should().Contain(said);
        }
    }

    [Test]
    public async Task A_certificate_that_has_expired_is_unhealthy()
    {
        var clock = new Clock();
        _world.Configure(("inventory", HostWorld.Listener()));
        await using var host = await StartAsync(builder => builder.Services.AddSingleton<TimeProvider>(clock));
        (await HealthAsync(host.Host)).Status.Should().Be(HealthStatus.Healthy);

        clock.Ahead = TimeSpan.FromDays(36500);

        var entry = await HealthAsync(host.Host);
        entry.Status.Should().Be(HealthStatus.Unhealthy);
        entry.Description.Should().Contain("expired on");
    }

    [Test]
    public async Task A_listener_that_does_not_run_is_unhealthy()
    {
        _world.Configure(("inventory", HostWorld.Listener()));
        var builder = _world.Builder();
        builder.Services.AddMutualTlsListener("inventory", HostWorld.Section(builder, "inventory")).HandledBy(HostWorld.EchoAsync);
        builder.Services.AddHealthChecks().AddMutualTls();
        using var host = builder.Build();

        (await HealthAsync(host)).Description.Should().Contain("inventory has not started");
        await host.StartAsync();
        (await HealthAsync(host)).Status.Should().Be(HealthStatus.Healthy);
        await host.StopAsync();
        (await HealthAsync(host)).Description.Should().Contain("inventory was stopped");
    }

    [Test]
    public async Task Users_that_cannot_be_read_are_degraded_and_then_unhealthy()
    {
        await _world.WriteUsersAsync();
        var clock = new Clock();
        var settings = HostWorld.Listener();
        (settings["Require"], settings["UsersFile"]) = ("User", "users.txt");
        _world.Configure(("inventory", settings));
        await using var host = await StartAsync(builder => builder.Services.AddSingleton<TimeProvider>(clock));
        (await HealthAsync(host.Host)).Status.Should().Be(HealthStatus.Healthy);

        File.Delete(_world["users.txt"]);
        (await HealthAsync(host.Host)).Status.Should().Be(HealthStatus.Degraded);

        clock.Ahead = TimeSpan.FromMinutes(6);
        var entry = await HealthAsync(host.Host);
        entry.Status.Should().Be(HealthStatus.Unhealthy);
        entry.Description.Should().Contain("no user can log in");
    }

    private Task<RunningHost> StartAsync(Action<HostApplicationBuilder>? more = null) => _world.EchoAsync(builder =>
    {
        builder.Services.AddHealthChecks().AddMutualTls();
        more?.Invoke(builder);
    });

    private static async Task<HealthReportEntry> HealthAsync(IHost host) =>
        (await host.Services.GetRequiredService<HealthCheckService>().CheckHealthAsync()).Entries["mutual-tls"];

    /// <summary>The system's clock, set ahead.</summary>
    private sealed class Clock : TimeProvider
    {
        internal TimeSpan Ahead { get; set; }

        public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + Ahead;

        public override long GetTimestamp() => base.GetTimestamp() + (long)(Ahead.TotalSeconds * TimestampFrequency);
    }
}
