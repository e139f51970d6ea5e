using Microsoft.Extensions.Time.Testing;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Scenarios;

/// <summary>Server name, protocols and versions of the ClientHello choose the configuration, asynchronously where wanted.</summary>
[CancelAfter(60000)]
public sealed class ServerSelectionTests
{
    private World _world = null!;

    [SetUp]
    public void SetUp() => _world = new World();

    [TearDown]
    public void TearDown() => _world.Dispose();

    [Test]
    public async Task The_name_that_a_client_asks_for_chooses_the_server_that_answers()
    {
        using var other = _world.Authority.IssueServer("other.test");
        var second = new MutualTlsServer(_world.ServerOptions with { Identity = World.ToIdentity(other) });
        var front = Front(async (hello, front, _) =>
        {
            await Task.Yield();
            return hello.ServerName == "other.test" ? second : front;
        });

        await using var one = await ConnectedPair.ShakeAsync(_world.ClientOptions, front, "server.test");
        await using var two = await ConnectedPair.ShakeAsync(_world.ClientOptions, front, "other.test");

        one.Client.Accepted.Peer.Name.Should().Be("server.test");
        two.Client.Accepted.Peer.Name.Should().Be("other.test");
        two.Server.Accepted.Session.ServerName.Should().Be("other.test");
    }

    [Test]
    public async Task The_chosen_servers_demands_hold_and_not_the_front_ones()
    {
        var strict = new MutualTlsServer(_world.ServerOptions with { Authorization = Authorize.Dns("somebody-else.test") });

        await using var ends = await ConnectedPair.ShakeAsync(_world.ClientOptions, Front((_, _, _) => new(strict)));

        ends.Server.Refusal.Reason.Should().Be(RejectionReason.NotAuthorized);
    }

    [Test]
    public async Task A_name_that_nobody_serves_is_told_to_both_ends()
    {
        await using var ends = await ConnectedPair.ShakeAsync(_world.ClientOptions, Front((_, _, _) => new((MutualTlsServer?)null)));

        ends.Server.Refusal.Reason.Should().Be(RejectionReason.UnrecognizedServerName);
        ends.Client.Refusal.Reason.Should().Be(RejectionReason.UnrecognizedServerName);
    }

    [Test]
    public async Task A_selector_that_throws_lets_nobody_in()
    {
        await using var ends = await ConnectedPair.ShakeAsync(_world.ClientOptions, Front((_, _, _) => throw new InvalidOperationException("bug")));

        ends.Server.Refusal.Reason.Should().Be(RejectionReason.ValidatorFaulted);
        ends.Client.Refusal.PeerReason.Should().Be(PublicReason.InternalError);
    }

    [Test]
    public async Task A_selector_that_hangs_ends_with_the_handshakes_deadline()
    {
        var clock = new FakeTimeProvider(DateTimeOffset.UtcNow);
        var asked = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var front = Front((_, _, _) =>
        {
            asked.SetResult();
            return new(new TaskCompletionSource<MutualTlsServer?>().Task);
        });
        var shaking = ConnectedPair.ShakeAsync(_world.ClientOptions, front with { TimeProvider = clock });
        await asked.Task.WaitAsync(ConnectedPair.Deadline);

        clock.Advance(TimeSpan.FromSeconds(10));

        await using var ends = await shaking;
        ends.Server.Refusal.Reason.Should().Be(RejectionReason.HandshakeTimedOut);
    }

    [TestCase("x", "y x", "x")]
    [TestCase("y", "x y", "y")]
    public async Task The_application_protocol_is_agreed_within_the_confirmed_one(string servers, string clients, string agreed)
    {
        await using var ends = await ConnectedPair.ShakeAsync(
            _world.ClientOptions with { ApplicationProtocols = [.. clients.Split(' ')] },
            _world.ServerOptions with { ApplicationProtocols = [.. servers.Split(' ')], Confirmation = ConfirmationPolicy.Required });

        ends.Client.Accepted.Session.ApplicationProtocol.Should().Be(agreed);
        ends.Server.Accepted.Session.ApplicationProtocol.Should().Be(agreed);
        ends.Client.Accepted.IsConfirmed.Should().BeTrue();
    }

    [Test]
    public async Task No_application_protocol_in_common_is_told_to_both_ends()
    {
        await using var ends = await ConnectedPair.ShakeAsync(
            _world.ClientOptions with { ApplicationProtocols = ["x"] }, _world.ServerOptions with { ApplicationProtocols = ["y"] });

        ends.Server.Refusal.Reason.Should().Be(RejectionReason.AlpnMismatch);
        ends.Client.Refusal.Reason.Should().Be(RejectionReason.AlpnMismatch);
    }

    private MutualTlsServerOptions Front(ServerSelector select) => _world.ServerOptions with { SelectServer = select };
}
