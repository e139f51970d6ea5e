using System.Collections.Immutable;
using System.Formats.Asn1;
using MutualAuth.Certificates;

namespace MutualAuth.Spiffe.Updates;

/// <summary>Splits concatenated certificates, as the Workload API sends chains and bundles.</summary>
internal static class DerSequence
{
    /// <summary>Reads all of them; an empty input is an error too.</summary>
    /// <param name="der">The encodings. They are kept, not copied.</param>
    /// <param name="most">The maximum number of certificates.</param>
    /// <param name="what">What they are, for the objection.</param>
    /// <param name="certificates">The certificates, in order.</param>
    internal static UpdateRefusal? Read(ReadOnlyMemory<byte> der, int most, string what, out ImmutableArray<Certificate> certificates)
    {
        certificates = [];
        var read = ImmutableArray.CreateBuilder<Certificate>();
        while (!der.IsEmpty)
        {
            if (read.Count == most)
            {
                return new UpdateRefusal(UpdateRefusalReason.TooMany, $"{what} has more than {most} certificates.");
            }

            if (!TryMeasure(der.Span, out var length))
            {
                return Malformed($"{what}, certificate {read.Count + 1}, is not DER.");
            }

            if (!Certificate.TryParse(der[..length], out var certificate, out var problem))
            {
                return Malformed($"{what}, certificate {read.Count + 1}: {problem}");
            }

            read.Add(certificate);
            der = der[length..];
        }

        if (read.Count == 0)
        {
            return Malformed($"{what} is empty.");
        }

        certificates = read.ToImmutable();
        return null;
    }

    private static bool TryMeasure(ReadOnlySpan<byte> der, out int length)
    {
        try
        {
            AsnDecoder.ReadEncodedValue(der, AsnEncodingRules.DER, out _, out _, out length);
            return true;
        }
        catch (AsnContentException)
        {
            length = 0;
            return false;
        }
    }

    private static UpdateRefusal Malformed(string detail) => new(UpdateRefusalReason.CertificateMalformed, detail);
}
