using BenchmarkDotNet.Attributes;
using MutualAuth.Testing;

namespace MutualAuth.Benchmarks;

/// <summary>A verdict from DER bytes, against the platform's.</summary>
[MemoryDiagnoser]
public class PathValidationBenchmarks
{
    private PathMaterial _material = null!;

    [Params(KeyAlgorithm.EcdsaP256, KeyAlgorithm.EcdsaP384, KeyAlgorithm.Rsa2048, KeyAlgorithm.Rsa3072)]
    public KeyAlgorithm Algorithm { get; set; }

    [GlobalSetup]
    public void Setup() => _material = new PathMaterial(Algorithm);

    [GlobalCleanup]
    public void Cleanup() => _material.Dispose();

    [Benchmark(Baseline = true)]
    public bool X509ChainBuild() => _material.Platform();

    [Benchmark]
    public bool ColdPath() => _material.Cold();

    [Benchmark]
    public bool NewLeaf() => _material.NewLeaf();

    [Benchmark]
    public bool WarmPath() => _material.Warm();

    [Benchmark]
    public bool ParseOnly() => _material.Parse();

    [Benchmark]
    public bool SignaturesOnly() => _material.Signatures();
}
