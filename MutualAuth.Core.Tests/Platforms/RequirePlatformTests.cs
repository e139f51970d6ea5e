using System.Net.Security;
using Microsoft.Extensions.Logging;
using MutualAuth.Evidence;
using MutualAuth.Platforms;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests;

/// <summary>A platform that is more than was required, or of which that cannot be told, serves nobody.</summary>
[CancelAfter(60000)]
public sealed class RequirePlatformTests
{
    private static readonly PlatformRequirements s_required = new()
    {
        Name = "ours",
        CipherSuites = [TlsCipherSuite.TLS_AES_256_GCM_SHA384],
        KeyExchangeGroups = [KeyExchangeGroup.Secp384r1],
        SignatureSchemes = [TlsSignatureScheme.EcdsaSecp384r1Sha384],
        NoSessions = true,
        Fips = true,
    };

    private static IEnumerable<TestCaseData> Excesses()
    {
        static TestCaseData Case(string name, PlatformExcessKind kind, PeerRole? role, string found, PlatformReport report) =>
            new TestCaseData(kind, role, found, report).SetArgDisplayNames(name);

        foreach (var role in new[] { PeerRole.Client, PeerRole.Server })
        {
            yield return Case($"{role}: an older version", PlatformExcessKind.Version, role, "TLS 1.1", Report(role, versions: [0x0304, 0x0302]));
            yield return Case(
                $"{role}: CBC", PlatformExcessKind.CipherSuite, role, "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256",
                Report(role, suites: [TlsCipherSuite.TLS_AES_256_GCM_SHA384, TlsCipherSuite.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256]));
            yield return Case(
                $"{role}: a finite field", PlatformExcessKind.KeyExchangeGroup, role, "ffdhe2048",
                Report(role, groups: [KeyExchangeGroup.Secp384r1, KeyExchangeGroup.Ffdhe2048]));
            yield return Case(
                $"{role}: a group without a name", PlatformExcessKind.KeyExchangeGroup, role, "0x4321",
                Report(role, groups: [KeyExchangeGroup.Secp384r1, (KeyExchangeGroup)0x4321]));
            yield return Case(
                $"{role}: SHA-1", PlatformExcessKind.SignatureScheme, role, "rsa_pkcs1_sha1",
                Report(role, schemes: [TlsSignatureScheme.EcdsaSecp384r1Sha384, TlsSignatureScheme.RsaPkcs1Sha1]));
            yield return Case($"{role}: no suite", PlatformExcessKind.NothingPermitted, role, "none of them", Report(role, suites: []));
            yield return Case($"{role}: no group", PlatformExcessKind.NothingPermitted, role, "none of them", Report(role, groups: []));
            yield return Case($"{role}: a problem", PlatformExcessKind.Unknown, role, "it broke", Report(role, problem: "it broke"));
        }

        yield return Case(
            "the server's own signature", PlatformExcessKind.SignatureScheme, PeerRole.Server, "ecdsa_sha224",
            Report(PeerRole.Server, own: [TlsSignatureScheme.EcdsaSha224]));
        yield return Case(
            "sessions are given", PlatformExcessKind.Sessions, PeerRole.Server, "sessions that can be resumed",
            Report(PeerRole.Server, sessions: PlatformAnswer.Yes));
        yield return Case(
            "sessions may be given", PlatformExcessKind.Sessions, PeerRole.Server, "a platform of which it cannot be told",
            Report(PeerRole.Server, sessions: PlatformAnswer.Unknown));
        yield return Case(
            "tickets are taken", PlatformExcessKind.Sessions, PeerRole.Client, "a hello that asks for tickets",
            Report(PeerRole.Client, takesTickets: true));
        yield return Case("another provider", PlatformExcessKind.Fips, null, "the provider default", Report(fips: PlatformAnswer.No));
        yield return Case(
            "providers that are unknown", PlatformExcessKind.Fips, null, "an OpenSSL whose providers cannot be told",
            Report(fips: PlatformAnswer.Unknown));
        yield return Case(
            "keys are written", PlatformExcessKind.KeyLogging, null, "one that holds the keys of every connection", Report(keys: PlatformAnswer.Yes));
        yield return Case(
            "keys may be written", PlatformExcessKind.KeyLogging, null, "one of which it cannot be told who writes to it",
            Report(keys: PlatformAnswer.Unknown));
    }

    [Test]
    public void What_is_within_it_in_every_fact_meets_it() => Report().Examine(s_required).Should().BeEmpty();

