using System.Buffers;
using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using MutualAuth.Asn1;
using MutualAuth.Certificates;
using MutualAuth.Reloading;
using MutualAuth.Revocation;
using MutualAuth.Testing;
using MutualAuth.Testing.Revocation;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Revocation;

/// <summary>
/// Lists so long that their text is decoded where it stands, and that they are hashed while their entries are read: they are what short ones are, and
/// what short ones may not be is refused of them too.
/// </summary>
public sealed class LongListsTests
{
    private const int Entries = 40_000;

    private static readonly TestAuthority s_authority = new("Long");
    private static readonly TestAuthority s_other = new("Short");
    private static readonly TestCrl s_long = s_authority.IssueCrl(spec => spec with { Revoked = [.. Enumerable.Range(1, Entries).Select(Revoked)] });
    private static readonly TestCrl s_short = s_other.IssueCrl(spec => spec with { Revoked = [Revoked(7)] });

    private static IEnumerable<TestCaseData> Forms()
    {
        yield return Case("as it is", text => text);
        yield return Case("with the line ends of Windows", text => text.ReplaceLineEndings("\r\n"));
        yield return Case("with spaces", text => text.Replace("\n", " \n\t", StringComparison.Ordinal));
        yield return Case("in one line", text => text.ReplaceLineEndings(string.Empty));
        yield return Case("with a text before it", text => "A list:\n" + text);
        yield return Case("with headers", text => text.Replace("CRL-----\n", "CRL-----\nComment: a list\n\n", StringComparison.Ordinal));

        static TestCaseData Case(string name, Func<string, string> form) => new TestCaseData(form).SetArgDisplayNames(name);
    }

    [TestCaseSource(nameof(Forms))]
    public void A_long_list_between_short_ones_is_read_whole_and_so_are_they(Func<string, string> form)
    {
        var text = s_short.Pem + form(s_long.Pem) + "\n" + s_authority.AsCertificate.CertificatePem + s_short.Pem;

        var content = CrlFile.Read(Encoding.UTF8.GetBytes(text), "The text");

        content.Lists.Select(list => Convert.ToHexString(SHA256.HashData(list.RawData.Span))).Should().Equal(
            Digest(s_short), Digest(s_long), Digest(s_short));
        content.Certificates.Should().Equal(s_authority.Read());
        var read = content.Lists[1];
        read.Count.Should().Be(Entries);
        read.Mark.Digest.Should().Be(Digest(s_long).ToLowerInvariant());
        read.IsSignedBy(s_authority.Read().PublicKey).Should().BeTrue();
        read.IsSignedBy(s_other.Read().PublicKey).Should().BeFalse();
        foreach (var number in (int[])[1, 2, 255, 256, Entries])
        {
            read.TryFind(Serial(number), out var entry).Should().BeTrue();
            entry.Reason.Should().Be(RevocationReason.Unspecified);
        }

        read.TryFind(Serial(Entries + 1), out _).Should().BeFalse();
        read.Serials.Count().Should().Be(Entries);
    }

    private static IEnumerable<TestCaseData> Broken()
    {
        yield return Case("a character that is none of Base64", text => At(text, text.Length / 2, '*'));
        yield return Case("a colon", text => At(text, text.Length / 2, ':'));
        yield return Case("an end in the middle", text => At(At(text, text.Length / 2, '='), (text.Length / 2) + 1, '='));
        yield return Case("one character less", text => text.Remove(text.Length / 2, text[text.Length / 2] == '\n' ? 2 : 1));
        yield return Case("no END line", text => text[..^30]);
        yield return Case("a BEGIN line within", text => text.Insert(text.Length / 2, "\n-----BEGIN X509 CRL-----\n"));
        yield return Case("a zero octet", text => At(text, text.Length / 2, '\0'));
        yield return Case("a line that is missing", text => text.Remove(65 * 1000, 65));
        yield return Case("a vertical tab", text => At(text, text.IndexOf('\n', text.Length / 2), '\v'));

        static TestCaseData Case(string name, Func<string, string> breaking) => new TestCaseData(breaking).SetArgDisplayNames(name);

        static string At(string text, int index, char other) => string.Concat(text.AsSpan(0, index), other.ToString(), text.AsSpan(index + 1));
    }

    [TestCaseSource(nameof(Broken))]
    public void What_breaks_a_short_list_breaks_a_long_one(Func<string, string> breaking)
    {
        foreach (var list in (TestCrl[])[s_long, s_other.IssueCrl(spec => spec with { Revoked = [.. Enumerable.Range(1, 2_500).Select(Revoked)] })])
        {
            var read = () => CrlFile.Read(Encoding.UTF8.GetBytes(breaking(list.Pem)), "The text");

            read.Should().Throw<MaterialException>().Which.Problem.Should().Be(MaterialProblem.Unusable);
        }
    }

    [Test]
    public void A_broken_entry_of_a_long_list_is_reported_as_that_of_a_short_one()
    {
        var der = s_long.Raw.ToArray();
        der[der.Length / 2] ^= 0xff;
        der[(der.Length / 2) + 16] ^= 0xff;

        var read = () => CrlFile.Parse(der, "The list");

        read.Should().Throw<MaterialException>().Which.Message.Should().StartWith("The list is not a revocation list that may be relied on");
    }

