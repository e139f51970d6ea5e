using MutualAuth.Testing.Transports;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Scenarios;

/// <summary>What confirmation costs, counted in one-way trips that had to follow one another, and not by a clock.</summary>
[CancelAfter(60000)]
public sealed class RoundTripsTests
{
    private World _world = null!;

    [SetUp]
    public void SetUp() => _world = new World();

    [TearDown]
    public void TearDown() => _world.Dispose();

    // TLS 1.3: hello, server's flight | finished + verdict, verdict. One more round trip for the client's call, none for the server's.
    [TestCase(TlsVersion.Tls13, ConfirmationPolicy.Never, 2, 3)]
    [TestCase(TlsVersion.Tls13, ConfirmationPolicy.Required, 4, 3)]
    // Full TLS 1.2: hello, certificate, finished, finished + verdict | verdict. None for the client's call, one for the server's.
    [TestCase(TlsVersion.Tls12, ConfirmationPolicy.Never, 4, 3)]
    [TestCase(TlsVersion.Tls12, ConfirmationPolicy.Required, 4, 5)]
    public async Task Each_call_returns_after_so_many_trips(TlsVersion version, ConfirmationPolicy policy, int clientTrips, int serverTrips)
    {
        await using var wire = new DuplexPair();
        var client = new MutualTlsClient(
            _world.ClientOptions with { Confirmation = policy, MinimumTlsVersion = version, MaximumTlsVersion = version });
        var server = new MutualTlsServer(_world.ServerOptions with { Confirmation = policy });

        var clientReturned = ReturnAsync(client.UpgradeAsync(wire.Client, "server.test"), wire.Client);
        var serverReturned = ReturnAsync(server.AcceptAsync(wire.Server), wire.Server);

        (await clientReturned.WaitAsync(ConnectedPair.Deadline)).Should().Be(clientTrips);
        (await serverReturned.WaitAsync(ConnectedPair.Deadline)).Should().Be(serverTrips);
    }

    private static async Task<int> ReturnAsync(Task<MutualAuth.MutualTlsConnection> handshake, DuplexStream end)
    {
        await handshake;
        return end.Trips;
    }
}
