using System.Net.Security;
using System.Security.Authentication;

namespace MutualAuth.Benchmarks.Scale;

/// <summary>A transport that keeps what is written and never answers: it holds the ClientHello that the platform sends.</summary>
internal sealed class HelloRecorder : MemoryStream
{
    internal static async Task<byte[]> RecordAsync(SslProtocols version)
    {
        await using var recorder = new HelloRecorder();
        await using var tls = new SslStream(recorder, leaveInnerStreamOpen: true);
        try
        {
            await tls.AuthenticateAsClientAsync(
                new SslClientAuthenticationOptions { TargetHost = "server.test", EnabledSslProtocols = version, AllowTlsResume = false });
        }
        catch (IOException)
        {
            // Nobody answers, which the engine takes for the end of the stream.
        }

        return recorder.ToArray();
    }

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) => ValueTask.FromResult(0);
}
