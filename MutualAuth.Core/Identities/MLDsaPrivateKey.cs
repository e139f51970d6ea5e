using System.Formats.Asn1;
using System.Security.Cryptography;
using MutualAuth.Asn1;
using MutualAuth.Certificates;

namespace MutualAuth.Identities;

/// <summary>Reads ML-DSA private keys in PKCS#8 (RFC 9881 §6): as a seed, expanded, or as both.</summary>
internal static class MLDsaPrivateKey
{
    private const int SeedLength = 32;

    /// <returns>The key, which the caller owns.</returns>
    /// <exception cref="MaterialException">The platform has no ML-DSA, or seed and expanded key are not of one key.</exception>
    /// <exception cref="AsnContentException">It is none of the three forms.</exception>
    /// <exception cref="CryptographicException">The platform does not take it.</exception>
    internal static MLDsa Import(MLDsaSet set, ReadOnlyMemory<byte> pkcs8, PemOrigin origin)
    {
        if (!MLDsa.IsSupported)
        {
            throw PrivateKeyPem.Unusable(origin, MaterialProblem.NoKey, $"it is an {set.Name} key, and {MLDsaSet.Missing}");
        }

        var info = new DerReader(pkcs8).ReadSequence();
        info.ReadInteger();
        var algorithm = info.ReadSequence();
        algorithm.ReadOid();
        algorithm.End();
        var (seed, expanded) = Read(info.ReadContent(DerReader.OctetString), set);
        if (seed.IsEmpty)
        {
            return MLDsa.ImportMLDsaPrivateKey(set.Algorithm, expanded.Span);
        }

        var key = MLDsa.ImportMLDsaPrivateSeed(set.Algorithm, seed.Span);
        if (!expanded.IsEmpty && !IsOf(key, expanded.Span))
        {
            key.Dispose();
            throw PrivateKeyPem.Unusable(
                origin, MaterialProblem.NoKey, "its seed and its expanded form are not of the same key [RFC 9881 §8.2]. Export it again");
        }

        return key;
    }

    /// <summary>The alternatives of RFC 9881 §6: a seed under the tag [0], an expanded key, or a sequence of the two.</summary>
    private static (ReadOnlyMemory<byte> Seed, ReadOnlyMemory<byte> Expanded) Read(ReadOnlyMemory<byte> contents, MLDsaSet set)
    {
        var reader = new DerReader(contents);
        ReadOnlyMemory<byte> seed = default, expanded = default;
        if (reader.TryReadContent(DerReader.Context(0, constructed: false), out var alone))
        {
            seed = alone;
        }
        else if (reader.NextIs(DerReader.OctetString))
        {
            expanded = reader.ReadContent(DerReader.OctetString);
        }
        else
        {
            var both = reader.ReadSequence();
            seed = both.ReadContent(DerReader.OctetString);
            expanded = both.ReadContent(DerReader.OctetString);
            both.End();
        }

        reader.End();
        return (seed.IsEmpty || seed.Length == SeedLength) && (expanded.IsEmpty || expanded.Length == set.Algorithm.PrivateKeySizeInBytes)
            && seed.Length + expanded.Length > 0
            ? (seed, expanded)
            : throw new AsnContentException("the private key does not have the length of its algorithm");
    }

    private static bool IsOf(MLDsa key, ReadOnlySpan<byte> expanded)
    {
        var derived = new byte[expanded.Length];
        try
        {
            key.ExportMLDsaPrivateKey(derived);
            return CryptographicOperations.FixedTimeEquals(derived, expanded);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(derived);
        }
    }
}
