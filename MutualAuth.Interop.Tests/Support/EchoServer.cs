using System.Globalization;

namespace MutualAuth.Tests.Support;

/// <summary>The sample EchoServer, listening.</summary>
internal sealed class EchoServer : IAsyncDisposable
{
    private EchoServer(RunningProgram program, string firstLine)
    {
        Program = program;
        Address = firstLine["listening on ".Length..];
        Port = int.Parse(Address[(Address.LastIndexOf(':') + 1)..], CultureInfo.InvariantCulture);
    }

    internal RunningProgram Program { get; }

    /// <summary>HOST:PORT, as a client wants it.</summary>
    internal string Address { get; }

    internal int Port { get; }

    internal static async Task<EchoServer> StartAsync(params string[] arguments)
    {
        var program = RunningProgram.StartSample("EchoServer", ["--listen", "127.0.0.1:0", .. arguments]);
        try
        {
            var first = await program.LineAsync();
            first.Should().StartWith("listening on ");
            return new EchoServer(program, first);
        }
        catch
        {
            await program.DisposeAsync();
            throw;
        }
    }

    /// <summary>A server that holds <paramref name="certificate"/> and lets in who is called client.test.</summary>
    internal static Task<EchoServer> StartAsync(Workshop workshop, TestCertificateFiles certificate, params string[] arguments) =>
        StartAsync(
            [
                "--certificate", certificate.Chain, "--key", certificate.Key, "--trust", workshop.Trust, "--allow-dns", Workshop.ClientName,
                .. arguments,
            ]);

    internal Task<string> LineAsync(string text = "") => Program.LineAsync(text);

    public ValueTask DisposeAsync() => Program.DisposeAsync();
}
