#pragma warning disable
using System.Collections.Immutable;
using System.Security.Cryptography.X509Certificates;
using MutualAuth.Certificates;
using MutualAuth.Errors;
using MutualAuth.Evidence;
namespace MutualAuth.Trust;
public interface ITrustSource { TrustAnchors Current { get; } }
public sealed class TrustAnchors : ITrustSource {
    public static TrustAnchors FromPem(string pem) => throw new NotImplementedException();
    public static TrustAnchors FromPemFiles(params IEnumerable<string> paths) => throw new NotImplementedException();
    public static TrustAnchors From(params IEnumerable<X509Certificate2> certificates) => throw new NotImplementedException();
    public static TrustAnchors MachineRoots() => throw new NotImplementedException();
    public TrustAnchors WithIntermediates(params IEnumerable<X509Certificate2> certificates) => throw new NotImplementedException();
    public ImmutableArray<Certificate> Certificates => throw new NotImplementedException();
    public ImmutableArray<Certificate> Intermediates => throw new NotImplementedException();
    TrustAnchors ITrustSource.Current => this;
}
public sealed class PathValidator { public PathValidator(ValidationProfile profile) {}
    public PathResult Validate(Certificate leaf, IReadOnlyList<Certificate> presented, TrustAnchors trust, PeerRole role, DateTimeOffset at) => throw new NotImplementedException();
}
public sealed class PathResult { 
    public Rejection? Rejection => throw new NotImplementedException();
    public ImmutableArray<Certificate> Path => throw new NotImplementedException();
}
public sealed record ValidationProfile { public static ValidationProfile MutualTls { get; } = new(); }
