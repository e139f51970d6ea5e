using MutualAuth.Testing.Building;

namespace MutualAuth.Testing.Revocation;

/// <summary>A signed CRL.</summary>
/// <remarks>Immutable.</remarks>
public sealed class TestCrl
{
    internal TestCrl(byte[] raw, CrlSpec spec)
    {
        Raw = raw;
        Spec = spec;
    }

    /// <summary>The CRL in DER, as distribution points serve it.</summary>
    public ReadOnlyMemory<byte> Raw { get; }

    /// <summary>The CRL in PEM.</summary>
    public string Pem => PemText.Of("X509 CRL", Raw.Span);

    /// <summary>What the CRL was asked to say.</summary>
    public CrlSpec Spec { get; }

    /// <summary>Writes it as <c>NAME.pem</c>, in one step in the place of what lay there.</summary>
    /// <returns>The path of the file.</returns>
    public string WriteTo(string directory, string name = "crl")
    {
        Directory.CreateDirectory(directory);
        var path = Path.Combine(directory, name + ".pem");
        WholeFile.Write(path, Pem);
        return path;
    }
}
