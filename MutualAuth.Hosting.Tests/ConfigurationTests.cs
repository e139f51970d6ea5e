using System.Globalization;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using MutualAuth.Credentials;
using MutualAuth.Hosting;
using MutualAuth.Hosting.Binding;
using MutualAuth.Platforms;
using MutualAuth.Revocation;
using MutualAuth.Tests.Support;
using MutualAuth.Validation;

namespace MutualAuth.Tests;

/// <summary>Settings are checked before anything begins: each problem is told, all at once, with its place.</summary>
public sealed class ConfigurationTests
{
    private HostWorld _world = null!;

    [SetUp]
    public void SetUp() => _world = new HostWorld();

    [TearDown]
    public void TearDown() => _world.Dispose();

    [Test]
    public async Task Every_problem_of_every_listener_and_client_is_told_at_once()
    {
        var (listener, client) = (HostWorld.Listener(), HostWorld.Client());
        listener["Alow"] = "dns mallory.test";
        listener["Listen"] = new[] { "everywhere" };
        listener["HandshakeTimeout"] = "02:00:00";
        listener["Trust"] = new[] { "missing.pem" };
        listener["Limits"] = new Dictionary<string, object?> { ["MaxPendingHellos"] = 0 };
        client["Allow"] = new[] { "dns" };
        client["Confirmation"] = "Sometimes";
        _world.Configure(("inventory", listener), ("billing", client));
        var builder = _world.Builder();
        builder.Services.AddMutualTlsListener("inventory", HostWorld.Section(builder, "inventory"));
        builder.Services.AddMutualTlsClient("billing", HostWorld.Section(builder, "billing"));

        var starting = () => RunningHost.StartAsync(builder);

        var exception = (await starting.Should().ThrowAsync<HostingConfigurationException>()).Which;
        exception.Problems.Select(problem => problem.Split(' ')[0].TrimEnd(':')).Should().BeEquivalentTo(
            "MutualTls:inventory:Alow",
            "MutualTls:inventory:Listen:0",
            "MutualTls:inventory:HandshakeTimeout",
            "MutualTls:inventory:Trust",
            "MutualTls:inventory:Limits:MaxPendingHellos",
            "MutualTls:inventory", // no handler
            "MutualTls:billing:Allow",
            "MutualTls:billing:Confirmation");
        exception.Message.Split(Environment.NewLine).Should().HaveCount(1 + exception.Problems.Length);
    }

