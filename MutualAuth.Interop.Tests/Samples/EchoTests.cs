using MutualAuth.Testing;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Samples;

/// <summary>EchoServer and EchoClient with each other: who is let in, and what each prints of it.</summary>
public sealed class EchoTests
{
    [Test]
    [CancelAfter(60000)]
    public async Task Both_know_each_other_and_everything_comes_back()
    {
        using var workshop = new Workshop(intermediate: true);
        await using var server = await EchoServer.StartAsync(workshop, workshop.Server(), "--alpn", "echo");
        var lines = string.Join('\n', Enumerable.Range(0, 20_000).Select(number => $"line {number}"));

        var client = await EchoClient.RunAsync(lines, server.Address, workshop, workshop.Client(), "--alpn", "echo", "--confirmation", "required");

        client.ExitCode.Should().Be(0, client.LastError);
        client.Output.Should().Be(lines);
        client.LastError.Should().Be("accepted name=server.test confirmed=yes tls=1.3 alpn=echo");
        (await server.LineAsync()).Should().Be("accepted name=client.test user=- confirmed=yes tls=1.3 alpn=echo");
    }

    [Test]
    [CancelAfter(60000)]
    public async Task An_empty_input_is_a_handshake_alone()
    {
        using var workshop = new Workshop();
        await using var server = await EchoServer.StartAsync(workshop, workshop.Server());

        var client = await EchoClient.RunAsync(string.Empty, server.Address, workshop, workshop.Client());

        (client.ExitCode, client.Output).Should().Be((0, string.Empty), client.All);
        (await server.LineAsync()).Should().Be("accepted name=client.test user=- confirmed=yes tls=1.3 alpn=-");
    }

    [Test]
    [CancelAfter(60000)]
    public async Task What_is_typed_is_echoed_before_the_input_ends()
    {
        using var workshop = new Workshop();
        await using var server = await EchoServer.StartAsync(workshop, workshop.Server());
        var certificate = workshop.Client();

        await using var client = RunningProgram.StartSample(
            "EchoClient", "--connect", server.Address, "--server-name", Workshop.ServerName, "--trust", workshop.Trust, "--certificate",
            certificate.Chain, "--key", certificate.Key);
        await client.WriteAsync("first\n");
        (await client.LineAsync()).Should().Be("first");
        await client.WriteAsync("second\n");
        (await client.LineAsync()).Should().Be("second");
        client.EndInput();

        (await client.ExitCodeAsync()).Should().Be(0);
    }

    [Test]
    [CancelAfter(60000)]
    [TestCase(Flaw.OtherAuthority, "unknown_authority", "unknown_ca")]
    [TestCase(Flaw.Expired, "certificate_expired", "certificate_expired")]
    [TestCase(Flaw.WrongUsage, "wrong_usage", "unsupported_certificate")]
    [TestCase(Flaw.WrongName, "not_authorized", "access_denied", "somebody-else.test")]
    [TestCase(Flaw.AuthorityAsLeaf, "certificate_authority_as_leaf", "unsupported_certificate")]
    public async Task A_client_with_one_flaw_is_rejected_and_told_the_public_reason(
        Flaw flaw, string reason, string told, string name = Workshop.ClientName)
    {
        using var workshop = new Workshop();
        await using var server = await EchoServer.StartAsync(workshop, workshop.Server());

        var client = await EchoClient.RunAsync(
            "hello\n", server.Address, workshop, workshop.Wrong(flaw, Workshop.ClientName, ExtendedKeyUsage.ClientAuth));

        (await server.LineAsync()).Should().Be($"rejected reason={reason} name={name}");
        (client.ExitCode, client.Code, client.Output).Should().Be((11, told, string.Empty), client.All);
    }

    [Test]
    [CancelAfter(60000)]
    public async Task A_client_without_a_certificate_is_rejected_and_told_so()
    {
        using var workshop = new Workshop();
        await using var server = await EchoServer.StartAsync(workshop, workshop.Server());

        var client = await EchoClient.RunAsync("hello\n", server.Address, workshop, null);

        (await server.LineAsync()).Should().Be("rejected reason=no_certificate name=-");
        (client.ExitCode, client.Code, client.Output).Should().Be((11, "certificate_required", string.Empty), client.All);
    }

