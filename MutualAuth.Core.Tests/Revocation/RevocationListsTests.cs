using System.Buffers.Binary;
using System.Numerics;
using System.Text;
using CsCheck;
using MutualAuth.Names;
using MutualAuth.Revocation;
using MutualAuth.Testing;
using MutualAuth.Testing.Revocation;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Revocation;

public sealed class RevocationListsTests
{
    private static readonly DateTimeOffset s_now = new(2030, 6, 1, 12, 0, 0, TimeSpan.Zero);
    private static readonly RevocationWorld s_world = new();

    private string _directory = null!;

    [SetUp]
    public void MakeDirectory() => _directory = Directory.CreateTempSubdirectory("mutualauth").FullName;

    [TearDown]
    public void RemoveDirectory() => Directory.Delete(_directory, recursive: true);

    [Test]
    public void A_file_holds_one_list_in_DER_or_any_number_in_PEM()
    {
        var root = s_world.RootCrl();
        var issuing = s_world.IssuingCrl();
        var der = Write("a.crl", root.Raw.ToArray());
        var pem = Write(
            "b.pem", Encoding.ASCII.GetBytes($"first\n{root.Pem}\nsecond\r\n{issuing.Pem.Replace("\n", "\r\n", StringComparison.Ordinal)}"));

        RevocationLists.FromFiles(der).Lists.Should().HaveCount(1);
        RevocationLists.FromFiles(pem).Lists.Should().HaveCount(2);
        RevocationLists.FromFiles(der, pem).Lists.Should().HaveCount(2, "the same list counts once");
        RevocationLists.FromPem(issuing.Pem).Lists.Should().HaveCount(1);
    }

    [Test]
    public void A_list_tells_its_facts()
    {
        var list = RevocationLists.FromDer(
            s_world.IssuingCrl(crl => crl with { Number = 0x1234, Revoked = [new RevokedCertificate(7, s_now)] }).Raw).Lists.Single();

        list.Issuer.Should().Be(DistinguishedName.Parse("CN=Issuing"));
        list.Number.Should().Be("1234");
        list.ThisUpdate.Should().Be(s_now.AddHours(-1));
        list.NextUpdate.Should().Be(s_now.AddDays(7));
        list.Count.Should().Be(1);
    }

    [Test]
    public void The_set_runs_out_with_the_first_of_its_lists()
    {
        var lists = s_world.Lists(crl => crl with { NextUpdate = s_now.AddDays(2) });

        lists.NextUpdate.Should().Be(s_now.AddDays(2));
        RevocationLists.Empty.NextUpdate.Should().BeNull();
    }

