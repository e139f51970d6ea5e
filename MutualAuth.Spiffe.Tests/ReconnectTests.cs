using Grpc.Core;
using Microsoft.Extensions.Time.Testing;
using MutualAuth.Reloading;
using MutualAuth.Spiffe;
using MutualAuth.Spiffe.Testing;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests;

[CancelAfter(60000)]
public sealed class ReconnectTests
{
    private readonly FakeTimeProvider _clock = Clocks.Standing();
    private TestTrustDomain _domain = null!;

    [OneTimeSetUp]
    public void Make_the_trust_domain() => _domain = new TestTrustDomain("example.test", _clock);

    [OneTimeTearDown]
    public void Dispose_of_the_trust_domain() => _domain.Dispose();

    [Test]
    public async Task An_agent_that_comes_back_is_found_and_the_last_good_identity_serves_meanwhile()
    {
        await using var workload = await Workload.StartAsync(_clock, _domain.Update("/api"));
        var before = workload.Source.Current;

        await workload.Api.GoAwayAsync();
        await workload.Log.UntilAsync("StreamEnded");
        workload.Source.Current.Should().BeSameAs(before);
        (await workload.CallAsync(workload)).Client!.SpiffeId!.Path.Should().Be("/api");

        _clock.Advance(TimeSpan.FromSeconds(30));
        (await workload.Log.UntilAsync("StreamEnded", 2)).Values["Failure"].Should().Be(WorkloadApiFailure.Unreachable);

        workload.Api.Send(_domain.Update("/renewed"));
        await workload.Api.ComeBackAsync();
        _clock.Advance(TimeSpan.FromSeconds(30));
        await workload.Log.UntilAsync("UpdateTaken", 2);

        workload.Source.Current.SpiffeId.Path.Should().Be("/renewed");
    }

    [Test]
    public async Task The_same_update_after_a_reconnect_changes_nothing()
    {
        await using var workload = await Workload.StartAsync(_clock, _domain.Update("/api"));
        var (before, replaced) = (workload.Source.Current, 0);
        workload.Source.Replaced += (_, _) => replaced++;

        workload.Api.EndStreams();
        await workload.Log.UntilAsync("StreamEnded");
        _clock.Advance(TimeSpan.FromSeconds(30));
        await workload.Api.WaitForStreamsAsync(1).WaitAsync(TimeSpan.FromSeconds(20));
        await workload.UpdateAsync(_domain.Update("/other"));

        replaced.Should().Be(1, "only the last update was news");
        workload.Source.Current.Should().NotBeSameAs(before);
        workload.Source.Current.Bundles.Should().BeSameAs(before.Bundles);
    }

    [Test]
    public async Task Waits_double_up_to_their_bound_and_begin_anew_after_a_good_update()
    {
        await using var workload = await Workload.StartAsync(_clock, _domain.Update("/api"));
        await workload.Api.GoAwayAsync();

        var delays = new List<double>();
        for (var attempt = 1; attempt <= 8; attempt++)
        {
            delays.Add(DelayOf(await workload.Log.UntilAsync("StreamEnded", attempt)));
            _clock.Advance(TimeSpan.FromSeconds(30));
        }

        double[] whole = [1, 2, 4, 8, 16, 30, 30, 30];
        delays.Zip(whole).Should().OnlyContain(pair => pair.First >= pair.Second / 2 && pair.First <= pair.Second);
        delays.Should().OnlyHaveUniqueItems("a random part keeps a fleet from coming at once");

        await workload.Log.UntilAsync("StreamEnded", 9);
        workload.Api.Send(_domain.Update("/renewed"));
        await workload.Api.ComeBackAsync();
        _clock.Advance(TimeSpan.FromSeconds(30));
        await workload.Log.UntilAsync("UpdateTaken", 2);
        workload.Api.EndStreams();
        DelayOf(await workload.Log.UntilAsync("StreamEnded", 10)).Should().BeInRange(0.5, 1);
    }

    [Test]
    public async Task An_agent_that_hangs_after_a_reconnect_is_left()
    {
        await using var workload = await Workload.StartAsync(_clock, _domain.Update("/api"));
        workload.Api.Hang();
        workload.Api.EndStreams();
        await workload.Log.UntilAsync("StreamEnded");

        _clock.Advance(TimeSpan.FromSeconds(1));
        await workload.Api.WaitForStreamsAsync(1).WaitAsync(TimeSpan.FromSeconds(20));
        _clock.Advance(TimeSpan.FromSeconds(30));

        (await workload.Log.UntilAsync("StreamEnded", 2)).Values["Failure"].Should().Be(WorkloadApiFailure.Silent);
    }

