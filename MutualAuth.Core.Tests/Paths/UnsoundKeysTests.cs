using System.Formats.Asn1;
using MutualAuth.Testing;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Paths;

/// <summary>Keys that look like keys and are none are refused by us, and not by whatever comes later.</summary>
public sealed class UnsoundKeysTests
{
    private static readonly TestAuthority s_root = new("Root");

    [TestCase(KeyAlgorithm.EcdsaP256)]
    [TestCase(KeyAlgorithm.EcdsaP384)]
    [TestCase(KeyAlgorithm.EcdsaP521)]
    public void A_point_is_on_its_curve(KeyAlgorithm algorithm)
    {
        var key = TestKey.Generate(algorithm);

        Judge(key, point => point).Should().BeNull();
        Judge(key, point => Flip(point, point.Length - 1)).Should().Be(RejectionReason.WeakKey, "its y is another");
        Judge(key, point => Flip(point, 5)).Should().Be(RejectionReason.WeakKey, "its x is another");
        Judge(key, point => [4, .. new byte[point.Length - 1]]).Should().Be(RejectionReason.WeakKey, "it is nowhere");
        Judge(key, point => [4, .. Enumerable.Repeat((byte)0xff, point.Length - 1)]).Should().Be(RejectionReason.WeakKey, "it is beyond the field");
    }

    [Test]
    public void A_modulus_is_odd()
    {
        var key = TestKey.Shared(KeyAlgorithm.Rsa2048);

        Judge(key, modulus => modulus).Should().BeNull();
        Judge(key, pair => DerEdit.Sequence(pair, parts => parts[0][^1] &= 0xfe)).Should().Be(RejectionReason.WeakKey);
    }

    private static byte[] Flip(byte[] octets, int index)
    {
        var copy = octets.ToArray();
        copy[index] ^= 1;
        return copy;
    }

    private static RejectionReason? Judge(TestKey key, Func<byte[], byte[]> change)
    {
        var written = DerEdit.Sequence(key.SubjectPublicKeyInfo.ToArray(), parts =>
        {
            var octets = new AsnReader(parts[1], AsnEncodingRules.DER).ReadBitString(out _);
            parts[1] = DerEdit.Encode(writer => writer.WriteBitString(change(octets)));
        });
        using var leaf = s_root.Issue(
            spec => spec with { Key = key, RawPublicKey = written, DnsNames = ["client.test"], ExtendedKeyUsages = [ExtendedKeyUsage.ClientAuth] });
        return TestPaths.Validate(leaf, TestPaths.Trusting(s_root)).Reason();
    }
}