    private static IEnumerable<TestCaseData> Problems()
    {
        static TestCaseData Of(string kind, Action<Dictionary<string, object?>> change, string said) =>
            new TestCaseData(kind, change, said).SetArgDisplayNames(kind, said);
        static TestCaseData Listener(Action<Dictionary<string, object?>> change, string said) => Of("inventory", change, said);
        static TestCaseData Client(Action<Dictionary<string, object?>> change, string said) => Of("billing", change, said);
        static Dictionary<string, object?> Object(string key, object? value) => new() { [key] = value };

        yield return Listener(settings => settings["Alow"] = "x", ":Alow is not known. Known here are Identity, Trust, Allow,");
        yield return Listener(settings => settings["Identity"] = Object("Cert", "x"), ":Identity:Cert is not known");
        yield return Listener(settings => settings["Limits"] = Object("MaxHellos", 1), ":Limits:MaxHellos is not known");
        yield return Listener(settings => settings["Identity"] = "server.pem", ":Identity must be an object with keys of its own");
        yield return Listener(settings => settings.Remove("Identity"), ":Identity is missing: a listener must present");
        yield return Listener(settings => settings["Identity"] = Object("Key", "x"), ":Identity: Certificate or Pkcs12 is missing");
        yield return Listener(
            settings => settings["Identity"] = new Dictionary<string, object?> { ["Certificate"] = "server.pem", ["Pkcs12"] = "x" },
            ":Identity: set either Certificate and Key, or Pkcs12");
        yield return Listener(settings => settings["Identity"] = Object("Certificate", "server.pem"), ":Identity: ");
        yield return Listener(settings => settings["Trust"] = Array.Empty<string>(), ":Trust is missing");
        yield return Listener(settings => settings["Trust"] = "nothing.pem", ":Trust: ");
        yield return Listener(settings => settings["Trust"] = new[] { "" }, ":Trust:0 must be one value that is not empty");
        yield return Listener(settings => settings.Remove("Allow"), ":Allow is missing");
        yield return Listener(settings => settings["Allow"] = "server-name", ":Allow: Line 1: Not a rule");
        yield return Listener(settings => settings["Allow"] = Object("Dns", Object("x", "y")), ":Allow:Dns must be one value");
        yield return Listener(settings => settings["AllowFile"] = "rules.txt", ":Allow and AllowFile are both set");
        yield return Listener(
            settings =>
            {
                settings.Remove("Allow");
                settings["AllowFile"] = "no-rules.txt";
            },
            ":AllowFile: ");
        yield return Listener(settings => settings["AllowFile"] = "", ":AllowFile is empty");
        yield return Listener(settings => settings["AllowFile"] = Object("x", "y"), ":AllowFile must be one value");
        yield return Listener(settings => settings["RevocationLists"] = "no.crl", ":RevocationLists: ");
        yield return Listener(settings => settings["TrustConstraints"] = Object("PermittedNames", "dns *.x"), ":TrustConstraints: ");
        yield return Listener(settings => settings["TrustConstraints"] = Object("RequiredPolicies", "gold"), ":TrustConstraints: ");
        yield return Listener(settings => settings["TrustConstraints"] = Object("MaximumIntermediates", "33"), ":TrustConstraints: ");
        yield return Listener(settings => settings["TrustConstraints"] = Object("Permitted", "dns x"), ":TrustConstraints:Permitted is not known");
        yield return Listener(settings => settings["RevocationListAddresses"] = "ldap://crl.test/", ":RevocationListAddresses: ");
        yield return Listener(settings => settings["RevocationListAddresses"] = "no address", ":RevocationListAddresses: 'no address' is not");
        yield return Listener(settings => settings["RevocationListDirectory"] = "lists", ":RevocationListDirectory is set, but nothing is fetched");
        yield return Listener(
            settings => settings["RevocationListWitness"] = "lists.witness", ":RevocationListWitness is set, but there are no lists");
        yield return Listener(
            settings => settings["DangerouslyCreateRevocationListWitness"] = true,
            ":DangerouslyCreateRevocationListWitness is true, but RevocationListWitness is missing");
        yield return Listener(
            settings => (settings["RevocationLists"], settings["RevocationListWitness"]) = ("authority.crl", "no.witness"),
            ":RevocationListWitness: ");
        yield return Listener(settings => settings["RevocationCoverage"] = "1", ":RevocationCoverage must be one of EveryCertificate,");
        yield return Listener(settings => settings["DenyListFile"] = "no.txt", ":DenyListFile: ");
        yield return Listener(settings => settings["PinFile"] = "no.txt", ":PinFile: ");
        yield return Listener(settings => settings["KeyExchange"] = "rot13", ":KeyExchange must be any, hybrid, post-quantum or groups of ");
        yield return Listener(
            settings => settings["RequirePlatform"] = "rot13", ":RequirePlatform must be one of default, fapi, cnsa-1.0, cnsa-2.0; it is 'rot13'.");
        yield return Listener(
            settings => settings["RequirePlatform"] = "CNSA-2.0", ":RequirePlatform: The platform does not meet cnsa-2.0:");
        yield return Listener(settings => settings["MinimumTlsVersion"] = "Tls11", ":MinimumTlsVersion must be one of Tls12, Tls13");
        yield return Listener(settings => settings["HandshakeTimeout"] = "10", ":HandshakeTimeout must be a time as hours:minutes:seconds");
        yield return Listener(settings => settings["HandshakeTimeout"] = "00:00:00", ":HandshakeTimeout must be above zero and at most 01:00:00");
        yield return Listener(settings => settings["CloseTimeout"] = "02:00:00", ":CloseTimeout must be above zero");
        yield return Listener(settings => settings["MaximumAge"] = "-01:00:00", ":MaximumAge must be above zero and at most 3660.00:00:00");
        yield return Listener(
            settings => settings["ExpirySpread"] = "2.00:00:00", ":ExpirySpread must be above zero and at most 1.00:00:00");
        yield return Listener(settings => settings["IdleTimeout"] = "00:00:00", ":IdleTimeout must be above zero");
        yield return Listener(
            settings => settings["UserInactivityTimeout"] = "3661.00:00:00", ":UserInactivityTimeout must be above zero and at most 3660.00:00:00");
        yield return Listener(settings => settings["GracePeriod"] = "02:00:00", ":GracePeriod must be zero or more and at most 01:00:00");
        yield return Listener(settings => settings["AcknowledgedWarnings"] = "Everything", ":AcknowledgedWarnings must be one of None,");
        yield return Listener(settings => settings["ApplicationProtocols"] = "mutualauth/1", ": The application protocol 'mutualauth/1' is reserved");
        yield return Listener(settings => settings.Remove("Listen"), ":Listen is missing");
        yield return Listener(settings => settings["Listen"] = "localhost:1", ":Listen:0: 'localhost:1' is not an address to listen on");
        yield return Listener(settings => settings["Listen"] = "systemd", ":Listen:0: systemd has passed on no socket that is left");
        yield return Listener(settings => settings["Listen"] = "systemd:tls", ":Listen:0: systemd has passed on no socket of the name 'tls'");
        yield return Listener(settings => settings["Require"] = "Both", ":Require must be one of Certificate, User,");
        yield return Listener(settings => settings["Require"] = "User", ":UsersFile is missing: Require is User");
        yield return Listener(settings => settings["UsersFile"] = "users.txt", ":UsersFile is set, but no user may log in");
        yield return Listener(
            settings => (settings["Require"], settings["UsersFile"], settings["Confirmation"]) = ("User", "alice.txt", "Never"),
            ":Confirmation is Never, but a login needs confirmation");
        yield return Listener(
            settings => (settings["Require"], settings["UsersFile"]) = ("User", "users.txt"), ":UsersFile: ");
        yield return Listener(settings => settings["FactorKeyFile"] = "keys.txt", ":FactorKeyFile is set, but there are no users");
        yield return Listener(
            settings => (settings["Require"], settings["UsersFile"], settings["FactorKeyFile"]) = ("User", "alice.txt", "keys.txt"),
            ":FactorKeyFile is set, but no mechanism is given the keys");
        yield return Listener(settings => settings["TrustedProxies"] = "10.1.2.3.4", ":TrustedProxies:0: '10.1.2.3.4' is not a network");
        yield return Listener(settings => settings["SendAcceptableIssuers"] = "yes", ":SendAcceptableIssuers must be true or false");
        yield return Listener(settings => settings["Limits"] = Object("MaxConnections", "many"), ":Limits:MaxConnections must be a whole number");
        yield return Listener(settings => settings["Limits"] = Object("MaxConnections", 0), ":Limits:MaxConnections must be at least 1; it is 0");
        yield return Listener(settings => settings.Clear(), "inventory is missing in the configuration, or has no keys");
        yield return Client(settings => settings["Listen"] = "127.0.0.1:0", ":Listen is not known");
        yield return Client(settings => settings.Remove("Identity"), ":Identity is missing: name the files");
        yield return Client(settings => settings["WithoutCertificate"] = true, ":WithoutCertificate is true, and Identity is set");
        yield return Client(settings => settings["ConnectTimeout"] = "01:00:01", ":ConnectTimeout must be above zero");
        yield return Client(settings => settings["User"] = "alice", ":PasswordFile is missing");
        yield return Client(settings => settings["PasswordFile"] = "us.key", ":User is missing");
        yield return Client(
            settings => settings["Allow"] = new[] { "server-name", "dns x.test" }, ":Allow: \"server-name\" stands beside other rules");
        yield return Client(settings => settings["PublicSuffixFile"] = "no.dat", ":PublicSuffixFile: ");
        yield return Client(settings => settings["PublicSuffixFile"] = "us.key", ":PublicSuffixFile: Line 1");
        yield return Client(
            settings => (settings["PublicSuffixFile"], settings["RefuseWildcards"]) = ("suffixes.dat", true),
            ":PublicSuffixFile is set, but no wildcard counts");
        yield return Client(
            settings => (settings["PublicSuffixFile"], settings["Allow"]) = ("suffixes.dat", "dns x.test"),
            ":PublicSuffixFile is set, but is for \"server-name\" alone");
    }