    [TestCaseSource(nameof(Excesses))]
    public void Each_fact_beyond_it_is_an_excess_of_its_kind_with_what_to_do(
        PlatformExcessKind kind, PeerRole? role, string found, PlatformReport report)
    {
        var excess = report.Examine(s_required).Should().ContainSingle().Subject;

        excess.Kind.Should().Be(kind);
        excess.Role.Should().Be(role);
        excess.Found.Should().Contain(found);
        excess.Remedy.Should().NotBeEmpty();
        excess.ToString().Should().Contain(found).And.Contain(excess.Expected).And.Contain(excess.Remedy);
    }

    /// <summary>What only the other role does is none of a server's or client's concern; what concerns the process is.</summary>
    [TestCase(PeerRole.Client, PeerRole.Client, 1)]
    [TestCase(PeerRole.Client, PeerRole.Server, 0)]
    [TestCase(PeerRole.Server, PeerRole.Client, 0)]
    [TestCase(PeerRole.Server, PeerRole.Server, 1)]
    public void One_role_is_judged_by_what_it_does(PeerRole has, PeerRole judged, int count) =>
        Report(has, versions: [0x0304, 0x0301]).Examine(s_required, judged).Should().HaveCount(count);

    [Test]
    public void Key_logging_is_allowed_by_a_dangerous_name_alone()
    {
        Report(keys: PlatformAnswer.Yes).Examine(s_required with { DangerousAllowKeyLogging = true }).Should().BeEmpty();
        Report(keys: PlatformAnswer.Yes).Examine(new PlatformRequirements()).Should().ContainSingle();
    }

    [Test]
    public void Without_lists_any_suite_group_and_signature_is_within()
    {
        var any = new PlatformRequirements();

        Report(
            suites: [TlsCipherSuite.TLS_RSA_WITH_NULL_MD5], groups: [KeyExchangeGroup.Ffdhe2048], schemes: [TlsSignatureScheme.RsaPkcs1Sha1],
            fips: PlatformAnswer.No, sessions: PlatformAnswer.Yes).Examine(any).Should().BeEmpty();
        Report(versions: [0x0303, 0x0301]).Examine(any).Should().ContainSingle();
    }

    [Test]
    public void The_named_ones_refuse_what_they_are_known_for()
    {
        var plain = Report(PeerRole.Client, groups: [KeyExchangeGroup.X25519, KeyExchangeGroup.Secp384r1]);
        plain.Examine(PlatformRequirements.Fapi, PeerRole.Client).Should().BeEmpty();
        plain.Examine(PlatformRequirements.Cnsa1, PeerRole.Client).Should().ContainSingle().Which.Found.Should().Equal("x25519");
        plain.Examine(PlatformRequirements.Cnsa2, PeerRole.Client).Select(excess => excess.Kind).Should()
            .Contain([PlatformExcessKind.KeyExchangeGroup, PlatformExcessKind.SignatureScheme, PlatformExcessKind.NothingPermitted]);

        foreach (var named in PlatformRequirements.Named)
        {
            named.Problems().Should().BeEmpty();
            named.CipherSuites.Should().NotContain(suite => suite.ToString().Contains("CBC", StringComparison.Ordinal));
            named.KeyExchangeGroups.Should().NotBeEmpty().And.NotContain(group => group.ToText().StartsWith("ffdhe", StringComparison.Ordinal));
            named.DangerousAllowKeyLogging.Should().BeFalse();
        }
    }

    [Test]
    public async Task A_server_or_client_on_a_platform_that_is_more_is_not_made_and_says_each_excess()
    {
        using var world = new World();
        using var log = new EventLog();
        var required = new PlatformRequirements { Name = "one group", KeyExchangeGroups = [KeyExchangeGroup.BrainpoolP512r1Tls13] };

        var server = FluentActions.Invoking(() => new MutualTlsServer(
            world.ServerOptions with { RequirePlatform = required, LoggerFactory = log })).Should().Throw<PlatformException>().Which;
        var client = FluentActions.Invoking(() => new MutualTlsClient(
            world.ClientOptions with { RequirePlatform = required, LoggerFactory = log })).Should().Throw<PlatformException>().Which;

        server.Requirements.Should().Be(required);
        server.Excesses.Should().Contain(excess => excess.Role == PeerRole.Server).And.NotContain(excess => excess.Role == PeerRole.Client);
        client.Excesses.Should().Contain(excess => excess.Role == PeerRole.Client).And.NotContain(excess => excess.Role == PeerRole.Server);
        server.Excesses.Should().AllSatisfy(excess => server.Message.Should().Contain(excess.Found[0]).And.Contain(excess.Remedy));
        var written = await log.NextAsync(1603);
        written.Level.Should().Be(LogLevel.Critical);
        written.Message.Should().Contain("one group").And.Contain(server.Excesses[0].Found[0]);
    }

