using BenchmarkDotNet.Attributes;
using MutualAuth.Testing;

namespace MutualAuth.Benchmarks.Parts;

/// <summary>Loading a certificate, its intermediate and its key: what a reload costs, off the path of any handshake.</summary>
[MemoryDiagnoser]
public class IdentityBenchmarks
{
    private string _chain = string.Empty;
    private string _key = string.Empty;

    [Params(KeyAlgorithm.EcdsaP256, KeyAlgorithm.Rsa2048)]
    public KeyAlgorithm Algorithm { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        using var root = new TestAuthority("Root", spec => spec with { KeyAlgorithm = Algorithm });
        using var intermediate = root.IssueIntermediate("Intermediate", spec => spec with { KeyAlgorithm = Algorithm });
        using var server = intermediate.Issue(spec => spec with { KeyAlgorithm = Algorithm });
        (_chain, _key) = (server.ChainPem, server.PrivateKeyPem);
    }

    [Benchmark]
    public Identity Load() => Identity.FromPem(_chain, _key);
}
