using System.Buffers.Text;
using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Text;
using MutualAuth.Certificates;
using MutualAuth.Errors;

namespace MutualAuth.Revocation;

/// <summary>The content of a file of lists: the lists, and certificates of keys that may have signed them.</summary>
internal sealed record CrlContent(IReadOnlyList<RevocationList> Lists, IReadOnlyList<Certificate> Certificates);

/// <summary>Reads the operator's revocation lists, in DER or PEM. A list that cannot be used is an error and never skipped.</summary>
internal static class CrlFile
{
    // Ten million entries and their extensions. The index stores offsets in 32 bits.
    internal const int MaxBytes = 512 * 1024 * 1024;

    private const byte LongLength = 0x81;

    /// <summary>Reads one DER list, or all PEM blocks.</summary>
    /// <param name="content">The octets, which are kept.</param>
    /// <param name="source">Their origin, for the message.</param>
    /// <exception cref="MaterialException">There is no list, or one that cannot be used.</exception>
    internal static CrlContent Read(byte[] content, string source) =>
        content.Length > 1 && content[0] == Asn1.DerReader.Sequence && content[1] >= LongLength
            ? new([Parse(content, source)], [])
            : ReadPem(content, source);

    internal static RevocationList Parse(ReadOnlyMemory<byte> der, string source)
    {
        try
        {
            return CrlReader.Read(der);
        }
        catch (AsnContentException unusable)
        {
            // Only messages of the framework begin in upper case. They do not describe a value, and none of them quotes the input.
            var what = char.IsAsciiLetterLower(unusable.Message.FirstOrDefault()) ? unusable.Message : "a value is not DER";
            throw new MaterialException(
                $"{source} is not a revocation list that may be relied on (RFC 5280 §5): {what}. Have its authority issue it again, or "
                    + "fetch it again.",
                unusable);
        }
    }

    private static CrlContent ReadPem(byte[] content, string source)
    {
        var lists = new List<RevocationList>();
        var certificates = new List<Certificate>();
        var rest = content.AsSpan();
        while (PemEncoding.TryFindUtf8(rest, out var fields))
        {
            // The search skips a broken block; its opening line is then still there.
            if (rest[..fields.Location.Start.Value].IndexOf("-----BEGIN "u8) >= 0)
            {
                break;
            }

            var isCertificate = rest[fields.Label].SequenceEqual("CERTIFICATE"u8);
            if (!isCertificate && !rest[fields.Label].SequenceEqual("X509 CRL"u8))
            {
                throw new MaterialException(
                    $"{source}: a PEM block {SafeText.Quote(Encoding.UTF8.GetString(rest[fields.Label]))} is among the revocation lists. Give a file "
                        + "that holds X509 CRL blocks, and the CERTIFICATE blocks of keys that signed them.");
            }

            var der = new byte[fields.DecodedDataLength];
            Base64.DecodeFromUtf8(rest[fields.Base64Data], der, out _, out _);
            if (isCertificate)
            {
                certificates.Add(Certificate.TryParse(der, out var certificate, out var problem)
                    ? certificate
                    : throw new MaterialException(
                        $"{source}: certificate {certificates.Count + 1} among the revocation lists cannot be used: {problem}. Remove it, or have it "
                            + "issued again."));
            }
            else
            {
                lists.Add(Parse(der, $"{source}, list {lists.Count + 1},"));
            }

            rest = rest[fields.Location.End..];
        }

        if (rest.IndexOf("-----BEGIN "u8) >= 0)
        {
            throw new MaterialException(
                $"{source}: PEM block {lists.Count + certificates.Count + 1} is broken: its lines are not Base64, or its end is missing. "
                    + "Fetch it again.");
        }

        return lists.Count > 0
            ? new(lists, certificates)
            : throw new MaterialException(
                $"{source}: there is no revocation list in it. Give DER, or PEM with BEGIN X509 CRL and END X509 CRL lines; "
                + $"to revoke nothing on purpose, use {nameof(RevocationLists)}.{nameof(RevocationLists.DangerouslyUnchecked)}.");
    }
}