    private static IEnumerable<TestCaseData> Unusable()
    {
        yield return Case("an unknown critical extension", Extra("1.3.6.1.4.1.99999.1", critical: true));
        yield return Case(
            "an extension twice", crl => crl with { Extensions = [new CertificateExtension("2.5.29.20", false, new byte[] { 2, 1, 1 })] });
        yield return Case("a delta without a number", crl => crl with { DeltaBase = 1, Number = null });
        yield return Case("a delta on a negative number", crl => crl with { DeltaBase = -1 });
        yield return Case("an indirect list", crl => crl with { IssuingDistributionPoint = new IssuingDistributionPoint { Indirect = true } });
        yield return Case("an empty scope", Extra("2.5.29.28", critical: true, [0x30, 0]));
        yield return Case(
            "a scope of two kinds",
            crl => crl with { IssuingDistributionPoint = new IssuingDistributionPoint { OnlyAuthorities = true, OnlyEndEntities = true } });
        yield return Case("a scope that writes FALSE", Extra("2.5.29.28", critical: true, [0x30, 3, 0x81, 1, 0]));
        yield return Case("a scope of no reason", Extra("2.5.29.28", critical: true, [0x30, 3, 0x83, 1, 0]));
        yield return Case("a negative number", crl => crl with { Number = -1 });
        yield return Case("a number of 21 octets", crl => crl with { Number = BigInteger.Pow(2, 161) });
        yield return Case(
            "an unknown critical extension of an entry", Entry(new CertificateExtension("1.3.6.1.4.1.99999.1", true, new byte[] { 5, 0 })));
        yield return Case(
            "an entry of another issuer", crl => crl with { Revoked = [new RevokedCertificate(7, s_now) { CertificateIssuer = "CN=Other" }] });
        yield return Case("a reason that does not exist", Entry(new CertificateExtension("2.5.29.21", false, new byte[] { 10, 1, 7 })));
        yield return Case("removeFromCRL in a full list", Entry(new CertificateExtension("2.5.29.21", false, new byte[] { 10, 1, 8 })));
        yield return Case("a reason that is no ENUMERATED", Entry(new CertificateExtension("2.5.29.21", false, new byte[] { 2, 1, 1 })));
        yield return Case("SHA-1", crl => crl with { SignatureAlgorithm = SignatureAlgorithm.EcdsaSha1 });
        yield return Case("the next update before this one", crl => crl with { NextUpdate = crl.ThisUpdate.AddSeconds(-1) });
        yield return Case("no issuer", crl => crl with { Issuer = string.Empty });
        yield return Case("another algorithm inside", Tbs(parts => parts[1] = DerEdit.Encode(der =>
        {
            using (der.PushSequence())
            {
                der.WriteObjectIdentifier("1.2.840.10045.4.3.3");
            }
        })));
        yield return Case("version 3", Tbs(parts => parts[0] = [2, 1, 2]));
        yield return Case("version 1 with extensions", Tbs(parts => parts.RemoveAt(0)));
        yield return Case(
            "GeneralizedTime before 2050",
            Tbs(parts => parts[3] = DerEdit.Encode(der => der.WriteGeneralizedTime(s_now.AddDays(-1), omitFractionalSeconds: true))));
        yield return Case("a value after the extensions", Tbs(parts => parts.Add([5, 0])));
        yield return Case(
            "an integer that is not the shortest",
            Tbs(parts => parts.Insert(5, [0x30, 0x15, 0x30, 0x13, 2, 2, 0, 1, 0x17, 13, .. "300601120000Z"u8])));
        yield return Case("an entry without a date", Tbs(parts => parts.Insert(5, [0x30, 5, 0x30, 3, 2, 1, 1])));
        yield return Case("a length that is not the shortest", Tbs(parts => parts[0] = [2, 0x81, 1, 1]));
        yield return Case("the number -128", crl => crl with { Number = -128 });
        yield return Case("a delta on the number -128", crl => crl with { DeltaBase = -128 });
        yield return Case(
            "a delta on a number of 21 octets", crl => crl with { DeltaBase = BigInteger.Pow(2, 161), Number = BigInteger.Pow(2, 158) });
        yield return Case(
            "a value behind the number", crl => crl with { Number = null, Extensions = [new("2.5.29.20", false, new byte[] { 2, 1, 1, 5, 0 })] });
        yield return Case("a value behind the scope", Extra("2.5.29.28", critical: true, [0x30, 3, 0x81, 1, 0xff, 5, 0]));
        yield return Case("a pointer to deltas that is no sequence", Extra("2.5.29.46", critical: false));
        yield return Case("other names of the issuer that are no sequence", Extra("2.5.29.18", critical: false));
        yield return Case("addresses of the authority that are no sequence", Extra("1.3.6.1.5.5.7.1.1", critical: false));
        yield return Case("a serial number of 128 octets", Serial(128));
        yield return Case("a value behind a reason", Entry(new CertificateExtension("2.5.29.21", false, new byte[] { 10, 1, 1, 5, 0 })));
        yield return Case(
            "since when the key is bad, in the time of certificates",
            Entry(new CertificateExtension("2.5.29.24", false, DerEdit.Encode(der => der.WriteUtcTime(s_now)))));
        yield return Case(
            "a value behind since when the key is bad",
            Entry(new CertificateExtension(
                "2.5.29.24", false, (byte[])[.. DerEdit.Encode(der => der.WriteGeneralizedTime(s_now, omitFractionalSeconds: true)), 5, 0])));
        yield return Case(
            "a value behind the extensions of an entry",
            Tbs(parts => parts.Insert(
                5,
                [
                    0x30, 0x24, 0x30, 0x22, 2, 1, 1,
                    0x17, 13, .. "300601120000Z"u8,
                    .. Convert.FromHexString("300c300a0603551d1504030a0101"),
                    5, 0,
                ])));
    }

    [TestCaseSource(nameof(Unusable))]
    public void A_list_that_must_not_be_relied_on_is_an_error_and_never_skipped(Func<CrlSpec, CrlSpec> shape)
    {
        var good = s_world.RootCrl();
        var bad = s_world.IssuingCrl(shape);
        var path = Write("lists.pem", Encoding.ASCII.GetBytes(good.Pem + bad.Pem));

        FluentActions.Invoking(() => RevocationLists.FromFiles(path)).Should().Throw<MaterialException>().WithMessage($"*{path}, list 2,*");
        FluentActions.Invoking(() => RevocationLists.FromDer(good.Raw, bad.Raw)).Should().Throw<MaterialException>();
        FluentActions.Invoking(() => RevocationLists.FromDer(good.Raw)).Should().NotThrow();
    }

