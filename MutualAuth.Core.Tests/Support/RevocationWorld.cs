using MutualAuth.Evidence;
using MutualAuth.Revocation;
using MutualAuth.Testing;
using MutualAuth.Testing.Revocation;
using MutualAuth.Validation;

namespace MutualAuth.Tests.Support;

/// <summary>
/// A root, an authority beneath it and a client of that authority's, with the lists that both authorities publish. Tests change one fact of
/// it.
/// </summary>
internal sealed class RevocationWorld : IDisposable
{
    private readonly TestCertificate _client;

    internal RevocationWorld(Func<CertificateSpec, CertificateSpec>? client = null, Func<CertificateSpec, CertificateSpec>? intermediate = null)
    {
        Clock = new PausingClock(new DateTimeOffset(2030, 6, 1, 12, 0, 0, TimeSpan.Zero));
        Root = new TestAuthority("Root", timeProvider: Clock);
        Issuing = Root.IssueIntermediate("Issuing", intermediate);
        _client = Issue(client);
    }

    internal PausingClock Clock { get; }

    internal TestAuthority Root { get; }

    internal TestAuthority Issuing { get; }

    internal TestCertificate Client => _client;

    internal DateTimeOffset Now => Clock.GetUtcNow();

    internal TestCertificate Issue(Func<CertificateSpec, CertificateSpec>? spec = null) => Issuing.Issue(usual =>
    {
        var asked = usual with { Subject = "CN=client.test", DnsNames = ["client.test"] };
        return spec?.Invoke(asked) ?? asked;
    });

    /// <summary>The root's list, and the issuing authority's as changed.</summary>
    internal RevocationLists Lists(Func<CrlSpec, CrlSpec>? spec = null) => RevocationLists.FromDer(RootCrl().Raw, IssuingCrl(spec).Raw);

    internal TestCrl RootCrl() => Root.IssueCrl();

    internal TestCrl IssuingCrl(Func<CrlSpec, CrlSpec>? spec = null) => spec is null ? Issuing.IssueCrl() : Issuing.IssueCrl(spec);

    internal CertificateStageOptions Options(IRevocationListSource? lists, IDenyListSource? denyList = null) => new()
    {
        Trust = Root.ToTrustAnchors(),
        Authorization = Authorize.AnyTrustedPeer,
        Revocation = lists is null ? null : new RevocationPolicy { Lists = lists },
        DenyList = denyList,
    };

    internal PeerEvidence Evidence(TestCertificate? peer = null) =>
        new(PeerRole.Client, [(peer ?? _client).RawCertificate, .. (peer ?? _client).RawChain]);

    internal Rejection? Judge(IRevocationListSource? lists, DateTimeOffset? at = null) => Judge(Options(lists), at);

    internal Rejection? Judge(CertificateStageOptions options, DateTimeOffset? at = null, TestCertificate? peer = null) =>
        RejectionOf(new CertificateStage(options).Judge(Evidence(peer), at ?? Now));

    internal static Rejection? RejectionOf(CertificateVerdict verdict) => (verdict as CertificateVerdict.Rejected)?.Rejection;

    public void Dispose()
    {
        _client.Dispose();
        Issuing.Dispose();
        Root.Dispose();
    }
}
