using System.Globalization;
using System.Numerics;

namespace MutualAuth.Certificates;

/// <summary>The equation y² = x³ - 3x + b of a prime curve (SEC 2): whether a public key is a point of it.</summary>
internal sealed class PrimeCurve
{
    private readonly BigInteger _prime;
    private readonly BigInteger _b;

    private PrimeCurve(string prime, string b) => (_prime, _b) = (Parse(prime), Parse(b));

    internal static PrimeCurve P256 { get; } = new(
        "FFFFFFFF00000001000000000000000000000000FFFFFFFFFFFFFFFFFFFFFFFF",
        "5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B");

    internal static PrimeCurve P384 { get; } = new(
        "FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEFFFFFFFF0000000000000000FFFFFFFF",
        "B3312FA7E23EE7E4988E056BE3F82D19181D9C6EFE8141120314088F5013875AC656398D8A2ED19D2A85C8EDD3EC2AEF");

    internal static PrimeCurve P521 { get; } = new(
        "01FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF",
        "0051953EB9618E1C9A1F929A21A0B68540EEA2DA725B99B315F3B8B489918EF109E156193951EC7E937B1652C0BD3BB1BF073573DF883D2C34F1EF451FD46B503F00");

    internal bool Contains(ReadOnlySpan<byte> x, ReadOnlySpan<byte> y)
    {
        var (left, right) = (new BigInteger(y, isUnsigned: true, isBigEndian: true), new BigInteger(x, isUnsigned: true, isBigEndian: true));
        return left < _prime && right < _prime && ((left * left) - ((((right * right) - 3) * right) + _b)) % _prime == 0;
    }

    private static BigInteger Parse(string hex) => BigInteger.Parse("0" + hex, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
}
