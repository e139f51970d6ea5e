using System.Security.Cryptography.X509Certificates;
using MutualAuth.Testing;

namespace MutualAuth.Conformance.Differential;

/// <summary>A small public-key infrastructure that a seed makes, with a few things wrong in it, and what a client of it would send.</summary>
/// <param name="Seed">Makes the very same case again.</param>
/// <param name="Root">The anchor.</param>
/// <param name="Leaf">The client's certificate.</param>
/// <param name="Others">What it sends along, in an order of chance.</param>
/// <param name="At">The time of the judgement.</param>
/// <param name="Story">What was done to the certificates.</param>
public sealed record GeneratedCase(
    int Seed, ReadOnlyMemory<byte> Root, ReadOnlyMemory<byte> Leaf, IReadOnlyList<ReadOnlyMemory<byte>> Others, DateTimeOffset At, string Story);

/// <summary>Makes cases by chance: valid ones as often as not, so that both verdicts are compared.</summary>
public sealed class CaseGenerator
{
    private static readonly DateTimeOffset s_now = new(2026, 6, 1, 12, 0, 0, TimeSpan.Zero);
    private static readonly string[] s_names = ["a.test", "b.a.test", "*.a.test", "c.example", "*.c.example"];

    private readonly Random _random;
    private readonly List<string> _story = [];
    private readonly int _seed;

    private CaseGenerator(int seed)
    {
        _seed = seed;
        _random = new Random(seed);
    }

    /// <summary>Makes the case of a seed.</summary>
    public static GeneratedCase Make(int seed) => new CaseGenerator(seed).Make();

    private GeneratedCase Make()
    {
        using var root = new TestAuthority("Root", spec => Authority(spec, "root", 0), new FixedClock(s_now));
        var authorities = new List<TestAuthority> { root };
        var sent = new List<ReadOnlyMemory<byte>>();
        for (var depth = _random.Next(4); depth > 0; depth--)
        {
            var name = Chance(10) ? "Root" : $"Intermediate {depth}";
            var next = authorities[^1].IssueIntermediate(name, spec => Authority(spec, $"ca{authorities.Count}", authorities.Count));
            authorities.Add(next);
            sent.Add(next.AsCertificate.RawCertificate);
            if (Chance(25))
            {
                _story.Add("cross-signed");
                using var cross = authorities[_random.Next(authorities.Count - 1)].CrossSign(
                    next, spec => Authority(spec with { }, "cross", authorities.Count) with { Key = spec.Key });
                sent.Add(cross.AsCertificate.RawCertificate);
            }
        }

        using var leaf = authorities[^1].Issue(Leaf);
        var der = leaf.RawCertificate.ToArray();
        if (Chance(8))
        {
            var at = _random.Next(der.Length);
            der[at] ^= (byte)(1 << _random.Next(8));
            _story.Add($"leaf bit flipped at {at}");
        }

        if (sent.Count > 0 && Chance(8))
        {
            sent.RemoveAt(_random.Next(sent.Count));
            _story.Add("one not sent");
        }

        var others = sent.ToArray();
        _random.Shuffle(others);
        authorities.Skip(1).ToList().ForEach(authority => authority.Dispose());
        return new GeneratedCase(
            _seed, root.AsCertificate.RawCertificate, der, others, s_now, string.Join("; ", _story.DefaultIfEmpty("nothing wrong")));
    }

