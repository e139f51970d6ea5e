using System.Security.Cryptography.X509Certificates;
using MutualAuth.Testing;

namespace MutualAuth.Benchmarks.Compare;

/// <summary>A directory with a root, and a server and a client below an intermediate of it, in the files that every candidate reads.</summary>
internal sealed class Materials : IDisposable
{
    internal const string ServerName = "server.test";
    internal const string User = "alice";
    internal const string Password = "correct horse battery staple";

    /// <summary>
    /// Those of the verifier: the fewest. Only the client derives the key; with 600,000 it would do little else, and the server would mostly wait.
    /// </summary>
    internal const int Iterations = MutualAuth.Credentials.ScramVerifier.MinIterations;

    internal Materials(KeyAlgorithm keys)
    {
        Directory = System.IO.Directory.CreateTempSubdirectory("compare-").FullName;
        using var root = new TestAuthority("Root", spec => spec with { KeyAlgorithm = keys });
        using var intermediate = root.IssueIntermediate("Intermediate", spec => spec with { KeyAlgorithm = keys });
        File.WriteAllText(Path.Combine(Directory, "root.pem"), root.CertificatePem);
        File.WriteAllText(Path.Combine(Directory, "intermediate.pem"), intermediate.CertificatePem);
        Write(intermediate, "server", ExtendedKeyUsage.ServerAuth, keys);
        Write(intermediate, "client", ExtendedKeyUsage.ClientAuth, keys);
    }

    internal string Directory { get; }

    public void Dispose() => System.IO.Directory.Delete(Directory, recursive: true);

    internal static X509Certificate2 Root(string directory) => X509CertificateLoader.LoadCertificateFromFile(Path.Combine(directory, "root.pem"));

    internal static X509Certificate2 Intermediate(string directory) =>
        X509CertificateLoader.LoadCertificateFromFile(Path.Combine(directory, "intermediate.pem"));

    internal static X509Certificate2 Leaf(string directory, string name) =>
        X509Certificate2.CreateFromPemFile(Path.Combine(directory, name + ".pem"), Path.Combine(directory, name + ".key"));

    private void Write(TestAuthority authority, string name, string purpose, KeyAlgorithm keys)
    {
        using var issued = authority.Issue(spec => spec with { KeyAlgorithm = keys, DnsNames = [name + ".test"], ExtendedKeyUsages = [purpose] });
        issued.WriteTo(Directory, name);
    }
}
