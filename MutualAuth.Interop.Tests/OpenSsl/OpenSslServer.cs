using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.OpenSsl;

/// <summary><c>openssl s_server</c>, which demands a certificate of its clients and reverses their lines.</summary>
internal sealed class OpenSslServer : IAsyncDisposable
{
    private readonly RunningProgram _program;

    private OpenSslServer(RunningProgram program, string address)
    {
        _program = program;
        Address = address;
    }

    internal string Address { get; }

    internal static async Task<OpenSslServer> StartAsync(Workshop workshop, string tls, TestCertificateFiles certificate, params string[] arguments)
    {
        var program = RunningProgram.Start(
            Tool.Find("openssl"),
            [
                "s_server", "-accept", "127.0.0.1:0", "-rev", "-cert", certificate.Leaf, "-key", certificate.Key,
                .. certificate.Intermediates is { } intermediates ? ["-cert_chain", intermediates] : Array.Empty<string>(),
                "-CAfile", workshop.Trust, "-Verify", "3", "-verify_return_error", tls == "1.3" ? "-tls1_3" : "-tls1_2",
                .. arguments,
            ]);
        try
        {
            return new OpenSslServer(program, (await program.LineAsync("ACCEPT "))["ACCEPT ".Length..].Trim());
        }
        catch
        {
            await program.DisposeAsync();
            throw;
        }
    }

    /// <summary>What it says of a handshake that failed.</summary>
    internal Task<string> ErrorLineAsync(string text) => _program.ErrorLineAsync(text);

    public ValueTask DisposeAsync() => _program.DisposeAsync();
}
