using System.Security.Cryptography;

namespace MutualAuth.Testing.Building;

internal static class PemText
{
    internal static string OfCertificate(ReadOnlySpan<byte> der) => Of("CERTIFICATE", der);

    internal static string Of(string label, ReadOnlySpan<byte> der) => PemEncoding.WriteString(label, der) + "\n";
}
