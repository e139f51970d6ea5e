using System.Globalization;
using System.Numerics;
using CsCheck;
using MutualAuth.Names;

namespace MutualAuth.Tests.Names;

public sealed class PeerFingerprintTests
{
    // The SHA-256 of nothing at all: e3b0c442…7852b855.
    private static readonly SpkiPin s_nothing = SpkiPin.OfSubjectPublicKeyInfo([]);
    private static readonly SpkiPin s_one = SpkiPin.OfSubjectPublicKeyInfo([1]);

    private const string OfNothing = "00648 19803 49933 79397 00111 56650 86549";

    [Test]
    public void A_key_is_the_last_thirty_five_decimal_digits_of_its_digest()
    {
        var digest = BigInteger.Parse(
            "0e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", NumberStyles.HexNumber, CultureInfo.InvariantCulture);

        PeerFingerprint.Of(s_nothing).ToString().Replace(" ", string.Empty, StringComparison.Ordinal).Should().Be(
            digest.ToString(CultureInfo.InvariantCulture)[^35..]);
        PeerFingerprint.Of(s_nothing).ToString().Should().Be(OfNothing);
    }

    [Test]
    public void Both_people_read_the_same_text_and_each_key_is_a_half_of_it()
    {
        var read = PeerFingerprint.OfBoth(s_nothing, s_one);

        PeerFingerprint.OfBoth(s_one, s_nothing).Should().Be(read);
        read.ToString().Should().Contain(OfNothing).And.Contain(PeerFingerprint.Of(s_one).ToString());
        read.ToString().Should().MatchRegex("^[0-9]{5}( [0-9]{5}){13}$");
        read.Should().NotBe(PeerFingerprint.OfBoth(s_nothing, s_nothing));
    }

    [Test]
    public void What_was_written_is_read_and_another_digit_is_another_fingerprint() =>
        Gen.Byte.Array[0, 40].Select(Gen.Int[0, 69], Gen.Int[1, 9]).Sample((key, at, step) =>
        {
            var pin = SpkiPin.OfSubjectPublicKeyInfo(key);
            var both = PeerFingerprint.OfBoth(pin, s_one);
            var digits = both.ToString().Replace(" ", string.Empty, StringComparison.Ordinal).ToCharArray();
            digits[at] = (char)('0' + ((digits[at] - '0' + step) % 10));
            return PeerFingerprint.Parse(PeerFingerprint.Of(pin).ToString()).Equals(PeerFingerprint.Of(pin))
                && PeerFingerprint.Parse(both.ToString()).Equals(both)
                && !(PeerFingerprint.TryParse(new string(digits), out var other) && other.Equals(both));
        });

    [TestCase("")]
    [TestCase("12345")]
    [TestCase("00648 19803 49933 79397 00111 56650 8654")]
    [TestCase("00648 19803 49933 79397 00111 56650 865490")]
    [TestCase("00648-19803-49933-79397-00111-56650-86549")]
    [TestCase("٠٠648 19803 49933 79397 00111 56650 86549")]
    public void What_is_no_fingerprint_is_not_read(string text)
    {
        PeerFingerprint.TryParse(text, out var fingerprint).Should().BeFalse();
        fingerprint.Should().BeNull();
        FluentActions.Invoking(() => PeerFingerprint.Parse(text)).Should().Throw<FormatException>();
    }

    [Test]
    public void Line_ends_and_missing_spaces_do_not_count()
    {
        PeerFingerprint.Parse("00648198034993379397\r\n  001115665086549").Should().Be(PeerFingerprint.Of(s_nothing));
    }

    [Test]
    public void The_halves_in_the_wrong_order_are_not_read()
    {
        var text = PeerFingerprint.OfBoth(s_nothing, s_one).ToString();

        PeerFingerprint.TryParse(text, out _).Should().BeTrue();
        PeerFingerprint.TryParse(text[42..] + " " + text[..41], out _).Should().BeFalse();
    }
}
