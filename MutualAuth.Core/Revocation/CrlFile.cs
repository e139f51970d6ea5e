using System.Formats.Asn1;
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
    /// <param name="content">The octets, which are kept, and of PEM text written over.</param>
    /// <param name="source">Their origin, for the message.</param>
    /// <exception cref="MaterialException">There is no list, or one that cannot be used.</exception>
    internal static CrlContent Read(byte[] content, string source) =>
        content.Length > 1 && content[0] == Asn1.DerReader.Sequence && content[1] >= LongLength
            ? new([ParseDer(content, source)], [])
            : ReadPem(content, source);

    private static RevocationList ParseDer(byte[] content, string source) => BinaryForms.Of(content) switch
    {
        BinaryForm.None or BinaryForm.RevocationList => Parse(content, source),
        var form => throw new MaterialException(
            $"{source} is {(form == BinaryForm.Certificate ? "a certificate" : $"a file of the kind {form}")}, and no revocation list. Give the "
                + "list that the authority issues, in DER or PEM."),
    };

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
        var reader = PemReader.Overwriting(content, source, MaterialProblem.Unusable);
        while (reader.TryRead(out var block))
        {
            if (block.IsCertificate)
            {
                CertificatePem.ThrowIfCut(reader, block);
                certificates.Add(CertificatePem.Parse(block.Contents, source, $"PEM block {block.Number}"));
            }
            else if (block.Label == "X509 CRL")
            {
                lists.Add(Parse(block.Contents, $"{source}, list {lists.Count + 1},"));
            }
            else
            {
                throw new MaterialException(
                    $"{source}: a PEM block {SafeText.Quote(block.Label)} is among the revocation lists. Give a file that holds X509 CRL blocks, and "
                        + "the CERTIFICATE blocks of keys that signed them.");
            }
        }

        return lists.Count > 0
            ? new(lists, [.. certificates.Distinct()])
            : throw new MaterialException(
                $"{source}: there is no revocation list in it. Give DER, or PEM with BEGIN X509 CRL and END X509 CRL lines; "
                + $"to revoke nothing on purpose, use {nameof(RevocationLists)}.{nameof(RevocationLists.DangerouslyUnchecked)}.");
    }
}
