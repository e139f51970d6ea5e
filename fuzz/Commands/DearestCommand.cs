using System.Collections.Immutable;
using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using MutualAuth.Evidence;
using MutualAuth.Validation;

namespace MutualAuth.Fuzz.Commands;

/// <summary>
/// Climbs towards the list of certificates whose judgement costs most, and compares it with that of an honest peer who comes for the first time.
/// </summary>
internal static class DearestCommand
{
    private const int MaxOctets = 100 * 1024; // of a list, as OpenSSL has it by default
    private const int MaxCertificates = 16;
    private const int Survivors = 12;
    private const double MostHonestVerdicts = 16;
    private const double MostMemory = 4 * 1024 * 1024;

    private static readonly DateTimeOffset s_at = new(2026, 6, 1, 0, 0, 0, TimeSpan.Zero);

    internal static int Run(Arguments arguments)
    {
        var random = new Random(arguments.Number("--seed", 1));
        var until = Stopwatch.GetTimestamp() + (arguments.Number("--seconds", 60) * Stopwatch.Frequency);
        using var authority = new Authority();
        var honest = authority.Honest();
        for (var again = 0; again < 200; again++)
        {
            honest = honest.Least(authority.Honest());
        }

        // Two populations, as what takes most time and what takes most memory are seldom the same.
        var slow = Enumerable.Range(0, Survivors).Select(_ => authority.Judge([Random(random), Random(random)], random.Next(4))).ToList();
        var large = slow.ToList();
        var tried = 0L;
        while (Stopwatch.GetTimestamp() < until)
        {
            var parents = random.Next(2) == 0 ? slow : large;
            var parent = parents[random.Next(Survivors)];
            var child = authority.Judge(Mutate(Cross(parent, parents[random.Next(Survivors)], random), random), random.Next(8) == 0
                ? random.Next(4) : parent.Genuine);
            tried++;
            Admit(slow, child, found => found.Microseconds, authority);
            Admit(large, child, found => found.Allocated, authority);
            if (tried % 500 == 0)
            {
                // What was dear once and is not again was the machine's doing.
                var again = random.Next(Survivors);
                slow[again] = slow[again].Least(authority.Judge(slow[again].List, slow[again].Genuine));
            }
        }

        // The honest one and the dearest ones alternate, so that both meet the same machine; the least of each counts.
        for (var again = 0; again < 10; again++)
        {
            slow = [.. slow.Select(found => found.Least(authority.Judge(found.List, found.Genuine)))];
        }

        var slowest = slow.MaxBy(found => found.Microseconds)!;
        var largest = large.MaxBy(found => found.Allocated)!;
        for (var again = 0; again < 40; again++)
        {
            honest = honest.Least(authority.Honest());
            slowest = slowest.Least(authority.Judge(slowest.List, slowest.Genuine));
            largest = largest.Least(authority.Judge(largest.List, largest.Genuine));
        }

        Console.WriteLine($"{tried} lists; an honest first visit costs {honest}");
        Console.WriteLine(
            string.Create(
                CultureInfo.InvariantCulture,
                $"slowest: {slowest.Microseconds / honest.Microseconds:0.0} honest verdicts (at most {MostHonestVerdicts}): {slowest}"));
        Console.WriteLine(
            string.Create(CultureInfo.InvariantCulture, $"largest: {largest.Allocated / 1024.0 / 1024.0:0.00} MiB (at most 4): {largest}"));
        if (arguments.OptionalWord(0) is { } file)
        {
            File.WriteAllBytes(file, [.. slowest.Certificates.SelectMany(certificate => certificate.ToArray())]);
        }

        return slowest.Microseconds <= MostHonestVerdicts * honest.Microseconds && largest.Allocated <= MostMemory ? 0 : 1;
    }

    /// <summary>Puts a child in the place of the weakest when it is dearer, also the second and third time that it is measured.</summary>
    private static void Admit(List<Found> population, Found child, Func<Found, double> cost, Authority authority)
    {
        var weakest = population.MinBy(cost)!;
        for (var again = 0; again < 2 && cost(child) > cost(weakest); again++)
        {
            child = child.Least(authority.Judge(child.List, child.Genuine));
        }

        if (cost(child) > cost(weakest))
        {
            population[population.IndexOf(weakest)] = child;
        }
    }