    [TestCase(WhenDenied.KeepUntilExpiry)]
    [TestCase(WhenDenied.Withdraw)]
    public async Task A_denied_workload_tries_again_and_keeps_or_withdraws_what_it_has(WhenDenied whenDenied)
    {
        await using var workload = await Workload.StartAsync(
            _clock, _domain.Update("/api"), change: options => options with { WhenDenied = whenDenied });
        await using var other = await Workload.StartAsync(_clock, _domain.Update("/other"));
        var replaced = 0;
        ((IReloadable)workload.Source.Trust).Replaced += (_, _) => replaced++;

        workload.Api.Refuse(StatusCode.PermissionDenied);
        (await workload.Log.UntilAsync("StreamEnded")).Values["Failure"].Should().Be(WorkloadApiFailure.Denied);
        var withdraws = whenDenied == WhenDenied.Withdraw;
        (await other.CallAsync(workload)).ByServer.Should().Be(withdraws ? RejectionReason.UnknownAuthority : null);
        replaced.Should().Be(withdraws ? 1 : 0);
        workload.Log.Entries.Count(entry => entry.Name == "Withdrawn").Should().Be(withdraws ? 1 : 0);

        _clock.Advance(TimeSpan.FromSeconds(30));
        await workload.Log.UntilAsync("StreamEnded", 2);
        workload.Api.Send(_domain.Update("/renewed"));
        _clock.Advance(TimeSpan.FromSeconds(30));
        await workload.Log.UntilAsync("UpdateTaken", 2);
        (await other.CallAsync(workload)).ByServer.Should().BeNull();
    }

    [TestCase(WhenDenied.KeepUntilExpiry)]
    [TestCase(WhenDenied.Withdraw)]
    public async Task An_update_without_our_identity_keeps_or_withdraws_it(WhenDenied whenDenied)
    {
        await using var workload = await Workload.StartAsync(
            _clock,
            _domain.Update("/api"),
            change: options => options with { WhenDenied = whenDenied, SpiffeId = Names.SpiffeId.Parse("spiffe://example.test/api") });

        (await workload.OfferAsync(_domain.Update("/other"))).Should().Be(UpdateRefusalReason.IdentityNotFound);
        if (whenDenied == WhenDenied.Withdraw)
        {
            await workload.Log.UntilAsync("Withdrawn");
        }

        workload.Source.Current.Bundles.TrustDomains.IsEmpty.Should().Be(whenDenied == WhenDenied.Withdraw);
        await workload.UpdateAsync(_domain.Update("/api"));
        workload.Source.Current.Bundles.TrustDomains.Should().Equal(_domain.Name);
    }

    [TestCase(StatusCode.InvalidArgument)]
    [TestCase(StatusCode.Unimplemented)]
    [TestCase(StatusCode.Unavailable)]
    [TestCase(StatusCode.Internal)]
    [TestCase(StatusCode.Unauthenticated)]
    [TestCase(StatusCode.ResourceExhausted)]
    [TestCase(StatusCode.Cancelled)]
    [TestCase(StatusCode.DeadlineExceeded)]
    public async Task Once_an_update_was_good_no_status_ends_following(StatusCode status)
    {
        await using var workload = await Workload.StartAsync(_clock, _domain.Update("/api"));

        workload.Api.Refuse(status);
        var expected = status is StatusCode.InvalidArgument or StatusCode.Unimplemented
            ? WorkloadApiFailure.NotUnderstood
            : WorkloadApiFailure.Unreachable;
        (await workload.Log.UntilAsync("StreamEnded")).Values["Failure"].Should().Be(expected);
        workload.Api.Send(_domain.Update("/renewed"));
        _clock.Advance(TimeSpan.FromSeconds(30));

        await workload.Log.UntilAsync("UpdateTaken", 2);
        workload.Log.Entries.Should().NotContain(entry => entry.Id == 1504);
        workload.Source.Completion.IsCompleted.Should().BeFalse();
    }

    [Test]
    public async Task Another_service_in_the_agents_place_does_not_end_following()
    {
        await using var workload = await Workload.StartAsync(_clock, _domain.Update("/api"));

        await workload.Api.GoAwayAsync();
        await workload.Log.UntilAsync("StreamEnded");
        await workload.Api.ComeBackAsAnotherServerAsync();
        _clock.Advance(TimeSpan.FromSeconds(30));
        await workload.Log.UntilAsync("StreamEnded", 2);
        await workload.Api.GoAwayAsync();
        workload.Api.Send(_domain.Update("/renewed"));
        await workload.Api.ComeBackAsync();
        _clock.Advance(TimeSpan.FromSeconds(30));

        await workload.Log.UntilAsync("UpdateTaken", 2);
        workload.Source.Completion.IsCompleted.Should().BeFalse();
    }

