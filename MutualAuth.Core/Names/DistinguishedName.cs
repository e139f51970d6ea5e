#pragma warning disable
namespace MutualAuth.Names;
public sealed class DistinguishedName : IEquatable<DistinguishedName> {
    public static DistinguishedName Parse(string rfc4514) => throw new NotImplementedException();
    public static bool TryParse(string? rfc4514, out DistinguishedName? name) => throw new NotImplementedException();
    public static bool TryDecode(ReadOnlyMemory<byte> der, out DistinguishedName? name) => throw new NotImplementedException();
    public ReadOnlyMemory<byte> RawData => throw new NotImplementedException();
    public bool IsEmpty => throw new NotImplementedException();
    public bool Equals(DistinguishedName? other) => throw new NotImplementedException();
}
