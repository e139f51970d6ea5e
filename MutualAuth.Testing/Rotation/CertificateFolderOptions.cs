namespace MutualAuth.Testing.Rotation;

/// <summary>Where and how a <see cref="CertificateFolder"/> lies on the disk.</summary>
/// <remarks>Immutable.</remarks>
public sealed record CertificateFolderOptions
{
    /// <summary>The folder, which is made when it does not exist, and stays. Default: a new one, deleted with the object.</summary>
    public string? Directory { get; init; }

    /// <summary>How the files lie there. Default: <see cref="FolderLayout.Files"/>.</summary>
    public FolderLayout Layout { get; init; } = FolderLayout.Files;

    /// <summary>The name of the file with the certificate and its intermediates, in PEM. Default: <c>tls.crt</c>.</summary>
    public string CertificateName { get; init; } = "tls.crt";

    /// <summary>The name of the file with the private key, PKCS#8 in PEM, readable by its owner alone. Default: <c>tls.key</c>.</summary>
    public string KeyName { get; init; } = "tls.key";

    /// <summary>The name of the file with the roots to trust, in PEM. Default: <c>ca.crt</c>.</summary>
    public string TrustName { get; init; } = "ca.crt";

    /// <summary>The clock that <see cref="FolderLayout.KubernetesSecret"/> names folders by. Default: the system's.</summary>
    public TimeProvider TimeProvider { get; init; } = TimeProvider.System;

    internal IEnumerable<string> Problems()
    {
        string[] names = [CertificateName, KeyName, TrustName];
        if (!Enum.IsDefined(Layout))
        {
            yield return $"{nameof(Layout)} is {(int)Layout}, which is none.";
        }

        foreach (var name in names.Where(name => string.IsNullOrEmpty(name) || name.StartsWith("..", StringComparison.Ordinal)
            || name == "." || name.AsSpan().ContainsAny('/', '\\', '\0')))
        {
            yield return $"\"{name}\" is no name of a file in a folder.";
        }

        if (names.Distinct(StringComparer.OrdinalIgnoreCase).Count() < names.Length)
        {
            yield return "Two files have the same name.";
        }
    }
}
