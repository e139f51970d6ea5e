using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using MutualAuth.Hosting;
using MutualAuth.Hosting.Materials;
using MutualAuth.Reloading;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests;

/// <summary>What the application's code may do at the wrong moment, and what goes on nevertheless.</summary>
[NonParallelizable] // one test listens to every meter of the process
public sealed class LifetimeTests
{
    private HostWorld _world = null!;

    [SetUp]
    public void SetUp() => _world = new HostWorld();

    [TearDown]
    public void TearDown() => _world.Dispose();

    [Test]
    public async Task No_handler_runs_on_the_thread_that_accepts_the_next_connection()
    {
        const int Connections = 300;
        _world.Configure(("inventory", HostWorld.Listener()));
        var builder = _world.Builder();
        var stacks = new ConcurrentBag<string>();
        builder.Services.AddMutualTlsListener("inventory", HostWorld.Section(builder, "inventory")).HandledBy((connection, _) =>
        {
            stacks.Add(Environment.StackTrace);
            return connection.Stream.WriteAsync(new byte[1], CancellationToken.None).AsTask();
        });
        await using var host = await RunningHost.StartAsync(builder);

        var eight = new ParallelOptions { MaxDegreeOfParallelism = 8 };
        await Parallel.ForEachAsync(Enumerable.Range(0, Connections), eight, async (_, cancelled) =>
        {
            await using var connection = await _world.ConnectAsync(host.EndPoint);
            await connection.Stream.ReadExactlyAsync(new byte[1], cancelled).AsTask().WaitAsync(HostWorld.Deadline, cancelled);
        });

        stacks.Should().HaveCount(Connections);
        stacks.Count(stack => stack.Contains("ListenerSide.PumpAsync(", StringComparison.Ordinal)).Should().Be(
            0, "a handler that blocks would block all");
    }

    [TestCase("mutualauth.handler.active")]
    [TestCase("mutualauth.handler.duration")]
    public async Task A_connection_is_served_and_given_back_although_a_meter_listener_throws(string name)
    {
        var settings = HostWorld.Listener();
        settings["Limits"] = new Dictionary<string, object?> { ["MaxConnections"] = 1 };
        _world.Configure(("inventory", settings));
        await using var host = await _world.EchoAsync();
        var factory = host.Host.Services.GetRequiredService<IMeterFactory>();
        var asked = 0;
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, meter) =>
            {
                if (instrument.Name == name && instrument.Meter.Scope == factory)
                {
                    meter.EnableMeasurementEvents(instrument);
                }
            },
        };
        listener.SetMeasurementEventCallback<int>((_, _, _, _) => Throw());
        listener.SetMeasurementEventCallback<double>((_, _, _, _) => Throw());
        listener.Start();

        for (var turn = 0; turn < 3; turn++)
        {
            await using var connection = await _world.ConnectAsync(host.EndPoint);
            (await HostWorld.SayAsync(connection, "hello")).Should().Be("hello");
        }

        asked.Should().BePositive();

        void Throw()
        {
            Interlocked.Increment(ref asked);
            throw new InvalidOperationException("an exporter that is broken");
        }
    }

    [Test]
    public async Task A_configuration_that_comes_after_the_end_opens_nothing([Values] bool hasEnded)
    {
        MutualTlsListenerSettings Settings(string trust)
        {
            var settings = new MutualTlsListenerSettings();
            settings.Listen.Add("127.0.0.1:0");
            (settings.Identity.Certificate, settings.Identity.Key) = ("server.pem", "server.key");
            settings.Trust.Add(trust);
            settings.Allow.Add("dns client.test");
            return settings;
        }

        var monitor = new HeldMonitor(Settings("authority.pem"));
        var builder = _world.Builder();
        builder.Services.AddMutualTlsListener("inventory", _ => { }).HandledBy(HostWorld.EchoAsync);
        builder.Services.AddSingleton<IOptionsMonitor<MutualTlsListenerSettings>>(monitor);
        MaterialStore store;
        await using (var host = await RunningHost.StartAsync(builder))
        {
            store = host.Host.Services.GetRequiredService<MaterialStore>();
            store.Count.Should().Be(2);
            if (!hasEnded)
            {
                monitor.Say(Settings("foreign.pem"));
                store.Count.Should().Be(2, "the new trust is open, and the old one given back");
            }
        }

        if (hasEnded)
        {
            monitor.Say(Settings("foreign.pem")); // it was under way as the host ended
        }

        store.Count.Should().Be(0, "nobody would ever close what is opened now");
    }

    [Test]
    public async Task A_new_configuration_is_taken_wholly_although_a_handler_of_the_applications_throws([Values] bool throws)
    {
        _world.Configure(("inventory", HostWorld.Listener()));
        await using var host = await _world.EchoAsync(listener: inventory => inventory.ConfigureServer((_, options) =>
        {
            ((IReloadable)options.Trust).Replaced += (_, _) =>
            {
                if (throws)
                {
                    throw new InvalidOperationException("a fault of the application");
                }
            };
            return options;
        }));
        var store = host.Host.Services.GetRequiredService<MaterialStore>();
        var settings = HostWorld.Listener();
        settings["Trust"] = new[] { "authority.pem", "foreign.pem" };
        settings["Allow"] = new[] { "dns other.test" };

        _world.Configure(("inventory", settings));

        await _world.Events.NextAsync(2007);
        await using var connection = await _world.ConnectAsync(host.EndPoint, "other.test");
        (await HostWorld.SayAsync(connection, "hello")).Should().Be("hello");
        var another = () => _world.ConnectAsync(host.EndPoint);
        await another.Should().ThrowAsync<HandshakeException>("it is allowed no longer");
        store.Count.Should().Be(2, "what is no longer used is given back");
    }

    /// <summary>A monitor whose last word comes when a test says so, also after nobody listens any more.</summary>
    private sealed class HeldMonitor(MutualTlsListenerSettings settings) : IOptionsMonitor<MutualTlsListenerSettings>, IDisposable
    {
        private Action<MutualTlsListenerSettings, string?>? _listener;

        public MutualTlsListenerSettings CurrentValue => settings;

        public MutualTlsListenerSettings Get(string? name) => settings;

        public IDisposable OnChange(Action<MutualTlsListenerSettings, string?> listener)
        {
            _listener = listener;
            return this;
        }

        internal void Say(MutualTlsListenerSettings next) => _listener!(next, "inventory");

        public void Dispose()
        {
        }
    }
}
