using System.Buffers;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using MutualAuth.Reloading;

namespace MutualAuth.Audit;

/// <summary>What a restarted writer needs, in a file beside the trail: where it stands, and the key of the next entry.</summary>
internal static class AuditState
{
    private const string Form = "mutualauth-audit-1";
    private const int MaxLength = 1024;

    internal static string PathOf(string trail) => trail + ".state";

    internal static byte[] Encode(AuditChain chain, long length)
    {
        var prefix = Encoding.ASCII.GetBytes(
            string.Create(CultureInfo.InvariantCulture, $"{Form} {chain.Count} {length} {Convert.ToHexStringLower(chain.LastCode)} "));
        var text = new byte[prefix.Length + (2 * AuditChain.KeyLength) + 1];
        prefix.CopyTo(text, 0);
        Convert.TryToHexStringLower(chain.Key, text.AsSpan(prefix.Length), out _);
        text[^1] = (byte)'\n';
        return text;
    }

    /// <summary>Reads the state; null when there is none.</summary>
    /// <exception cref="MaterialException">It is not one, or cannot be read.</exception>
    internal static (AuditChain Chain, long Length)? Read(string trail)
    {
        var path = PathOf(trail);
        var octets = new byte[MaxLength + 1];
        Span<byte> key = stackalloc byte[AuditChain.KeyLength];
        try
        {
            if (!File.Exists(path))
            {
                return null;
            }

            using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
            var text = octets.AsSpan(0, file.ReadAtLeast(octets, octets.Length, throwOnEndOfStream: false)).TrimEnd((byte)'\n');
            var beforeKey = text.LastIndexOf((byte)' ');
            var parts = Encoding.ASCII.GetString(text[..Math.Max(beforeKey, 0)]).Split(' '); // never the key: a string cannot be wiped
            if (text.Length < MaxLength && parts.Length == 4 && parts[0] == Form
                && long.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out var count)
                && long.TryParse(parts[2], NumberStyles.None, CultureInfo.InvariantCulture, out var length)
                && Convert.FromHexString(parts[3]) is { Length: HMACSHA384.HashSizeInBytes } code
                && text.Length - beforeKey - 1 == 2 * AuditChain.KeyLength
                && Convert.FromHexString(text[(beforeKey + 1)..], key, out _, out _) == OperationStatus.Done)
            {
                return (new AuditChain(key, count, code), length);
            }
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or FormatException)
        {
            throw new MaterialException($"The state {path} of the audit trail cannot be read: {exception.Message}", exception);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(octets);
            CryptographicOperations.ZeroMemory(key);
        }

        throw new MaterialException($"The file {path} is not the state of an audit trail: restore the trail, or begin another one.");
    }
}