    [Test]
    public async Task An_agent_that_owes_a_renewal_at_half_the_lifetime_is_left_and_asked_again()
    {
        await using var workload = await Workload.StartAsync(_clock, _domain.Update("/api"));
        var certificate = workload.Source.Current.Identity.Certificate;
        var half = certificate.NotBefore + ((certificate.NotAfter - certificate.NotBefore) / 2) - _clock.GetUtcNow();

        _clock.Advance(half - TimeSpan.FromSeconds(1));
        workload.Log.Entries.Should().NotContain(entry => entry.Name == "StreamEnded");
        workload.Api.Requests.Should().Be(1);

        workload.Api.Queue(_domain.Update("/renewed"));
        _clock.Advance(TimeSpan.FromSeconds(2));
        (await workload.Log.UntilAsync("StreamEnded")).Values["Failure"].Should().Be(WorkloadApiFailure.Silent);
        _clock.Advance(TimeSpan.FromSeconds(1));

        await workload.Log.UntilAsync("UpdateTaken", 2);
        workload.Api.Requests.Should().Be(2);
        workload.Source.Current.SpiffeId.Path.Should().Be("/renewed");
    }

    /// <summary>Who hears of an identity may move the clock at once: the watch for its renewal has begun.</summary>
    [Test]
    public async Task An_agent_is_watched_from_the_moment_in_which_its_update_is_told_of()
    {
        await using var workload = await Workload.StartAsync(_clock, _domain.Update("/api"));
        workload.Source.Replaced += (_, _) =>
        {
            var certificate = workload.Source.Current.Identity.Certificate;
            _clock.Advance(certificate.NotBefore + ((certificate.NotAfter - certificate.NotBefore) / 2) - _clock.GetUtcNow());
        };

        workload.Api.Send(_domain.Update("/renewed"));

        (await workload.Log.UntilAsync("StreamEnded")).Values["Failure"].Should().Be(WorkloadApiFailure.Silent);
        workload.Source.Current.SpiffeId.Path.Should().Be("/renewed");
    }

    [Test]
    public async Task An_agent_that_renews_in_time_keeps_its_stream()
    {
        await using var workload = await Workload.StartAsync(_clock, _domain.Update("/api"));
        var certificate = workload.Source.Current.Identity.Certificate;
        var half = certificate.NotBefore + ((certificate.NotAfter - certificate.NotBefore) / 2) - _clock.GetUtcNow();

        _clock.Advance(half - TimeSpan.FromSeconds(1));
        await workload.UpdateAsync(_domain.Update("/renewed"));
        _clock.Advance(TimeSpan.FromSeconds(2));
        await workload.UpdateAsync(_domain.Update("/again"));

        workload.Api.Requests.Should().Be(1);
    }

    [Test]
    public async Task A_connection_that_has_gone_dead_is_found_by_pings_and_left()
    {
        await using var api = await FakeWorkloadApi.StartAsync(_domain.Update("/api"));
        await using var road = await FreezingRoad.OpenAsync(WorkloadApiAddress.Parse(api.Address));
        using var log = new EventLog();
        await using var source = await X509Source.ConnectAsync(
            new X509SourceOptions { Address = road.Address, TimeProvider = _clock, LoggerFactory = log, KeepAlive = TimeSpan.FromSeconds(1) })
            .WaitAsync(TimeSpan.FromSeconds(20));

        road.Freeze();
        await log.UntilAsync("StreamEnded");
        api.Send(_domain.Update("/renewed"));
        _clock.Advance(TimeSpan.FromSeconds(30));

        await log.UntilAsync("UpdateTaken", 2);
        source.Current.SpiffeId.Path.Should().Be("/renewed");
    }

    [Test]
    public async Task Disposing_ends_the_stream_and_leaves_the_identity()
    {
        await using var workload = await Workload.StartAsync(_clock, _domain.Update("/api"));
        await workload.Api.WaitForStreamsAsync(1).WaitAsync(TimeSpan.FromSeconds(20));

        await workload.Source.DisposeAsync();
        await workload.Source.DisposeAsync();

        await workload.Api.WaitForStreamsAsync(0).WaitAsync(TimeSpan.FromSeconds(20));
        await workload.Source.Completion.WaitAsync(TimeSpan.FromSeconds(20));
        (await workload.CallAsync(workload)).Client!.SpiffeId!.Path.Should().Be("/api");
    }

    [Test]
    public async Task Disposing_while_waiting_for_the_next_attempt_does_not_wait_for_it()
    {
        await using var workload = await Workload.StartAsync(_clock, _domain.Update("/api"));
        await workload.Api.GoAwayAsync();
        await workload.Log.UntilAsync("StreamEnded");

        await workload.Source.DisposeAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(20));

        await workload.Source.Completion.WaitAsync(TimeSpan.FromSeconds(20));
    }

    private static double DelayOf(EventLog.Entry entry) => ((TimeSpan)entry.Values["Delay"]!).TotalSeconds;
}
