using System.Net.Sockets;
using MutualAuth.Evidence;
using MutualAuth.Handshake;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Scenarios;

/// <summary>
/// The key exchange is a fact of the session, and a policy about it holds before anything of ours goes out. The groups are those that this
/// platform agrees on with itself, whichever they are; another is one that it offers too, and does not take.
/// </summary>
[CancelAfter(60000)]
public sealed class KeyExchangeTests
{
    private readonly World _world = new();

    [OneTimeTearDown]
    public void DisposeOfWorld() => _world.Dispose();

    [Test]
    public async Task Both_ends_know_the_group([Values] TlsVersion version)
    {
        await using var ends = await ConnectedPair.ShakeAsync(At(_world.ClientOptions, version), At(_world.ServerOptions, version));

        ends.Client.Accepted.Session.KeyExchangeGroup.Should().NotBeNull().And.Be(ends.Server.Accepted.Session.KeyExchangeGroup);
        Enum.IsDefined(ends.Client.Accepted.Session.KeyExchangeGroup!.Value).Should().BeTrue();
    }

    [Test]
    public async Task A_server_refuses_what_it_would_agree_on_and_shows_nothing([Values] TlsVersion version)
    {
        var (usual, other) = await GroupsAsync(version);
        await using var fits = await ConnectedPair.ShakeAsync(
            At(_world.ClientOptions, version), At(_world.ServerOptions, version) with { KeyExchange = KeyExchangePolicy.Only(usual) });
        await using var ends = await ConnectedPair.ShakeAsync(
            At(_world.ClientOptions, version), At(_world.ServerOptions, version) with { KeyExchange = KeyExchangePolicy.Only(other) });

        fits.Server.Accepted.Session.KeyExchangeGroup.Should().Be(usual);
        var refusal = ends.Server.Refusal;
        (refusal.Failure, refusal.Reason).Should().Be((HandshakeFailure.NoAgreement, RejectionReason.KeyExchangeNotAllowed), refusal.Message);
        (ends.Client.Refusal.Reason, ends.Client.Refusal.PeerReason).Should().Be(
            (RejectionReason.NoCommonCipherSuite, PublicReason.Refused), ends.Client.Refusal.Message);
        ends.Client.Refusal.PeerName.Should().BeNull("it has seen no certificate");
    }

    [Test]
    public async Task A_client_refuses_what_the_server_agreed_on_and_shows_nothing(
        [Values] TlsVersion version, [Values] ConfirmationPolicy confirmation)
    {
        var (usual, other) = await GroupsAsync(version);
        var client = At(_world.ClientOptions, version) with { Confirmation = confirmation };
        var server = At(_world.ServerOptions, version) with { Confirmation = confirmation };
        await using var fits = await ConnectedPair.ShakeAsync(client with { KeyExchange = KeyExchangePolicy.Only(usual, other) }, server);
        await using var ends = await ConnectedPair.ShakeAsync(client with { KeyExchange = KeyExchangePolicy.Only(other) }, server);

        fits.Client.Accepted.Session.KeyExchangeGroup.Should().Be(usual);
        var refusal = ends.Client.Refusal;
        (refusal.Failure, refusal.Reason).Should().Be((HandshakeFailure.NoAgreement, RejectionReason.KeyExchangeNotAllowed), refusal.Message);
        (ends.Server.Refusal.Reason, ends.Server.Refusal.PeerReason).Should().Be(
            (RejectionReason.RefusedByPeer, PublicReason.Refused), ends.Server.Refusal.Message);
        ends.Server.Refusal.PeerName.Should().BeNull("it has seen no certificate");
    }

    [Test]
    public async Task A_hello_that_offers_nothing_allowed_is_refused_before_anything_is_computed([Values] bool fits)
    {
        var (peer, ours) = await ConnectedPair.SocketPairAsync();
        using var _ = peer;
        var allowed = KeyExchangePolicy.Only(fits ? KeyExchangeGroup.X25519 : KeyExchangeGroup.X448);
        var handshake = End.OfAsync(new MutualTlsServer(_world.ServerOptions with { KeyExchange = allowed }).AcceptAsync(ours));
        await peer.SendAsync(new HelloDraft().Records()).WaitAsync(ConnectedPair.Deadline);
        var heard = new byte[4096];
        var count = await peer.ReceiveAsync(heard).WaitAsync(ConnectedPair.Deadline);
        peer.Shutdown(SocketShutdown.Send);

        if (fits)
        {
            heard[0].Should().Be(22, "a ServerHello is the answer");
            (await handshake).Refusal.Failure.Should().Be(HandshakeFailure.TransportLost);
            return;
        }

        heard[..count].Should().Equal(21, 3, 3, 0, 2, 2, 40);
        var refusal = (await handshake).Refusal;
        (refusal.Failure, refusal.Reason).Should().Be((HandshakeFailure.NoAgreement, RejectionReason.KeyExchangeNotAllowed), refusal.Message);
        refusal.Rejection.Presented.Should().Contain("x25519, secp256r1");
    }

    [Test]
    public async Task The_log_names_the_group()
    {
        var log = new EventLog();
        await using var ends = await ConnectedPair.ShakeAsync(_world.ClientOptions, _world.ServerOptions with { LoggerFactory = log });

        var group = ends.Server.Accepted.Session.KeyExchangeGroup!.Value.ToText();
        (await log.NextAsync(1000)).Values["KeyExchangeGroup"].Should().Be(group);
    }

    /// <summary>The group that this platform takes by itself, and another that it offers as well.</summary>
    private async Task<(KeyExchangeGroup Usual, KeyExchangeGroup Other)> GroupsAsync(TlsVersion version)
    {
        await using var ends = await ConnectedPair.ShakeAsync(At(_world.ClientOptions, version), At(_world.ServerOptions, version));
        var usual = ends.Client.Accepted.Session.KeyExchangeGroup!.Value;
        return (usual, usual == KeyExchangeGroup.Secp384r1 ? KeyExchangeGroup.Secp256r1 : KeyExchangeGroup.Secp384r1);
    }

    private static T At<T>(T options, TlsVersion version)
        where T : HandshakeOptions => (T)(HandshakeOptions)(options with { MinimumTlsVersion = version, MaximumTlsVersion = version });
}
