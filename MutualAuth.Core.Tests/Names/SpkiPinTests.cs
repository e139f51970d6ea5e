using System.Collections.Frozen;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using CsCheck;
using MutualAuth.Names;

namespace MutualAuth.Tests.Names;

public sealed class SpkiPinTests
{
    // The SHA-256 of nothing at all.
    private const string Empty = "sha256/47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";

    [Test]
    public void A_pin_is_read_and_written_in_the_one_form()
    {
        SpkiPin.Parse(Empty).ToString().Should().Be(Empty);
        SpkiPin.Parse(Empty).Should().Be(SpkiPin.OfSubjectPublicKeyInfo([]));
    }

    [TestCase("")]
    [TestCase("sha256/")]
    [TestCase("47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=")]
    [TestCase("SHA256/47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=")]
    [TestCase("sha256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=")]
    [TestCase("sha256//47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=")]
    [TestCase("sha256/47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU")]
    [TestCase("sha256/47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFV=")]
    [TestCase("sha256/47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU=")]
    [TestCase("sha256/ 47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=")]
    [TestCase("sha256/47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n")]
    [TestCase("sha256/47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuA==")]
    [TestCase("sha256/47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFVV")]
    [TestCase("sha256/e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")]
    public void Another_spelling_is_refused(string text)
    {
        SpkiPin.TryParse(text, out var pin).Should().BeFalse();
        pin.Should().BeNull();
        FluentActions.Invoking(() => SpkiPin.Parse(text)).Should().Throw<FormatException>();
    }

    [Test]
    public void A_certificate_is_pinned_by_its_key_and_not_by_its_other_content()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var otherKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var certificate = SelfSigned("CN=a", key);
        using var renewed = SelfSigned("CN=b", key);
        using var rekeyed = SelfSigned("CN=a", otherKey);

        SpkiPin.Of(certificate).Should().Be(SpkiPin.OfSubjectPublicKeyInfo(key.ExportSubjectPublicKeyInfo()));
        SpkiPin.Of(renewed).Should().Be(SpkiPin.Of(certificate));
        SpkiPin.Of(rekeyed).Should().NotBe(SpkiPin.Of(certificate));
    }

    [Test]
    public void A_difference_in_any_bit_makes_another_pin()
    {
        var digest = new byte[32];
        var zero = SpkiPin.Parse("sha256/" + Convert.ToBase64String(digest));
        for (var bit = 0; bit < 256; bit++)
        {
            digest[bit / 8] ^= (byte)(1 << (bit % 8));
            SpkiPin.Parse("sha256/" + Convert.ToBase64String(digest)).Should().NotBe(zero);
            digest[bit / 8] = 0;
        }
    }

    [Test]
    public void A_frozen_set_finds_its_members_and_nothing_else()
    {
        var pins = Enumerable.Range(0, 1000).Select(PinOf).ToFrozenSet();

        pins.Should().HaveCount(1000);
        Enumerable.Range(0, 1000).Should().OnlyContain(number => pins.Contains(PinOf(number)));
        Enumerable.Range(1000, 1000).Should().NotContain(number => pins.Contains(PinOf(number)));
    }

    [Test]
    public void No_text_makes_it_throw_and_what_it_reads_is_read_back_the_same()
    {
        Gen.OneOf(Gen.String, Gen.String[Gen.Char["aA+/= \n"], 40, 48].Select(t => "sha256/" + t)).Sample(text =>
        {
            if (SpkiPin.TryParse(text, out var pin))
            {
                pin.ToString().Should().Be(text);
            }
        });
        Gen.Byte.Array[32].Sample(digest =>
        {
            var text = "sha256/" + Convert.ToBase64String(digest);
            SpkiPin.Parse(text).ToString().Should().Be(text);
        });
    }

    private static SpkiPin PinOf(int number) => SpkiPin.OfSubjectPublicKeyInfo(BitConverter.GetBytes(number));

    private static X509Certificate2 SelfSigned(string subject, ECDsa key) =>
        new CertificateRequest(subject, key, HashAlgorithmName.SHA256).CreateSelfSigned(
            DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch.AddYears(1));
}