    private static IEnumerable<TestCaseData> Usable()
    {
        yield return Case("an unknown extension", Extra("1.3.6.1.4.1.99999.1", critical: false));
        yield return Case("an unknown extension of an entry", Entry(new CertificateExtension("1.3.6.1.4.1.99999.1", false, new byte[] { 5, 0 })));
        yield return Case("a pointer to deltas", crl => crl with { FreshestCrlUris = ["http://lists.test/delta.crl"] });
        yield return Case("a number of 20 octets", crl => crl with { Number = BigInteger.Pow(2, 158) });
        yield return Case("a reason that exists", Entry(new CertificateExtension("2.5.29.21", false, new byte[] { 10, 1, 10 })));
        yield return Case(
            "since when the key is bad",
            Entry(new CertificateExtension("2.5.29.24", false, DerEdit.Encode(der => der.WriteGeneralizedTime(s_now, omitFractionalSeconds: true)))));
        yield return Case(
            "an integer that is the shortest", Tbs(parts => parts.Insert(5, [0x30, 0x14, 0x30, 0x12, 2, 1, 1, 0x17, 13, .. "300601120000Z"u8])));
        yield return Case("the number 127", crl => crl with { Number = 127 });
        yield return Case("the number 128", crl => crl with { Number = 128 });
        yield return Case("other names of the issuer", Extra("2.5.29.18", critical: false, [0x30, 3, 0x82, 1, (byte)'a']));
        yield return Case(
            "addresses of the authority", Extra("1.3.6.1.5.5.7.1.1", critical: false, Convert.FromHexString("300f300d06082b06010505073001860161")));
        yield return Case("a serial number of 127 octets", Serial(127));
        yield return Case("that runs out when it is made", crl => crl with { ThisUpdate = s_now, NextUpdate = s_now });
        yield return Case("after 2050", crl => crl with { NextUpdate = new DateTimeOffset(2051, 1, 1, 0, 0, 0, TimeSpan.Zero) });
    }

    [TestCaseSource(nameof(Usable))]
    public void A_list_that_may_be_relied_on_loads(Func<CrlSpec, CrlSpec> shape) =>
        s_world.Judge(s_world.Lists(shape)).Should().BeNull();

    [Test]
    public void A_file_that_is_empty_or_holds_something_else_clears_nothing()
    {
        var crl = s_world.RootCrl();
        foreach (var (name, content) in new[]
        {
            ("empty", string.Empty),
            ("no block", "nothing here"),
            ("a certificate", s_world.Root.CertificatePem),
            ("a key beside it", crl.Pem + s_world.Client.PrivateKeyPem),
            ("cut off", crl.Pem[..(crl.Pem.Length / 2)]),
            ("cut off behind a good one", crl.Pem + crl.Pem[..(crl.Pem.Length / 2)]),
            ("not Base64", crl.Pem.Replace("MI", "!!", StringComparison.Ordinal)),
            ("not Base64 before a good one", crl.Pem.Replace("MI", "!!", StringComparison.Ordinal) + crl.Pem),
            ("one octet of DER", "0"),
            ("two octets", "0\u007f"),
        })
        {
            var path = Write("list.pem", Encoding.ASCII.GetBytes(content));
            FluentActions.Invoking(() => RevocationLists.FromFiles(path)).Should().Throw<MaterialException>(name).WithMessage($"*{path}*");
        }

        FluentActions.Invoking(() => RevocationLists.FromFiles(Path.Combine(_directory, "missing"))).Should().Throw<MaterialException>();
        FluentActions.Invoking(() => RevocationLists.FromFiles()).Should().Throw<MaterialException>();
        FluentActions.Invoking(() => RevocationLists.FromFiles(Write("half.crl", crl.Raw[..^1].ToArray()))).Should().Throw<MaterialException>();
        FluentActions.Invoking(() => RevocationLists.FromDer(DerEdit.Sequence(crl.Raw.ToArray(), parts => parts.Add([5, 0]))))
            .Should().Throw<MaterialException>("a value stands behind the signature");
        FluentActions.Invoking(() => RevocationLists.FromFiles(Write("more.crl", [.. crl.Raw.Span, 0]))).Should().Throw<MaterialException>();
    }