    /// <summary>Seldom a list that begins as one does and ends as another.</summary>
    private static ImmutableArray<CertificateGene> Cross(Found one, Found other, Random random) => random.Next(6) == 0
        ? [.. one.List.Take(random.Next(1, one.List.Length + 1)), .. other.List.Skip(random.Next(other.List.Length)).Take(MaxCertificates)]
        : one.List;

    private static CertificateGene Random(Random random) => Mutate(new CertificateGene { Issuer = 0, Subject = 1 }, random);

    private static ImmutableArray<CertificateGene> Mutate(ImmutableArray<CertificateGene> list, Random random)
    {
        list = list.Length > MaxCertificates ? list[..MaxCertificates] : list;
        for (var changes = random.Next(1, 4); changes > 0; changes--)
        {
            var at = random.Next(list.Length);
            list = random.Next(8) switch
            {
                0 when list.Length < MaxCertificates => list.Insert(at, list[at] with { Subject = random.Next(1, 5) }),
                1 when list.Length > 1 => list.RemoveAt(at),
                2 => [.. list.Select(_ => list[at])],
                _ => list.SetItem(at, Mutate(list[at], random)),
            };
        }

        return list;
    }

    private static CertificateGene Mutate(CertificateGene gene, Random random)
    {
        int Size(int most) => (int)Math.Pow(most, random.NextDouble());
        return random.Next(22) switch
        {
            0 => gene with { Subject = random.Next(0, 5) },
            1 => gene with { Issuer = random.Next(0, 5) },
            2 => gene with { Key = random.Next(CertificateGene.Keys) },
            3 => gene with { HasKeyIds = !gene.HasKeyIds },
            4 => gene with { Attributes = Size(255) },
            5 => gene with { AttributeLength = Size(8000) },
            6 => gene with { StringType = ((byte[])[0x0c, 0x13, 0x14, 0x1e, 0x1c, 0x04])[random.Next(6)] },
            7 => gene with { NameForm = random.Next(10) },
            8 => gene with { Names = Size(16_000) },
            9 => gene with { NameLength = random.Next(4) == 0 ? 0 : Size(32_000) },
            10 => gene with { ConstraintForm = ((int[])[1, 2, 4, 6])[random.Next(4)] },
            11 => gene with { Constraints = Size(8000) },
            12 => gene with { ConstraintLength = random.Next(4) == 0 ? 0 : Size(300) },
            13 => gene with { Policies = Size(5000) },
            14 => gene with { Mappings = Size(3000) },
            15 => gene with { Purposes = Size(10_000) },
            16 => gene with { IdentifierLength = Size(8000) },
            17 => gene with { Extensions = Size(60), ExtensionLength = Size(2000) },
            18 => gene with { AttributesInOneStep = Size(255) },
            19 => gene with { ListKind = random.Next(6), Items = Size(16_000), ItemLength = random.Next(2) == 0 ? 0 : Size(300) },
            20 => gene with { Flaw = random.Next(4) },
            _ => gene with { Names = 0, Constraints = 0, Policies = 0, Mappings = 0, Purposes = 0, Items = 0, Extensions = 0 },
        };
    }

    /// <summary>A list, and what judging it cost.</summary>
    private sealed record Found(
        ImmutableArray<CertificateGene> List,
        int Genuine,
        ImmutableArray<ReadOnlyMemory<byte>> Certificates,
        double Microseconds,
        long Allocated,
        string Verdict)
    {
        internal Found Least(Found other) =>
            this with { Microseconds = Math.Min(Microseconds, other.Microseconds), Allocated = Math.Min(Allocated, other.Allocated) };

        public override string ToString() => string.Create(
            CultureInfo.InvariantCulture,
            $"{Microseconds:0} µs, {Allocated} octets of memory, {Certificates.Length} certificates of "
                + $"{Certificates.Sum(der => der.Length)} octets, {Verdict}")
            + string.Concat(List.Distinct().Take(4).Select(gene => $"\n    {gene}"));
    }

