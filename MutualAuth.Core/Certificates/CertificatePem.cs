using System.Collections.Immutable;
using System.Formats.Asn1;
using System.Text;
using MutualAuth.Errors;

namespace MutualAuth.Certificates;

/// <summary>Reads the operator's certificates from PEM (RFC 7468). A block that is cut or broken is an error and never skipped.</summary>
internal static class CertificatePem
{
    private const string Anchors = "anchors";

    /// <summary>Reads all blocks, each certificate once.</summary>
    /// <param name="pem">The text, in UTF-8.</param>
    /// <param name="origin">Its origin, for the message.</param>
    /// <param name="leftOut">Takes the certificates that are whole and cannot be read; null where such a certificate is an error.</param>
    /// <exception cref="MaterialException">There is no readable certificate, or a block is broken or no certificate.</exception>
    internal static ImmutableArray<Certificate> Read(ReadOnlyMemory<byte> pem, PemOrigin origin, List<UnreadableCertificate>? leftOut = null)
    {
        var certificates = new List<Certificate>();
        Rejection? first = null;
        var reader = new PemReader(pem.Span, origin.Source);
        while (reader.TryRead(out var block))
        {
            if (!block.IsCertificate)
            {
                throw new MaterialException(
                    $"{origin.Source}: a PEM block {SafeText.Quote(block.Label)} is among the certificates. {WithoutIt(block.Label, origin)}")
                { Problem = MaterialProblem.NoCertificate };
            }

            ThrowIfCut(reader, block);
            if (Certificate.TryParse(block.Contents, $"certificate {block.Number}", out var certificate, out var problem))
            {
                certificates.Add(certificate);
                continue;
            }

            first ??= problem;
            if (leftOut is null)
            {
                break;
            }

            leftOut.Add(new UnreadableCertificate(origin.Path ?? origin.Name, block.Number, problem, Certificate.DigestOf(block.Contents)));
        }

        return first is not null && (leftOut is null || certificates.Count == 0) ? throw NotAllowed(origin.Source, first)
            : certificates.Count > 0 ? [.. certificates.Distinct()]
            : throw Nothing(pem, origin);
    }

    /// <summary>Reads one certificate from the operator.</summary>
    /// <param name="der">The encoding.</param>
    /// <param name="source">Where it comes from, at the beginning of a sentence.</param>
    /// <param name="place">Its place there.</param>
    internal static Certificate Parse(ReadOnlyMemory<byte> der, string source, string place = "certificate") =>
        Certificate.TryParse(der, place, out var certificate, out var problem) ? certificate : throw NotAllowed(source, problem);

    /// <summary>The contents of a block may be cut although its Base64 is not: whole lines may be missing.</summary>
    internal static void ThrowIfCut(PemReader reader, PemBlock block)
    {
        var contents = block.Contents.Span;
        if (contents[0] != Asn1.DerReader.Sequence
            || !AsnDecoder.TryReadEncodedValue(contents, AsnEncodingRules.DER, out _, out _, out _, out var length)
            || length != contents.Length)
        {
            throw reader.Broken(block.Number, "its contents are cut, or no certificate");
        }
    }

    /// <summary>What to do with a block that is something else.</summary>
    internal static string WithoutIt(string label, PemOrigin origin) => label switch
    {
        "TRUSTED CERTIFICATE" => $"Convert it, openssl x509 -in {origin.Argument} -out CERTIFICATE.pem, and give that file.",
        "PKCS7" or "CMS" => $"Convert it, openssl pkcs7 -in {origin.Argument} -print_certs -out CERTIFICATES.pem, and give that file.",
        _ => "Give a file that holds certificates only.",
    };

    private static MaterialException NotAllowed(string source, Rejection problem) => new(
        $"{source}: {problem.Element} is not a certificate that RFC 5280 allows: {problem.Presented}. Have its authority issue it again.")
    { Problem = MaterialProblem.NoCertificate };

    private static MaterialException Nothing(ReadOnlyMemory<byte> content, PemOrigin origin)
    {
        var form = BinaryForms.Of(content);
        var direct = form == BinaryForm.Certificate ? "; TrustAnchors.FromDer takes it as it is" : null;
        return new(BinaryForms.WayToPem(form, origin, Anchors) is { } way
            ? $"{origin.Source} holds no PEM certificate: {way}{direct}."
            : $"{origin.Source}: there is no certificate in it. Give PEM with BEGIN CERTIFICATE and END CERTIFICATE lines.")
        { Problem = MaterialProblem.NoCertificate };
    }
}