    [Test]
    public void An_entry_is_found_whatever_its_length()
    {
        var note = new CertificateExtension("1.3.6.1.4.1.99999.1", false, DerEdit.Encode(der => der.WriteOctetString(new byte[300])));
        var shorter = new CertificateExtension("1.3.6.1.4.1.99999.1", false, DerEdit.Encode(der => der.WriteOctetString(new byte[100])));
        var longest = (BigInteger.One << ((127 * 8) - 2)) + 5;
        BigInteger[] serials = [7, longest, 8, 9];
        var list = RevocationLists.FromDer(s_world.IssuingCrl(crl => crl with
        {
            Revoked =
            [
                new RevokedCertificate(7, s_now),
                new RevokedCertificate(longest, s_now),
                new RevokedCertificate(8, s_now) { Extensions = [shorter] },
                new RevokedCertificate(9, s_now) { Extensions = [note] },
            ],
        }).Raw).Lists.Single();

        list.Count.Should().Be(4);
        serials.Where(serial => list.TryFind(serial.ToByteArray(false, true), out _)).Should().Equal(serials);
        list.TryFind((longest + 1).ToByteArray(false, true), out _).Should().BeFalse();
        list.Serials.Select(serial => new BigInteger(serial.Span, false, true)).Should().BeEquivalentTo(serials);
    }

    [Test]
    public void A_delta_may_be_based_on_a_number_of_20_octets()
    {
        foreach (var number in new[] { 127, 128, BigInteger.Pow(2, 158) })
        {
            var list = RevocationLists.FromDer(s_world.IssuingCrl(crl => crl with { DeltaBase = number, Number = number + 1 }).Raw).Lists.Single();

            list.IsDelta.Should().BeTrue();
        }
    }

    [TestCase(0, "unspecified")]
    [TestCase(1, "keyCompromise")]
    [TestCase(2, "cACompromise")]
    [TestCase(3, "affiliationChanged")]
    [TestCase(4, "superseded")]
    [TestCase(5, "cessationOfOperation")]
    [TestCase(6, "certificateHold")]
    [TestCase(8, "removeFromCRL")]
    [TestCase(9, "privilegeWithdrawn")]
    [TestCase(10, "aACompromise")]
    public void A_reason_has_the_name_that_RFC_5280_gives_it(int number, string name)
    {
        new RevokedEntry(s_now, (RevocationReason)number).ToString().Should().Be($"revoked since 2030-06-01T12:00:00Z, reason {name}");
        Enum.IsDefined((RevocationReason)number).Should().BeTrue();
    }

    [Test]
    public void What_is_wrong_with_a_list_is_said_in_our_words()
    {
        FluentActions.Invoking(() => RevocationLists.FromDer(new byte[] { 0x30, 0x03, 0x30, 0x05, 0x00 })).Should().Throw<MaterialException>()
            .WithMessage("*: a value is not DER.*");
        FluentActions.Invoking(() => RevocationLists.FromDer(s_world.IssuingCrl(crl => crl with { Number = -1 }).Raw)).Should()
            .Throw<MaterialException>().WithMessage("*: the CRL number is negative*");
    }

    [Test]
    [NonParallelizable] // it measures the heap
    public void A_million_entries_are_found_one_by_one_and_cost_eight_octets_each_beside_the_list()
    {
        const int Count = 1_000_000;
        var entries = Entries(Count);
        var crl = s_world.IssuingCrl(spec => spec with { RewriteTbs = tbs => DerEdit.Sequence(tbs, parts => parts.Insert(5, entries)) });
        var before = GC.GetTotalMemory(forceFullCollection: true);
        var lists = RevocationLists.FromDer(s_world.RootCrl().Raw, crl.Raw);
        var kept = GC.GetTotalMemory(forceFullCollection: true) - before;

        var list = lists.Lists[1];
        list.Count.Should().Be(Count);
        kept.Should().BeLessThan(10_000_000, "the entries stay where they are, and each has a slot or two of four octets");
        for (var i = 0; i < Count; i += 997)
        {
            list.TryFind(SerialOf(i), out var entry).Should().BeTrue();
            entry.Reason.Should().Be(RevocationReason.KeyCompromise);
        }

        list.TryFind(SerialOf(Count), out _).Should().BeFalse();
        s_world.Judge(lists).Should().BeNull();
    }

    [Test]
    public void Every_serial_number_on_a_list_is_found_and_no_other()
    {
        Gen.Int[1, 2000].Array[0, 300].Sample(serials =>
        {
            var distinct = serials.Distinct().ToArray();
            var list = RevocationLists.FromDer(
                s_world.IssuingCrl(crl => crl with { Revoked = [.. distinct.Select(serial => new RevokedCertificate(serial, s_now))] }).Raw).Lists[0];

            return list.Count == distinct.Length
                && Enumerable.Range(1, 2000).All(
                    serial => list.TryFind(new BigInteger(serial).ToByteArray(isBigEndian: true), out _) == distinct.Contains(serial));
        }, iter: 30);
    }

