using System.Security.Cryptography;
using MutualAuth.Testing;

namespace MutualAuth.Tests.Support;

/// <summary>ML-DSA is what OpenSSL 3.5 has and 3.0 has not: each test says what must hold on both, so that none is skipped.</summary>
internal static class PostQuantum
{
    internal static bool IsHere => MLDsa.IsSupported;

    /// <summary>What must come out where the platform has ML-DSA; elsewhere it is not supported.</summary>
    internal static RejectionReason? Here(RejectionReason? reason) => IsHere ? reason : RejectionReason.AlgorithmNotSupported;

    internal static TestAuthority Root(KeyAlgorithm algorithm) => new("Root", spec => spec with { Key = TestKey.Shared(algorithm, 40) });

    internal static TestAuthority Below(TestAuthority authority, KeyAlgorithm algorithm) =>
        authority.IssueIntermediate("Issuing", spec => spec with { Key = TestKey.Shared(algorithm, 41) });

    internal static TestCertificate Client(
        TestAuthority authority, KeyAlgorithm algorithm, Func<CertificateSpec, CertificateSpec>? change = null) => authority.Issue(spec =>
    {
        var asked = spec with
        {
            Subject = "CN=client.test",
            DnsNames = ["client.test"],
            ExtendedKeyUsages = [ExtendedKeyUsage.ClientAuth],
            Key = TestKey.Shared(algorithm, algorithm is KeyAlgorithm.Rsa2048 or KeyAlgorithm.Rsa3072 ? 40 : 42), // a key of RSA takes a second
        };
        return change?.Invoke(asked) ?? asked;
    });
}