    /// <summary>An authority of P-256 with two intermediates, whose certificates a stranger may have seen and sends along.</summary>
    private sealed class Authority : IDisposable
    {
        private readonly X509Certificate2 _root;
        private readonly ImmutableArray<ReadOnlyMemory<byte>> _honest;
        private readonly CertificateStageOptions _options;
        private readonly byte[] _rootKeyId;

        internal Authority()
        {
            using var rootKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
            var request = Request("Root", rootKey, isAuthority: true);
            _root = request.CreateSelfSigned(s_at.AddYears(-1), s_at.AddYears(10));
            _rootKeyId = _root.Extensions.OfType<X509SubjectKeyIdentifierExtension>().Single().SubjectKeyIdentifierBytes.ToArray();
            using var first = Issue("First", _root, rootKey, isAuthority: true, out var firstKey);
            using var second = Issue("Second", first, firstKey, isAuthority: true, out var secondKey);
            using var leaf = Issue("client.test", second, secondKey, isAuthority: false, out var leafKey);
            firstKey.Dispose();
            secondKey.Dispose();
            leafKey.Dispose();
            _honest = [leaf.RawData, second.RawData, first.RawData];
            _options = new CertificateStageOptions { Trust = TrustAnchors.From(_root), Authorization = Authorize.AnyTrustedPeer };
        }

        public void Dispose() => _root.Dispose();

        internal Found Honest() => Cost([], 0, _honest);

        /// <summary>Judges a list, with so many genuine certificates behind it; one that is too long ends where it would be.</summary>
        internal Found Judge(ImmutableArray<CertificateGene> list, int genuine)
        {
            var certificates = ImmutableArray.CreateBuilder<ReadOnlyMemory<byte>>();
            var octets = 0;
            for (var i = 0; i < list.Length && certificates.Count < MaxCertificates; i++)
            {
                if (list[i].Encode(isLeaf: i == 0, _rootKeyId) is { } der && octets + der.Length <= MaxOctets)
                {
                    certificates.Add(der);
                    octets += der.Length;
                }
            }

            certificates.AddRange(_honest.Skip(1).Take(Math.Min(genuine, MaxCertificates - certificates.Count)));
            return Cost(list, genuine, certificates.Count == 0 ? _honest : certificates.DrainToImmutable());
        }

        private Found Cost(ImmutableArray<CertificateGene> list, int genuine, ImmutableArray<ReadOnlyMemory<byte>> certificates)
        {
            // A stage of its own each time: nobody has been here before.
            var stage = new CertificateStage(_options);
            var evidence = new PeerEvidence(PeerRole.Client, certificates);
            CertificateVerdict? verdict = null;
            var (microseconds, allocated) = ProcessorTime.Of(() => verdict = stage.Judge(evidence, s_at));
            return new Found(list, genuine, certificates, microseconds, allocated, verdict is CertificateVerdict.Rejected rejected
                ? rejected.Rejection.Reason.ToString()
                : "accepted");
        }

        private static X509Certificate2 Issue(string name, X509Certificate2 issuer, ECDsa issuerKey, bool isAuthority, out ECDsa key)
        {
            key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
            var request = Request(name, key, isAuthority);
            request.CertificateExtensions.Add(
                X509AuthorityKeyIdentifierExtension.CreateFromCertificate(issuer, includeKeyIdentifier: true, includeIssuerAndSerial: false));
            return request.Create(
                issuer.SubjectName,
                X509SignatureGenerator.CreateForECDsa(issuerKey),
                s_at.AddMonths(-6),
                s_at.AddYears(5),
                Guid.NewGuid().ToByteArray());
        }

        private static CertificateRequest Request(string name, ECDsa key, bool isAuthority)
        {
            var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
            request.CertificateExtensions.Add(new X509BasicConstraintsExtension(isAuthority, false, 0, true));
            request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, false));
            if (!isAuthority)
            {
                var names = new SubjectAlternativeNameBuilder();
                names.AddDnsName(name);
                request.CertificateExtensions.Add(names.Build());
                request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid("1.3.6.1.5.5.7.3.2")], false));
            }

            return request;
        }
    }
}
