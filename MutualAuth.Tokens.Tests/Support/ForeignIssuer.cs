using System.Diagnostics;
using System.Globalization;
using MutualAuth.Testing;
using MutualAuth.Tokens;

namespace MutualAuth.Tests.Support;

/// <summary>
/// npm's oidc-provider in a process of its own. Where Node.js or the package is missing the test is skipped and says so; with MUTUALAUTH_CI=1 it
/// fails.
/// </summary>
internal sealed class ForeignIssuer : IAsyncDisposable
{
    private readonly Process _process;
    private readonly string _folder;

    private ForeignIssuer(Process process, string folder)
    {
        _process = process;
        _folder = folder;
    }

    internal string Address { get; private set; } = string.Empty;

    /// <summary>As the workload that the certificate names, to which tokens are then bound.</summary>
    internal static TokenIssuerConnection Connection => new()
    {
        Trust = Sockets.Authority.ToTrustAnchors(),
        Identity = Sockets.ClientCertificate.ToIdentity(),
    };

    internal static async Task<ForeignIssuer> StartAsync()
    {
        var script = Path.Combine(AppContext.BaseDirectory, "Issuer", "issuer.mjs");
        if (!IsInstalled(Path.GetDirectoryName(script)))
        {
            const string Missing =
                "npm's oidc-provider is missing: copy MutualAuth.Tokens.Tests/Issuer/package*.json to artifacts, and run npm ci there.";
            if (Environment.GetEnvironmentVariable("MUTUALAUTH_CI") == "1")
            {
                Assert.Fail(Missing);
            }

            Assert.Ignore(Missing);
        }

        var folder = Directory.CreateTempSubdirectory("mutualauth-issuer-").FullName;
        var (certificate, key) = Sockets.Authority.IssueServer("localhost").WriteTo(folder);
        var start = new ProcessStartInfo("node", [script, certificate, key, Sockets.Authority.WriteTo(folder)])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        };
        var issuer = new ForeignIssuer(Process.Start(start)!, folder);
        var line = await issuer.ReadAsync(line => line.StartsWith("port ", StringComparison.Ordinal));
        issuer.Address = $"https://localhost:{int.Parse(line[5..], CultureInfo.InvariantCulture)}";
        return issuer;
    }

    /// <summary>
    /// Changes what it does while it runs: the names of its keys, of which the first signs, or the lifetime of its tokens in seconds.
    /// </summary>
    internal async Task ChangeAsync(string json)
    {
        await _process.StandardInput.WriteLineAsync(json);
        await _process.StandardInput.FlushAsync();
        await ReadAsync(line => line == "done");
    }

    internal TokenSource Tokens(IssuerCredentials? credentials = null, string resource = "https://invoices.test") =>
        TokenSource.ClientCredentials(new ClientCredentialsOptions
        {
            Endpoint = new Uri(Address + "/token"),
            Connection = Connection,
            Credentials = credentials ?? IssuerCredentials.ByCertificate("billing"),
            Scopes = ["invoices:read"],
            Resource = new Uri(resource),
        });

    public async ValueTask DisposeAsync()
    {
        _process.StandardInput.Close();
        await _process.WaitForExitAsync().WaitAsync(Sockets.Deadline);
        _process.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private async Task<string> ReadAsync(Func<string, bool> isIt)
    {
        using var deadline = new CancellationTokenSource(Sockets.Deadline);
        while (await _process.StandardOutput.ReadLineAsync(deadline.Token) is { } line)
        {
            if (isIt(line))
            {
                return line;
            }
        }

        throw new InvalidOperationException("The issuer ended.");
    }

    private static bool IsInstalled(string? folder)
    {
        var hasNode = Environment.GetEnvironmentVariable("PATH")!.Split(Path.PathSeparator).Any(path => File.Exists(Path.Combine(path, "node")));
        while (folder is not null && !Directory.Exists(Path.Combine(folder, "node_modules", "oidc-provider")))
        {
            folder = Path.GetDirectoryName(folder);
        }

        return hasNode && folder is not null;
    }
}
