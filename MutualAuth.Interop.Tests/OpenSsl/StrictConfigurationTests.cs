using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.OpenSsl;

/// <summary>docs/security/openssl-strict.cnf takes finite-field groups and CBC suites away from a whole process.</summary>
public sealed class StrictConfigurationTests
{
    private static readonly string s_file = Path.Combine(Repository.Root, "docs", "security", "openssl-strict.cnf");

    [Test]
    [CancelAfter(60000)]
    [TestCase("-tls1_3", "-groups", "ffdhe2048", false)]
    [TestCase("-tls1_3", "-groups", "P-256", true)]
    [TestCase("-tls1_2", "-cipher", "ECDHE-ECDSA-AES256-SHA384", false)]
    [TestCase("-tls1_2", "-cipher", "ECDHE-ECDSA-AES256-GCM-SHA384", true)]
    public async Task OpenSSL_itself_refuses_what_the_file_takes_away(string version, string option, string value, bool connects)
    {
        using var workshop = new Workshop();
        var certificate = workshop.Server();
        foreach (var file in new[] { s_file, "/dev/null" })
        {
            await using var server = RunningProgram.Start(
                Tool.Find("env"), $"OPENSSL_CONF={file}", Tool.Find("openssl"), "s_server", "-accept", "127.0.0.1:0", "-rev", "-cert",
                certificate.Leaf, "-key", certificate.Key);
            var address = (await server.LineAsync("ACCEPT "))["ACCEPT ".Length..].Trim();

            var client = await ConnectAsync(address, version, option, value);

            client.All.Contains("Cipher is (NONE)", StringComparison.Ordinal).Should().Be(file == s_file && !connects, client.All);
        }
    }

    [Test]
    [CancelAfter(60000)]
    [TestCase("ECDHE-ECDSA-AES256-SHA384", false)]
    [TestCase("ECDHE-ECDSA-AES256-GCM-SHA384", true)]
    public async Task A_server_of_ours_that_is_started_with_it_has_no_CBC(string suite, bool connects)
    {
        using var workshop = new Workshop();
        var certificate = workshop.Server();
        await using var server = RunningProgram.Start(
            Tool.Find("env"),
            $"OPENSSL_CONF={s_file}",
            Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet",
            Repository.Program("EchoServer"),
            "--listen",
            "127.0.0.1:0",
            "--certificate", certificate.Chain, "--key", certificate.Key, "--trust", workshop.Trust, "--allow-dns", Workshop.ClientName);
        var address = (await server.LineAsync("listening on "))["listening on ".Length..];

        var client = await ConnectAsync(address, "-tls1_2", "-cipher", suite);

        client.All.Contains("Cipher is (NONE)", StringComparison.Ordinal).Should().Be(!connects, client.All);
    }

    private static Task<EndedProgram> ConnectAsync(string address, string version, string option, string value) =>
        EndedProgram.OfAsync(RunningProgram.Start(Tool.Find("openssl"), "s_client", "-connect", address, version, option, value));
}
