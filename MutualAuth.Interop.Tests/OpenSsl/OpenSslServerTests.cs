using MutualAuth.Testing;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.OpenSsl;

/// <summary>The openssl program as a server of EchoClient. It reverses each line, which is as long as it was.</summary>
public sealed class OpenSslServerTests
{
    [Test]
    [CancelAfter(60000)]
    public async Task A_server_with_a_good_certificate_is_accepted_and_answers(
        [Values("1.2", "1.3")] string tls, [Values(KeyAlgorithm.EcdsaP256, KeyAlgorithm.Rsa2048)] KeyAlgorithm algorithm, [Values] bool intermediate)
    {
        using var workshop = new Workshop(algorithm, intermediate);
        await using var server = await OpenSslServer.StartAsync(workshop, tls, workshop.Server());

        var client = await EchoClient.RunAsync("hello\n", server.Address, workshop, workshop.Client());

        client.ExitCode.Should().Be(0, client.All);
        client.Output.Should().Be("olleh");
        client.LastError.Should().Be($"accepted name=server.test confirmed=no tls={tls} alpn=-");
    }

    [Test]
    [CancelAfter(60000)]
    [TestCase(Flaw.OtherAuthority, "unknown_authority")]
    [TestCase(Flaw.Expired, "certificate_expired")]
    [TestCase(Flaw.WrongUsage, "wrong_usage")]
    [TestCase(Flaw.WrongName, "server_name_mismatch")]
    [TestCase(Flaw.AuthorityAsLeaf, "certificate_authority_as_leaf")]
    public async Task A_server_with_one_flaw_is_rejected_for_that_flaw(Flaw flaw, string reason)
    {
        using var workshop = new Workshop();
        var certificate = workshop.Wrong(flaw, Workshop.ServerName, ExtendedKeyUsage.ServerAuth);

        foreach (var tls in new[] { "1.2", "1.3" })
        {
            await using var server = await OpenSslServer.StartAsync(workshop, tls, certificate);

            var client = await EchoClient.RunAsync("hello\n", server.Address, workshop, workshop.Client());

            (client.ExitCode, client.Code, client.Output).Should().Be((10, reason, string.Empty), client.All);
        }
    }

    [Test]
    [CancelAfter(60000)]
    [TestCase("1.2", Flaw.OtherAuthority, "unknown_ca")]
    [TestCase("1.3", Flaw.OtherAuthority, "unknown_ca")]
    [TestCase("1.2", Flaw.Expired, "certificate_expired")]
    [TestCase("1.3", Flaw.Expired, "certificate_expired")]
    [TestCase("1.2", Flaw.WrongUsage, "unsupported_certificate")]
    [TestCase("1.3", Flaw.WrongUsage, "unsupported_certificate")]
    public async Task The_alert_of_a_server_that_refuses_us_is_heard_on_either_version(string tls, Flaw flaw, string code)
    {
        using var workshop = new Workshop();
        await using var server = await OpenSslServer.StartAsync(workshop, tls, workshop.Server());

        var client = await EchoClient.RunAsync(
            "hello\n", server.Address, workshop, workshop.Wrong(flaw, Workshop.ClientName, ExtendedKeyUsage.ClientAuth));

        (client.ExitCode, client.Code, client.Output).Should().Be((11, code, string.Empty), client.All);
    }

    [Test]
    [CancelAfter(60000)]
    [TestCase("1.2", "refused")] // OpenSSL says handshake_failure there, which tells no more.
    [TestCase("1.3", "certificate_required")]
    public async Task A_server_that_wants_a_certificate_refuses_a_client_without_one_even_when_it_sends_nothing(string tls, string code)
    {
        using var workshop = new Workshop();
        await using var server = await OpenSslServer.StartAsync(workshop, tls, workshop.Server());

        var client = await EchoClient.RunAsync(string.Empty, server.Address, workshop, null);

        (client.ExitCode, client.Code).Should().Be((11, code), client.All);
    }

    [Test]
    [CancelAfter(60000)]
    public async Task A_plain_server_is_turned_away_where_confirmation_is_required([Values("1.2", "1.3")] string tls)
    {
        using var workshop = new Workshop();
        await using var server = await OpenSslServer.StartAsync(workshop, tls, workshop.Server());

        var client = await EchoClient.RunAsync("hello\n", server.Address, workshop, workshop.Client(), "--confirmation", "required");

        (client.ExitCode, client.Code, client.Output).Should().Be((12, "confirmation_unavailable", string.Empty), client.All);
    }

    [Test]
    [CancelAfter(60000)]
    public async Task A_version_below_the_minimum_is_no_agreement()
    {
        using var workshop = new Workshop();
        await using var server = await OpenSslServer.StartAsync(workshop, "1.2", workshop.Server());

        var client = await EchoClient.RunAsync("hello\n", server.Address, workshop, workshop.Client(), "--min-tls", "1.3");

        (client.ExitCode, client.Code).Should().Be((12, "protocol_version_unsupported"), client.All);
    }

    [Test]
    [CancelAfter(60000)]
    public async Task A_server_without_our_application_protocol_is_no_agreement_when_it_is_strict()
    {
        using var workshop = new Workshop();
        await using var server = await OpenSslServer.StartAsync(workshop, "1.3", workshop.Server(), "-alpn", "other");

        var client = await EchoClient.RunAsync("hello\n", server.Address, workshop, workshop.Client(), "--alpn", "echo");

        (client.ExitCode, client.Code).Should().Be((12, "alpn_mismatch"), client.All);
    }
}