    [Test]
    [CancelAfter(60000)]
    [TestCase(Flaw.OtherAuthority, "unknown_authority")]
    [TestCase(Flaw.Expired, "certificate_expired")]
    [TestCase(Flaw.WrongUsage, "wrong_usage")]
    [TestCase(Flaw.WrongName, "server_name_mismatch")]
    [TestCase(Flaw.AuthorityAsLeaf, "certificate_authority_as_leaf")]
    public async Task A_server_with_one_flaw_is_rejected_and_told_only_that(Flaw flaw, string reason)
    {
        using var workshop = new Workshop();
        await using var server = await EchoServer.StartAsync(workshop, workshop.Wrong(flaw, Workshop.ServerName, ExtendedKeyUsage.ServerAuth));

        var client = await EchoClient.RunAsync("hello\n", server.Address, workshop, workshop.Client());

        (await server.LineAsync()).Should().Be("refused-by-peer code=refused");
        (client.ExitCode, client.Code, client.Output).Should().Be((10, reason, string.Empty), client.All);
    }

    [Test]
    [CancelAfter(60000)]
    public async Task A_name_that_needs_it_is_one_token()
    {
        using var workshop = new Workshop();
        var certificate = workshop.Write(
            workshop.Issue("unused", ExtendedKeyUsage.ClientAuth, spec => spec with { Subject = "CN=Jo Doe,O=100%", DnsNames = [] }));
        await using var server = await EchoServer.StartAsync(workshop, workshop.Server(), "--allow-subject", "CN=Jo Doe,O=100%");

        var client = await EchoClient.RunAsync(string.Empty, server.Address, workshop, certificate);

        client.ExitCode.Should().Be(0, client.All);
        (await server.LineAsync()).Should().Be("accepted name=subject:CN=Jo%20Doe,O=100%25 user=- confirmed=yes tls=1.3 alpn=-");
    }

    [Test]
    [CancelAfter(60000)]
    [TestCase("--allow-uri", "urn:example:client")]
    [TestCase("--allow-spiffe", "spiffe://example.test/client")]
    [TestCase("--allow-spiffe", "example.test")]
    [TestCase("--allow-subject", "CN=client.test")]
    [TestCase("--allow-any-trusted", null)]
    public async Task Each_rule_lets_in_whom_it_names(string flag, string? value)
    {
        using var workshop = new Workshop();
        var uri = flag == "--allow-uri" ? "urn:example:client" : "spiffe://example.test/client";
        var certificate = workshop.Write(
            workshop.Issue(Workshop.ClientName, ExtendedKeyUsage.ClientAuth, spec => spec with { DnsNames = [], Uris = [uri] }));
        var own = workshop.Server();
        await using var server = await EchoServer.StartAsync(
            ["--certificate", own.Chain, "--key", own.Key, "--trust", workshop.Trust, flag, .. value is null ? Array.Empty<string>() : [value]]);
        await using var stricter = await EchoServer.StartAsync(workshop, own);

        (await EchoClient.RunAsync(string.Empty, server.Address, workshop, certificate)).ExitCode.Should().Be(0);
        (await EchoClient.RunAsync(string.Empty, stricter.Address, workshop, certificate)).ExitCode.Should().Be(11);
    }

    [Test]
    [CancelAfter(60000)]
    public async Task A_pin_of_the_peers_key_is_kept_and_another_is_not()
    {
        using var workshop = new Workshop();
        using var certificate = workshop.Issue(Workshop.ServerName, ExtendedKeyUsage.ServerAuth);
        var right = $"{Names.SpkiPin.OfSubjectPublicKeyInfo(certificate.Key.SubjectPublicKeyInfo.Span)}";
        var wrong = $"{Names.SpkiPin.OfSubjectPublicKeyInfo(TestKey.Generate().SubjectPublicKeyInfo.Span)}";
        await using var server = await EchoServer.StartAsync(workshop, workshop.Write(certificate));
        var own = workshop.Client();

        var kept = await EchoClient.RunAsync(string.Empty, server.Address, workshop, own, "--pin", wrong, "--pin", right);
        var broken = await EchoClient.RunAsync(string.Empty, server.Address, workshop, own, "--pin", wrong);

        kept.ExitCode.Should().Be(0, kept.All);
        (broken.ExitCode, broken.Code).Should().Be((10, "pin_mismatch"), broken.All);
    }

