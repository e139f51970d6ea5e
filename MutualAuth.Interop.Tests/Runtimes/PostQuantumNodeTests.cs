using System.Security.Cryptography;
using MutualAuth.Testing;
using MutualAuth.Tests.OpenSsl;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Runtimes;

/// <summary>
/// Node.js with OpenSSL 3.5 against the echo programs: hybrid key exchange, and ML-DSA certificates both ways. Where the platform of our own programs
/// has neither, they do not start with such a demand or such a certificate.
/// </summary>
[CancelAfter(60000)]
public sealed class PostQuantumNodeTests
{
    private const string Classical = "X25519";
    private const string Hybrid = "X25519MLKEM768";
    private const string Alert = "failed ERR_SSL_SSL/TLS_ALERT_HANDSHAKE_FAILURE";

    private static bool IsHere => MLDsa.IsSupported;

    [Test]
    public async Task Its_client_is_let_in_by_a_hybrid_group_and_a_classical_one_is_refused_with_the_reason_at_both_ends(
        [Values(Hybrid, Classical)] string group)
    {
        using var workshop = new Workshop();
        if (await MustNotStartAsync(workshop))
        {
            return;
        }

        await using var server = await EchoServer.StartAsync(workshop, workshop.Server(), "--key-exchange", "hybrid");
        await using var client = OwnNode.StartClient(server, workshop, workshop.Client(), group);

        (await client.LineAsync()).Should().Be(group == Hybrid ? "hello" : Alert);
        (await server.LineAsync()).Should().Be(group == Hybrid
            ? $"accepted name=client.test user=- confirmed=no tls=1.3 alpn=- group={Hybrid}"
            : "rejected reason=key_exchange_not_allowed name=-");
    }

    [Test]
    public async Task Its_server_is_accepted_by_a_hybrid_group_and_a_classical_one_is_refused_with_the_reason_at_both_ends(
        [Values(Hybrid, Classical)] string group)
    {
        using var workshop = new Workshop();
        if (await MustNotStartAsync(workshop))
        {
            return;
        }

        var (server, address) = await OwnNode.StartServerAsync(workshop, workshop.Server(), group);
        await using var running = server;

        var client = await EchoClient.RunAsync("hello\n", address, workshop, workshop.Client(), "--key-exchange", "hybrid");

        if (group == Hybrid)
        {
            (client.ExitCode, client.Output).Should().Be((0, "hello"), client.All);
            client.LastError.Should().Be($"accepted name=server.test confirmed=no tls=1.3 alpn=- group={Hybrid}");
            return;
        }

        (client.ExitCode, client.Code).Should().Be((12, "key_exchange_not_allowed"), client.All);
        (await server.LineAsync()).Should().Be(Alert);
    }

    /// <summary>It offers both, and each platform takes the best that it has; what it offers alone must be had.</summary>
    [Test]
    public async Task Where_any_group_will_do_the_best_of_both_ends_is_agreed_on([Values] bool offersBoth)
    {
        using var workshop = new Workshop();
        await using var server = await EchoServer.StartAsync(workshop, workshop.Server(), "--key-exchange", "any");
        await using var client = OwnNode.StartClient(server, workshop, workshop.Client(), offersBoth ? $"{Hybrid}:{Classical}" : Hybrid);

        if (IsHere || offersBoth)
        {
            (await client.LineAsync()).Should().Be("hello");
            (await server.LineAsync()).Should().EndWith($" tls=1.3 alpn=- group={(IsHere ? Hybrid : "x25519")}");
            return;
        }

        (await client.LineAsync()).Should().Be(Alert);
        (await server.LineAsync()).Should().StartWith("rejected reason=").And.EndWith(" name=-");
    }

    [Test]
    public async Task Its_client_comes_in_with_an_ML_DSA_certificate_and_with_a_strangers_it_does_not(
        [Values(KeyAlgorithm.MLDsa44, KeyAlgorithm.MLDsa65, KeyAlgorithm.MLDsa87)] KeyAlgorithm set, [Values] bool isStranger)
    {
        using var workshop = new Workshop(set, intermediate: true);
        if (await MLDsaEchoTests.MustNotStartAsync(workshop))
        {
            return;
        }

        var own = isStranger ? workshop.Wrong(Flaw.OtherAuthority, Workshop.ClientName, ExtendedKeyUsage.ClientAuth) : workshop.Client();
        await using var server = await EchoServer.StartAsync(workshop, workshop.Server(), "--key-exchange", "hybrid");
        await using var client = OwnNode.StartClient(server, workshop, own, Hybrid);

        (await server.LineAsync()).Should().Be(isStranger
            ? "rejected reason=unknown_authority name=client.test"
            : $"accepted name=client.test user=- confirmed=no tls=1.3 alpn=- group={Hybrid}");
        (await client.ExitCodeAsync()).Should().Be(isStranger ? 1 : 0, client.ToString());
        client.Output.Contains("hello").Should().Be(!isStranger);
    }

    [Test]
    public async Task Its_server_is_known_by_an_ML_DSA_certificate_and_a_strangers_is_not(
        [Values(KeyAlgorithm.MLDsa44, KeyAlgorithm.MLDsa65, KeyAlgorithm.MLDsa87)] KeyAlgorithm set, [Values] bool isStranger)
    {
        using var workshop = new Workshop(set, intermediate: true);
        if (await MLDsaEchoTests.MustNotStartAsync(workshop))
        {
            return;
        }

        var its = isStranger ? workshop.Wrong(Flaw.OtherAuthority, Workshop.ServerName, ExtendedKeyUsage.ServerAuth) : workshop.Server();
        var (server, address) = await OwnNode.StartServerAsync(workshop, its, Hybrid);
        await using var running = server;

        var client = await EchoClient.RunAsync("hello\n", address, workshop, workshop.Client(), "--key-exchange", "hybrid");

        if (isStranger)
        {
            (client.ExitCode, client.Code, client.Output).Should().Be((10, "unknown_authority", string.Empty), client.All);
            return;
        }

        (client.ExitCode, client.Output).Should().Be((0, "hello"), client.All);
        client.LastError.Should().Be($"accepted name=server.test confirmed=no tls=1.3 alpn=- group={Hybrid}");
    }

    /// <summary>Where the platform has no ML-KEM, both programs end at once, and say what it takes.</summary>
    private static async Task<bool> MustNotStartAsync(Workshop workshop)
    {
        if (IsHere)
        {
            return false;
        }

        var own = workshop.Server();
        await using var server = RunningProgram.StartSample(
            "EchoServer",
            "--listen",
            "127.0.0.1:0",
            "--certificate",
            own.Chain,
            "--key",
            own.Key,
            "--trust",
            workshop.Trust,
            "--allow-any-trusted",
            "--key-exchange",
            "hybrid");
        var client = await EchoClient.RunAsync(string.Empty, "127.0.0.1:9", workshop, workshop.Client(), "--key-exchange", "hybrid");

        (await server.ExitCodeAsync()).Should().Be(2, server.ToString());
        client.ExitCode.Should().Be(2, client.All);
        server.Errors[^1].Should().Contain("ML-KEM").And.Contain("OpenSSL 3.5");
        client.LastError.Should().Contain("ML-KEM").And.Contain("OpenSSL 3.5");
        return true;
    }
}
