using System.Net;
using MutualAuth.Testing;

namespace MutualAuth.Tests.Scenarios;

/// <summary>One client that offers other application protocols by the connection.</summary>
[CancelAfter(60000)]
public sealed class OtherApplicationProtocolsTests
{
    private TestAuthority _authority = null!;
    private TestPair _pair = null!;

    [SetUp]
    public void SetUp()
    {
        _authority = new TestAuthority();
        _pair = _authority.CreatePair("client.test", "server.test");
        _pair = _pair with
        {
            Client = _pair.Client with { ApplicationProtocols = ["first/1"] },
            Server = _pair.Server with { ApplicationProtocols = ["h2", "first/1"] },
        };
    }

    [TearDown]
    public void TearDown()
    {
        _pair.Dispose();
        _authority.Dispose();
    }

    [Test]
    public async Task The_copy_offers_its_own_and_the_client_those_of_its_options(CancellationToken cancellationToken)
    {
        await using var listener = Listen(_pair.Server);
        var client = new MutualTlsClient(_pair.Client);

        await using var other = await client.WithApplicationProtocols(["h2"]).ConnectAsync(listener.LocalEndPoint, "server.test", cancellationToken);
        await using var first = await client.ConnectAsync(listener.LocalEndPoint, "server.test", cancellationToken);

        (other.Session.ApplicationProtocol, other.IsConfirmed).Should().Be(("h2", true));
        first.Session.ApplicationProtocol.Should().Be("first/1");
        client.Connections.Should().BeEquivalentTo<MutualTlsConnection>([other, first], options => options.ComparingByValue<MutualTlsConnection>());
    }

    [Test]
    public async Task What_the_server_does_not_speak_is_refused(CancellationToken cancellationToken)
    {
        await using var listener = Listen(_pair.Server with { ApplicationProtocols = ["first/1"] });
        var client = new MutualTlsClient(_pair.Client).WithApplicationProtocols(["h2"]);

        var failure = await FluentActions.Awaiting(() => client.ConnectAsync(listener.LocalEndPoint, "server.test", cancellationToken))
            .Should().ThrowAsync<HandshakeException>();

        failure.Which.Reason.Should().Be(RejectionReason.AlpnMismatch);
    }

    [Test]
    public async Task What_ends_a_clients_connections_ends_those_of_its_copy(CancellationToken cancellationToken)
    {
        await using var listener = Listen(_pair.Server);
        var client = new MutualTlsClient(_pair.Client);
        var other = client.WithApplicationProtocols(["h2"]);
        await using var connection = await other.ConnectAsync(listener.LocalEndPoint, "server.test", cancellationToken);

        client.EndWhere(_ => true, "the test says so").Should().Be(1);

        connection.Invalidation!.Rejection.Reason.Should().Be(RejectionReason.EndedByApplication);
    }

    [Test]
    public void Impossible_protocols_are_named_all_at_once()
    {
        var client = new MutualTlsClient(_pair.Client);

        var problems = FluentActions.Invoking(() => client.WithApplicationProtocols(["h2", string.Empty, "mutualauth/1+h2"]))
            .Should().Throw<ArgumentException>();

        problems.Which.Message.Should().Contain("'' must have 1 to").And.Contain("'mutualauth/1+h2' is reserved").And.NotContain("'h2' ");
    }

    private static MutualTlsListener Listen(MutualTlsServerOptions options) => MutualTlsListener.Start(
        new MutualTlsListenerOptions { Server = new MutualTlsServer(options), EndPoint = new IPEndPoint(IPAddress.Loopback, 0) });
}
