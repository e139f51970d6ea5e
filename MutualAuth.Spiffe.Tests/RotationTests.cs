using Microsoft.Extensions.Time.Testing;
using MutualAuth.Certificates;
using MutualAuth.Names;
using MutualAuth.Reloading;
using MutualAuth.Spiffe.Testing;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests;

[CancelAfter(60000)]
public sealed class RotationTests
{
    private readonly FakeTimeProvider _clock = Clocks.Standing();
    private TestTrustDomain _domain = null!;

    [SetUp]
    public void Make_the_trust_domain() => _domain = new TestTrustDomain("example.test", _clock);

    [TearDown]
    public void Dispose_of_the_trust_domain() => _domain.Dispose();

    [Test]
    public async Task The_next_handshake_uses_the_new_identity()
    {
        await using var frontend = await Workload.StartAsync(
            _clock, _domain.Update("/frontend"), Authorize.SpiffeId("spiffe://example.test/backend"));
        await using var backend = await Workload.StartAsync(_clock, _domain.Update("/backend"), Authorize.SpiffeId("spiffe://example.test/frontend"));
        var before = await frontend.CallAsync(backend);

        await frontend.UpdateAsync(_domain.Update("/frontend"));
        await backend.UpdateAsync(_domain.Update("/backend"));
        var after = await frontend.CallAsync(backend);

        before.Client!.SpiffeId.Should().Be(after.Client!.SpiffeId).And.Be(SpiffeId.Parse("spiffe://example.test/frontend"));
        after.Client.Certificate.Should().Be(frontend.Source.Current.Identity.Certificate).And.NotBe(before.Client.Certificate);
        after.Server!.Certificate.Should().Be(backend.Source.Current.Identity.Certificate).And.NotBe(before.Server!.Certificate);
    }

    [Test]
    public async Task Another_spiffe_id_is_another_peer_at_once()
    {
        await using var frontend = await Workload.StartAsync(_clock, _domain.Update("/frontend"));
        await using var backend = await Workload.StartAsync(_clock, _domain.Update("/backend"), Authorize.SpiffeId("spiffe://example.test/frontend"));
        (await frontend.CallAsync(backend)).ByServer.Should().BeNull();

        await frontend.UpdateAsync(_domain.Update("/other"));

        (await frontend.CallAsync(backend)).ByServer.Should().Be(RejectionReason.NotAuthorized);
    }

    [Test]
    public async Task A_new_authority_is_trusted_at_once_and_the_old_one_no_longer_than_it_is_sent()
    {
        await using var old = await Workload.StartAsync(_clock, _domain.Update("/old"));
        await using var other = await Workload.StartAsync(_clock, _domain.Update("/other"));
        (await old.CallAsync(other)).ByServer.Should().BeNull();

        // The new authority is announced beside the old one, as an agent does it, and signs afterwards.
        _domain.RotateAuthority();
        var both = _domain.Issue("/other") with { Bundle = _domain.Bundle(newest: 2) };
        await other.UpdateAsync(new WorkloadUpdate { Svids = [both] });
        var between = await old.CallAsync(other);
        between.ByClient.Should().Be(RejectionReason.UnknownAuthority, "it has not learnt of the new authority");
        between.ByServer.Should().Be(RejectionReason.RefusedByPeer, "its authority is still in the bundle, so that only the client objects");

        await other.UpdateAsync(_domain.Update("/other"));
        (await old.CallAsync(other)).ByServer.Should().Be(RejectionReason.UnknownAuthority);

        await old.UpdateAsync(_domain.Update("/old"));
        var met = await old.CallAsync(other);
        (met.ByServer, met.ByClient).Should().Be((null, null));
    }

