using System.Numerics;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace MutualAuth.Testing.Building;

/// <summary>The default content of a specification.</summary>
internal static class Templates
{
    internal static CertificateSpec Leaf(DateTimeOffset now, string subject, params string[] usages) => new()
    {
        Subject = subject,
        NotBefore = now.ShiftDays(-1),
        NotAfter = now.ShiftDays(30),
        BasicConstraints = new BasicConstraints(IsAuthority: false),
        KeyUsage = X509KeyUsageFlags.DigitalSignature,
        ExtendedKeyUsages = usages,
    };

    internal static CertificateSpec Root(DateTimeOffset now, string name) => Authority(now, name, TimeSpan.FromDays(3652));

    internal static CertificateSpec Intermediate(DateTimeOffset now, string name) => Authority(now, name, TimeSpan.FromDays(1826));

    internal static BigInteger SerialNumber(Seed? seed)
    {
        var octets = seed?.Derive("serial").Bytes(16) ?? RandomNumberGenerator.GetBytes(16);
        octets[0] = (byte)((octets[0] & 0x3f) | 0x40); // Positive, and always of sixteen octets.
        return new BigInteger(octets, isUnsigned: true, isBigEndian: true);
    }

    private static CertificateSpec Authority(DateTimeOffset now, string name, TimeSpan lifetime) => new()
    {
        Subject = Dn.CommonName(name),
        NotBefore = now.ShiftDays(-1),
        NotAfter = now.Shift(lifetime),
        BasicConstraints = new BasicConstraints(IsAuthority: true),
        KeyUsage = X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign,
    };
}
