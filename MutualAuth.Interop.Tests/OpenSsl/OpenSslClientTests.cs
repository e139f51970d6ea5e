using MutualAuth.Testing;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.OpenSsl;

/// <summary>The openssl program as a client of EchoServer.</summary>
public sealed class OpenSslClientTests
{
    private const string Greeting = "hello from openssl";

    [Test]
    [CancelAfter(60000)]
    public async Task A_client_with_a_good_certificate_is_let_in_and_hears_its_echo(
        [Values("1.2", "1.3")] string tls, [Values(KeyAlgorithm.EcdsaP256, KeyAlgorithm.Rsa2048)] KeyAlgorithm algorithm, [Values] bool intermediate)
    {
        using var workshop = new Workshop(algorithm, intermediate);
        await using var server = await EchoServer.StartAsync(workshop, workshop.Server());

        await using var client = Connect(server, workshop, tls, workshop.Client());
        await client.WriteAsync(Greeting + "\n");

        (await client.LineAsync()).Should().Be(Greeting);
        (await server.LineAsync()).Should().Be($"accepted name=client.test user=- confirmed=no tls={tls} alpn=-");
        client.EndInput();
        (await client.ExitCodeAsync()).Should().Be(0);
    }

    [Test]
    [CancelAfter(60000)]
    [TestCase(Flaw.OtherAuthority, "unknown_authority")]
    [TestCase(Flaw.Expired, "certificate_expired")]
    [TestCase(Flaw.WrongUsage, "wrong_usage")]
    [TestCase(Flaw.WrongName, "not_authorized", "somebody-else.test")]
    [TestCase(Flaw.AuthorityAsLeaf, "certificate_authority_as_leaf")]
    public async Task A_client_with_one_flaw_is_rejected_for_that_flaw(Flaw flaw, string reason, string name = Workshop.ClientName)
    {
        using var workshop = new Workshop();
        await using var server = await EchoServer.StartAsync(workshop, workshop.Server());
        var certificate = workshop.Wrong(flaw, Workshop.ClientName, ExtendedKeyUsage.ClientAuth);

        foreach (var tls in new[] { "1.2", "1.3" })
        {
            await using var client = Connect(server, workshop, tls, certificate);
            await client.WriteAsync(Greeting + "\n");

            (await server.LineAsync()).Should().Be($"rejected reason={reason} name={name}");
            await client.ExitCodeAsync();
            client.Output.Should().BeEmpty();
        }
    }

    [Test]
    [CancelAfter(60000)]
    public async Task A_client_without_a_certificate_is_rejected([Values("1.2", "1.3")] string tls)
    {
        using var workshop = new Workshop();
        await using var server = await EchoServer.StartAsync(workshop, workshop.Server());

        await using var client = Connect(server, workshop, tls, null);
        await client.WriteAsync(Greeting + "\n");

        (await server.LineAsync()).Should().Be("rejected reason=no_certificate name=-");
        await client.ExitCodeAsync();
        client.Output.Should().BeEmpty();
    }

    [Test]
    [CancelAfter(60000)]
    public async Task A_client_that_refuses_the_server_is_heard([Values("1.2", "1.3")] string tls)
    {
        using var workshop = new Workshop();
        using var elsewhere = new Workshop();
        await using var server = await EchoServer.StartAsync(workshop, workshop.Server());

        await using var client = Connect(server, elsewhere, tls, workshop.Client());

        (await server.LineAsync()).Should().Be("refused-by-peer code=unknown_ca");
        (await client.ExitCodeAsync()).Should().NotBe(0);
    }

    [Test]
    [CancelAfter(60000)]
    public async Task A_plain_client_is_rejected_where_confirmation_is_required([Values("1.2", "1.3")] string tls)
    {
        using var workshop = new Workshop();
        await using var server = await EchoServer.StartAsync(workshop, workshop.Server(), "--confirmation", "required");

        await using var client = Connect(server, workshop, tls, workshop.Client());

        (await server.LineAsync()).Should().StartWith("rejected reason=confirmation_unavailable name=");
        await client.ExitCodeAsync();
    }

    [Test]
    [CancelAfter(60000)]
    public async Task A_version_below_the_minimum_is_rejected_and_the_minimum_is_not()
    {
        using var workshop = new Workshop();
        await using var server = await EchoServer.StartAsync(workshop, workshop.Server(), "--min-tls", "1.3");

        await using var below = Connect(server, workshop, "1.2", workshop.Client());
        (await server.LineAsync()).Should().Be("rejected reason=protocol_version_unsupported name=-");

        await using var at = Connect(server, workshop, "1.3", workshop.Client());
        (await server.LineAsync()).Should().Be("accepted name=client.test user=- confirmed=no tls=1.3 alpn=-");
    }

    private static RunningProgram Connect(
        EchoServer server, Workshop workshop, string tls, TestCertificateFiles? certificate) => RunningProgram.Start(
        Tool.Find("openssl"),
        [
            "s_client", "-connect", server.Address, "-quiet", "-no_ign_eof", "-servername", Workshop.ServerName, "-verify_hostname",
            Workshop.ServerName,
            "-verify_return_error", "-CAfile", workshop.Trust, tls == "1.3" ? "-tls1_3" : "-tls1_2",
            .. certificate is null ? Array.Empty<string>() : ["-cert", certificate.Leaf, "-key", certificate.Key],
            .. certificate?.Intermediates is { } intermediates ? ["-cert_chain", intermediates] : Array.Empty<string>(),
        ]);
}