    [TestCaseSource(nameof(Problems))]
    public async Task A_problem_is_told_with_its_place_and_nothing_starts(string kind, Action<Dictionary<string, object?>> change, string said)
    {
        var (listener, client) = (HostWorld.Listener(), HostWorld.Client());
        change(kind == "inventory" ? listener : client);
        await _world.WriteUsersAsync("alice.txt");
        FactorKeyFile.AddKey(_world["keys.txt"], "k1");
        _world.Configure(("inventory", listener), ("billing", client));

        var starting = () => _world.EchoAsync(
            builder => builder.Services.AddMutualTlsClient("billing", HostWorld.Section(builder, "billing")));

        var problems = (await starting.Should().ThrowAsync<HostingConfigurationException>()).Which.Problems;
        problems.Should().ContainSingle().Which.Should().Contain(said).And.StartWith("MutualTls:" + kind);
    }

    [Test]
    public async Task The_neighbour_without_a_problem_starts()
    {
        _world.Configure(("inventory", HostWorld.Listener()), ("billing", HostWorld.Client()));
        await using var host = await _world.EchoAsync(
            builder => builder.Services.AddMutualTlsClient("billing", HostWorld.Section(builder, "billing")));

        host.Host.Services.GetRequiredKeyedService<MutualTlsClient>("billing").Should().NotBeNull();
        host.Host.Services.GetKeyedService<MutualTlsClient>("other").Should().BeNull();
    }