    [Test]
    [CancelAfter(60000)]
    public async Task A_revoked_client_is_rejected_and_one_of_the_same_authority_is_not()
    {
        using var workshop = new Workshop(intermediate: true);
        using var revoked = workshop.Issue(Workshop.ClientName, ExtendedKeyUsage.ClientAuth);
        var revokedFiles = workshop.Write(revoked);
        var good = workshop.Client();
        workshop.Revoke(revoked);
        await using var server = await EchoServer.StartAsync(workshop, workshop.Server(), "--crl", workshop.RevocationLists());

        var accepted = await EchoClient.RunAsync(string.Empty, server.Address, workshop, good);
        var rejected = await EchoClient.RunAsync(string.Empty, server.Address, workshop, revokedFiles);

        accepted.ExitCode.Should().Be(0, accepted.All);
        (rejected.ExitCode, rejected.Code).Should().Be((11, "certificate_revoked"), rejected.All);
        await server.LineAsync("accepted ");
        (await server.LineAsync()).Should().Be("rejected reason=certificate_revoked name=client.test");
    }

    [Test]
    [CancelAfter(60000)]
    public async Task A_client_rejects_a_revoked_server_and_one_that_no_list_covers()
    {
        using var workshop = new Workshop(intermediate: true);
        using var certificate = workshop.Issue(Workshop.ServerName, ExtendedKeyUsage.ServerAuth);
        var own = workshop.Client();
        var before = workshop.RevocationLists();
        workshop.Revoke(certificate);
        await using var server = await EchoServer.StartAsync(workshop, workshop.Write(certificate));

        (await RunAsync(before)).ExitCode.Should().Be(0);
        (await RunAsync(workshop.RevocationLists())).Code.Should().Be("certificate_revoked");
        (await RunAsync(workshop.RevocationLists(rootAlone: true))).Code.Should().Be("revocation_status_unknown");

        Task<EchoClient> RunAsync(string lists) => EchoClient.RunAsync(string.Empty, server.Address, workshop, own, "--crl", lists);
    }

    [Test]
    [CancelAfter(60000)]
    public async Task Keys_come_from_PKCS12_and_encrypted_files_too()
    {
        using var workshop = new Workshop(intermediate: true);
        using var certificate = workshop.Issue(Workshop.ClientName, ExtendedKeyUsage.ClientAuth);
        var pkcs12 = workshop.Write("client.p12", certificate.ToPkcs12("pass word"));
        var chain = workshop.Write("client.pem", certificate.ChainPem);
        var key = workshop.Write("client.key", certificate.ToEncryptedPrivateKeyPem("pass word"));
        var password = workshop.Write("password", "pass word\n");
        var wrong = workshop.Write("wrong", "password");
        await using var server = await EchoServer.StartAsync(workshop, workshop.Server());

        (await RunAsync("--certificate", pkcs12, "--key-password-file", password)).ExitCode.Should().Be(0);
        (await RunAsync("--certificate", chain, "--key", key, "--key-password-file", password)).ExitCode.Should().Be(0);
        var refused = await RunAsync("--certificate", chain, "--key", key, "--key-password-file", wrong);
        (refused.ExitCode, refused.Code).Should().Be((2, "material"), refused.All);

        Task<EchoClient> RunAsync(params string[] arguments) => EchoClient.RunAsync(string.Empty, server.Address, workshop, null, arguments);
    }

    [Test]
    [CancelAfter(60000)]
    public async Task A_hundred_clients_at_once_give_a_hundred_whole_lines()
    {
        using var workshop = new Workshop();
        await using var server = await EchoServer.StartAsync(workshop, workshop.Server());
        using var certificate = workshop.Issue(Workshop.ClientName, ExtendedKeyUsage.ClientAuth);
        var client = new MutualTlsClient(new MutualTlsClientOptions
        {
            Identity = MutualAuth.Identity.From(certificate.Certificate, certificate.Chain),
            Trust = MutualAuth.TrustAnchors.FromPemFiles(workshop.Trust),
            Authorization = MutualAuth.Authorize.ServerName,
        });

        await Task.WhenAll(Enumerable.Range(0, 100).Select(async _ =>
        {
            await using var connection = await client.ConnectAsync(
                new System.Net.IPEndPoint(System.Net.IPAddress.Loopback, server.Port), Workshop.ServerName);
        })).WaitAsync(RunningProgram.Deadline);

        for (var count = 0; count < 100; count++)
        {
            (await server.LineAsync()).Should().Be("accepted name=client.test user=- confirmed=yes tls=1.3 alpn=-");
        }
    }
}
