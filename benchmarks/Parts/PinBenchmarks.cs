using System.Buffers.Binary;
using System.Security.Cryptography;
using BenchmarkDotNet.Attributes;
using MutualAuth.Names;
using MutualAuth.Pinning;

namespace MutualAuth.Benchmarks.Parts;

/// <summary>Looking one key up among many pins.</summary>
[MemoryDiagnoser]
public class PinBenchmarks
{
    private PinSet _pins = null!;
    private SpkiPin _there = null!;
    private SpkiPin _absent = null!;

    [Params(2, 1000, 1_000_000)]
    public int Count { get; set; }

    internal static SpkiPin Pin(int number)
    {
        Span<byte> key = stackalloc byte[4];
        BinaryPrimitives.WriteInt32BigEndian(key, number);
        return SpkiPin.Parse("sha256/" + Convert.ToBase64String(SHA256.HashData(key)));
    }

    [GlobalSetup]
    public void Setup()
    {
        _pins = PinSet.Of(Enumerable.Range(0, Count).Select(Pin));
        _there = Pin(Count / 2);
        _absent = Pin(-1);
    }

    [Benchmark]
    public bool Hit() => _pins.Contains(_there);

    [Benchmark]
    public bool Miss() => _pins.Contains(_absent);
}
