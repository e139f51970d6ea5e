using System.Diagnostics.Metrics;
using System.Net;
using System.Security.Cryptography;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using MutualAuth.Audit;
using MutualAuth.Hosting;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests;

/// <summary>A sink that is broken keeps no host from starting, serving, taking up a configuration and stopping.</summary>
public sealed class ThrowingLoggerTests
{
    private HostWorld _world = null!;

    [SetUp]
    public void SetUp() => _world = new HostWorld();

    [TearDown]
    public void TearDown() => _world.Dispose();

    [Test]
    public async Task A_host_starts_serves_and_stops_all_the_same([Values] LoggersThrow at)
    {
        _world.Write("audit.key", Convert.ToHexString(RandomNumberGenerator.GetBytes(AuditTrail.KeyLength)) + "\n");
        _world.Foreign.IssueClient("us.test").WriteTo(_world["."], "doubtful");
        var (listener, client) = (HostWorld.Listener(), HostWorld.Client());
        listener["Audit"] = new Dictionary<string, object?> { ["File"] = "audit.log", ["KeyFile"] = "audit.key" };
        client["Identity"] = new Dictionary<string, object?> { ["Certificate"] = "doubtful.pem", ["Key"] = "doubtful.key" };
        _world.Configure(("inventory", listener), ("billing", client));
        EndPoint endPoint;
        await using (var host = await _world.EchoAsync(builder =>
        {
            builder.Services.AddMutualTlsClient("billing", HostWorld.Section(builder, "billing"));
            Break(builder, at);
        }))
        {
            endPoint = host.EndPoint;
            await using var connection = await _world.ConnectAsync(endPoint);
            (await HostWorld.SayAsync(connection, "hello")).Should().Be("hello");
        }

        var again = () => _world.ConnectAsync(endPoint);
        (await again.Should().ThrowAsync<HandshakeException>("it was stopped")).Which.Failure.Should().Be(HandshakeFailure.Unreachable);
        AuditTrail.Verify(_world["audit.log"], AuditTrail.ReadKey(_world["audit.key"])).IsIntact.Should().BeTrue();
        File.ReadLines(_world["audit.log"]).Last().Should().Contain("trail.closed");
    }

    [Test]
    public async Task A_host_that_waits_no_longer_stops_all_the_same([Values] LoggersThrow at)
    {
        var (begun, hold) = (new TaskCompletionSource(), new TaskCompletionSource());
        _world.Configure(("inventory", HostWorld.Listener()));
        var builder = _world.Builder();
        Break(builder, at);
        builder.Services.AddMutualTlsListener("inventory", HostWorld.Section(builder, "inventory")).HandledBy(async (_, _) =>
        {
            begun.SetResult();
            await hold.Task;
        });
        await using var host = await RunningHost.StartAsync(builder);
        await using var connection = await _world.ConnectAsync(host.EndPoint);
        await begun.Task.WaitAsync(HostWorld.Deadline);

        await host.Host.StopAsync(new CancellationToken(canceled: true)).WaitAsync(HostWorld.Deadline);
        hold.SetResult();
    }

    [Test]
    public async Task A_handler_that_fails_or_whose_connection_breaks_is_measured_as_ever([Values] LoggersThrow at, [Values] bool breaks)
    {
        var measured = new TaskCompletionSource<object?>(TaskCreationOptions.RunContinuationsAsynchronously);
        _world.Configure(("inventory", HostWorld.Listener()));
        var builder = _world.Builder();
        Break(builder, at);
        builder.Services.AddMutualTlsListener("inventory", HostWorld.Section(builder, "inventory"))
            .HandledBy((_, _) => throw (breaks ? new IOException("cut") : new InvalidOperationException("a fault of the application's")));
        await using var host = await RunningHost.StartAsync(builder);
        var factory = host.Host.Services.GetRequiredService<IMeterFactory>();
        using var metrics = new MeterListener
        {
            InstrumentPublished = (instrument, listener) =>
            {
                if (instrument.Name == "mutualauth.handler.duration" && instrument.Meter.Scope == factory)
                {
                    listener.EnableMeasurementEvents(instrument);
                }
            },
        };
        metrics.SetMeasurementEventCallback<double>((_, _, tags, _) =>
            measured.TrySetResult(tags.ToArray().Single(tag => tag.Key == "mutualauth.outcome").Value));
        metrics.Start();

        await using var connection = await _world.ConnectAsync(host.EndPoint);

        (await measured.Task.WaitAsync(HostWorld.Deadline)).Should().Be(breaks ? "broken" : "faulted");
    }

    /// <summary>Each side hears of a change after another one, which must not keep it from hearing.</summary>
    [Test]
    public async Task A_new_configuration_reaches_every_side_and_a_bad_one_does_not_count()
    {
        var sections = new[] { "inventory", "ledger" };
        _world.Configure([.. sections.Select(name => (name, (object?)HostWorld.Listener()))]);
        await using var host = await _world.EchoAsync(builder =>
        {
            builder.Services.AddMutualTlsListener("ledger", HostWorld.Section(builder, "ledger")).HandledBy(HostWorld.EchoAsync);
            Break(builder, LoggersThrow.AtLog);
        });
        var settings = HostWorld.Listener();
        async Task ConfigureAsync(string allow, int id)
        {
            settings["Allow"] = new[] { allow };
            _world.Configure([.. sections.Select(name => (name, (object?)settings))]);
            var said = new HashSet<string>();
            while (said.Count < sections.Length)
            {
                var text = (await _world.Events.NextAsync(id)).Text;
                said.UnionWith(sections.Where(name => text.Contains(name, StringComparison.Ordinal)));
            }
        }

        await ConfigureAsync("no rule", 2009);
        await using (await _world.ConnectAsync(host.EndPoint))
        {
        }

        settings["Confirmation"] = "Never";
        await ConfigureAsync("dns other.test", 2007);
        foreach (var name in sections)
        {
            var endPoint = host.Host.Services.GetRequiredKeyedService<HostedListener>(name).EndPoints[0];
            await using var other = await _world.ConnectAsync(endPoint, "other.test");
            var connecting = () => _world.ConnectAsync(endPoint);
            (await connecting.Should().ThrowAsync<HandshakeException>()).Which.PeerReason.Should().Be(PublicReason.AccessDenied);
        }
    }

    private static void Break(HostApplicationBuilder builder, LoggersThrow at) =>
        builder.Logging.SetMinimumLevel(LogLevel.Trace).AddProvider(new ThrowingLoggers(at));
}
