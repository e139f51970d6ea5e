using MutualAuth.Certificates;
using MutualAuth.Testing;
using MutualAuth.Trust;

namespace MutualAuth.Tests.Support;

/// <summary>Peers that have signed their own certificates, for both roles, as trust on first use wants them. Tests change one fact.</summary>
internal static class SelfSigned
{
    private static readonly TestAuthority s_writer = new("Only the pen");

    internal static TestCertificate Issue(string name, Func<CertificateSpec, CertificateSpec>? change = null)
    {
        var key = TestKey.Generate();
        var spec = new Func<CertificateSpec, CertificateSpec>(template => template with
        {
            Subject = $"CN={name}",
            Issuer = $"CN={name}",
            DnsNames = [name],
            ExtendedKeyUsages = [ExtendedKeyUsage.ServerAuth, ExtendedKeyUsage.ClientAuth],
            Key = key,
            SigningKey = key,
        });
        return s_writer.Issue(template => change is null ? spec(template) : change(spec(template)));
    }

    internal static Certificate Read(TestCertificate issued) => Certificate.Parse(issued.RawCertificate);

    internal static KnownPeer Known(string name, TestCertificate certificate) =>
        new(
            name,
            MutualAuth.Names.SpkiPin.OfSubjectPublicKeyInfo(certificate.Key.SubjectPublicKeyInfo.Span),
            new DateTimeOffset(2026, 1, 31, 12, 0, 0, TimeSpan.Zero));
}