    [Test]
    public async Task On_one_that_meets_it_they_are_made_and_say_so()
    {
        using var world = new World();
        using var log = new EventLog();
        var required = new PlatformRequirements { Name = "anything" };

        var server = new MutualTlsServer(world.ServerOptions with { RequirePlatform = required, LoggerFactory = log });
        (await log.NextAsync(1604)).Message.Should().Contain("anything");
        var client = new MutualTlsClient(world.ClientOptions with { RequirePlatform = required, LoggerFactory = log });
        (await log.NextAsync(1604)).Level.Should().Be(LogLevel.Information);

        var (clientSocket, serverSocket) = await ConnectedPair.SocketPairAsync();
        await using var pair = await ConnectedPair.ShakeAsync(
            client.UpgradeAsync(clientSocket, "server.test"), server.AcceptAsync(serverSocket));
        pair.Client.Accepted.Peer.Name.Should().Be("server.test");
    }

    /// <summary>What the options take away is not held against the platform; what they leave is.</summary>
    [Test]
    public void The_suites_and_versions_of_the_options_count()
    {
        using var world = new World();
        var required = new PlatformRequirements { MinimumTlsVersion = TlsVersion.Tls13, CipherSuites = [TlsCipherSuite.TLS_AES_256_GCM_SHA384] };
        var options = world.ServerOptions with { RequirePlatform = required };

        FluentActions.Invoking(() => new MutualTlsServer(options)).Should().Throw<PlatformException>()
            .Which.Excesses.Select(excess => excess.Kind).Should().BeEquivalentTo([PlatformExcessKind.Version, PlatformExcessKind.CipherSuite]);
        _ = new MutualTlsServer(options with { CipherSuites = [TlsCipherSuite.TLS_AES_256_GCM_SHA384] });
    }

    private static PlatformReport Report(
        PeerRole role = PeerRole.Server,
        int[]? versions = null,
        TlsCipherSuite[]? suites = null,
        KeyExchangeGroup[]? groups = null,
        TlsSignatureScheme[]? schemes = null,
        TlsSignatureScheme[]? own = null,
        string? problem = null,
        bool takesTickets = false,
        PlatformAnswer sessions = PlatformAnswer.No,
        PlatformAnswer fips = PlatformAnswer.Yes,
        PlatformAnswer keys = PlatformAnswer.No)
    {
        T[] Of<T>(PeerRole side, T[]? given, params T[] usual) => side == role && given is not null ? given : usual;
        var client = new ClientCapabilities
        {
            Problem = role == PeerRole.Client ? problem : null,
            Versions = [.. Of(PeerRole.Client, versions, 0x0304, 0x0303)],
            CipherSuites = [.. Of(PeerRole.Client, suites, TlsCipherSuite.TLS_AES_256_GCM_SHA384)],
            KeyExchangeGroups = [.. Of(PeerRole.Client, groups, KeyExchangeGroup.Secp384r1)],
            SignatureSchemes = [.. Of(PeerRole.Client, schemes, TlsSignatureScheme.EcdsaSecp384r1Sha384)],
            TakesTickets = takesTickets,
        };
        var server = new ServerCapabilities
        {
            Problem = role == PeerRole.Server ? problem : null,
            Versions = [.. Of(PeerRole.Server, versions, 0x0304, 0x0303)],
            CipherSuites = [.. Of(PeerRole.Server, suites, TlsCipherSuite.TLS_AES_256_GCM_SHA384)],
            KeyExchangeGroups = [.. Of(PeerRole.Server, groups, KeyExchangeGroup.Secp384r1)],
            SignatureSchemes = [.. Of(PeerRole.Server, schemes, TlsSignatureScheme.EcdsaSecp384r1Sha384)],
            OwnSignatureSchemes = [.. own ?? []],
            GivesSessions = sessions,
        };
        return new PlatformReport(client, server) { Fips = fips, KeyLogging = keys, Providers = ["default"] };
    }
}
