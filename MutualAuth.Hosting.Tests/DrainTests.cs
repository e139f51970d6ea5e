using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using MutualAuth.Hosting;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests;

/// <summary>What becomes of connections when the host stops.</summary>
public sealed class DrainTests
{
    private HostWorld _world = null!;

    [SetUp]
    public void SetUp()
    {
        _world = new HostWorld();
        _world.Configure(("inventory", HostWorld.Listener()));
    }

    [TearDown]
    public void TearDown() => _world.Dispose();

    [Test]
    public async Task A_request_in_progress_ends_and_an_idle_connection_does_not_hold_the_host_up()
    {
        var (begun, mayAnswer) = (new TaskCompletionSource(), new TaskCompletionSource());
        var builder = _world.Builder();
        builder.Services.AddMutualTlsListener("inventory", HostWorld.Section(builder, "inventory")).HandledBy(async (connection, draining) =>
        {
            var request = new byte[1];
            await connection.Stream.ReadExactlyAsync(request, draining);
            begun.SetResult();
            await mayAnswer.Task;
            await connection.Stream.WriteAsync(request, CancellationToken.None);
        });
        await using var host = await RunningHost.StartAsync(builder);
        await using var busy = await _world.ConnectAsync(host.EndPoint);
        await using var idle = await _world.ConnectAsync(host.EndPoint);
        var saying = HostWorld.SayAsync(busy, "x");
        await begun.Task.WaitAsync(HostWorld.Deadline);
        using var patience = new CancellationTokenSource(HostWorld.Deadline);

        var stopping = host.Host.StopAsync(patience.Token);
        (await idle.Stream.ReadAsync(new byte[1], patience.Token)).Should().Be(0);
        stopping.IsCompleted.Should().BeFalse();
        mayAnswer.SetResult();

        (await saying).Should().Be("x");
        await stopping;
        patience.IsCancellationRequested.Should().BeFalse();
        (await _world.Events.NextAsync(2002)).Text.Should().Contain("inventory");
    }

    [Test]
    public async Task A_handler_that_does_not_end_is_aborted_when_the_host_waits_no_longer()
    {
        var (begun, hold) = (new TaskCompletionSource(), new TaskCompletionSource());
        var builder = _world.Builder();
        builder.Services.AddMutualTlsListener("inventory", HostWorld.Section(builder, "inventory")).HandledBy(async (_, _) =>
        {
            begun.SetResult();
            await hold.Task;
        });
        await using var host = await RunningHost.StartAsync(builder);
        await using var connection = await _world.ConnectAsync(host.EndPoint);
        await begun.Task.WaitAsync(HostWorld.Deadline);
        using var patience = new CancellationTokenSource();

        var stopping = host.Host.StopAsync(patience.Token);
        stopping.IsCompleted.Should().BeFalse();
        await patience.CancelAsync();

        (await _world.Events.NextAsync(2003)).Text.Should().Contain("1 handlers");
        await ((Func<Task>)(() => stopping)).Should().CompleteWithinAsync(HostWorld.Deadline);
        var reading = async () => await connection.Stream.ReadAsync(new byte[1]);
        await reading.Should().ThrowAsync<IOException>();
        hold.SetResult();
    }

    [Test]
    public async Task A_host_that_is_disposed_of_without_a_stop_leaves_nothing_open()
    {
        var builder = _world.Builder();
        builder.Services.AddMutualTlsListener("inventory", HostWorld.Section(builder, "inventory")).HandledBy(HostWorld.EchoAsync);
        var host = builder.Build();
        await host.StartAsync();
        await using var connection = await _world.ConnectAsync(host.Services.GetRequiredKeyedService<HostedListener>("inventory").EndPoints[0]);

        host.Dispose();

        using var deadline = new CancellationTokenSource(HostWorld.Deadline);
        (await EndsAsync(connection.Stream, deadline.Token)).Should().BeTrue("it was aborted, or its handler closed it at the last moment");
    }

    [Test]
    public async Task A_read_that_waits_forever_is_aborted_too()
    {
        var begun = new TaskCompletionSource();
        var handled = new TaskCompletionSource<Exception?>(TaskCreationOptions.RunContinuationsAsynchronously);
        var builder = _world.Builder();
        builder.Services.AddMutualTlsListener("inventory", HostWorld.Section(builder, "inventory")).HandledBy(async (connection, _) =>
        {
            var reading = connection.Stream.ReadExactlyAsync(new byte[1], CancellationToken.None).AsTask();
            begun.SetResult();
            await ((Task)reading).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            handled.SetResult(reading.Exception?.InnerException);
            await reading;
        });
        await using var host = await RunningHost.StartAsync(builder);
        await using var connection = await _world.ConnectAsync(host.EndPoint);
        await begun.Task.WaitAsync(HostWorld.Deadline);
        using var patience = new CancellationTokenSource();

        var stopping = host.Host.StopAsync(patience.Token);
        await patience.CancelAsync();

        await ((Func<Task>)(() => stopping)).Should().CompleteWithinAsync(HostWorld.Deadline);
        (await handled.Task.WaitAsync(HostWorld.Deadline)).Should().BeAssignableTo<IOException>();
    }

    private static async Task<bool> EndsAsync(Stream stream, CancellationToken deadline)
    {
        try
        {
            return await stream.ReadAsync(new byte[1], deadline) == 0;
        }
        catch (IOException)
        {
            return true;
        }
    }
}
