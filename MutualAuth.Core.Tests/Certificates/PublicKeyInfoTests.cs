using System.Security.Cryptography;
using MutualAuth.Certificates;

namespace MutualAuth.Tests.Certificates;

/// <summary>Keys of elliptic curves, each way in which they are imported: a key verifies what it signed, one that is none nothing.</summary>
public sealed class PublicKeyInfoTests
{
    private static readonly byte[] s_data = [1, 2, 3];

    [Test]
    public void A_key_verifies_what_it_has_signed_and_nothing_else([Values(256, 384, 521)] int bits)
    {
        using var pair = ECDsa.Create(CurveOf(bits));
        using var other = ECDsa.Create(CurveOf(bits));
        var key = PublicKeyInfo.Read(pair.ExportSubjectPublicKeyInfo());

        Verifies(key, Sign(pair)).Should().BeTrue();
        Verifies(key, Sign(pair)).Should().BeTrue("the imported key is used again");
        Verifies(key, Sign(other)).Should().BeFalse();
        Verifies(key, [0x30, 0]).Should().BeFalse();
    }

    [Test]
    public void A_point_beside_its_curve_is_no_key([Values(256, 384, 521)] int bits)
    {
        using var pair = ECDsa.Create(CurveOf(bits));
        var encoding = pair.ExportSubjectPublicKeyInfo();
        encoding[^1] ^= 1; // the last octet of y

        var key = PublicKeyInfo.Read(encoding);

        key.HasSoundNumbers.Should().BeFalse();
        Verifies(key, Sign(pair)).Should().BeFalse();
    }

    [Test]
    public void The_platform_refuses_such_a_point_as_well([Values(384, 521)] int bits)
    {
        using var pair = ECDsa.Create(CurveOf(bits));
        var encoding = pair.ExportSubjectPublicKeyInfo();
        using (var key = CertifiedKey.Import(encoding))
        {
            key.VerifyData(s_data, Sign(pair), HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence).Should().BeTrue();
        }

        encoding[^1] ^= 1;

        FluentActions.Invoking(() => CertifiedKey.Import(encoding)).Should().Throw<CryptographicException>();
    }

    private static bool Verifies(PublicKeyInfo key, byte[] signature) =>
        key.Verify(new SignatureScheme(SignatureKind.Ecdsa, HashAlgorithmName.SHA256), s_data, signature);

    private static byte[] Sign(ECDsa pair) => pair.SignData(s_data, HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence);

    private static ECCurve CurveOf(int bits) => bits switch
    {
        256 => ECCurve.NamedCurves.nistP256,
        384 => ECCurve.NamedCurves.nistP384,
        _ => ECCurve.NamedCurves.nistP521,
    };
}
