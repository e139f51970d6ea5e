using Microsoft.Extensions.Time.Testing;
using MutualAuth.Names;
using MutualAuth.Spiffe;
using MutualAuth.Spiffe.Testing;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests;

[CancelAfter(60000)]
public sealed class FederationTests
{
    private readonly FakeTimeProvider _clock = Clocks.Standing();
    private TestTrustDomain _ours = null!;
    private TestTrustDomain _theirs = null!;

    [SetUp]
    public void Make_the_trust_domains() => (_ours, _theirs) = (new TestTrustDomain("ours.test", _clock), new TestTrustDomain("theirs.test", _clock));

    [TearDown]
    public void Dispose_of_the_trust_domains()
    {
        _ours.Dispose();
        _theirs.Dispose();
    }

    [Test]
    public async Task Workloads_of_federated_trust_domains_meet()
    {
        await using var ours = await Workload.StartAsync(_clock, _ours.Update("/api", _theirs), Authorize.SpiffeId("spiffe://theirs.test/client"));
        await using var theirs = await Workload.StartAsync(_clock, _theirs.Update("/client", _ours), Authorize.MemberOf("ours.test"));

        var met = await theirs.CallAsync(ours);

        met.Client!.SpiffeId.Should().Be(SpiffeId.Parse("spiffe://theirs.test/client"));
        met.Server!.SpiffeId.Should().Be(SpiffeId.Parse("spiffe://ours.test/api"));
    }

    [Test]
    public async Task Without_federation_they_do_not()
    {
        await using var ours = await Workload.StartAsync(_clock, _ours.Update("/api"));
        await using var theirs = await Workload.StartAsync(_clock, _theirs.Update("/client", _ours));

        (await theirs.CallAsync(ours)).ByServer.Should().Be(RejectionReason.UnknownAuthority);
    }

    [Test]
    public async Task A_federated_authority_cannot_make_a_workload_of_our_trust_domain()
    {
        // The impostor's own agent is content: to it, their authority is that of ours.test.
        var forged = _ours.Issue("/client", by: _theirs.Authority) with { Bundle = _theirs.Bundle() };
        await using var impostor = await Workload.StartAsync(_clock, new WorkloadUpdate { Svids = [forged] });
        await using var genuine = await Workload.StartAsync(_clock, _ours.Update("/client"));
        await using var ours = await Workload.StartAsync(_clock, _ours.Update("/api", _theirs), Authorize.SpiffeId("spiffe://ours.test/client"));

        (await genuine.CallAsync(ours)).ByServer.Should().BeNull();
        (await impostor.CallAsync(ours)).ByServer.Should().Be(RejectionReason.UnknownAuthority);
        (await ours.CallAsync(impostor)).ByClient.Should().Be(RejectionReason.UnknownAuthority);
    }

    [Test]
    public async Task Ending_a_federation_ends_it_at_once()
    {
        await using var ours = await Workload.StartAsync(_clock, _ours.Update("/api", _theirs));
        await using var theirs = await Workload.StartAsync(_clock, _theirs.Update("/client", _ours));
        (await theirs.CallAsync(ours)).ByServer.Should().BeNull();

        await ours.UpdateAsync(_ours.Update("/api"));

        (await theirs.CallAsync(ours)).ByServer.Should().Be(RejectionReason.UnknownAuthority);
    }

    [Test]
    public async Task An_empty_bundle_ends_a_federation_too()
    {
        await using var ours = await Workload.StartAsync(_clock, _ours.Update("/api", _theirs));
        await ours.UpdateAsync(With(_ours.Update("/api"), _theirs.SpiffeId, ReadOnlyMemory<byte>.Empty));

        ours.Source.Current.Bundles.TrustDomains.Should().Equal(_ours.Name);
        ours.Log.Entries.Should().NotContain(entry => entry.Name == "FederatedBundleRefused");
    }

    private static IEnumerable<TestCaseData> BrokenBundles()
    {
        static TestCaseData Case(string name, Func<TestTrustDomain, ReadOnlyMemory<byte>> bundle, UpdateRefusalReason reason) =>
            new TestCaseData(bundle, reason).SetArgDisplayNames(name);

        yield return Case("not DER", _ => "bundle"u8.ToArray(), UpdateRefusalReason.CertificateMalformed);
        yield return Case("cut off", domain => domain.Bundle()[..^1], UpdateRefusalReason.CertificateMalformed);
        yield return Case("something behind it", domain => (byte[])[.. domain.Bundle().Span, 0], UpdateRefusalReason.CertificateMalformed);
        yield return Case("a workload's certificate", domain => domain.Issue("/api").Certificates, UpdateRefusalReason.BundleWithoutAuthority);
        yield return Case(
            "too many",
            domain => (byte[])[.. Enumerable.Repeat(domain.Bundle().ToArray(), 5).SelectMany(bundle => bundle)],
            UpdateRefusalReason.TooMany);
    }

    [TestCaseSource(nameof(BrokenBundles))]
    public async Task Another_trust_domain_cannot_keep_us_from_renewing_our_identity(object bundle, UpdateRefusalReason reason)
    {
        await using var ours = await Workload.StartAsync(
            _clock, _ours.Update("/api", _theirs), change: options => options with { Limits = new UpdateLimits { MaxBundleCertificates = 4 } });
        var (before, theirs) = (ours.Source.Current, AnchorsOf(ours, _theirs));

        await ours.UpdateAsync(With(_ours.Update("/api"), _theirs.SpiffeId, ((Func<TestTrustDomain, ReadOnlyMemory<byte>>)bundle)(_theirs)));

        ours.Source.Current.Identity.Should().NotBeSameAs(before.Identity);
        AnchorsOf(ours, _theirs).Should().Equal(theirs, "its last good bundle stays");
        (await ours.Log.UntilAsync("FederatedBundleRefused")).Values["Reason"].Should().Be(reason);
    }

    [Test]
    public async Task A_broken_bundle_without_a_last_good_one_trusts_nobody_of_that_domain()
    {
        var update = With(_ours.Update("/api"), _theirs.SpiffeId, "bundle"u8.ToArray());
        await using var ours = await Workload.StartAsync(_clock, With(update, "https://theirs.test", _theirs.Bundle()));

        ours.Source.Current.Bundles.TrustDomains.Should().Equal(_ours.Name);
        await ours.Log.UntilAsync("FederatedBundleRefused", 2);
    }

    [Test]
    public async Task A_federated_bundle_cannot_take_the_place_of_our_own()
    {
        await using var ours = await Workload.StartAsync(_clock, With(_ours.Update("/api"), _ours.SpiffeId, _theirs.Bundle()));

        AnchorsOf(ours, _ours).Should().Equal(Certificates.Certificate.Parse(_ours.Bundle()));
        (await ours.Log.UntilAsync("FederatedBundleRefused")).Values["Reason"].Should().Be(UpdateRefusalReason.BundlesDisagree);
    }

    private static WorkloadUpdate With(WorkloadUpdate update, string domain, ReadOnlyMemory<byte> bundle) =>
        update with { FederatedBundles = update.FederatedBundles.Add(domain, bundle) };

    private static System.Collections.Immutable.ImmutableArray<Certificates.Certificate> AnchorsOf(Workload workload, TestTrustDomain domain) =>
        workload.Source.Current.Bundles.TryGet(domain.Name, out var anchors) ? anchors.Certificates : [];
}