    [Test]
    public async Task What_changed_says_so_after_it_is_in_force_and_what_did_not_is_silent()
    {
        var first = _domain.Update("/api");
        await using var workload = await Workload.StartAsync(_clock, first);
        var source = workload.Source;
        var heard = new List<string>();
        ((IReloadable)source.Identity).Replaced += (_, _) => heard.Add($"identity {source.Identity.Current.Certificate.Thumbprint}");
        ((IReloadable)source.Trust).Replaced += (_, _) => heard.Add($"trust {source.Trust.Current.TrustDomains.Length}");
        ((IReloadable)source.RevocationLists).Replaced += (_, _) => heard.Add($"lists {source.RevocationLists.Current.Lists.Length}");
        source.Replaced += (_, _) => heard.Add("source");

        var renewed = _domain.Update("/api");
        await workload.UpdateAsync(renewed);
        heard.Should().Equal($"identity {Certificate.Parse(renewed.Svids[0].Certificates).Thumbprint}", "source");

        heard.Clear();
        using var other = new TestTrustDomain("other.test", _clock);
        await workload.UpdateAsync(new WorkloadUpdate { Svids = [renewed.Svids[0]] }.FederatedWith(other));
        heard.Should().Equal("trust 2", "source");

        heard.Clear();
        var withList = new WorkloadUpdate { Svids = [renewed.Svids[0]], RevocationLists = [_domain.Authority.IssueCrl().Raw] }.FederatedWith(other);
        await workload.UpdateAsync(withList);
        heard.Should().Equal("lists 1", "source");

        heard.Clear();
        workload.Api.Send(withList);
        await workload.UpdateAsync(first);
        heard.Should().Equal(
            ["identity " + Certificate.Parse(first.Svids[0].Certificates).Thumbprint, "trust 1", "source"],
            "the update that was sent twice changed nothing the second time, and lists that are left out stay");
        source.RevocationLists.Current.Lists.Should().ContainSingle();
    }

    [Test]
    public async Task Identity_and_bundle_change_together()
    {
        var (first, second) = (_domain.Update("/api"), new TestTrustDomain("second.test", _clock));
        using (second)
        {
            await using var workload = await Workload.StartAsync(_clock, first);
            using var stop = new CancellationTokenSource();
            var torn = Task.Run(() =>
            {
                var seen = 0;
                while (!stop.IsCancellationRequested)
                {
                    var current = workload.Source.Current;
                    seen += current.Bundles.TryGet(current.SpiffeId.TrustDomain, out _) ? 0 : 1;
                }

                return seen;
            });

            for (var i = 0; i < 10; i++)
            {
                await workload.UpdateAsync(i % 2 == 0 ? second.Update("/api") : _domain.Update("/api"));
            }

            await stop.CancelAsync();
            (await torn.WaitAsync(TimeSpan.FromSeconds(20))).Should().Be(0);
        }
    }

    [Test]
    public async Task A_handler_that_throws_does_not_end_the_source()
    {
        await using var workload = await Workload.StartAsync(_clock, _domain.Update("/api"));
        var heard = 0;
        workload.Source.Replaced += (_, _) => throw new InvalidOperationException("as the test wants it");
        workload.Source.Replaced += (_, _) => heard++;

        await workload.UpdateAsync(_domain.Update("/api"));
        await workload.UpdateAsync(_domain.Update("/api"));
        await workload.Log.UntilAsync("HandlerFaulted", 2);
        await workload.Source.DisposeAsync();

        heard.Should().Be(2);
    }

    [Test]
    public async Task An_identity_that_is_not_renewed_is_refused_by_its_dates_and_says_so()
    {
        var update = new WorkloadUpdate { Svids = [_domain.Issue("/api", spec => spec with { NotAfter = _clock.GetUtcNow().AddHours(1) })] };
        await using var old = await Workload.StartAsync(_clock, update);
        await using var other = await Workload.StartAsync(_clock, _domain.Update("/other"));
        (await old.CallAsync(other)).ByServer.Should().BeNull();

        _clock.Advance(TimeSpan.FromHours(1) + TimeSpan.FromSeconds(2));

        (await old.Log.UntilAsync("IdentityExpired")).Values["SpiffeId"].Should().Be(SpiffeId.Parse("spiffe://example.test/api"));
        (await old.CallAsync(other)).ByServer.Should().Be(RejectionReason.CertificateExpired);
        other.Log.Entries.Should().NotContain(entry => entry.Name == "IdentityExpired");
    }

    [Test]
    public async Task An_identity_of_many_months_does_not_say_that_it_expired_before_it_has()
    {
        await using var workload = await Workload.StartAsync(
            _clock, new WorkloadUpdate { Svids = [_domain.Issue("/api", spec => spec with { NotAfter = _clock.GetUtcNow().AddDays(100) })] });

        for (var day = 0; day < 100; day += 10)
        {
            _clock.Advance(TimeSpan.FromDays(10));
        }

        workload.Log.Entries.Should().NotContain(entry => entry.Name == "IdentityExpired");
        _clock.Advance(TimeSpan.FromSeconds(2));
        await workload.Log.UntilAsync("IdentityExpired");
    }
}
