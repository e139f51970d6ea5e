using System.Formats.Asn1;
using System.Globalization;
using System.Numerics;
using MutualAuth.Asn1;

namespace MutualAuth.Certificates;

/// <summary>
/// The other encodings of an ECDSA-signed certificate: if (r, s) is a signature, so is (r, n - s), and the signature itself is not signed.
/// </summary>
internal static class EcdsaMalleability
{
    // The orders of P-256, P-384 and P-521 (SEC 2). The issuer's key decides which one applies, so all are tried.
    private static readonly BigInteger[] s_orders =
    [
        Parse("FFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551"),
        Parse("FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFC7634D81F4372DDF581A0DB248B0A77AECEC196ACCC52973"),
        Parse(
            "01FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFA51868783BF2F966B7FCC0148F709A5D03BB5C9B8899C47AEBB6FB71E91386409"),
    ];

    /// <summary>The encodings that the holder could use instead; none when it is signed by another algorithm.</summary>
    internal static IEnumerable<byte[]> Of(Certificate certificate)
    {
        if (certificate.Scheme.Kind != SignatureKind.Ecdsa || !TryRead(certificate.Signature, out var r, out var s))
        {
            yield break;
        }

        foreach (var order in s_orders)
        {
            if (s < order)
            {
                yield return Encode(certificate, r, order - s);
            }
        }
    }

    private static bool TryRead(ReadOnlyMemory<byte> signature, out BigInteger r, out BigInteger s)
    {
        (r, s) = (default, default);
        try
        {
            var outer = new DerReader(signature);
            var pair = outer.ReadSequence();
            outer.End();
            r = new BigInteger(pair.ReadInteger().Span, isBigEndian: true);
            s = new BigInteger(pair.ReadInteger().Span, isBigEndian: true);
            pair.End();
            return s.Sign > 0;
        }
        catch (AsnContentException)
        {
            return false;
        }
    }

    private static byte[] Encode(Certificate certificate, BigInteger r, BigInteger s)
    {
        var signature = new AsnWriter(AsnEncodingRules.DER);
        using (signature.PushSequence())
        {
            signature.WriteInteger(r);
            signature.WriteInteger(s);
        }

        var whole = new AsnWriter(AsnEncodingRules.DER);
        using (whole.PushSequence())
        {
            whole.WriteEncodedValue(certificate.Signed.Span);
            whole.WriteEncodedValue(certificate.SignatureAlgorithm.Span);
            whole.WriteBitString(signature.Encode());
        }

        return whole.Encode();
    }

    private static BigInteger Parse(string hex) => BigInteger.Parse("0" + hex, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
}
