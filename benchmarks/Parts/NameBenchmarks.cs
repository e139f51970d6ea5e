using BenchmarkDotNet.Attributes;
using MutualAuth.Names;

namespace MutualAuth.Benchmarks.Parts;

/// <summary>Whether a name that a certificate presents is the one that was dialled.</summary>
[MemoryDiagnoser]
public class NameBenchmarks
{
    private readonly DnsName _dialled = DnsName.Parse("api.eu-west.example.com");

    [Benchmark(Baseline = true)]
    public bool Exact() => DnsNameMatcher.Matches("api.eu-west.example.com", _dialled);

    [Benchmark]
    public bool Wildcard() => DnsNameMatcher.Matches("*.eu-west.example.com", _dialled);

    [Benchmark]
    public bool Another() => DnsNameMatcher.Matches("www.eu-west.example.com", _dialled);
}
