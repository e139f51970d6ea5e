using Microsoft.Extensions.Time.Testing;
using MutualAuth.Spiffe;
using MutualAuth.Spiffe.Testing;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests;

[CancelAfter(60000)]
public sealed class RefusedUpdateTests
{
    private static readonly FakeTimeProvider s_clock = Clocks.Standing();

    private static readonly UpdateLimits s_limits = new()
    {
        MaxIdentities = 2,
        MaxChainCertificates = 2,
        MaxBundleCertificates = 2,
        MaxFederatedTrustDomains = 1,
        MaxRevocationLists = 1,
    };

    private TestTrustDomain _domain = null!;
    private TestTrustDomain _other = null!;

    [OneTimeSetUp]
    public void Make_the_trust_domains() =>
        (_domain, _other) = (new TestTrustDomain("example.test", s_clock), new TestTrustDomain("other.test", s_clock));

    [OneTimeTearDown]
    public void Dispose_of_the_trust_domains()
    {
        _domain.Dispose();
        _other.Dispose();
    }

    private static IEnumerable<TestCaseData> BrokenUpdates()
    {
        static TestCaseData Case(string name, UpdateRefusalReason reason, Func<TestTrustDomain, TestTrustDomain, WorkloadUpdate> make) =>
            new TestCaseData(make, reason).SetArgDisplayNames(name);

        static TestCaseData Svid(
            string name, UpdateRefusalReason reason, Func<WorkloadSvid, TestTrustDomain, TestTrustDomain, WorkloadSvid> bend) =>
            Case(name, reason, (domain, other) => Of(bend(domain.Issue("/api"), domain, other)));

        yield return Case("no identity", UpdateRefusalReason.NoIdentity, (_, _) => new WorkloadUpdate());
        yield return Case(
            "too many identities",
            UpdateRefusalReason.TooMany,
            (domain, _) => Of(domain.Issue("/a"), domain.Issue("/b"), domain.Issue("/c")));
        yield return Case(
            "too many trust domains",
            UpdateRefusalReason.TooMany,
            (domain, other) => Of(domain.Issue("/api")).FederatedWith(domain, other));
        yield return Case(
            "a second identity that is broken",
            UpdateRefusalReason.SpiffeIdMalformed,
            (domain, _) => Of(domain.Issue("/api"), domain.Issue("/other") with { SpiffeId = "" }));
        yield return Case("an expired certificate", UpdateRefusalReason.Expired, (domain, _) =>
            Of(domain.Issue("/api", spec => spec with { NotAfter = s_clock.GetUtcNow().AddSeconds(-5) })));
        yield return Case("an authority as a workload", UpdateRefusalReason.SpiffeIdMismatch, (domain, _) =>
            Of(domain.Issue("/api", spec => spec with { BasicConstraints = new Testing.BasicConstraints(IsAuthority: true) })));
        yield return Case("two SPIFFE IDs in the certificate", UpdateRefusalReason.SpiffeIdMismatch, (domain, _) =>
            Of(domain.Issue("/api", spec => spec with { Uris = [.. spec.Uris, "spiffe://example.test/other"] })));
        yield return Case("no SPIFFE ID in the certificate", UpdateRefusalReason.SpiffeIdMismatch, (domain, _) =>
            Of(domain.Issue("/api", spec => spec with { Uris = [], DnsNames = ["api.example.test"] })));
        yield return Case("the wrong usages", UpdateRefusalReason.SpiffeIdMismatch, (domain, _) =>
            Of(domain.Issue(
                "/api",
                spec => spec with { KeyUsage = spec.KeyUsage | System.Security.Cryptography.X509Certificates.X509KeyUsageFlags.CrlSign })));
        yield return Case("signed by another authority", UpdateRefusalReason.NotVouchedFor, (domain, other) =>
            Of(domain.Issue("/api", by: other.Authority)));
        yield return Case("a broken signature", UpdateRefusalReason.NotVouchedFor, (domain, _) =>
            Of(domain.Issue("/api", spec => spec with { CorruptSignature = true })));
        yield return Case("two bundles for one trust domain", UpdateRefusalReason.BundlesDisagree, (domain, other) =>
        {
            var second = domain.Issue("/second") with { Bundle = other.Bundle() };
            return Of(domain.Issue("/api"), second);
        });
        yield return Case("a malformed revocation list", UpdateRefusalReason.RevocationListMalformed, (domain, _) =>
            domain.Update("/api") with { RevocationLists = ["list"u8.ToArray()] });

        yield return Svid("no SPIFFE ID", UpdateRefusalReason.SpiffeIdMalformed, (svid, _, _) => svid with { SpiffeId = "" });
        yield return Svid(
            "a SPIFFE ID without a path",
            UpdateRefusalReason.SpiffeIdMalformed,
            (svid, domain, _) => svid with { SpiffeId = domain.SpiffeId });
        yield return Svid(
            "another SPIFFE ID than the certificate's",
            UpdateRefusalReason.SpiffeIdMismatch,
            (svid, domain, _) => svid with { SpiffeId = domain.SpiffeId + "/other" });
        yield return Svid("no certificate", UpdateRefusalReason.CertificateMalformed, (svid, _, _) => svid with { Certificates = default });
        yield return Svid(
            "a certificate that is not DER",
            UpdateRefusalReason.CertificateMalformed,
            (svid, _, _) => svid with { Certificates = "svid"u8.ToArray() });
        yield return Svid(
            "a certificate that is cut off",
            UpdateRefusalReason.CertificateMalformed,
            (svid, _, _) => svid with { Certificates = svid.Certificates[..^1] });
        yield return Svid(
            "a certificate with an endless length",
            UpdateRefusalReason.CertificateMalformed,
            (svid, _, _) => svid with { Certificates = new byte[] { 0x30, 0x80, 0, 0 } });
        yield return Svid(
            "a chain that is none",
            UpdateRefusalReason.CertificateMalformed,
            (svid, _, other) => svid with { Certificates = (byte[])[.. svid.Certificates.Span, .. other.Issue("/x").Certificates.Span] });
        yield return Svid(
            "too long a chain",
            UpdateRefusalReason.TooMany,
            (svid, domain, _) => svid with { Certificates = (byte[])[.. svid.Certificates.Span, .. domain.Bundle().Span, .. domain.Bundle().Span] });
        yield return Svid("no key", UpdateRefusalReason.KeyMismatch, (svid, _, _) => svid with { PrivateKey = default });
        yield return Svid(
            "another key",
            UpdateRefusalReason.KeyMismatch,
            (svid, domain, _) => svid with { PrivateKey = domain.Issue("/api").PrivateKey });
        yield return Svid("a key of another kind", UpdateRefusalReason.KeyMismatch, (svid, domain, _) =>
            svid with { PrivateKey = domain.Issue("/api", spec => spec with { KeyAlgorithm = Testing.KeyAlgorithm.Rsa2048 }).PrivateKey });
        yield return Svid(
            "something behind the key",
            UpdateRefusalReason.KeyMismatch,
            (svid, _, _) => svid with { PrivateKey = (byte[])[.. svid.PrivateKey.Span, 0] });
        yield return Svid("no bundle", UpdateRefusalReason.CertificateMalformed, (svid, _, _) => svid with { Bundle = default });
        yield return Svid(
            "a bundle that is not DER", UpdateRefusalReason.CertificateMalformed, (svid, _, _) => svid with { Bundle = "bundle"u8.ToArray() });
        yield return Svid(
            "a bundle without an authority",
            UpdateRefusalReason.BundleWithoutAuthority,
            (svid, _, _) => svid with { Bundle = svid.Certificates });
        yield return Svid(
            "an authority and a workload in the bundle",
            UpdateRefusalReason.BundleWithoutAuthority,
            (svid, _, _) => svid with { Bundle = (byte[])[.. svid.Bundle.Span, .. svid.Certificates.Span] });
        yield return Svid(
            "the bundle of another trust domain",
            UpdateRefusalReason.NotVouchedFor,
            (svid, _, other) => svid with { Bundle = other.Bundle() });
        yield return Svid(
            "too large a bundle",
            UpdateRefusalReason.TooMany,
            (svid, domain, other) => svid with { Bundle = (byte[])[.. domain.Bundle().Span, .. other.Bundle().Span, .. domain.Bundle().Span] });
    }

