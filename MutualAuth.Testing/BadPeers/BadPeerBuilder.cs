using System.Security.Cryptography;
using MutualAuth.Testing.Building;
using MutualAuth.Testing.Revocation;

namespace MutualAuth.Testing.BadPeers;

/// <summary>Where an exhibit is made: the trusted root, the role to play, and short words for what most bad peers need.</summary>
internal sealed class BadPeerBuilder
{
    private readonly List<IDisposable> _owned = [];

    internal BadPeerBuilder(TestAuthority root, PeerRole role, GalleryNames names, string? trap)
    {
        Trap = trap ?? "http://127.0.0.1:9/issuer.cer";
        Root = root;
        Role = role;
        ArgumentException.ThrowIfNullOrEmpty(names.Client);
        ArgumentException.ThrowIfNullOrEmpty(names.Server);
        Names = names with { Client = GeneralName.ToALabels(names.Client), Server = GeneralName.ToALabels(names.Server) };
        DialledName = Names.Server;
    }

    internal TestAuthority Root { get; }

    internal PeerRole Role { get; }

    internal GalleryNames Names { get; }

    internal string DialledName { get; set; }

    /// <summary>An address that must not be requested; a run puts the address of its trap here.</summary>
    internal string Trap { get; }

    internal List<string> Pins { get; } = [];

    internal List<TestCrl> Crls { get; } = [];

    internal IReadOnlyList<IDisposable> Owned => _owned;

    internal DateTimeOffset Now => Root.Clock.GetUtcNow();

    internal string Name => Role == PeerRole.Client ? Names.Client : Names.Server;

    /// <summary>The name as a common name, even where it is longer than one may be: for those whose story is about it, and for issuers.</summary>
    internal string CommonName => Dn.CommonName(Name);

    internal string SpiffeId => $"spiffe://{Names.TrustDomain}/{(Role == PeerRole.Client ? "client" : "server")}";

    internal string Usage => Role == PeerRole.Client ? ExtendedKeyUsage.ClientAuth : ExtendedKeyUsage.ServerAuth;

    internal string OtherUsage => Role == PeerRole.Client ? ExtendedKeyUsage.ServerAuth : ExtendedKeyUsage.ClientAuth;

    /// <summary>A good peer's certificate, with the change that is asked for.</summary>
    internal TestCertificate Leaf(
        Func<CertificateSpec, CertificateSpec>? change = null, TestAuthority? issuer = null) => Own((issuer ?? Root).Issue(spec =>
    {
        var good = Good(spec);
        return change?.Invoke(good) ?? good;
    }));

    internal CertificateSpec Good(CertificateSpec spec) => spec with
    {
        Subject = Dn.SubjectOf(Name),
        DnsNames = [Name],
        Uris = [SpiffeId],
        ExtendedKeyUsages = [Usage],
    };

    internal TestAuthority Intermediate(
        Func<CertificateSpec, CertificateSpec>? change = null, TestAuthority? issuer = null, string name = "Gallery Intermediate") =>
        Own((issuer ?? Root).IssueIntermediate(name, change));

    internal TestAuthority Stranger(Func<CertificateSpec, CertificateSpec>? change = null) =>
        Own(new TestAuthority("Strange Root", change, Root.Clock, Root.NextStranger()));

    /// <summary>Another companion list for a certificate, in DER; the exhibit owns the result.</summary>
    internal TestCertificate WithChain(TestCertificate certificate, params IEnumerable<ReadOnlyMemory<byte>> chain) =>
        Own(certificate.WithChain(chain));

    internal static string PinOf(TestKey key) => "sha256/" + Convert.ToBase64String(SHA256.HashData(key.SubjectPublicKeyInfo.Span));

    internal T Own<T>(T owned)
        where T : IDisposable
    {
        _owned.Add(owned);
        return owned;
    }
}
