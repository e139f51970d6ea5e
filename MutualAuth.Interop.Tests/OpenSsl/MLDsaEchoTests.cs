using System.Security.Cryptography;
using MutualAuth.Testing;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.OpenSsl;

/// <summary>
/// The echo programs with ML-DSA-65 identities, against each other and against the openssl program. On a platform without ML-DSA they end with exit
/// code 2 and a sentence.
/// </summary>
[CancelAfter(60000)]
public sealed class MLDsaEchoTests
{
    private const string Greeting = "hello over there";

    [Test]
    public async Task Both_programs_know_each_other_or_say_that_the_platform_cannot()
    {
        using var workshop = new Workshop(KeyAlgorithm.MLDsa65, intermediate: true);
        if (await MustNotStartAsync(workshop))
        {
            return;
        }

        await using var server = await EchoServer.StartAsync(workshop, workshop.Server(), "--key-exchange", "post-quantum");
        var client = await EchoClient.RunAsync(Greeting, server.Address, workshop, workshop.Client(), "--confirmation", "required");

        (client.ExitCode, client.Output).Should().Be((0, Greeting), client.All);
        (await server.LineAsync()).Should().Be("accepted name=client.test user=- confirmed=yes tls=1.3 alpn=- group=X25519MLKEM768");
    }

    [TestCase("X25519", false)]
    [TestCase("X25519MLKEM768", true)]
    public async Task A_classical_key_exchange_is_refused_at_both_ends_where_post_quantum_is_demanded(string group, bool isEnough)
    {
        using var workshop = new Workshop(KeyAlgorithm.MLDsa65);
        if (await MustNotStartAsync(workshop))
        {
            return;
        }

        await using var server = await EchoServer.StartAsync(workshop, workshop.Server(), "--key-exchange", "post-quantum");
        await using var client = Connect(server, workshop, workshop.Client(), "-groups", group);
        await client.WriteAsync(Greeting + "\n");

        (await server.LineAsync()).Should().Be(isEnough
            ? $"accepted name=client.test user=- confirmed=no tls=1.3 alpn=- group={group}"
            : "rejected reason=key_exchange_not_allowed name=-");
        if (!isEnough)
        {
            await client.ErrorLineAsync("alert handshake failure");
        }
    }

    [TestCase("X25519", false)]
    [TestCase("X25519MLKEM768", true)]
    public async Task A_server_of_the_openssl_program_with_classical_groups_alone_is_refused_at_both_ends(string group, bool isEnough)
    {
        using var workshop = new Workshop(KeyAlgorithm.MLDsa65);
        if (await MustNotStartAsync(workshop))
        {
            return;
        }

        await using var server = await OpenSslServer.StartAsync(workshop, "1.3", workshop.Server(), "-groups", group);
        var client = await EchoClient.RunAsync(
            "abc\n", server.Address, workshop, workshop.Client(), "--key-exchange", "post-quantum", "--confirmation", "never");

        if (isEnough)
        {
            client.All.Should().Contain($"accepted name=server.test confirmed=no tls=1.3 alpn=- group={group}");
            client.Output.Should().Be("cba");
            return;
        }

        (client.ExitCode, client.Code).Should().Be((12, "key_exchange_not_allowed"), client.All);
        await server.ErrorLineAsync("alert handshake failure");
    }

    /// <summary>All of CNSA 2.0 at once. OpenSSL offers MLKEM1024 only where its configuration says so.</summary>
    [Test]
    public async Task Both_programs_meet_by_the_algorithms_of_CNSA_2_alone()
    {
        using var workshop = new Workshop(KeyAlgorithm.MLDsa87, intermediate: true);
        if (await MustNotStartAsync(workshop))
        {
            return;
        }

        var configuration = workshop.Write(
            "cnsa.cnf", "openssl_conf = all\n[all]\nssl_conf = ssl\n[ssl]\nsystem_default = tls\n[tls]\nGroups = MLKEM1024\n");
        string[] suite = ["--profile", "cnsa-2.0", "--key-exchange", "MLKEM1024", "--cipher-suite", "TLS_AES_256_GCM_SHA384", "--min-tls", "1.3"];
        var (own, its) = (workshop.Server(), workshop.Client());
        await using var server = Configured(
            configuration, "EchoServer", ["--listen", "127.0.0.1:0", .. Files(own, workshop), "--allow-dns", Workshop.ClientName, .. suite]);
        var address = (await server.LineAsync())["listening on ".Length..];
        await using var client = Configured(
            configuration, "EchoClient", ["--connect", address, "--server-name", Workshop.ServerName, .. Files(its, workshop), .. suite]);
        client.EndInput();

        (await client.ExitCodeAsync()).Should().Be(0, client.ToString());
        (await server.LineAsync()).Should().StartWith("accepted name=client.test ").And.EndWith(" group=MLKEM1024");
    }

    [TestCase(Flaw.OtherAuthority, "unknown_authority", Workshop.ClientName)]
    [TestCase(Flaw.Expired, "certificate_expired", Workshop.ClientName)]
    [TestCase(Flaw.WrongName, "not_authorized", "somebody-else.test")]
    public async Task A_client_with_one_flaw_is_rejected_for_that_flaw(Flaw flaw, string reason, string name)
    {
        using var workshop = new Workshop(KeyAlgorithm.MLDsa65);
        if (await MustNotStartAsync(workshop))
        {
            return;
        }

        await using var server = await EchoServer.StartAsync(workshop, workshop.Server());
        var client = await EchoClient.RunAsync(
            string.Empty, server.Address, workshop, workshop.Wrong(flaw, Workshop.ClientName, ExtendedKeyUsage.ClientAuth));

        client.ExitCode.Should().Be(11, client.All);
        (await server.LineAsync()).Should().Be($"rejected reason={reason} name={name}");
    }

