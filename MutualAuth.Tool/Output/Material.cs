using System.Collections.Immutable;
using System.Security.Cryptography;
using MutualAuth.Certificates;
using MutualAuth.Names;
using MutualAuth.Paths;
using MutualAuth.Pinning;
using MutualAuth.Revocation;
using MutualAuth.Samples;

namespace MutualAuth.Tool;

/// <summary>Files that a command reads once.</summary>
internal static class Material
{
    private const int MaxBytes = 16 * 1024 * 1024;
    private const string CertificateLabel = "CERTIFICATE";

    /// <summary>The certificates of a file, PEM or DER, in its order.</summary>
    /// <exception cref="UsageException">The file cannot be read, or holds none.</exception>
    internal static ImmutableArray<ReadOnlyMemory<byte>> Certificates(string path)
    {
        var bytes = Read(path);
        var text = System.Text.Encoding.Latin1.GetString(bytes);
        if (!text.Contains("-----BEGIN ", StringComparison.Ordinal))
        {
            return bytes is [0x30, ..] ? [bytes] : throw new UsageException($"{path} is neither PEM nor a certificate in DER.");
        }

        var found = ImmutableArray.CreateBuilder<ReadOnlyMemory<byte>>();
        for (var rest = text.AsSpan(); PemEncoding.TryFind(rest, out var fields); rest = rest[fields.Location.End..])
        {
            if (rest[fields.Label].SequenceEqual(CertificateLabel))
            {
                found.Add(Convert.FromBase64String(rest[fields.Base64Data].ToString()));
            }
        }

        return found.Count > 0
            ? found.ToImmutable()
            : throw new UsageException($"{path} holds no certificate: a block BEGIN CERTIFICATE is expected.");
    }

    internal static byte[] Read(string path)
    {
        try
        {
            var file = new FileInfo(path);
            return file.Exists && file.Length > MaxBytes
                ? throw new UsageException($"{path} has {file.Length} octets; files of up to {MaxBytes} are read.")
                : File.ReadAllBytes(path);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new UsageException($"{path} cannot be read: {exception.Message}");
        }
    }

    internal static TrustAnchors Trust(string[] paths) => TrustAnchors.FromPemFiles(paths);

    internal static RevocationPolicy? Revocation(string[] paths) =>
        paths.Length == 0 ? null : new RevocationPolicy { Lists = RevocationLists.FromFiles(paths) };

    /// <exception cref="UsageException">One is no pin.</exception>
    internal static PinSet? Pins(string[] texts)
    {
        SpkiPin[] pins =
        [
            .. texts.Select(text => SpkiPin.TryParse(text, out var pin)
                ? pin
                : throw new UsageException($"--pin: '{text}' is no pin, such as sha256/ and 44 characters of Base64; 'mutualauth pin' prints them.")),
        ];
        return pins.Distinct().ToArray() switch
        {
            [] => null,
            [var only] => PinSet.DangerouslyWithoutBackup(only),
            var several => PinSet.Of(several),
        };
    }

    internal static Identity? Identity(string? certificate, string? key, string? passwordFile)
    {
        if (certificate is null)
        {
            return key is null && passwordFile is null ? null
                : throw new UsageException("--key and --key-password-file go with --certificate; give it as well.");
        }

        var password = passwordFile is null ? null : CommandLine.FirstLineOf("--key-password-file", passwordFile);
        return Path.GetExtension(certificate).ToLowerInvariant() is ".p12" or ".pfx"
            ? MutualAuth.Identity.FromPkcs12File(certificate, password)
            : MutualAuth.Identity.FromPemFiles(certificate, key, password);
    }

    /// <summary>The names in a certificate, as rules have them; its subject where there is none.</summary>
    internal static ImmutableArray<string> NamesOf(Certificate certificate) =>
    [
        .. certificate.DnsNames, .. certificate.IPAddresses.Select(address => address.ToString()), .. certificate.Uris, .. certificate.EmailAddresses,
    ];
}
