using System.Formats.Asn1;
using MutualAuth.Testing;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Samples;

/// <summary>The flags that say which certificates are good enough: purposes, lifetimes, names of cards, short-lived ones, suites.</summary>
[CancelAfter(60000)]
public sealed class EchoProfileTests
{
    [TestCase(true, "client.test", 0, null)]
    [TestCase(true, "other.test", 11, "not_authorized")]
    [TestCase(false, "client.test", 11, "wrong_usage")]
    public async Task A_public_certificate_comes_in_by_its_name_where_that_is_excepted(bool isExcepted, string name, int exitCode, string? reason)
    {
        using var workshop = new Workshop();
        var partner = workshop.Write(workshop.Issue(name, ExtendedKeyUsage.ServerAuth));
        await using var server = await EchoServer.StartAsync(
            workshop, workshop.Server(), isExcepted ? ["--dangerously-server-auth-for-clients"] : []);

        var client = await EchoClient.RunAsync(string.Empty, server.Address, workshop, partner);

        client.ExitCode.Should().Be(exitCode, client.All);
        (await server.LineAsync()).Should().StartWith(reason is null ? $"accepted name={name} " : $"rejected reason={reason} ");
    }

    [Test]
    public async Task The_exception_is_refused_where_everybody_is_let_in()
    {
        using var workshop = new Workshop();
        var own = workshop.Server();
        await using var server = RunningProgram.StartSample(
            "EchoServer", "--listen", "127.0.0.1:0", "--certificate", own.Chain, "--key", own.Key, "--trust", workshop.Trust, "--allow-any-trusted",
            "--dangerously-server-auth-for-clients");

        (await server.ExitCodeAsync()).Should().Be(2, server.ToString());
        server.Errors[^1].Should().StartWith("usage: ").And.Contain("does not spell out the names of all peers");
    }

    [TestCase("1234567890@mil.test", 0)]
    [TestCase("1234567891@mil.test", 11)]
    public async Task A_card_comes_in_by_its_user_principal_name(string name, int exitCode)
    {
        using var workshop = new Workshop();
        var writer = new AsnWriter(AsnEncodingRules.DER);
        writer.WriteCharacterString(UniversalTagNumber.UTF8String, name);
        var card = workshop.Write(workshop.Issue(
            "unused", ExtendedKeyUsage.ClientAuth,
            spec => spec with { DnsNames = [], OtherNames = [GeneralName.Other("1.3.6.1.4.1.311.20.2.3", writer.Encode())] }));
        var own = workshop.Server();
        await using var server = await EchoServer.StartAsync(
            ["--certificate", own.Chain, "--key", own.Key, "--trust", workshop.Trust, "--allow-upn", "1234567890@mil.test"]);

        var client = await EchoClient.RunAsync(string.Empty, server.Address, workshop, card);

        client.ExitCode.Should().Be(exitCode, client.All);
        (await server.LineAsync()).Should().StartWith(exitCode == 0 ? $"accepted name=upn:{name} " : "rejected reason=not_authorized ");
    }

    [TestCase("40", 0)]
    [TestCase("30", 11)]
    public async Task What_was_issued_for_longer_is_not_let_in(string days, int exitCode)
    {
        using var workshop = new Workshop();
        await using var server = await EchoServer.StartAsync(workshop, workshop.Server(), "--max-lifetime", days);

        (await EchoClient.RunAsync(string.Empty, server.Address, workshop, workshop.Client())).ExitCode.Should().Be(exitCode);
    }

    [TestCase("40", 0, "accepted name=client.test")]
    [TestCase("30", 11, "rejected reason=revocation_status_unknown")]
    public async Task A_certificate_without_a_status_needs_no_list_up_to_its_bound(string days, int exitCode, string line)
    {
        using var workshop = new Workshop(intermediate: true);
        var peer = workshop.Write(workshop.Issue(
            Workshop.ClientName, ExtendedKeyUsage.ClientAuth,
            spec => spec with { Extensions = [new CertificateExtension("2.5.29.56", false, Convert.FromHexString("0500"))] }));
        await using var server = await EchoServer.StartAsync(
            workshop, workshop.Server(), "--crl", workshop.RevocationLists(rootAlone: true), "--no-rev-avail", days);

        var client = await EchoClient.RunAsync(string.Empty, server.Address, workshop, peer);

        client.ExitCode.Should().Be(exitCode, client.All);
        (await server.LineAsync()).Should().StartWith(line);
    }

    [Test]
    public async Task Suites_are_chosen_by_name_and_a_name_that_is_none_is_said()
    {
        using var workshop = new Workshop();
        await using var server = await EchoServer.StartAsync(
            workshop, workshop.Server(), "--cipher-suite", "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", "--send-acceptable-issuers");

        var both = await EchoClient.RunAsync(string.Empty, server.Address, workshop, workshop.Client());
        var none = await EchoClient.RunAsync(string.Empty, server.Address, workshop, workshop.Client(), "--cipher-suite", "TLS_AES_256_GCM_SHA384");
        var wrong = await EchoClient.RunAsync(string.Empty, server.Address, workshop, workshop.Client(), "--cipher-suite", "AES256-SHA");

        both.LastError.Should().Contain("tls=1.2");
        (none.ExitCode, wrong.ExitCode).Should().Be((12, 2), none.All + wrong.All);
        wrong.LastError.Should().Contain("'AES256-SHA' is not the name of a cipher suite");
    }
}