    [TestCase("cnsa-2.0", KeyAlgorithm.MLDsa87, 0)]
    [TestCase("cnsa-2.0", KeyAlgorithm.MLDsa65, 11)]
    public async Task Under_CNSA_2_a_smaller_set_is_not_permitted(string profile, KeyAlgorithm set, int exitCode)
    {
        using var workshop = new Workshop(set);
        if (await MustNotStartAsync(workshop))
        {
            return;
        }

        await using var server = await EchoServer.StartAsync(workshop, workshop.Server(), "--profile", profile);
        var client = await EchoClient.RunAsync(string.Empty, server.Address, workshop, workshop.Client());

        client.ExitCode.Should().Be(exitCode, client.All);
        (await server.LineAsync()).Should().StartWith(exitCode == 0 ? "accepted name=client.test " : "rejected reason=algorithm_not_permitted ");
    }

    [TestCase("cnsa-1.0", KeyAlgorithm.EcdsaP384, 0)]
    [TestCase("cnsa-1.0", KeyAlgorithm.EcdsaP256, 11)]
    public async Task Under_CNSA_1_a_smaller_curve_is_not_permitted(string profile, KeyAlgorithm key, int exitCode)
    {
        using var workshop = new Workshop(key);
        await using var server = await EchoServer.StartAsync(workshop, workshop.Server(), "--profile", profile);
        var client = await EchoClient.RunAsync(string.Empty, server.Address, workshop, workshop.Client());

        client.ExitCode.Should().Be(exitCode, client.All);
        (await server.LineAsync()).Should().StartWith(exitCode == 0 ? "accepted name=client.test " : "rejected reason=algorithm_not_permitted ");
    }

    [Test]
    public async Task The_openssl_program_comes_in_with_such_a_certificate_and_with_a_strangers_it_does_not([Values] bool isStranger)
    {
        using var workshop = new Workshop(KeyAlgorithm.MLDsa65);
        if (await MustNotStartAsync(workshop))
        {
            return;
        }

        var own = isStranger ? workshop.Wrong(Flaw.OtherAuthority, Workshop.ClientName, ExtendedKeyUsage.ClientAuth) : workshop.Client();
        await using var server = await EchoServer.StartAsync(workshop, workshop.Server());
        await using var client = Connect(server, workshop, own);
        await client.WriteAsync(Greeting + "\n");

        (await server.LineAsync()).Should().Be(isStranger
            ? "rejected reason=unknown_authority name=client.test"
            : "accepted name=client.test user=- confirmed=no tls=1.3 alpn=-");
        if (!isStranger)
        {
            (await client.LineAsync()).Should().Be(Greeting);
        }
    }

    [Test]
    public async Task A_server_of_the_openssl_program_is_known_by_such_a_certificate_and_a_strangers_is_not([Values] bool isStranger)
    {
        using var workshop = new Workshop(KeyAlgorithm.MLDsa65);
        if (await MustNotStartAsync(workshop))
        {
            return;
        }

        var its = isStranger ? workshop.Wrong(Flaw.OtherAuthority, Workshop.ServerName, ExtendedKeyUsage.ServerAuth) : workshop.Server();
        await using var server = await OpenSslServer.StartAsync(workshop, "1.3", its);
        var client = await EchoClient.RunAsync(string.Empty, server.Address, workshop, workshop.Client(), "--confirmation", "never");

        client.ExitCode.Should().Be(isStranger ? 10 : 0, client.All);
    }

    private static RunningProgram Connect(EchoServer server, Workshop workshop, TestCertificateFiles own, params string[] arguments) =>
        RunningProgram.Start(
            Tool.Find("openssl"),
            [
                "s_client", "-connect", server.Address, "-servername", Workshop.ServerName, "-CAfile", workshop.Trust, "-verify_return_error",
                "-verify_hostname", Workshop.ServerName, "-cert", own.Leaf, "-key", own.Key, "-quiet", "-tls1_3", .. arguments,
            ]);

    private static RunningProgram Configured(string configuration, string program, string[] arguments) => RunningProgram.Start(
        Tool.Find("env"),
        [
            $"OPENSSL_CONF={configuration}", Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet", Repository.Program(program),
            .. arguments,
        ]);

    private static string[] Files(TestCertificateFiles own, Workshop workshop) =>
        ["--certificate", own.Chain, "--key", own.Key, "--trust", workshop.Trust];

    /// <summary>Where the platform has no ML-DSA, both programs end at once, and say what it takes.</summary>
    internal static async Task<bool> MustNotStartAsync(Workshop workshop)
    {
        if (MLDsa.IsSupported)
        {
            return false;
        }

        var own = workshop.Server();
        await using var server = RunningProgram.StartSample(
            "EchoServer", "--listen", "127.0.0.1:0", "--certificate", own.Chain, "--key", own.Key, "--trust", workshop.Trust, "--allow-any-trusted");
        var client = await EchoClient.RunAsync(string.Empty, "127.0.0.1:9", workshop, workshop.Client());

        (await server.ExitCodeAsync()).Should().Be(2, server.ToString());
        client.ExitCode.Should().Be(2, client.All);
        server.Errors[^1].Should().Contain("ML-DSA").And.Contain("OpenSSL 3.5");
        client.LastError.Should().Contain("ML-DSA").And.Contain("OpenSSL 3.5");
        return true;
    }
}
