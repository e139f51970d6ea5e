using System.Diagnostics;
using System.Security.Cryptography.X509Certificates;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests;

/// <summary>The sample as its user has it: a process, and curl.</summary>
[CancelAfter(60000)]
public sealed class MinimalApiTests
{
    private static readonly World s_world = new();
    private string _folder = null!;
    private RunningProgram _program = null!;
    private string _url = null!;

    [OneTimeSetUp]
    public async Task StartAsync()
    {
        _folder = Directory.CreateTempSubdirectory("mutualauth-minimal-api-").FullName;
        s_world.Foreign.IssueClient("shop.test").WriteTo(_folder, "stranger");
        _program = RunningProgram.StartSample("MinimalApi", "127.0.0.1:0", _folder);
        _url = (await _program.LineAsync("Now listening on: ")).Split("Now listening on: ")[1];
    }

    [OneTimeTearDown]
    public async Task StopAsync()
    {
        await _program.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    [TestCase("shop", "/orders", "200")]
    [TestCase("shop", "/reports", "403")]
    [TestCase("audit", "/reports", "200")]
    [TestCase("audit", "/orders", "403")]
    public async Task A_policy_lets_the_right_peer_pass(string client, string path, string status, CancellationToken cancellationToken)
    {
        var said = await CurlAsync(client, path, cancellationToken);

        said.Should().Be((0, status));
        if (status == "403")
        {
            (await _program.LineAsync("may not do this")).Should().Contain(client == "shop" ? "shop.test" : "spiffe://example.test/audit");
        }
    }

    [TestCase(null, "no_certificate")]
    [TestCase("stranger", "unknown_authority")]
    public async Task The_listener_refuses_whom_no_policy_is_asked_about(string? client, string reason, CancellationToken cancellationToken)
    {
        var (exitCode, status) = await CurlAsync(client, "/orders", cancellationToken);

        exitCode.Should().NotBe(0);
        status.Should().Be("000");
        (await _program.LineAsync(reason)).Should().NotBeEmpty();
    }

    [Test]
    public async Task A_slow_request_ends_whole_after_SIGTERM(CancellationToken cancellationToken)
    {
        var folder = Directory.CreateTempSubdirectory("mutualauth-minimal-api-").FullName;
        await using var program = RunningProgram.StartSample("MinimalApi", "127.0.0.1:0", folder);
        var url = (await program.LineAsync("Now listening on: ")).Split("Now listening on: ")[1];
        using var handler = new SocketsHttpHandler();
        using var certificate = X509Certificate2.CreateFromPemFile(Path.Combine(folder, "audit.pem"), Path.Combine(folder, "audit.key"));
        handler.SslOptions.RemoteCertificateValidationCallback = static (_, _, _, _) => true;
        handler.SslOptions.ClientCertificates = [certificate];
        using var client = new HttpClient(handler);
        using var response = await client.GetAsync(new Uri($"{url}/export"), HttpCompletionOption.ResponseHeadersRead, cancellationToken);

        program.Terminate();
        var body = await response.Content.ReadAsStringAsync(cancellationToken);

        body.Should().Be($"[{string.Join(',', Enumerable.Range(1, 20))}]");
        (await program.ExitCodeAsync()).Should().Be(0);
        await FluentActions.Awaiting(() => client.GetAsync(new Uri($"{url}/whoami"), cancellationToken)).Should().ThrowAsync<HttpRequestException>();
        Directory.Delete(folder, recursive: true);
    }

    private async Task<(int ExitCode, string Status)> CurlAsync(string? client, string path, CancellationToken cancellationToken)
    {
        string[] shown = client is null ? [] : ["--cert", Path.Combine(_folder, $"{client}.pem"), "--key", Path.Combine(_folder, $"{client}.key")];
        using var curl = Process.Start(new ProcessStartInfo(
            "curl", ["-s", "-o", "/dev/null", "-w", "%{http_code}", "--cacert", Path.Combine(_folder, "authority.pem"), .. shown, _url + path])
        {
            RedirectStandardOutput = true,
        })!;
        var status = await curl.StandardOutput.ReadToEndAsync(cancellationToken);
        await curl.WaitForExitAsync(cancellationToken);
        return (curl.ExitCode, status);
    }
}
