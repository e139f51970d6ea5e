using System.Collections.Immutable;
using System.Security.Cryptography;
using MutualAuth.Errors;

namespace MutualAuth.Certificates;

/// <summary>Reads the operator's certificates from PEM (RFC 7468). A block that cannot be read is an error and never skipped.</summary>
internal static class CertificatePem
{
    private const string Begin = "-----BEGIN ";

    /// <summary>Reads all blocks, each certificate once.</summary>
    /// <param name="pem">The text.</param>
    /// <param name="source">Its origin, for the message.</param>
    /// <exception cref="MaterialException">There is no certificate, or a block is not a readable certificate.</exception>
    internal static ImmutableArray<Certificate> Read(string pem, string source)
    {
        var certificates = new List<Certificate>();
        var rest = pem.AsSpan();
        while (PemEncoding.TryFind(rest, out var fields))
        {
            // The search skips a broken block; its opening line is then still there.
            if (rest[..fields.Location.Start.Value].Contains(Begin, StringComparison.Ordinal))
            {
                break;
            }

            if (rest[fields.Label] is not "CERTIFICATE")
            {
                throw new MaterialException(
                    $"{source}: a PEM block {SafeText.Quote(rest[fields.Label].ToString())} is among the certificates. Give a file that holds "
                        + "certificates only.");
            }

            var der = new byte[fields.DecodedDataLength];
            System.Convert.TryFromBase64Chars(rest[fields.Base64Data], der, out _);
            certificates.Add(Parse(der, $"{source}, certificate {certificates.Count + 1}"));
            rest = rest[fields.Location.End..];
        }

        if (rest.Contains(Begin, StringComparison.Ordinal))
        {
            throw new MaterialException(
                $"{source}: PEM block {certificates.Count + 1} is broken: its lines are not Base64, or its end is missing. Export it again.");
        }

        return certificates.Count > 0
            ? [.. certificates.Distinct()]
            : throw new MaterialException($"{source}: there is no certificate in it. Give PEM with BEGIN CERTIFICATE and END CERTIFICATE lines.");
    }

    /// <summary>Reads one certificate from the operator.</summary>
    internal static Certificate Parse(ReadOnlyMemory<byte> der, string source) => Certificate.TryParse(der, out var certificate, out var problem)
        ? certificate
        : throw new MaterialException($"{source} is not a certificate that RFC 5280 allows: {problem.Presented}. Have its authority issue it again.");
}
