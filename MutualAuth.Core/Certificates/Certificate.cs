#pragma warning disable
using System.Collections.Immutable;
using System.Net;
using System.Security.Cryptography.X509Certificates;
using MutualAuth.Errors;
using MutualAuth.Names;
namespace MutualAuth.Certificates;
public sealed class Certificate : IEquatable<Certificate> {
    public static Certificate Parse(ReadOnlyMemory<byte> der) => throw new NotImplementedException();
    public static bool TryParse(ReadOnlyMemory<byte> der, out Certificate? certificate, out Rejection? problem) => throw new NotImplementedException();
    public ReadOnlyMemory<byte> RawData => throw new NotImplementedException();
    public DistinguishedName Subject => throw new NotImplementedException();
    public DistinguishedName Issuer => throw new NotImplementedException();
    public string SerialNumber => throw new NotImplementedException();
    public DateTimeOffset NotBefore => throw new NotImplementedException();
    public DateTimeOffset NotAfter => throw new NotImplementedException();
    public ImmutableArray<string> DnsNames => throw new NotImplementedException();
    public ImmutableArray<string> Uris => throw new NotImplementedException();
    public ImmutableArray<string> EmailAddresses => throw new NotImplementedException();
    public ImmutableArray<IPAddress> IPAddresses => throw new NotImplementedException();
    public bool IsCertificateAuthority => throw new NotImplementedException();
    public int? PathLength => throw new NotImplementedException();
    public X509KeyUsageFlags? KeyUsage => throw new NotImplementedException();
    public ImmutableArray<string> ExtendedKeyUsages => throw new NotImplementedException();
    public ReadOnlyMemory<byte> SubjectPublicKeyInfo => throw new NotImplementedException();
    public string Thumbprint => throw new NotImplementedException();
    public X509Certificate2 ToX509Certificate2() => throw new NotImplementedException();
    public bool Equals(Certificate? other) => throw new NotImplementedException();
}