    [Test]
    public void A_client_without_a_host_tells_its_problems_at_its_first_use()
    {
        using var services = new ServiceCollection().AddMutualTlsClient("billing", settings => settings.Trust.Add("missing.pem")).Services
            .BuildServiceProvider();

        services.Invoking(all => all.GetRequiredKeyedService<MutualTlsClient>("billing")).Should().Throw<HostingConfigurationException>()
            .Which.Problems.Should().Contain(problem => problem.StartsWith("billing:Trust: ")).And.Contain(
                problem => problem.StartsWith("billing:Allow is missing"));
    }

    [Test]
    public void Every_key_reaches_its_property()
    {
        var settings = Bind<MutualTlsListenerSettings>(new()
        {
            ["identity:certificate"] = "a",
            ["Identity:Key"] = "b",
            ["Identity:PasswordFile"] = "c",
            ["Trust"] = "d",
            ["TrustConstraints:PermittedNames"] = "dns o",
            ["TrustConstraints:ExcludedNames:0"] = "uri p",
            ["TrustConstraints:RequiredPolicies"] = "1.2.3",
            ["TrustConstraints:RequireExplicitPolicy"] = "true",
            ["TrustConstraints:InhibitPolicyMapping"] = "true",
            ["TrustConstraints:InhibitAnyPolicy"] = "true",
            ["TrustConstraints:MaximumIntermediates"] = "2",
            ["Allow:0"] = "e",
            ["Allow:1"] = "f",
            ["AllowFile"] = "g",
            ["RevocationLists:0"] = "h",
            ["RevocationListAddresses"] = "http://m.test/",
            ["RevocationListDirectory"] = "n",
            ["RevocationListWitness"] = "q",
            ["DangerouslyCreateRevocationListWitness"] = "true",
            ["RevocationCoverage"] = "leafonly",
            ["DenyListFile"] = "i",
            ["PinFile"] = "j",
            ["Confirmation"] = "Required",
            ["KeyExchange"] = "hybrid",
            ["RequirePlatform"] = "fapi",
            ["MinimumTlsVersion"] = "Tls13",
            ["ApplicationProtocols:0"] = "k",
            ["HandshakeTimeout"] = "00:00:03",
            ["CloseTimeout"] = "00:00:04",
            ["MaximumAge"] = "1.00:00:00",
            ["ExpirySpread"] = "00:10:00",
            ["IdleTimeout"] = "00:05:00",
            ["UserInactivityTimeout"] = "00:04:00",
            ["GracePeriod"] = "00:00:06",
            ["AcknowledgedWarnings:0"] = "RevocationNotChecked",
            ["AcknowledgedWarnings:1"] = "OwnIdentityDoubtful",
            ["Listen"] = "[::]:1",
            ["Require"] = "CertificateOrUser",
            ["UsersFile"] = "l",
            ["FactorKeyFile"] = "q",
            ["TrustedProxies:0"] = "10.0.0.0/8",
            ["SendAcceptableIssuers"] = "true",
            ["MaxSessionsPerUser"] = "3",
            ["MaxSessionsPerDevice"] = "4",
            ["WhenSessionsAreFull"] = "EndOldest",
            ["LockOutFailures"] = "5",
            ["LockOutDuration"] = "00:15:00",
            ["UniformRefusalTime"] = "00:00:00.250",
            ["TakesOverStaleUnixSocket"] = "true",
            ["Limits:MaxConnections"] = "1",
            ["Limits:Backlog"] = "2",
            ["Limits:MaxPendingHellos"] = "3",
            ["Limits:MaxPendingHellosPerAddress"] = "4",
            ["Limits:MaxWaitingHandshakes"] = "5",
            ["Limits:MaxWaitingHandshakesPerAddress"] = "6",
            ["Limits:MaxConcurrentHandshakes"] = "7",
            ["Limits:MaxQueuedHandshakes"] = "8",
            ["Limits:MaxLingeringCloses"] = "9",
            ["Limits:MaxReadyConnections"] = "10",
        });

        settings.BindingProblems.Should().BeEmpty();
        settings.Identity.Should().BeEquivalentTo(new { Certificate = "a", Key = "b", PasswordFile = "c" });
        settings.TrustConstraints.Should().BeEquivalentTo(new
        {
            PermittedNames = new[] { "dns o" },
            ExcludedNames = new[] { "uri p" },
            RequiredPolicies = new[] { "1.2.3" },
            RequireExplicitPolicy = true,
            InhibitPolicyMapping = true,
            InhibitAnyPolicy = true,
            MaximumIntermediates = 2,
        });
        settings.Limits.All().Select(limit => limit.Value).Should().Equal(1, 2, 3, 4, 5, 6, 7, 8, 9, 10);
        settings.Should().BeEquivalentTo(new
        {
            Trust = new[] { "d" },
            Allow = new[] { "e", "f" },
            AllowFile = "g",
            RevocationLists = new[] { "h" },
            RevocationListAddresses = new[] { "http://m.test/" },
            RevocationListDirectory = "n",
            RevocationListWitness = "q",
            DangerouslyCreateRevocationListWitness = true,
            RevocationCoverage = RevocationCoverage.LeafOnly,
            DenyListFile = "i",
            PinFile = "j",
            Confirmation = ConfirmationPolicy.Required,
            KeyExchange = KeyExchangePolicy.Hybrid,
            RequirePlatform = PlatformRequirements.Fapi,
            MinimumTlsVersion = TlsVersion.Tls13,
            ApplicationProtocols = new[] { "k" },
            HandshakeTimeout = TimeSpan.FromSeconds(3),
            CloseTimeout = TimeSpan.FromSeconds(4),
            MaximumAge = TimeSpan.FromDays(1),
            ExpirySpread = TimeSpan.FromMinutes(10),
            IdleTimeout = TimeSpan.FromMinutes(5),
            UserInactivityTimeout = TimeSpan.FromMinutes(4),
            GracePeriod = TimeSpan.FromSeconds(6),
            AcknowledgedWarnings = ConfigurationWarnings.RevocationNotChecked | ConfigurationWarnings.OwnIdentityDoubtful,
            Listen = new[] { "[::]:1" },
            Require = ClientProof.CertificateOrUser,
            UsersFile = "l",
            FactorKeyFile = "q",
            TrustedProxies = new[] { "10.0.0.0/8" },
            SendAcceptableIssuers = true,
            TakesOverStaleUnixSocket = true,
            MaxSessionsPerUser = 3,
            MaxSessionsPerDevice = 4,
            WhenSessionsAreFull = WhenSessionsAreFull.EndOldest,
            LockOutFailures = 5,
            LockOutDuration = TimeSpan.FromMinutes(15),
            UniformRefusalTime = TimeSpan.FromMilliseconds(250),
        });
        settings.ToSessionLimits().Should().BeEquivalentTo(new { MaxPerUser = 3, MaxPerDevice = 4, WhenFull = WhenSessionsAreFull.EndOldest });
        settings.ToLockOutPolicy().Should().BeEquivalentTo(new { Failures = 5, Duration = TimeSpan.FromMinutes(15), ExemptsKnownPlaces = true });
    }

