using System.Text;
using MutualAuth.Errors;

namespace MutualAuth.Certificates;

/// <summary>Reads files of our own, bounded, and says what to do when it cannot.</summary>
internal static class MaterialFile
{
    internal static string ReadText(string path, int maxBytes) => Encoding.UTF8.GetString(ReadBytes(path, maxBytes));

    internal static byte[] ReadBytes(string path, int maxBytes)
    {
        try
        {
            using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            if (file.Length > maxBytes)
            {
                throw new MaterialException($"The file {path} has {file.Length} bytes; at most {maxBytes} are expected of such a file.");
            }

            var content = new byte[file.Length];
            file.ReadExactly(content);
            return content;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or NotSupportedException or ArgumentException)
        {
            throw new MaterialException($"The file {path} cannot be read: {exception.Message}", exception);
        }
    }
}
