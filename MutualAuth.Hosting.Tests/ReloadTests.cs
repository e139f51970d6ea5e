using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using MutualAuth.Hosting;
using MutualAuth.Testing;
using MutualAuth.Testing.Responders;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests;

/// <summary>Files and the configuration change on the disk while the host runs.</summary>
public sealed class ReloadTests
{
    private HostWorld _world = null!;

    [SetUp]
    public void SetUp() => _world = new HostWorld();

    [TearDown]
    public void TearDown() => _world.Dispose();

    [Test]
    public async Task New_rules_in_the_configuration_let_others_in_and_end_those_that_they_no_longer_name()
    {
        _world.Configure(("inventory", HostWorld.Listener()));
        await using var host = await StartAsync();
        await using var before = await _world.ConnectAsync(host.EndPoint);
        await HostWorld.SayAsync(before, "x");

        var settings = HostWorld.Listener();
        settings["Allow"] = new[] { "dns other.test" };
        _world.Configure(("inventory", settings));

        (await _world.Events.NextAsync(2007)).Text.Should().Contain("inventory").And.Contain("Allow").And.NotContain("Trust");
        using var deadline = new CancellationTokenSource(HostWorld.Deadline);
        (await before.Stream.ReadAsync(new byte[1], deadline.Token)).Should().Be(0, "the handler was asked to end");
        await using var other = await _world.ConnectAsync(host.EndPoint, "other.test");
        (await HostWorld.SayAsync(other, "y")).Should().Be("y");
        await RejectedAsync(host, "client.test", PublicReason.AccessDenied);
    }

    [Test]
    public async Task Another_trust_is_taken_up_and_the_same_rules_stay()
    {
        _world.Configure(("inventory", HostWorld.Listener()));
        await using var host = await StartAsync();

        var settings = HostWorld.Listener();
        settings["Trust"] = new[] { "foreign.pem" };
        _world.Configure(("inventory", settings));
        await _world.Events.NextAsync(2007);

        await using var connection = await _world.ConnectAsync(host.EndPoint, "client.test", _world.Foreign);
        (await HostWorld.SayAsync(connection, "x")).Should().Be("x");
        await RejectedAsync(host, "client.test", PublicReason.UnknownCa);
    }

    [Test]
    public async Task A_bound_is_taken_up_and_lets_who_waits_in()
    {
        var settings = HostWorld.Listener();
        settings["Limits"] = new Dictionary<string, object?> { ["MaxConnections"] = 1 };
        _world.Configure(("inventory", settings));
        await using var host = await StartAsync();
        await using var first = await _world.ConnectAsync(host.EndPoint);
        await HostWorld.SayAsync(first, "1");
        await using var second = await _world.ConnectAsync(host.EndPoint);
        var waiting = HostWorld.SayAsync(second, "2");

        settings["Limits"] = new Dictionary<string, object?> { ["MaxConnections"] = 2 };
        _world.Configure(("inventory", settings));

        (await _world.Events.NextAsync(2007)).Text.Should().Contain("Limits:MaxConnections");
        (await waiting).Should().Be("2");
    }

    [TestCase("Allow", "dns")]
    [TestCase("Alow", "dns other.test")]
    [TestCase("Trust", "missing.pem")]
    public async Task A_bad_configuration_keeps_the_last_good_one_and_is_unhealthy_until_it_is_mended(string key, string value)
    {
        _world.Configure(("inventory", HostWorld.Listener()));
        await using var host = await StartAsync();
        (await HealthAsync(host)).Status.Should().Be(HealthStatus.Healthy);

        var settings = HostWorld.Listener();
        settings[key] = value;
        _world.Configure(("inventory", settings));

        (await _world.Events.NextAsync(2009)).Text.Should().Contain($"MutualTls:inventory:{key}");
        var health = await HealthAsync(host);
        health.Status.Should().Be(HealthStatus.Unhealthy);
        health.Entries["mutual-tls"].Description.Should().Contain($"MutualTls:inventory:{key}");
        await using var connection = await _world.ConnectAsync(host.EndPoint);
        (await HostWorld.SayAsync(connection, "x")).Should().Be("x");

        settings = HostWorld.Listener();
        settings["Allow"] = new[] { "dns client.test", "dns other.test" };
        _world.Configure(("inventory", settings));
        await _world.Events.NextAsync(2007);
        (await HealthAsync(host)).Status.Should().Be(HealthStatus.Healthy);
    }

    /// <summary>A file that is no JSON leaves an empty configuration, if the host is told to go on with it.</summary>
    [Test]
    public async Task A_configuration_that_is_lost_is_refused()
    {
        _world.Configure(("inventory", HostWorld.Listener()));
        await using var host = await StartAsync();

        _world.Write("appsettings.json", "{");

        (await _world.Events.NextAsync(2009)).Text.Should().Contain("MutualTls:inventory is missing in the configuration");
        await using var connection = await _world.ConnectAsync(host.EndPoint);
        (await HostWorld.SayAsync(connection, "x")).Should().Be("x");
        (await HealthAsync(host)).Status.Should().Be(HealthStatus.Unhealthy);
    }

    [Test]
    public async Task What_cannot_change_is_said_in_the_log_and_stays()
    {
        _world.Configure(("inventory", HostWorld.Listener()));
        await using var host = await StartAsync();

        var settings = HostWorld.Listener();
        (settings["Confirmation"], settings["RevocationLists"]) = ("Never", "none.crl");
        _world.Configure(("inventory", settings));

        (await _world.Events.NextAsync(2008)).Text.Should().Contain("RevocationLists, Confirmation");
        await using var connection = await _world.ConnectAsync(host.EndPoint);
        connection.IsConfirmed.Should().BeTrue();
    }