    [TestCaseSource(nameof(BrokenUpdates))]
    public async Task An_update_that_does_not_check_is_refused_whole(object make, UpdateRefusalReason reason)
    {
        await using var workload = await Workload.StartAsync(s_clock, _domain.Update("/api"), change: options => options with { Limits = s_limits });
        var (before, replaced) = (workload.Source.Current, 0);
        workload.Source.Replaced += (_, _) => replaced++;

        (await workload.OfferAsync(((Func<TestTrustDomain, TestTrustDomain, WorkloadUpdate>)make)(_domain, _other))).Should().Be(reason);

        workload.Source.Current.Should().BeSameAs(before);
        replaced.Should().Be(0);
        var met = await workload.CallAsync(workload);
        met.Client!.Certificate.Should().Be(before.Identity.Certificate, "handshakes go on with what was in force");

        await workload.UpdateAsync(_domain.Update("/api", _other));
        workload.Source.Current.Should().NotBeSameAs(before, "a good update behind a bad one is taken");
        workload.Api.Requests.Should().Be(1, "the stream goes on");
    }

    [Test]
    public async Task What_is_just_within_the_limits_is_taken()
    {
        using var intermediate = _domain.Authority.IssueIntermediate();
        var update = Of(_domain.Issue("/a", by: intermediate), _domain.Issue("/b")).FederatedWith(_other);
        byte[] both = [.. _domain.Bundle().Span, .. _other.Bundle().Span];
        update = update with
        {
            Svids = [.. update.Svids.Select(svid => svid with { Bundle = both })],
            RevocationLists = [_domain.Authority.IssueCrl().Raw],
        };

        await using var workload = await Workload.StartAsync(s_clock, update, change: options => options with { Limits = s_limits });

        workload.Source.Current.SpiffeId.Path.Should().Be("/a");
        workload.Source.Current.RevocationLists.Lists.Should().ContainSingle();
    }