    [Test]
    public void Whatever_the_octets_are_a_list_is_read_or_refused_in_so_many_words()
    {
        var raw = s_world.IssuingCrl(crl => crl with
        {
            Revoked =
                [new RevokedCertificate(
                    7, s_now, System.Security.Cryptography.X509Certificates.X509RevocationReason.KeyCompromise), new RevokedCertificate(8, s_now)],
            IssuingDistributionPoint = new IssuingDistributionPoint { Uri = "http://lists.test/a", OnlyEndEntities = true, OnlySomeReasons = 0x40 },
        }).Raw.ToArray();

        Gen.Select(Gen.Int[0, raw.Length - 1], Gen.Byte, Gen.Int[0, 3]).Array[1, 4].Sample(edits =>
        {
            var mutant = raw.ToList();
            foreach (var (position, value, kind) in edits.TakeWhile(_ => mutant.Count > 0))
            {
                var at = position % mutant.Count;
                switch (kind)
                {
                    case 0: mutant[at] = value; break;
                    case 1: mutant.Insert(at, value); break;
                    case 2: mutant.RemoveAt(at); break;
                    default: mutant.RemoveRange(at, Math.Min(value, mutant.Count - at - 1)); break;
                }
            }

            try
            {
                return RevocationLists.FromDer(mutant.ToArray()).Lists.Length == 1;
            }
            catch (MaterialException)
            {
                return true;
            }
        }, iter: 20_000);
    }

    private static byte[] SerialOf(int number)
    {
        var serial = new byte[10];
        WriteSerial(number, serial);
        return serial;
    }

    /// <summary>Scattered as random numbers are, and each another.</summary>
    private static void WriteSerial(int number, Span<byte> serial)
    {
        var mixed = unchecked((ulong)number * 0x9E37_79B9_7F4A_7C15);
        mixed = unchecked((mixed ^ (mixed >> 29)) * 0xBF58_476D_1CE4_E5B9);
        BinaryPrimitives.WriteUInt64BigEndian(serial[1..], mixed ^ (mixed >> 32));
        BinaryPrimitives.WriteInt32BigEndian(serial[6..], number);
        serial[0] = 0x40;
    }

    /// <summary>The value of revokedCertificates, each with the reason keyCompromise.</summary>
    private static byte[] Entries(int count)
    {
        const int Length = 2 + 12 + 15 + 14;
        ReadOnlySpan<byte> template =
        [
            0x30, Length - 2,
            2, 10, .. new byte[10],
            0x17, 13, .. "300101000000Z"u8,
            0x30, 12, 0x30, 10, 6, 3, 0x55, 0x1d, 0x15, 4, 3, 10, 1, 1,
        ];
        var content = new byte[count * Length];
        for (var i = 0; i < count; i++)
        {
            var entry = content.AsSpan(i * Length, Length);
            template.CopyTo(entry);
            WriteSerial(i, entry[4..]);
        }

        return
        [
            0x30, 0x84, (byte)(content.Length >> 24), (byte)(content.Length >> 16), (byte)(content.Length >> 8), (byte)content.Length, .. content,
        ];
    }

    private string Write(string name, byte[] content)
    {
        var path = Path.Combine(_directory, name);
        File.WriteAllBytes(path, content);
        return path;
    }

    private static TestCaseData Case(string name, Func<CrlSpec, CrlSpec> shape) => new TestCaseData(shape).SetArgDisplayNames(name);

    private static Func<CrlSpec, CrlSpec> Extra(string oid, bool critical, byte[]? value = null) =>
        crl => crl with { Extensions = [new CertificateExtension(oid, critical, value ?? [5, 0])] };

    private static Func<CrlSpec, CrlSpec> Entry(CertificateExtension extension) =>
        crl => crl with { Revoked = [new RevokedCertificate(7, s_now) { Extensions = [extension] }] };

    private static Func<CrlSpec, CrlSpec> Serial(int octets) =>
        crl => crl with { Revoked = [new RevokedCertificate(BigInteger.One << ((octets * 8) - 2), s_now)] };

    private static Func<CrlSpec, CrlSpec> Tbs(Action<List<byte[]>> edit) => crl => crl with { RewriteTbs = tbs => DerEdit.Sequence(tbs, edit) };
}
