using System.Numerics;
using BenchmarkDotNet.Attributes;
using MutualAuth.Evidence;
using MutualAuth.Revocation;
using MutualAuth.Testing;
using MutualAuth.Testing.Revocation;
using MutualAuth.Validation;

namespace MutualAuth.Benchmarks.Parts;

/// <summary>A whole verdict with a revocation list of so many entries; none for 0.</summary>
[MemoryDiagnoser]
public class RevocationBenchmarks
{
    private readonly DateTimeOffset _now = TimeProvider.System.GetUtcNow();
    private CertificateStage _stage = null!;
    private PeerEvidence _evidence = null!;

    [Params(0, 1, 1000, 1_000_000)]
    public int Revoked { get; set; }

    internal static RevocationLists Lists(TestAuthority authority, int count, DateTimeOffset at) => RevocationLists.FromDer(authority.IssueCrl(
        spec => spec with
        { Revoked = [.. Enumerable.Range(1, count).Select(serial => new RevokedCertificate(new BigInteger(serial), at.AddHours(-2)))] }).Raw);

    [GlobalSetup]
    public void Setup()
    {
        using var authority = new TestAuthority();
        using var client = authority.IssueClient("client.test");
        _evidence = new PeerEvidence(PeerRole.Client, [client.RawCertificate]);
        _stage = new CertificateStage(new CertificateStageOptions
        {
            Trust = authority.ToTrustAnchors(),
            Authorization = Authorize.AnyTrustedPeer,
            Revocation = Revoked == 0 ? null : new RevocationPolicy { Lists = Lists(authority, Revoked, _now) },
        });
    }

    [Benchmark]
    public bool Verdict() => _stage.Judge(_evidence, _now) is CertificateVerdict.Accepted;
}