    [Test]
    public async Task A_message_that_is_too_large_is_never_read_and_the_last_good_stays()
    {
        await using var workload = await Workload.StartAsync(
            s_clock, _domain.Update("/api"), change: options => options with { Limits = new UpdateLimits { MaxMessageBytes = 64 * 1024 } });
        var before = workload.Source.Current;
        var large = Of(_domain.Issue("/api", hint: new string('x', 65 * 1024)));

        workload.Api.Send(large);
        (await workload.Log.UntilAsync("StreamEnded")).Values["Failure"].Should().Be(WorkloadApiFailure.Unreachable);
        workload.Source.Current.Should().BeSameAs(before);

        workload.Api.Send(_domain.Update("/api"));
        s_clock.Advance(TimeSpan.FromSeconds(30));
        await workload.Log.UntilAsync("UpdateTaken", 2);
    }

    [TestCase("rsa")]
    [TestCase("p384")]
    public async Task Keys_of_other_kinds_are_taken(string kind)
    {
        var algorithm = kind == "rsa" ? Testing.KeyAlgorithm.Rsa2048 : Testing.KeyAlgorithm.EcdsaP384;
        await using var workload = await Workload.StartAsync(
            s_clock, Of(_domain.Issue("/api", spec => spec with { KeyAlgorithm = algorithm })));

        (await workload.CallAsync(workload)).Client!.SpiffeId!.Path.Should().Be("/api");
    }

    [Test]
    public async Task An_identity_whose_time_has_not_come_by_our_clock_is_taken()
    {
        await using var workload = await Workload.StartAsync(
            s_clock, Of(_domain.Issue("/api", spec => spec with { NotBefore = s_clock.GetUtcNow().AddMinutes(1) })));

        workload.Source.Current.SpiffeId.Path.Should().Be("/api");
    }

    [Test]
    public async Task No_key_is_ever_logged()
    {
        var update = _domain.Update("/api");
        await using var workload = await Workload.StartAsync(s_clock, update);
        var broken = _domain.Issue("/api");
        broken = broken with { PrivateKey = (byte[])[.. broken.PrivateKey.Span, 0] };
        await workload.OfferAsync(Of(broken));

        var logged = string.Join('\n', workload.Log.Entries);
        logged.Should().NotContain(
            Base64(update.Svids[0])[^40..]).And.NotContain(Base64(broken)[^40..]).And.NotContain("PRIVATE");
    }

    private static WorkloadUpdate Of(params System.Collections.Immutable.ImmutableArray<WorkloadSvid> svids) => new() { Svids = svids };

    private static string Base64(WorkloadSvid svid) => Convert.ToBase64String(svid.PrivateKey.Span);
}
