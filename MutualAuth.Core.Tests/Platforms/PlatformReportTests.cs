using System.Net.Security;
using MutualAuth.Hello;
using MutualAuth.Platforms;
using MutualAuth.Testing.Transports;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests;

/// <summary>What the platform puts on the wire is read from its octets, not from a setting.</summary>
[CancelAfter(60000)]
public sealed class PlatformReportTests
{
    [Test]
    public async Task The_client_is_what_a_real_client_sends()
    {
        var octets = await OfOurClientAsync();
        var sent = ClientHelloParser.Parse(octets, 16384, final: true).Hello!;

        var client = (await PlatformReport.ReadAsync()).Client;

        client.Problem.Should().BeNull();
        client.Role.Should().Be(PeerRole.Client);
        client.Versions.Should().Equal(sent.Versions);
        client.KeyExchangeGroups.Should().Equal(sent.KeyExchangeGroups);
        client.KeyShares.Should().NotBeEmpty().And.BeSubsetOf(client.KeyExchangeGroups);
        client.ApplicationProtocols.Should().BeEmpty("those of the options are the library's");
        client.TakesTickets.Should().BeFalse("the library asks for none");
        OwnHello.Parse(octets)!.CipherSuites.Should().Equal(client.CipherSuites);
        OwnHello.Parse(octets)!.SignatureSchemes.Should().Equal(client.SignatureSchemes);
    }

    [Test]
    public async Task The_server_answers_what_the_client_of_the_same_process_offers()
    {
        var (client, server) = ((await PlatformReport.ReadAsync()).Client, (await PlatformReport.ReadAsync()).Server);

        server.Problem.Should().BeNull();
        server.Role.Should().Be(PeerRole.Server);
        server.Versions.Should().Equal(client.Versions);
        server.CipherSuites.Should().BeEquivalentTo(client.CipherSuites);
        server.KeyExchangeGroups.Should().BeEquivalentTo(client.KeyExchangeGroups);
        server.SignatureSchemes.Should().BeEquivalentTo(client.SignatureSchemes);
        server.OwnSignatureSchemes.Should().NotBeEmpty().And.BeSubsetOf(server.SignatureSchemes);
    }

    /// <summary>Without TLS 1.2 the request for a certificate comes under the keys of the handshake.</summary>
    [Test]
    public async Task With_TLS_1_3_alone_the_request_for_a_certificate_is_deciphered()
    {
        var server = (await PlatformReport.ReadAsync(TlsVersion.Tls13, [], CancellationToken.None)).Server;

        server.Problem.Should().BeNull();
        server.Versions.Should().Equal(0x0304);
        server.SignatureSchemes.Should().Contain(TlsSignatureScheme.EcdsaSecp256r1Sha256);
        server.CipherSuites.Should().OnlyContain(suite => (int)suite >> 8 == 0x13);
    }

    [TestCase(TlsCipherSuite.TLS_AES_128_GCM_SHA256)]
    [TestCase(TlsCipherSuite.TLS_AES_256_GCM_SHA384)]
    [TestCase(TlsCipherSuite.TLS_CHACHA20_POLY1305_SHA256)]
    public async Task Each_suite_of_TLS_1_3_is_deciphered(TlsCipherSuite suite)
    {
        var report = await PlatformReport.ReadAsync(TlsVersion.Tls13, [suite], CancellationToken.None);

        report.Server.Problem.Should().BeNull();
        report.Server.SignatureSchemes.Should().NotBeEmpty();
        report.Server.CipherSuites.Should().Equal(suite);
        report.Client.CipherSuites.Should().Equal(suite);
    }

    [Test]
    public async Task Where_the_suites_are_chosen_these_are_offered_and_answered_and_no_other()
    {
        TlsCipherSuite[] chosen = [TlsCipherSuite.TLS_AES_256_GCM_SHA384, TlsCipherSuite.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384];

        var report = await PlatformReport.ReadAsync(TlsVersion.Tls12, [.. chosen], CancellationToken.None);

        report.Client.CipherSuites.Should().BeEquivalentTo(chosen);
        report.Server.CipherSuites.Should().BeEquivalentTo(chosen);
        (await PlatformReport.ReadAsync()).Client.CipherSuites.Should().HaveCountGreaterThan(chosen.Length);
    }

    [Test]
    public async Task What_cannot_be_chosen_is_a_problem_and_meets_no_requirement()
    {
        var report = await PlatformReport.ReadAsync(TlsVersion.Tls12, [(TlsCipherSuite)0xfefe], CancellationToken.None);

        report.Client.Problem.Should().NotBeNull();
        report.Examine(new PlatformRequirements()).Should().Contain(excess => excess.Kind == PlatformExcessKind.Unknown)
            .And.Contain(excess => excess.Kind == PlatformExcessKind.NothingPermitted);
    }

    [Test]
    public async Task It_is_read_once()
    {
        var both = await Task.WhenAll(PlatformReport.ReadAsync(), PlatformReport.ReadAsync());

        both[0].Should().BeSameAs(both[1]);
    }

