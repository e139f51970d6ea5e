#pragma warning disable
using System.Net;
namespace MutualAuth.Names;
public sealed class DnsName : IEquatable<DnsName> {
    public static DnsName Parse(string text) => throw new NotImplementedException();
    public static bool TryParse(string? text, out DnsName? name) => throw new NotImplementedException();
    public bool Equals(DnsName? other) => throw new NotImplementedException();
}
public sealed class ServerName : IEquatable<ServerName> {
    public static ServerName Parse(string text) => throw new NotImplementedException();
    public static bool TryParse(string? text, out ServerName? name) => throw new NotImplementedException();
    public DnsName? Dns => throw new NotImplementedException();
    public IPAddress? Address => throw new NotImplementedException();
    public bool Equals(ServerName? other) => throw new NotImplementedException();
}
public sealed class TrustDomain : IEquatable<TrustDomain> {
    public static TrustDomain Parse(string text) => throw new NotImplementedException();
    public static bool TryParse(string? text, out TrustDomain? trustDomain) => throw new NotImplementedException();
    public bool Equals(TrustDomain? other) => throw new NotImplementedException();
}
public sealed class SpiffeId : IEquatable<SpiffeId> {
    public static SpiffeId Parse(string text) => throw new NotImplementedException();
    public static bool TryParse(string? text, out SpiffeId? id) => throw new NotImplementedException();
    public TrustDomain TrustDomain => throw new NotImplementedException();
    public string Path => throw new NotImplementedException();
    public bool Equals(SpiffeId? other) => throw new NotImplementedException();
}
public sealed class SpkiPin : IEquatable<SpkiPin> {
    public static SpkiPin Parse(string text) => throw new NotImplementedException();
    public static bool TryParse(string? text, out SpkiPin? pin) => throw new NotImplementedException();
    public static SpkiPin OfSubjectPublicKeyInfo(ReadOnlySpan<byte> der) => throw new NotImplementedException();
    public bool Equals(SpkiPin? other) => throw new NotImplementedException();
}
