using System.Security.Cryptography;
using System.Text;

namespace MutualAuth.Testing.Building;

internal static class PemText
{
    internal static string OfCertificate(ReadOnlySpan<byte> der) => Of("CERTIFICATE", der);

    internal static string Of(string label, ReadOnlySpan<byte> der) => PemEncoding.WriteString(label, der) + "\n";

    internal static void WriteSecret(string path, string text)
    {
        var options = new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        using var file = new FileStream(path, options);
        file.Write(Encoding.ASCII.GetBytes(text));
    }
}