    [TestCase(true)]
    [TestCase(false)]
    public async Task Who_gives_up_waiting_is_told_so_and_others_still_get_it(bool isThere)
    {
        using var stop = new CancellationTokenSource();
        await stop.CancelAsync();
        if (isThere)
        {
            await PlatformReport.ReadAsync();
        }

        await FluentActions.Awaiting(() => PlatformReport.ReadAsync(stop.Token)).Should().ThrowAsync<OperationCanceledException>();
        (await PlatformReport.ReadAsync()).Client.Problem.Should().BeNull();
    }

    /// <summary>More different options than are remembered are still read, each as it is.</summary>
    [Test]
    public async Task Beyond_what_is_remembered_it_is_read_all_the_same()
    {
        TlsCipherSuite[] suites =
        [
            TlsCipherSuite.TLS_AES_256_GCM_SHA384, TlsCipherSuite.TLS_AES_128_GCM_SHA256, TlsCipherSuite.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
            TlsCipherSuite.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, TlsCipherSuite.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
        ];
        for (var mask = 1; mask < 20; mask++)
        {
            TlsCipherSuite[] chosen = [.. suites.Where((_, at) => (mask & (1 << at)) != 0)];
            var report = await PlatformReport.ReadAsync(TlsVersion.Tls12, [.. chosen], CancellationToken.None);
            report.Client.CipherSuites.Should().Contain(chosen);
        }
    }

    [Test]
    public async Task OpenSSL_says_who_it_is_and_a_provider_is_active()
    {
        Assume.That(OperatingSystem.IsLinux());

        var report = await PlatformReport.ReadAsync();

        report.OpenSsl.Should().StartWith("OpenSSL 3.");
        report.Providers.Should().NotBeEmpty();
        report.Fips.Should().NotBe(PlatformAnswer.Unknown);
    }

    [TestCase("default", false, PlatformAnswer.No)]
    [TestCase("default", true, PlatformAnswer.No)]
    [TestCase("fips,base", false, PlatformAnswer.Yes)]
    [TestCase("fips,base", true, PlatformAnswer.Yes)]
    [TestCase("fips", false, PlatformAnswer.Yes)]
    [TestCase("fips,base,default", false, PlatformAnswer.No)]
    [TestCase("fips,base,default", true, PlatformAnswer.Yes)]
    [TestCase("base", true, PlatformAnswer.No)]
    [TestCase("", true, PlatformAnswer.No)]
    [TestCase("fips2,base", true, PlatformAnswer.No)]
    public void FIPS_is_active_where_no_other_provider_gives_algorithms(string providers, bool isDemanded, PlatformAnswer answer) =>
        OpenSslLibrary.FipsOf(providers.Split(',', StringSplitOptions.RemoveEmptyEntries), isDemanded).Should().Be(answer);

    /// <summary>Numbers without a name are asked for by the thousand: what is among them is seen.</summary>
    [TestCase(true, false)]
    [TestCase(false, true)]
    [TestCase(false, false)]
    public void One_group_or_suite_among_thirty_thousand_is_answered(bool hasGroup, bool hasSuite)
    {
        int[] nameless = [.. Enumerable.Range(0x3000, 30_000)];
        using var certificates = new OwnCertificates();
        var wire = new FlightStream(QuestionHello.ToRecords(new QuestionHello(
            QuestionHello.Tls13,
            hasGroup ? [0x1302] : hasSuite ? [.. nameless, 0x1302] : nameless,
            hasGroup ? [.. nameless, 0x0017] : [0x0017],
            [0x0403]).ToMessage()));
        using var server = new SslStream(wire);

        FluentActions.Invoking(() => server.AuthenticateAsServer(new SslServerAuthenticationOptions
        {
            ServerCertificateContext = certificates.All.First(),
        })).Should().Throw<Exception>("nobody goes on");

        var flight = ServerFlight.Read(wire.Written);
        (flight?.Suite, flight?.Group).Should().Be(hasGroup || hasSuite ? (0x1302, 0x0017) : (null, null));
    }

    /// <summary>A platform is trusted, and its octets are read as those of a stranger all the same.</summary>
    [Test]
    public async Task Octets_that_are_cut_or_changed_are_read_without_an_exception()
    {
        var hello = await HelloBytes.OfRealClientAsync();
        for (var at = 0; at < hello.Length; at++)
        {
            var changed = (byte[])hello.Clone();
            changed[at] ^= 0xff;
            FluentActions.Invoking(() => OwnHello.Parse(changed)).Should().NotThrow($"octet {at}");
            FluentActions.Invoking(() => ServerFlight.Read(changed)).Should().NotThrow($"octet {at}");
            OwnHello.Parse(hello.AsSpan(0, at)).Should().BeNull($"{at} octets");
        }
    }

    private static async Task<byte[]> OfOurClientAsync()
    {
        using var world = new World();
        await using var wire = new DuplexPair();
        wire.ClientToServer.Record = true;
        var handshake = End.OfAsync(new MutualTlsClient(world.ClientOptions).UpgradeAsync(wire.Client, "server.test"));
        await wire.Server.ReadExactlyAsync(new byte[5]).AsTask().WaitAsync(ConnectedPair.Deadline);
        wire.Reset();
        (await handshake.WaitAsync(ConnectedPair.Deadline)).Connection.Should().BeNull();
        return wire.ClientToServer.Recording;
    }
}
