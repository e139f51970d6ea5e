using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using MutualAuth.Credentials;
using MutualAuth.Handshake;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Scenarios.Wire;

/// <summary>Bindings for protocols above a connection (docs/protocol.md §13).</summary>
public sealed class DerivedBindingTests
{
    private const string Label = "example.org/chat/1";

    private World _world = null!;

    [SetUp]
    public void Make_a_world() => _world = new World();

    [TearDown]
    public void Dispose_of_the_world() => _world.Dispose();

    /// <summary>The vectors of the page, by the code that connections use.</summary>
    [Test]
    public void The_vectors_of_the_page_hold()
    {
        var vectors = DocumentationPage.Open("docs/protocol.md").Text.Split("```derived-binding\n")[1].Split("```")[0]
            .Split('\n', StringSplitOptions.RemoveEmptyEntries).ToDictionary(line => line.Split(": ")[0], line => line.Split(": ")[1]);
        var endPoint = new ChannelBinding(ChannelBinding.TlsServerEndPoint, [.. Convert.FromHexString(vectors["binding of §12.2"])]);
        foreach (var (scope, type) in ((ChannelBindingScope, string)[])
            [(ChannelBindingScope.Connection, "mutualauth-connection"), (ChannelBindingScope.ServerCertificate, "mutualauth-server")])
        {
            var binding = DerivedBinding.Of(vectors["label"], scope, endPoint, [.. Convert.FromHexString(vectors["finished"])])!;

            binding.Type.Should().Be(type);
            Convert.ToHexStringLower(binding.Data.AsSpan()).Should().Be(vectors[type]);
        }
    }

    [TestCase(ChannelBindingScope.Connection)]
    [TestCase(ChannelBindingScope.ServerCertificate)]
    [Platform("Linux")]
    public async Task Both_ends_have_the_same_and_another_label_has_another(ChannelBindingScope scope)
    {
        await using var ends = await ConnectedPair.ShakeAsync(_world.ClientOptions, _world.ServerOptions);
        var (client, server) = (ends.Client.Accepted, ends.Server.Accepted);

        client.DeriveBinding(Label, scope).Should().NotBeNull().And.Be(server.DeriveBinding(Label, scope)).And.Be(client.DeriveBinding(Label, scope));
        client.DeriveBinding(Label + "0", scope).Should().NotBeNull().And.NotBe(client.DeriveBinding(Label, scope));
        client.DeriveBinding(Label).Should().NotBe(client.DeriveBinding(Label, ChannelBindingScope.ServerCertificate));
        client.DeriveBinding(Label, scope)!.Data.Should().HaveCount(32);
    }

    [Test]
    [Platform("Linux")]
    public async Task Two_connections_share_the_binding_to_the_certificate_and_not_the_one_to_the_connection()
    {
        await using var one = await ConnectedPair.ShakeAsync(_world.ClientOptions, _world.ServerOptions);
        await using var other = await ConnectedPair.ShakeAsync(_world.ClientOptions, _world.ServerOptions);

        Bindings(one, ChannelBindingScope.Connection).Should().NotBe(Bindings(other, ChannelBindingScope.Connection));
        Bindings(one, ChannelBindingScope.ServerCertificate).Should().Be(Bindings(other, ChannelBindingScope.ServerCertificate));

        static ChannelBinding Bindings(ConnectedPair pair, ChannelBindingScope scope) => pair.Client.Accepted.DeriveBinding(Label, scope)!;
    }

    /// <summary>
    /// A relay with the server's own certificate and key: both of its legs are accepted, and the two ends do not have the same binding.
    /// </summary>
    [Test]
    [Platform("Linux")]
    public async Task A_relay_that_holds_the_keys_of_both_is_seen_by_the_binding_to_the_connection_alone()
    {
        await using var left = await ConnectedPair.ShakeAsync(_world.ClientOptions, _world.ServerOptions);
        await using var right = await ConnectedPair.ShakeAsync(_world.ClientOptions, _world.ServerOptions);
        var (victim, service) = (left.Client.Accepted, right.Server.Accepted);

        victim.DeriveBinding(Label, ChannelBindingScope.ServerCertificate)
            .Should().Be(service.DeriveBinding(Label, ChannelBindingScope.ServerCertificate));
        victim.DeriveBinding(Label).Should().NotBe(service.DeriveBinding(Label));
    }

    [Test]
    public async Task With_tls_1_2_there_is_no_binding_to_the_connection()
    {
        await using var ends = await ConnectedPair.ShakeAsync(
            _world.ClientOptions with { MaximumTlsVersion = TlsVersion.Tls12 }, _world.ServerOptions);

        ends.Client.Accepted.Session.TlsVersion.Should().Be(TlsVersion.Tls12);
        ends.Client.Accepted.DeriveBinding(Label).Should().BeNull();
        ends.Server.Accepted.DeriveBinding(Label).Should().BeNull();
        ends.Client.Accepted.DeriveBinding(Label, ChannelBindingScope.ServerCertificate).Should().NotBeNull();
    }

    [Test]
    [Platform("Linux")]
    public async Task It_outlives_traffic_in_both_directions_and_the_connection()
    {
        await using var ends = await ConnectedPair.ShakeAsync(_world.ClientOptions, _world.ServerOptions);
        var (client, server) = (ends.Client.Accepted, ends.Server.Accepted);
        var before = client.DeriveBinding(Label);
        await client.Stream.WriteAsync(new byte[] { 1 });
        await server.Stream.ReadExactlyAsync(new byte[1]).AsTask().WaitAsync(ConnectedPair.Deadline);
        await server.Stream.WriteAsync(new byte[] { 1 });
        await client.Stream.ReadExactlyAsync(new byte[1]).AsTask().WaitAsync(ConnectedPair.Deadline);

        client.Abort();

        client.DeriveBinding(Label).Should().NotBeNull().And.Be(before).And.Be(server.DeriveBinding(Label));
    }

    [Test]
    public void A_stream_that_has_no_session_has_no_message()
    {
        using var idle = new SslStream(new MemoryStream());

        FinishedMessage.Read(idle).Should().BeEmpty();
    }

    [TestCase("")]
    [TestCase("a b")]
    [TestCase("ä")]
    [TestCase("a\n")]
    public async Task What_is_no_label_is_refused(string label)
    {
        await using var ends = await ConnectedPair.ShakeAsync(_world.ClientOptions, _world.ServerOptions);

        ends.Client.Accepted.Invoking(connection => connection.DeriveBinding(label)).Should().Throw<ArgumentException>();
        ends.Client.Accepted.Invoking(connection => connection.DeriveBinding(new string('a', 129))).Should().Throw<ArgumentException>();
        ends.Client.Accepted.Invoking(connection => connection.DeriveBinding(Label, 0)).Should().Throw<ArgumentOutOfRangeException>();
    }
}
