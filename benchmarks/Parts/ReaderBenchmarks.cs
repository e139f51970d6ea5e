using System.Security.Authentication;
using BenchmarkDotNet.Attributes;
using MutualAuth.Benchmarks.Scale;
using MutualAuth.Confirmation;
using MutualAuth.Hello;

namespace MutualAuth.Benchmarks.Parts;

/// <summary>Reading what a peer sends before it is known: its ClientHello, and its verdict.</summary>
[MemoryDiagnoser]
public class ReaderBenchmarks
{
    private readonly MemoryStream _verdict = new(Frame.Encode(Confirmation.Verdict.Accepted));
    private byte[] _hello = [];

    [GlobalSetup]
    public async Task SetupAsync() => _hello = await HelloRecorder.RecordAsync(SslProtocols.Tls13);

    [Benchmark]
    public bool ClientHello() => ClientHelloParser.Parse(_hello, 16 * 1024, final: false).Hello is not null;

    [Benchmark]
    public async ValueTask<bool> Verdict()
    {
        _verdict.Position = 0;
        return (await FrameReader.ReadVerdictAsync(_verdict, CancellationToken.None)).Verdict is { IsAccepted: true };
    }
}
