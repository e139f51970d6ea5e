using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using MutualAuth.Credentials;

namespace MutualAuth.Tests.Credentials;

/// <summary>Every code point, beside what another implementation of Unicode 3.2 says of it; and what happens where several meet.</summary>
public sealed class NormalizationTests
{
    // Each code point in turn (without the surrogates), normalized: its code points and -1, in four octets each, the lowest first. Five ideographs
    // (U+2F868, U+2F874, U+2F91F, U+2F95F, U+2F9BF) are as Unicode's Corrigendum 4 has them, and with it every version after 3.2.
    [TestCase(0, 0xffff, "fe69127be72b2ca447ff194d1ebf3ad73ba932c59a4062e86745b6f88c1ddd8a")]
    [TestCase(0x10000, 0x1ffff, "5b4c4b80a0147f2dea5d9edf8cfdbf9be08f5ec3b25b97c09b6abf654775451a")]
    [TestCase(0x20000, 0x2ffff, "83c7907400d6219c103159b10eda5f450a2e5032c367bb9645384ffc085444c2")]
    public void Every_code_point_is_normalized_as_another_implementation_does(int first, int last, string digest)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Span<byte> octets = stackalloc byte[4];
        foreach (var code in Enumerable.Range(first, last - first + 1).Where(Rune.IsValid))
        {
            var codes = new List<int> { code };
            NormalizationKC.Apply(codes, UnicodeVersion32.Instance);
            foreach (var each in codes.Append(-1))
            {
                BinaryPrimitives.WriteInt32LittleEndian(octets, each);
                hash.AppendData(octets);
            }
        }

        Convert.ToHexStringLower(hash.GetHashAndReset()).Should().Be(digest);
    }

    // One octet for each code point (without the surrogates): 1 when it is in the table. RFC 3454 says how many there are.
    [TestCase("unassigned", 879_309, "bd940b3a384bdadbff3372025561c0720c463336cc7bbfb08e35e7613a8d41af")]
    [TestCase("nothing", 27, "3ab81be9b1ab43c74fc13f916b34d49751b981c13c36d072e06fcf568019944d")]
    [TestCase("space", 17, "469cde9d5f00248d8418dfec4425571dc4e0988f0edc77b00b7429a4bf46154e")]
    [TestCase("prohibited", 137_765, "3a6902308b9ff4d4ddf09b470a2f76b96133474fb2a395d9180fe95696572bf9")]
    [TestCase("right to left", 1_044, "537c381d40e0e9177fa751b88d84cd2c94257db120f1383c8f2a06248b68309b")]
    [TestCase("left to right", 227_925, "837c9b1ce7f30bfe8e915c4b5f654f53e1aad686d3420a35fb9512510b166e72")]
    public void A_table_holds_the_code_points_that_another_implementation_has_in_it(string table, int count, string digest)
    {
        var unicode = UnicodeVersion32.Instance;
        Func<Rune, bool> isIn = table switch
        {
            "unassigned" => unicode.IsUnassigned,
            "nothing" => unicode.IsMappedToNothing,
            "space" => unicode.IsMappedToSpace,
            "prohibited" => unicode.IsProhibited,
            "right to left" => unicode.IsRightToLeft,
            _ => unicode.IsLeftToRight,
        };

        byte[] all = [.. Enumerable.Range(0, 0x110000).Where(Rune.IsValid).Select(code => isIn(new Rune(code)) ? (byte)1 : (byte)0)];

        all.Count(octet => octet == 1).Should().Be(count);
        Convert.ToHexStringLower(SHA256.HashData(all)).Should().Be(digest);
    }

    [TestCase("a\u0323\u0307", "\u1ea1\u0307")]
    [TestCase("a\u0307\u0323", "\u1ea1\u0307")] // marks in another order are the same
    [TestCase("a\u0301\u0300", "\u00e1\u0300")] // marks of one class keep theirs
    [TestCase("a\u0300\u0301", "\u00e0\u0301")]
    [TestCase("a\u0305\u0301", "a\u0305\u0301")] // what stands between keeps them apart
    [TestCase("\u0307\u0323", "\u0323\u0307")] // marks without a letter
    [TestCase("ab\u0301", "ab\u0301")]
    [TestCase("e\u0301e\u0301", "\u00e9\u00e9")]
    [TestCase("\u1100\u1161", "\uac00")]
    [TestCase("\u1100\u1161\u11a8", "\uac01")]
    [TestCase("\uac00\u11a7", "\uac00\u11a7")] // no final consonant
    [TestCase("\uac00\u11c2", "\uac1b")]
    [TestCase("\uac00\u11c3", "\uac00\u11c3")]
    [TestCase("\uac01\u11a8", "\uac01\u11a8")] // a syllable that has one already
    [TestCase("\u1112\u1175", "\ud788")]
    [TestCase("\u1113\u1161", "\u1113\u1161")]
    [TestCase("\u1100\u1176", "\u1100\u1176")]
    [TestCase("\ud788\u11c2", "\ud7a3")]
    public void Marks_and_letters_compose_as_Unicode_says(string text, string normalized)
    {
        List<int> codes = [.. text.Select(character => (int)character)];

        NormalizationKC.Apply(codes, UnicodeVersion32.Instance);

        codes.Select(code => (char)code).Should().Equal(normalized);
    }
}