    [TestCase("MaxSessionsPerUser", "0", "must be from 1")]
    [TestCase("MaxSessionsPerDevice", "1000001", "must be from 1")]
    [TestCase("LockOutFailures", "101", "must be from 1 to 100")]
    [TestCase("LockOutDuration", "00:00:00", "must be from 00:00:01")]
    [TestCase("LockOutDuration", "00:15:00", "no number of failures")]
    [TestCase("UniformRefusalTime", "00:00:06", "must be from")]
    public void Limits_of_users_that_mean_nothing_are_named(string key, string value, string problem)
    {
        var settings = Bind<MutualTlsListenerSettings>(new() { ["Require"] = "User", ["UsersFile"] = "l", [key] = value });

        settings.Problems().Should().Contain(each => each.StartsWith($"MutualTls:x:{key} ") && each.Contains(problem));
    }

    [TestCase("MaxSessionsPerUser", true)]
    [TestCase("LockOutFailures", true)]
    [TestCase("MaxSessionsPerDevice", false)]
    public void Limits_of_users_need_users(string key, bool needs)
    {
        var settings = Bind<MutualTlsListenerSettings>(new() { [key] = "5" });

        settings.Problems().Any(each => each.StartsWith($"MutualTls:x:{key} ")).Should().Be(needs);
        Bind<MutualTlsListenerSettings>(new() { ["Require"] = "User", ["UsersFile"] = "l", [key] = "5" }).Problems()
            .Should().NotContain(each => each.StartsWith($"MutualTls:x:{key} "));
    }

