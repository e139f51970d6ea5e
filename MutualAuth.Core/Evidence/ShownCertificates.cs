using System.Collections.Immutable;
using System.Runtime.InteropServices;
using System.Security.Cryptography.X509Certificates;

namespace MutualAuth.Evidence;

/// <summary>What the platform hands to a validation callback, as a list of encodings.</summary>
internal static class ShownCertificates
{
    /// <summary>
    /// The peer's own certificate, then the others that it sent, as the platform keeps them beside the chain. What the platform found itself,
    /// in a store of the machine's or by a download, is among the chain's elements only, and is left out: the verdict does not depend on it.
    /// </summary>
    internal static ImmutableArray<ReadOnlyMemory<byte>> Of(X509Certificate? certificate, X509Chain? chain)
    {
        if (certificate is null)
        {
            return [];
        }

        var others = chain?.ChainPolicy.ExtraStore;
        var certificates = new ReadOnlyMemory<byte>[1 + (others?.Count ?? 0)];
        certificates[0] = EncodingOf(certificate);
        var count = 1;
        for (var i = 0; i < certificates.Length - 1; i++)
        {
            var encoding = others![i].RawDataMemory;
            if (!encoding.Span.SequenceEqual(certificates[0].Span))
            {
                certificates[count++] = encoding;
            }
        }

        return count == certificates.Length ? ImmutableCollectionsMarshal.AsImmutableArray(certificates) : [.. certificates.AsSpan(0, count)];
    }

    /// <summary>The platform's own copy, on the managed heap, which is never modified and outlives the certificate.</summary>
    internal static ReadOnlyMemory<byte> EncodingOf(X509Certificate certificate) =>
        certificate is X509Certificate2 complete ? complete.RawDataMemory : certificate.GetRawCertData();
}