    private CertificateSpec Authority(CertificateSpec spec, string who, int index)
    {
        var key = Chance(15) ? TestKey.Shared(KeyAlgorithm.Rsa2048, index % 4) : TestKey.Shared(KeyAlgorithm.EcdsaP256, index % 8);
        spec = spec with { Key = key, SerialNumber = _random.Next(1, int.MaxValue) };
        return Chance(70) ? spec : _random.Next(10) switch
        {
            0 => Told($"{who} expired", spec with { NotAfter = s_now.AddDays(-1) }),
            1 => Told($"{who} without basic constraints", spec with { BasicConstraints = null }),
            2 => Told($"{who} path length 0", spec with { BasicConstraints = new(true, 0) }),
            3 => Told($"{who} path length 1", spec with { BasicConstraints = new(true, 1) }),
            4 => Told($"{who} may not sign", spec with { KeyUsage = X509KeyUsageFlags.CrlSign }),
            5 => Told($"{who} for servers", spec with { ExtendedKeyUsages = [ExtendedKeyUsage.ServerAuth] }),
            6 => Told($"{who} for clients", spec with { ExtendedKeyUsages = [ExtendedKeyUsage.ClientAuth] }),
            7 => Told($"{who} unknown critical", spec with { Extensions = [CertificateExtension.UnknownCritical] }),
            8 => Constrained(who, spec),
            _ => Told($"{who} corrupt signature", spec with { CorruptSignature = true }),
        };
    }

    private CertificateSpec Constrained(string who, CertificateSpec spec)
    {
        string[] bases = ["a.test", "test", "c.example", "x.a.test"];
        var name = bases[_random.Next(bases.Length)];
        return Chance(50)
            ? Told($"{who} permits {name}", spec with { NameConstraints = new() { Permitted = [GeneralName.Dns(name)] } })
            : Told($"{who} excludes {name}", spec with { NameConstraints = new() { Excluded = [GeneralName.Dns(name)] } });
    }

    private CertificateSpec Leaf(CertificateSpec spec)
    {
        var name = s_names[_random.Next(s_names.Length)];
        _story.Add($"leaf {name}");
        spec = spec with { DnsNames = [name], Key = TestKey.Shared(KeyAlgorithm.EcdsaP256, 9), SerialNumber = _random.Next(1, int.MaxValue) };
        return Chance(70) ? spec : _random.Next(14) switch
        {
            0 => Told("leaf expired", spec with { NotAfter = s_now.AddDays(-1) }),
            1 => Told("leaf not yet valid", spec with { NotBefore = s_now.AddDays(1) }),
            2 => Told("leaf for servers", spec with { ExtendedKeyUsages = [ExtendedKeyUsage.ServerAuth] }),
            3 => Told("leaf without purpose", spec with { ExtendedKeyUsages = [] }),
            4 => Told("leaf unknown critical", spec with { Extensions = [CertificateExtension.UnknownCritical] }),
            5 => Told("leaf an authority", spec with { BasicConstraints = new(true) }),
            6 => Told("leaf RSA 1024", spec with { Key = TestKey.Shared(KeyAlgorithm.Rsa1024) }),
            9 => Told("leaf with a boolean that is neither", WithExtension(spec with { BasicConstraints = null }, "2.5.29.19", 0x30, 3, 1, 1, 1)),
            10 => Sloppy("cA FALSE", spec with { BasicConstraints = null, Extensions = [new("2.5.29.19", true, new byte[] { 0x30, 3, 1, 1, 0 })] }),
            11 => Sloppy("usage with zero bits", spec with { KeyUsage = null, Extensions = [new("2.5.29.15", true, new byte[] { 3, 2, 0, 0x80 })] }),
            12 => Sloppy("issuer's names empty", spec with { Extensions = [new("2.5.29.18", false, new byte[] { 0x30, 0 })] }),
            13 => Told("leaf with ones behind its usages", WithExtension(spec with { KeyUsage = null }, "2.5.29.15", 3, 2, 7, 0xc0)),
            7 => Told("leaf without key identifier", spec with { AuthorityKeyIdentifier = KeyIdentifier.Absent }),
            _ => Told("leaf corrupt signature", spec with { CorruptSignature = true }),
        };
    }

    private static CertificateSpec WithExtension(CertificateSpec spec, string oid, params byte[] value) =>
        spec with { Extensions = [new(oid, true, value)] };

    private CertificateSpec Sloppy(string what, CertificateSpec spec) => Told($"leaf sloppy: {what}", spec);

    private CertificateSpec Told(string what, CertificateSpec spec)
    {
        _story.Add(what);
        return spec;
    }

    private bool Chance(int percent) => _random.Next(100) < percent;

    private sealed class FixedClock(DateTimeOffset now) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => now;
    }
}