    [Test]
    public void Reading_a_long_text_takes_less_memory_beside_it_than_what_it_stands_for()
    {
        var text = Encoding.UTF8.GetBytes(s_long.Pem);
        CrlFile.Read([.. text], "The text");
        var copy = text.ToArray();

        var before = GC.GetAllocatedBytesForCurrentThread();
        var content = CrlFile.Read(copy, "The text");
        var allocated = GC.GetAllocatedBytesForCurrentThread() - before;

        content.Lists[0].Count.Should().Be(Entries);
        allocated.Should().BeLessThan(s_long.Raw.Length / 2);
    }

    /// <summary>The decoder of the framework is what it is compared with.</summary>
    [TestCase(1)]
    [TestCase(2)]
    [TestCase(3)]
    public void What_is_decoded_in_place_is_what_is_decoded_elsewhere(int seed)
    {
        const string Noise = " \t\r\n\n=*\v";
        var random = new Random(seed);
        var good = 0;
        for (var round = 0; round < 600; round++)
        {
            var octets = new byte[random.Next(8) * 12_288 + random.Next(9)];
            random.NextBytes(octets);
            var text = new StringBuilder(Convert.ToBase64String(octets));
            for (var noise = random.Next(6); noise > 0; noise--)
            {
                text.Insert(random.Next(4) == 0 ? Math.Max(0, text.Length - random.Next(4)) : random.Next(text.Length + 1),
                    Noise[random.Next(random.Next(3) == 0 ? Noise.Length : 5)]);
            }

            var utf8 = Encoding.ASCII.GetBytes(text.ToString());
            var elsewhere = new byte[utf8.Length];
            var isGood = Base64.IsValid(utf8, out var length)
                && Base64.DecodeFromUtf8(utf8, elsewhere, out _, out var written) == OperationStatus.Done && written == length;

            var piece = new byte[4 * random.Next(1, 5_000)];
            InPlaceBase64.TryDecode(utf8, piece, out var inPlace).Should().Be(isGood, text.Length < 100 ? text.ToString() : $"round {round}");
            if (isGood)
            {
                utf8.AsSpan(0, inPlace).SequenceEqual(elsewhere.AsSpan(0, length)).Should().BeTrue();
                good++;
            }
        }

        good.Should().BeInRange(100, 590, "both come up");
    }

    /// <summary>The text is decoded in pieces; an end is one only at the end of the last.</summary>
    [Test]
    public void An_end_at_the_end_of_a_piece_is_none()
    {
        const string Text = "AAAAAA==";
        var piece = new byte[Text.Length];

        InPlaceBase64.TryDecode(Encoding.ASCII.GetBytes(Text), piece, out var length).Should().BeTrue();
        length.Should().Be(4);
        InPlaceBase64.TryDecode(Encoding.ASCII.GetBytes(Text + "AAAA"), piece, out _).Should().BeFalse();
    }

    private static IEnumerable<TestCaseData> Changes()
    {
        yield return Case("the same", (_, _) => { }, true);
        yield return Case("written again", (path, content) => File.WriteAllBytes(path, content), true);
        yield return Case("another last octet", (path, content) => File.WriteAllBytes(path, [.. content[..^1], (byte)~content[^1]]), false);
        yield return Case("another first octet", (path, content) => File.WriteAllBytes(path, [(byte)~content[0], .. content[1..]]), false);
        yield return Case("one octet less", (path, content) => File.WriteAllBytes(path, content[..^1]), false);
        yield return Case("one octet more", (path, content) => File.WriteAllBytes(path, [.. content, 0]), false);
        yield return Case("empty", (path, _) => File.WriteAllBytes(path, []), false);
        yield return Case("gone", (path, _) => File.Delete(path), false);

        static TestCaseData Case(string name, Action<string, byte[]> change, bool isSame) =>
            new TestCaseData(change, isSame).SetArgDisplayNames(name);
    }

    [TestCaseSource(nameof(Changes))]
    public void A_file_that_was_read_is_the_same_as_long_as_all_of_its_octets_are(object change, bool isSame)
    {
        using var folder = new TemporaryFolder();
        var content = RandomNumberGenerator.GetBytes((1 << 20) + 300_000);
        var path = folder.Write("file", string.Empty);
        File.WriteAllBytes(path, content);
        var file = new FollowedFile(path, 1 << 24, folder.Clock);
        var look = file.Look(keepsContent: true);

        ((Action<string, byte[]>)change)(path, content);

        file.IsStill(look).Should().Be(isSame);
        (file.Look(keepsContent: false).Mark == look.Mark).Should().Be(isSame, "the marks say so too");
    }

    private static RevokedCertificate Revoked(int number) =>
        new(new System.Numerics.BigInteger(Serial(number), isUnsigned: true, isBigEndian: true), s_authority.Clock.GetUtcNow().AddHours(-2));

    /// <summary>Of 16 octets, as most authorities number; they differ in their last ones only.</summary>
    private static byte[] Serial(int number) => [0x40, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, .. BitConverter.GetBytes(number)];

    private static string Digest(TestCrl list) => Convert.ToHexString(SHA256.HashData(list.Raw.Span));
}