    [Test]
    public async Task A_file_of_rules_is_followed_and_a_damaged_one_is_unhealthy()
    {
        var settings = HostWorld.Listener();
        settings.Remove("Allow");
        settings["AllowFile"] = "rules.txt";
        _world.Configure(("inventory", settings));
        await using var host = await StartAsync();
        await using (var before = await _world.ConnectAsync(host.EndPoint))
        {
            await HostWorld.SayAsync(before, "x");
        }

        _world.Write("rules.txt", "dns other.test\n");
        await _world.Events.NextAsync(1400);
        await using var other = await _world.ConnectAsync(host.EndPoint, "other.test");
        await RejectedAsync(host, "client.test", PublicReason.AccessDenied);

        _world.Write("rules.txt", "no rule\n");
        await _world.Events.NextAsync(1401);
        (await HealthAsync(host)).Entries["mutual-tls"].Should().Match<HealthReportEntry>(entry =>
            entry.Status == HealthStatus.Unhealthy && entry.Description!.Contains("rules.txt"));
        (await HostWorld.SayAsync(other, "the last good rules stay")).Should().NotBeEmpty();
    }

    [Test]
    public async Task A_certificate_that_is_revoked_ends_its_connection()
    {
        _world.Write("authority.crl", _world.Authority.IssueCrl().Pem);
        var settings = HostWorld.Listener();
        settings["RevocationLists"] = "authority.crl";
        _world.Configure(("inventory", settings));
        await using var host = await StartAsync();
        using var certificate = _world.Authority.IssueClient("client.test");
        await using var connection = await _world.ConnectAsync(host.EndPoint, certificate.ToIdentity());
        await HostWorld.SayAsync(connection, "x");
        await using var neighbour = await _world.ConnectAsync(host.EndPoint);

        _world.Authority.Revoke(certificate);
        _world.Write("authority.crl", _world.Authority.IssueCrl().Pem);

        using var deadline = new CancellationTokenSource(HostWorld.Deadline);
        var reading = async () => await connection.Stream.ReadAsync(new byte[1], deadline.Token);
        await reading.Should().ThrowAsync<IOException>();
        (await HostWorld.SayAsync(neighbour, "not revoked")).Should().Be("not revoked");
    }

    [TestCase(false)]
    [TestCase(true)]
    public async Task Lists_are_fetched_and_say_how_they_are(bool withFile)
    {
        await using var responder = new CrlResponder(_world.Authority) { Mode = ResponderMode.NotFound };
        var settings = HostWorld.Listener();
        (settings["RevocationListAddresses"], settings["RevocationListDirectory"]) = (responder.FullUri, "lists");
        if (withFile)
        {
            using var other = new TestAuthority("Other");
            _world.Write("other.crl", other.IssueCrl().Pem);
            settings["RevocationLists"] = "other.crl";
        }

        _world.Configure(("inventory", settings));
        await using var host = await StartAsync();
        await _world.Events.NextAsync(1640);
        (await HealthAsync(host)).Status.Should().Be(HealthStatus.Unhealthy);
        await RejectedAsync(host, "client.test", PublicReason.CertificateUnknown);

        // Another directory is another source, which asks at once: its lists may come before it is in force, and after.
        responder.Mode = ResponderMode.Normal;
        settings["RevocationListDirectory"] = "other-lists";
        _world.Configure(("inventory", settings));
        await _world.Events.AllAsync(1400, 2007);
        using var certificate = _world.Authority.IssueClient("client.test");
        await using var connection = await _world.ConnectAsync(host.EndPoint, certificate.ToIdentity());
        await HostWorld.SayAsync(connection, "x");
        (await HealthAsync(host)).Status.Should().Be(HealthStatus.Healthy);
        Directory.Exists(_world["other-lists"]).Should().BeTrue();
    }

    [Test]
    public async Task Constraints_on_the_authorities_are_taken_up_and_decide()
    {
        var settings = HostWorld.Listener();
        settings["TrustConstraints"] = new Dictionary<string, object?> { ["PermittedNames"] = "dns client.test" };
        _world.Configure(("inventory", settings));
        await using var host = await StartAsync();
        await using (var before = await _world.ConnectAsync(host.EndPoint))
        {
            await HostWorld.SayAsync(before, "x");
        }

        settings["TrustConstraints"] = new Dictionary<string, object?> { ["PermittedNames"] = "dns other.test" };
        _world.Configure(("inventory", settings));
        await _world.Events.NextAsync(2007);

        await RejectedAsync(host, "client.test", PublicReason.UnknownCa);
    }

    private Task<RunningHost> StartAsync() => _world.EchoAsync(builder => builder.Services.AddHealthChecks().AddMutualTls());

    private static async Task<HealthReport> HealthAsync(RunningHost host) =>
        await host.Host.Services.GetRequiredService<HealthCheckService>().CheckHealthAsync();

    private async Task RejectedAsync(RunningHost host, string name, PublicReason reason)
    {
        var connecting = () => _world.ConnectAsync(host.EndPoint, name);
        (await connecting.Should().ThrowAsync<HandshakeException>()).Which.PeerReason.Should().Be(reason);
    }
}
