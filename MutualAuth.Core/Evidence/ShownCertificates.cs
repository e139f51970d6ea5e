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

        if (chain?.ChainPolicy.ExtraStore is not { } others)
        {
            return [EncodingOf(certificate)];
        }

        var certificates = new ReadOnlyMemory<byte>[1 + CountOthers(others, certificate)];
        certificates[0] = EncodingOf(certificate);
        var count = 1;
        for (var i = 0; i < others.Count; i++)
        {
            if (!IsSameObject(others[i], certificate)
                && others[i].RawDataMemory is var encoding
                && !encoding.Span.SequenceEqual(certificates[0].Span))
            {
                certificates[count++] = encoding;
            }
        }

        return count == certificates.Length ? ImmutableCollectionsMarshal.AsImmutableArray(certificates) : [.. certificates.AsSpan(0, count)];
    }

    /// <summary>The platform's own copy, on the managed heap, which is never modified and outlives the certificate.</summary>
    internal static ReadOnlyMemory<byte> EncodingOf(X509Certificate certificate) =>
        certificate is X509Certificate2 complete ? complete.RawDataMemory : certificate.GetRawCertData();

    private static int CountOthers(X509Certificate2Collection shown, X509Certificate certificate)
    {
        var count = 0;
        for (var i = 0; i < shown.Count; i++)
        {
            count += IsSameObject(shown[i], certificate) ? 0 : 1;
        }

        return count;
    }

    /// <summary>
    /// Whether both are one object of the platform's, as where a client's engine has the server's own certificate in the list of all: it needs not
    /// be encoded once more to see that it is the same. False says nothing.
    /// </summary>
    private static bool IsSameObject(X509Certificate2 one, X509Certificate other) => one.Handle != 0 && one.Handle == other.Handle;
}
