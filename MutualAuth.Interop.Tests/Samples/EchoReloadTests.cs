using MutualAuth.Testing;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Samples;

/// <summary>A running EchoServer whose files are replaced: who is let in, and by whom it is recognised, changes without a restart.</summary>
public sealed class EchoReloadTests
{
    [Test]
    [CancelAfter(120000)]
    public async Task A_client_is_turned_away_once_the_file_of_lists_says_that_it_was_revoked(CancellationToken cancellationToken)
    {
        using var workshop = new Workshop();
        using var certificate = workshop.Issue(Workshop.ClientName, ExtendedKeyUsage.ClientAuth);
        var client = workshop.Write(certificate);
        var lists = workshop.RevocationLists();
        await using var server = await EchoServer.StartAsync(workshop, workshop.Server(), "--crl", lists);
        (await EchoClient.RunAsync(string.Empty, server.Address, workshop, client)).ExitCode.Should().Be(0);

        workshop.Revoke(certificate);
        File.Move(workshop.RevocationLists(), lists, overwrite: true);

        (await UntilItChangesAsync(0, () => EchoClient.RunAsync(string.Empty, server.Address, workshop, client), cancellationToken)).Code
            .Should().Be("certificate_revoked");
    }

    [Test]
    [CancelAfter(120000)]
    public async Task A_server_is_recognised_once_its_certificate_and_its_trust_were_replaced(CancellationToken cancellationToken)
    {
        using var elsewhere = new Workshop();
        using var workshop = new Workshop();
        var own = elsewhere.Server();
        var trust = workshop.Write("server-trust.pem", await File.ReadAllTextAsync(elsewhere.Trust, cancellationToken));
        await using var server = await EchoServer.StartAsync(
            "--certificate", own.Chain, "--key", own.Key, "--trust", trust, "--allow-dns", Workshop.ClientName);
        var client = workshop.Client();
        (await EchoClient.RunAsync(string.Empty, server.Address, workshop, client)).ExitCode.Should().Be(10, "it is of another authority");

        var next = workshop.Server();
        File.Move(next.Chain, own.Chain, overwrite: true);
        File.Move(next.Key, own.Key, overwrite: true);
        (await UntilItChangesAsync(10, () => EchoClient.RunAsync(string.Empty, server.Address, workshop, client), cancellationToken)).Code
            .Should().Be("unknown_ca", "its trust is not replaced yet");

        await File.WriteAllTextAsync(trust, await File.ReadAllTextAsync(workshop.Trust, cancellationToken), cancellationToken);
        (await UntilItChangesAsync(11, () => EchoClient.RunAsync(string.Empty, server.Address, workshop, client), cancellationToken)).ExitCode
            .Should().Be(0);
    }

    [Test]
    [CancelAfter(120000)]
    public async Task A_server_whose_files_are_spoilt_goes_on_with_those_it_read_last(CancellationToken cancellationToken)
    {
        using var workshop = new Workshop();
        var own = workshop.Server();
        var client = workshop.Client();
        await using var server = await EchoServer.StartAsync(workshop, own);

        await File.WriteAllTextAsync(own.Key, "nothing", cancellationToken);
        while (!server.Program.Errors.Any(line => line.StartsWith("note: the identity not replaced: ", StringComparison.Ordinal)))
        {
            // A client is what time passes with.
            (await EchoClient.RunAsync(string.Empty, server.Address, workshop, client)).ExitCode.Should().Be(0);
            cancellationToken.ThrowIfCancellationRequested();
        }

        (await EchoClient.RunAsync(string.Empty, server.Address, workshop, client)).ExitCode.Should().Be(0);
    }

    private static async Task<EchoClient> UntilItChangesAsync(int exitCode, Func<Task<EchoClient>> run, CancellationToken cancellationToken)
    {
        while (true)
        {
            var client = await run();
            if (client.ExitCode != exitCode)
            {
                return client;
            }

            cancellationToken.ThrowIfCancellationRequested();
        }
    }
}
