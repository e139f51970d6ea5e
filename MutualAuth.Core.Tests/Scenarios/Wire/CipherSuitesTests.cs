using System.Collections.Immutable;
using System.Net.Security;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Scenarios;

[CancelAfter(60000)]
public sealed class CipherSuitesTests
{
    private readonly World _world = new();

    [OneTimeTearDown]
    public void DisposeOfWorld() => _world.Dispose();

    [Test]
    public async Task The_suite_that_both_name_is_used()
    {
        await using var ends = await ConnectedPair.ShakeAsync(
            Client(TlsCipherSuite.TLS_CHACHA20_POLY1305_SHA256), Server(TlsCipherSuite.TLS_CHACHA20_POLY1305_SHA256));

        ends.Server.Accepted.Session.CipherSuite.Should().Be(TlsCipherSuite.TLS_CHACHA20_POLY1305_SHA256);
        ends.Client.Accepted.Session.CipherSuite.Should().Be(TlsCipherSuite.TLS_CHACHA20_POLY1305_SHA256);
    }

    [Test]
    public async Task Two_sides_that_name_different_suites_agree_on_none()
    {
        await using var ends = await ConnectedPair.ShakeAsync(
            Client(TlsCipherSuite.TLS_CHACHA20_POLY1305_SHA256), Server(TlsCipherSuite.TLS_AES_256_GCM_SHA384));

        ends.Server.Refusal.Reason.Should().Be(RejectionReason.NoCommonCipherSuite);
        ends.Client.Refusal.Reason.Should().Be(RejectionReason.NoCommonCipherSuite);
    }

    [Test]
    public async Task A_server_that_names_one_takes_it_from_a_client_that_names_none()
    {
        await using var ends = await ConnectedPair.ShakeAsync(_world.ClientOptions, Server(TlsCipherSuite.TLS_AES_128_GCM_SHA256));

        ends.Server.Accepted.Session.CipherSuite.Should().Be(TlsCipherSuite.TLS_AES_128_GCM_SHA256);
    }

    [Test]
    public async Task A_client_that_names_suites_of_TLS_1_2_alone_offers_no_other_version()
    {
        var client = _world.ClientOptions with { CipherSuites = [TlsCipherSuite.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384] };

        await using var both = await ConnectedPair.ShakeAsync(client, _world.ServerOptions);
        await using var neither = await ConnectedPair.ShakeAsync(client, Server(TlsCipherSuite.TLS_AES_256_GCM_SHA384));

        both.Server.Accepted.Session.TlsVersion.Should().Be(TlsVersion.Tls12);
        neither.Server.Refusal.Reason.Should().Be(RejectionReason.ProtocolVersionUnsupported);
        neither.Client.Refusal.Reason.Should().Be(RejectionReason.ProtocolVersionUnsupported);
    }

    [Test]
    public async Task A_server_that_names_suites_of_TLS_1_3_alone_turns_away_an_older_client_by_its_version()
    {
        await using var ends = await ConnectedPair.ShakeAsync(
            _world.ClientOptions with { MaximumTlsVersion = TlsVersion.Tls12 },
            _world.ServerOptions with { CipherSuites = [TlsCipherSuite.TLS_AES_256_GCM_SHA384] });

        ends.Server.Refusal.Reason.Should().Be(RejectionReason.ProtocolVersionUnsupported);
    }

    [TestCase(TlsVersion.Tls13, TlsCipherSuite.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, false)]
    [TestCase(TlsVersion.Tls12, TlsCipherSuite.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, true)]
    [TestCase(TlsVersion.Tls13, TlsCipherSuite.TLS_AES_256_GCM_SHA384, true)]
    [TestCase(TlsVersion.Tls13, (TlsCipherSuite)0x13ff, false)]
    public void A_list_with_which_no_handshake_could_succeed_is_refused_at_construction(TlsVersion minimum, TlsCipherSuite suite, bool makes)
    {
        var making = () => new MutualTlsServer(_world.ServerOptions with { MinimumTlsVersion = minimum, CipherSuites = [suite] });

        if (makes)
        {
            making.Should().NotThrow();
        }
        else
        {
            making.Should().Throw<ArgumentException>();
        }
    }

    [Test]
    public void A_list_that_was_never_set_up_is_refused()
    {
        var making = () => new MutualTlsClient(_world.ClientOptions with { CipherSuites = default(ImmutableArray<TlsCipherSuite>) });

        making.Should().Throw<ArgumentException>();
    }

    private MutualTlsServerOptions Server(TlsCipherSuite suite) =>
        _world.ServerOptions with { MinimumTlsVersion = TlsVersion.Tls13, CipherSuites = [suite] };

    private MutualTlsClientOptions Client(TlsCipherSuite suite) =>
        _world.ClientOptions with { MinimumTlsVersion = TlsVersion.Tls13, CipherSuites = [suite] };
}
