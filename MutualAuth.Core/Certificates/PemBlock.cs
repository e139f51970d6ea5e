namespace MutualAuth.Certificates;

/// <summary>One block of a PEM file.</summary>
/// <param name="Number">Its place among the blocks, from 1.</param>
/// <param name="Label">What it says it holds, such as CERTIFICATE.</param>
/// <param name="Headers">The headers of RFC 1421 before its Base64, as of keys encrypted in the traditional form of OpenSSL; empty for none.</param>
/// <param name="Contents">What its Base64 stands for; never empty.</param>
internal readonly record struct PemBlock(int Number, string Label, string Headers, ReadOnlyMemory<byte> Contents)
{
    /// <summary>Whether it is a certificate and nothing more (RFC 7468 §5.1 lists the old labels).</summary>
    internal bool IsCertificate => Label is "CERTIFICATE" or "X509 CERTIFICATE" or "X.509 CERTIFICATE";

    internal bool IsPrivateKey => Label.EndsWith("PRIVATE KEY", StringComparison.Ordinal);
}
