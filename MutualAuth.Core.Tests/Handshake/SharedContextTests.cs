using System.Net.Security;
using Microsoft.Extensions.Logging;
using MutualAuth.Handshake;
using MutualAuth.Testing;
using MutualAuth.Testing.Transports;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests;

/// <summary>One TLS context for all connections of a server. OPENSSL_CONF decides whether this process has it; these tests hold in both.</summary>
[CancelAfter(60000)]
public sealed class SharedContextTests
{
    [Test]
    public async Task It_is_there_where_the_process_was_told_to_give_no_sessions_and_nowhere_else()
    {
        var file = Environment.GetEnvironmentVariable("OPENSSL_CONF");
        var givesNone = file is not null && (await File.ReadAllTextAsync(file)).Contains("NumTickets = 0", StringComparison.Ordinal);

        (await SharedContext.FindOut()).Should().Be(givesNone);
    }

    [Test]
    public async Task A_server_says_at_start_which_it_is()
    {
        var isShared = await SharedContext.FindOut();
        using var world = new World();
        using var log = new EventLog();

        _ = new MutualTlsServer(world.ServerOptions with { LoggerFactory = log });

        (await log.NextAsync(isShared ? 1600 : 1601)).Id.Should().Be(isShared ? 1600 : 1601);
    }

    [TestCase(0x0304, false, false, true)]
    [TestCase(0x0303, false, false, false)]
    [TestCase(0x0304, true, false, false)]
    [TestCase(0x0304, false, true, false)]
    public async Task Only_what_leads_to_TLS_1_3_with_the_suites_of_the_platform_shares_it(
        int offered, bool isTls12Alone, bool hasSuites, bool shares)
    {
        var givesNone = await SharedContext.FindOut();
        using var world = new World();
        var options = world.ServerOptions with
        {
            MaximumTlsVersion = isTls12Alone ? TlsVersion.Tls12 : TlsVersion.Tls13,
            CipherSuites = hasSuites ? [TlsCipherSuite.TLS_AES_128_GCM_SHA256] : [],
        };
        var hello = new ClientHello("server.test", [], [offered, 0x0303]);

        SharedContext.Suits(options with { SharesContextUnasked = true }, hello).Should().Be(shares);
        SharedContext.Suits(options, hello).Should().Be(shares && givesNone);
    }

    /// <summary>What a server asks its clients for is its own, also where another one with the same certificate shares the context.</summary>
    [Test]
    public async Task Two_servers_with_one_certificate_each_name_their_own_authorities_and_keep_their_own_rules()
    {
        using var world = new World { CloseTimeout = World.Moment };
        using var client = world.Authority.IssueClient("client.test");
        var own = new MutualTlsServer(world.ServerOptions with { SendAcceptableIssuers = true, SharesContextUnasked = true });
        var foreign = new MutualTlsServer(
            world.ServerOptions with { SendAcceptableIssuers = true, SharesContextUnasked = true, Trust = world.Foreign.ToTrustAnchors() });

        for (var round = 0; round < 2; round++)
        {
            var atOwn = await VisitAsync(own, client);
            var atForeign = await VisitAsync(foreign, client);

            atOwn.End.Accepted.Peer.Name.Should().Be("client.test");
            atForeign.End.Refusal.Reason.Should().Be(RejectionReason.UnknownAuthority);
            atOwn.Issuers.Should().HaveCount(1);
            atForeign.Issuers.Should().HaveCount(1).And.NotEqual(atOwn.Issuers);
        }
    }

    private static async Task<(End End, string[] Issuers)> VisitAsync(MutualTlsServer server, TestCertificate certificate)
    {
        await using var wire = new DuplexPair();
        string[] asked = [];
        var accepting = End.OfAsync(server.AcceptAsync(wire.Server));
        await using var client = new SslStream(wire.Client);
        await client.AuthenticateAsClientAsync(new SslClientAuthenticationOptions
        {
            TargetHost = "server.test",
            RemoteCertificateValidationCallback = (_, _, _, _) => true,
            AllowTlsResume = false,
            LocalCertificateSelectionCallback = (_, _, _, remote, issuers) =>
            {
                asked = remote is null ? asked : issuers;
                return remote is null ? null! : certificate.Certificate;
            },
        }).WaitAsync(ConnectedPair.Deadline);
        var end = await accepting;
        if (end.Connection is { } connection)
        {
            await connection.DisposeAsync();
        }

        return (end, asked);
    }
}