    [TestCase("any", "Any")]
    [TestCase("Post-Quantum", "PostQuantum")]
    [TestCase("x25519", "Only")]
    public void A_key_exchange_is_named(string text, string expected)
    {
        var settings = Bind<MutualTlsListenerSettings>(new() { ["KeyExchange"] = text });

        settings.BindingProblems.Should().BeEmpty();
        settings.KeyExchange.Should().Be(expected switch
        {
            "Any" => KeyExchangePolicy.Any,
            "PostQuantum" => KeyExchangePolicy.PostQuantum,
            _ => KeyExchangePolicy.Only(KeyExchangeGroup.X25519),
        });
    }

    [TestCase("127.0.0.1:8443", true)]
    [TestCase("[::]:8443", true)]
    [TestCase("[::1]:0", true)]
    [TestCase("unix:/run/x.sock", true)]
    [TestCase("systemd", true)]
    [TestCase("systemd:tls", true)]
    [TestCase("127.0.0.1", false)]
    [TestCase("127.0.0.1:65536", false)]
    [TestCase("127.1:80", false)]
    [TestCase("::1:80", false)]
    [TestCase("[127.0.0.1]:80", false)]
    [TestCase(":8443", false)]
    [TestCase("*:8443", false)]
    [TestCase("unix:", false)]
    [TestCase("systemd:", false)]
    [TestCase("", false)]
    public void An_address_to_listen_on_is_numbers_a_path_or_systemd(string text, bool isOne) =>
        (ListenAddress.ProblemOf(text) is null).Should().Be(isOne);

    [Test]
    public void Sockets_of_systemd_are_taken_once_by_name_or_all_that_are_left()
    {
        var sockets = Sockets(Environment.ProcessId, "3", "tls:other:tls");

        sockets.Take("tls").Should().Equal(3, 5);
        sockets.Take("tls").Should().BeEmpty();
        sockets.Take(null).Should().Equal(4);
    }

    [TestCase(0, "1", "tls")]
    [TestCase(1, "", "tls")]
    [TestCase(1, "-1", "tls")]
    public void Sockets_for_another_process_or_none_are_not_taken(int isOurs, string count, string names) =>
        Sockets(isOurs == 1 ? Environment.ProcessId : 1, count, names).Take(null).Should().BeEmpty();

    private static SystemdSockets Sockets(int process, string count, string names) => new(name => name switch
    {
        "LISTEN_PID" => process.ToString(CultureInfo.InvariantCulture),
        "LISTEN_FDS" => count,
        _ => names,
    });

    private static TSettings Bind<TSettings>(Dictionary<string, string?> keys)
        where TSettings : MutualTlsSettings, new()
    {
        var section = new ConfigurationBuilder()
            .AddInMemoryCollection(keys.ToDictionary(pair => "MutualTls:x:" + pair.Key, pair => pair.Value)).Build().GetSection("MutualTls:x");
        var settings = new TSettings { Path = section.Path };
        SectionReader.Read(section, settings);
        return settings;
    }
}
