using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using MutualAuth.Connections;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Connections;

/// <summary>Finding the host ends with the deadline and with the caller, also where the resolver itself cannot be stopped.</summary>
[CancelAfter(60000)]
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
public sealed class DialerTests
{
    private static readonly DnsEndPoint s_host = new("host.test", 1);

    private readonly FakeTimeProvider _clock = new();
    private readonly TaskCompletionSource _asked = new(TaskCreationOptions.RunContinuationsAsynchronously);

    [Test]
    public async Task A_resolver_that_cannot_be_stopped_is_left_at_the_deadline()
    {
        var connecting = ConnectAsync(CancellationToken.None);
        await _asked.Task.WaitAsync(ConnectedPair.Deadline);

        _clock.Advance(TimeSpan.FromSeconds(1));

        var connect = () => connecting.WaitAsync(ConnectedPair.Deadline);
        (await connect.Should().ThrowAsync<HandshakeException>()).Which.Failure.Should().Be(HandshakeFailure.Unreachable);
    }

    [Test]
    public async Task A_resolver_that_cannot_be_stopped_is_left_when_the_caller_gives_up()
    {
        using var caller = new CancellationTokenSource();
        var connecting = ConnectAsync(caller.Token);
        await _asked.Task.WaitAsync(ConnectedPair.Deadline);

        await caller.CancelAsync();

        var connect = () => connecting.WaitAsync(ConnectedPair.Deadline);
        (await connect.Should().ThrowAsync<OperationCanceledException>()).Which.CancellationToken.Should().Be(caller.Token);
    }

    private Task<Socket> ConnectAsync(CancellationToken cancellationToken) =>
        Dialer.ConnectAsync(s_host, TimeSpan.FromSeconds(1), _clock, NullLoggerFactory.Instance, cancellationToken, NeverAsync).AsTask();

    private Task<IPAddress[]> NeverAsync(string host, AddressFamily family, CancellationToken cancellationToken)
    {
        _asked.SetResult();
        return new TaskCompletionSource<IPAddress[]>().Task;
    }
}
