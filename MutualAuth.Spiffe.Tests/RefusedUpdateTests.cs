using Google.Protobuf;
using Microsoft.Extensions.Time.Testing;
using MutualAuth.Spiffe;
using MutualAuth.Spiffe.Protocol;
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

    private Domain _domain = null!;
    private Domain _other = null!;

    [OneTimeSetUp]
    public void Make_the_trust_domains() => (_domain, _other) = (new Domain("example.test", s_clock), new Domain("other.test", s_clock));

    [OneTimeTearDown]
    public void Dispose_of_the_trust_domains()
    {
        _domain.Dispose();
        _other.Dispose();
    }

    private static IEnumerable<TestCaseData> BrokenUpdates()
    {
        static TestCaseData Case(string name, UpdateRefusalReason reason, Func<Domain, Domain, X509SVIDResponse> make) =>
            new TestCaseData(make, reason).SetArgDisplayNames(name);

        static TestCaseData Svid(
            string name, UpdateRefusalReason reason, Action<X509SVID, Domain, Domain> bend) => Case(name, reason, (domain, other) =>
        {
            var svid = domain.Svid("/api");
            bend(svid, domain, other);
            return Domain.Message([svid]);
        });

        yield return Case("no identity", UpdateRefusalReason.NoIdentity, (_, _) => new X509SVIDResponse());
        yield return Case(
            "too many identities",
            UpdateRefusalReason.TooMany,
            (domain, _) => Domain.Message([domain.Svid("/a"), domain.Svid("/b"), domain.Svid("/c")]));
        yield return Case(
            "too many trust domains", UpdateRefusalReason.TooMany, (domain, other) => Domain.Message([domain.Svid("/api")], domain, other));
        yield return Case(
            "a second identity that is broken",
            UpdateRefusalReason.SpiffeIdMalformed,
            (domain, _) => Domain.Message([domain.Svid("/api"), new X509SVID()]));
        yield return Case("an expired certificate", UpdateRefusalReason.Expired, (domain, _) =>
            Domain.Message([domain.Svid("/api", spec => spec with { NotAfter = s_clock.GetUtcNow().AddSeconds(-5) })]));
        yield return Case("an authority as a workload", UpdateRefusalReason.SpiffeIdMismatch, (domain, _) =>
            Domain.Message([domain.Svid("/api", spec => spec with { BasicConstraints = new Testing.BasicConstraints(IsAuthority: true) })]));
        yield return Case("two SPIFFE IDs in the certificate", UpdateRefusalReason.SpiffeIdMismatch, (domain, _) =>
            Domain.Message([domain.Svid("/api", spec => spec with { Uris = [.. spec.Uris, "spiffe://example.test/other"] })]));
        yield return Case("no SPIFFE ID in the certificate", UpdateRefusalReason.SpiffeIdMismatch, (domain, _) =>
            Domain.Message([domain.Svid("/api", spec => spec with { Uris = [], DnsNames = ["api.example.test"] })]));
        yield return Case("the wrong usages", UpdateRefusalReason.SpiffeIdMismatch, (domain, _) =>
            Domain.Message(
                [
                    domain.Svid(
                        "/api",
                        spec => spec with { KeyUsage = spec.KeyUsage | System.Security.Cryptography.X509Certificates.X509KeyUsageFlags.CrlSign }),
                ]));
        yield return Case("signed by another authority", UpdateRefusalReason.NotVouchedFor, (domain, other) =>
            Domain.Message([domain.Svid("/api", by: other.Authority)]));
        yield return Case("a broken signature", UpdateRefusalReason.NotVouchedFor, (domain, _) =>
            Domain.Message([domain.Svid("/api", spec => spec with { CorruptSignature = true })]));
        yield return Case("two bundles for one trust domain", UpdateRefusalReason.BundlesDisagree, (domain, other) =>
        {
            var second = domain.Svid("/second");
            second.Bundle = other.Bundle();
            return Domain.Message([domain.Svid("/api"), second]);
        });
        yield return Case("a malformed revocation list", UpdateRefusalReason.RevocationListMalformed, (domain, _) =>
        {
            var update = domain.Update("/api");
            update.Crl.Add(ByteString.CopyFromUtf8("list"));
            return update;
        });

        yield return Svid("no SPIFFE ID", UpdateRefusalReason.SpiffeIdMalformed, (svid, _, _) => svid.SpiffeId = string.Empty);
        yield return Svid("a SPIFFE ID without a path", UpdateRefusalReason.SpiffeIdMalformed, (svid, domain, _) => svid.SpiffeId = domain.Id);
        yield return Svid(
            "another SPIFFE ID than the certificate's",
            UpdateRefusalReason.SpiffeIdMismatch,
            (svid, domain, _) => svid.SpiffeId = domain.Id + "/other");
        yield return Svid("no certificate", UpdateRefusalReason.CertificateMalformed, (svid, _, _) => svid.X509Svid = ByteString.Empty);
        yield return Svid(
            "a certificate that is not DER",
            UpdateRefusalReason.CertificateMalformed,
            (svid, _, _) => svid.X509Svid = ByteString.CopyFromUtf8("svid"));
        yield return Svid(
            "a certificate that is cut off",
            UpdateRefusalReason.CertificateMalformed,
            (svid, _, _) => svid.X509Svid = ByteString.CopyFrom(svid.X509Svid.Span[..^1]));
        yield return Svid(
            "a certificate with an endless length",
            UpdateRefusalReason.CertificateMalformed,
            (svid, _, _) => svid.X509Svid = ByteString.CopyFrom(0x30, 0x80, 0, 0));
        yield return Svid(
            "a chain that is none",
            UpdateRefusalReason.CertificateMalformed,
            (svid, _, other) => svid.X509Svid = ByteString.CopyFrom([.. svid.X509Svid, .. other.Svid("/x").X509Svid]));
        yield return Svid(
            "too long a chain",
            UpdateRefusalReason.TooMany,
            (svid, domain, _) => svid.X509Svid = ByteString.CopyFrom([.. svid.X509Svid, .. domain.Bundle(), .. domain.Bundle()]));
        yield return Svid("no key", UpdateRefusalReason.KeyMismatch, (svid, _, _) => svid.X509SvidKey = ByteString.Empty);
        yield return Svid("another key", UpdateRefusalReason.KeyMismatch, (svid, domain, _) => svid.X509SvidKey = domain.Svid("/api").X509SvidKey);
        yield return Svid("a key of another kind", UpdateRefusalReason.KeyMismatch, (svid, domain, _) =>
            svid.X509SvidKey = domain.Svid("/api", spec => spec with { KeyAlgorithm = Testing.KeyAlgorithm.Rsa2048 }).X509SvidKey);
        yield return Svid(
            "something behind the key",
            UpdateRefusalReason.KeyMismatch,
            (svid, _, _) => svid.X509SvidKey = ByteString.CopyFrom([.. svid.X509SvidKey, 0]));
        yield return Svid("no bundle", UpdateRefusalReason.CertificateMalformed, (svid, _, _) => svid.Bundle = ByteString.Empty);
        yield return Svid(
            "a bundle that is not DER", UpdateRefusalReason.CertificateMalformed, (svid, _, _) => svid.Bundle = ByteString.CopyFromUtf8("bundle"));
        yield return Svid("a bundle without an authority", UpdateRefusalReason.BundleWithoutAuthority, (svid, _, _) => svid.Bundle = svid.X509Svid);
        yield return Svid(
            "an authority and a workload in the bundle",
            UpdateRefusalReason.BundleWithoutAuthority,
            (svid, _, _) => svid.Bundle = ByteString.CopyFrom([.. svid.Bundle, .. svid.X509Svid]));
        yield return Svid("the bundle of another trust domain", UpdateRefusalReason.NotVouchedFor, (svid, _, other) => svid.Bundle = other.Bundle());
        yield return Svid(
            "too large a bundle",
            UpdateRefusalReason.TooMany,
            (svid, domain, other) => svid.Bundle = ByteString.CopyFrom([.. domain.Bundle(), .. other.Bundle(), .. domain.Bundle()]));
    }

    [TestCaseSource(nameof(BrokenUpdates))]
    public async Task An_update_that_does_not_check_is_refused_whole(object make, UpdateRefusalReason reason)
    {
        await using var workload = await Workload.StartAsync(s_clock, _domain.Update("/api"), change: options => options with { Limits = s_limits });
        var (before, replaced) = (workload.Source.Current, 0);
        workload.Source.Replaced += (_, _) => replaced++;

        (await workload.OfferAsync(((Func<Domain, Domain, X509SVIDResponse>)make)(_domain, _other))).Should().Be(reason);

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
        var update = Domain.Message([_domain.Svid("/a", by: intermediate), _domain.Svid("/b")], _other);
        update.Svids[0].Bundle = update.Svids[1].Bundle = ByteString.CopyFrom([.. _domain.Bundle(), .. _other.Bundle()]);
        update.Crl.Add(ByteString.CopyFrom(_domain.Authority.IssueCrl().Raw.Span));

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
        var large = _domain.Update("/api");
        large.Svids[0].Hint = new string('x', 65 * 1024);

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
            s_clock, Domain.Message([_domain.Svid("/api", spec => spec with { KeyAlgorithm = algorithm })]));

        (await workload.CallAsync(workload)).Client!.SpiffeId!.Path.Should().Be("/api");
    }

    [Test]
    public async Task An_identity_whose_time_has_not_come_by_our_clock_is_taken()
    {
        await using var workload = await Workload.StartAsync(
            s_clock, Domain.Message([_domain.Svid("/api", spec => spec with { NotBefore = s_clock.GetUtcNow().AddMinutes(1) })]));

        workload.Source.Current.SpiffeId.Path.Should().Be("/api");
    }

    [Test]
    public async Task No_key_is_ever_logged()
    {
        var update = _domain.Update("/api");
        await using var workload = await Workload.StartAsync(s_clock, update);
        var broken = _domain.Update("/api");
        broken.Svids[0].X509SvidKey = ByteString.CopyFrom([.. broken.Svids[0].X509SvidKey, 0]);
        await workload.OfferAsync(broken);

        var logged = string.Join('\n', workload.Log.Entries);
        logged.Should().NotContain(
            update.Svids[0].X509SvidKey.ToBase64()[^40..]).And.NotContain(broken.Svids[0].X509SvidKey.ToBase64()[^40..]).And.NotContain("PRIVATE");
    }
}
