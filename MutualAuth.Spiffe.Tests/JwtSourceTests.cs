using System.Collections.Immutable;
using Grpc.Core;
using Microsoft.Extensions.Time.Testing;
using MutualAuth.Credentials;
using MutualAuth.Names;
using MutualAuth.Spiffe;
using MutualAuth.Spiffe.Testing;
using MutualAuth.Tests.Support;
using MutualAuth.Tokens;

namespace MutualAuth.Tests;

/// <summary>Keys of trust domains from an agent: rotation, agents that misbehave, and what becomes of the connections of tokens.</summary>
[CancelAfter(120000)]
public sealed class JwtSourceTests
{
    private const string Audience = "spiffe://example.test/invoices";
    private static readonly TimeSpan s_deadline = TimeSpan.FromSeconds(20);

    private FakeTimeProvider _clock = null!;
    private TestTrustDomain _domain = null!;
    private TestTrustDomain _partner = null!;
    private EventLog _log = null!;

    [SetUp]
    public void SetUp()
    {
        _clock = Clocks.Standing();
        (_domain, _partner) = (new TestTrustDomain("example.test", _clock), new TestTrustDomain("partner.test", _clock));
        _log = new EventLog();
    }

    [TearDown]
    public void TearDown()
    {
        _domain.Dispose();
        _partner.Dispose();
        _log.Dispose();
    }

    [Test]
    public async Task Workload_and_service_follow_one_agent_and_a_rotation_of_the_key()
    {
        await using var agent = await FakeWorkloadApi.StartAsync(_domain.Update("/billing"), timeProvider: _clock);
        await using var source = await ConnectAsync(agent);
        await using var tokens = JwtSvids.Renewing(
            new JwtSvidRequest { Audiences = [Audience], Address = WorkloadApiAddress.Parse(agent.Address), TimeProvider = _clock });
        var server = Sockets.Server(Validator(source));
        var client = Sockets.Client(Login.WithToken(tokens.GetForAsync));
        await using (var before = await Sockets.ConnectAsync(server, client))
        {
            before.Server.Connection!.Peer.User!.Name.Should().Be("spiffe://example.test/billing");
        }

        _domain.RotateJwtKey();
        await SendAsync(agent, WithKeys(2));
        tokens.Forget();
        await using var after = await Sockets.ConnectAsync(server, client);

        after.Server.Connection.Should().NotBeNull();
        source.Current.TryGet(_domain.Name, out var bundle).Should().BeTrue();
        bundle!.Count.Should().Be(2);
    }

    /// <summary>The neighbour keeps the key beside the new one, as an authority does that only rotates.</summary>
    [Test]
    public async Task A_connection_ends_when_the_key_of_its_token_is_taken_out([Values] bool isTakenOut)
    {
        await using var agent = await FakeWorkloadApi.StartAsync(_domain.Update("/billing"), timeProvider: _clock);
        await using var source = await ConnectAsync(agent);
        await using var ends = await Sockets.ConnectAsync(Validator(source), _domain.IssueJwt("/billing", [Audience]));
        var connection = ends.Server.Connection!;

        _domain.RotateJwtKey();
        await SendAsync(agent, WithKeys(isTakenOut ? 1 : 2));
        if (!isTakenOut)
        {
            connection.NoLongerValid.IsCancellationRequested.Should().BeFalse();
            await SendAsync(agent, WithKeys(1));
        }

        await Sockets.NoLongerValidAsync(connection);
        connection.Invalidation!.Rejection.Reason.Should().Be(RejectionReason.TokenKeyUnknown);
    }

    [Test]
    public async Task A_connection_ends_when_its_trust_domain_is_taken_out()
    {
        await using var agent = await FakeWorkloadApi.StartAsync(_domain.Update("/billing", _partner), timeProvider: _clock);
        await using var source = await ConnectAsync(agent);
        await using var ends = await Sockets.ConnectAsync(Validator(source), _partner.IssueJwt("/billing", [Audience]));
        ends.Server.Connection!.Peer.User!.Name.Should().Be("spiffe://partner.test/billing");

        agent.Send(_domain.Update("/billing"));

        await Sockets.NoLongerValidAsync(ends.Server.Connection);
        ends.Server.Connection.Invalidation!.Rejection.Reason.Should().Be(RejectionReason.TokenKeyUnknown);
        await using var next = await Sockets.ConnectAsync(Validator(source), _partner.IssueJwt("/billing", [Audience]));
        next.Server.Failure!.Rejection!.Reason.Should().Be(RejectionReason.TokenIssuerWrong);
    }

    [Test]
    public async Task While_the_agent_is_away_the_last_keys_stay_and_the_next_ones_come_with_it()
    {
        await using var agent = await FakeWorkloadApi.StartAsync(_domain.Update("/billing"), timeProvider: _clock);
        await using var source = await ConnectAsync(agent);
        var token = _domain.IssueJwt("/billing", [Audience]);

        await agent.GoAwayAsync();
        await _log.UntilAsync("StreamEnded");
        await using (var ends = await Sockets.ConnectAsync(Validator(source), token))
        {
            ends.Server.Connection.Should().NotBeNull();
        }

        _domain.RotateJwtKey();
        agent.Queue(WithKeys(1));
        await agent.ComeBackAsync();
        await AdvanceUntilAsync("KeysTaken", 2);

        await using var refused = await Sockets.ConnectAsync(Validator(source), token);
        refused.Server.Failure!.Rejection!.Reason.Should().Be(RejectionReason.TokenKeyUnknown);
    }

    [Test]
    public async Task A_denial_withdraws_the_keys_where_that_is_asked_for_and_not_otherwise([Values] bool withdraws)
    {
        await using var agent = await FakeWorkloadApi.StartAsync(_domain.Update("/billing"), timeProvider: _clock);
        await using var source = await ConnectAsync(
            agent, options => options with { WhenDenied = withdraws ? WhenDenied.Withdraw : WhenDenied.KeepUntilExpiry });
        await using var ends = await Sockets.ConnectAsync(Validator(source), _domain.IssueJwt("/billing", [Audience]));

        agent.Refuse();
        await _log.UntilAsync("StreamEnded");

        source.Current.TrustDomains.IsEmpty.Should().Be(withdraws);
        if (withdraws)
        {
            await Sockets.NoLongerValidAsync(ends.Server.Connection!);
            agent.Send(_domain.Update("/billing"));
            await AdvanceUntilAsync("KeysTaken", 2);
            source.Current.TrustDomains.Should().ContainSingle();
        }
    }

    [Test]
    public async Task The_same_keys_again_raise_no_event()
    {
        await using var agent = await FakeWorkloadApi.StartAsync(_domain.Update("/billing"), timeProvider: _clock);
        await using var source = await ConnectAsync(agent);
        var (before, replaced) = (source.Current, 0);
        source.Replaced += (_, _) => replaced++;
        source.Replaced += (_, _) => throw new InvalidOperationException("A handler fails.");

        agent.Send(_domain.Update("/billing"));
        _domain.RotateJwtKey();
        await SendAsync(agent, WithKeys(1));

        (replaced, ReferenceEquals(source.Current, before)).Should().Be((1, false));
        await _log.UntilAsync("HandlerFaulted");
    }

    private static IEnumerable<TestCaseData> BadSets()
    {
        yield return new TestCaseData("{"u8.ToArray(), UpdateRefusalReason.KeySetMalformed).SetArgDisplayNames("garbage");
        yield return new TestCaseData(Array.Empty<byte>(), UpdateRefusalReason.KeySetMalformed).SetArgDisplayNames("nothing");
        yield return new TestCaseData(new byte[300_000], UpdateRefusalReason.KeySetMalformed).SetArgDisplayNames("huge");
        yield return new TestCaseData(
            """{"keys":[{"kty":"oct","k":"c2VjcmV0"}]}"""u8.ToArray(), UpdateRefusalReason.KeySetMalformed).SetArgDisplayNames("a secret");
    }

    [TestCaseSource(nameof(BadSets))]
    public async Task A_bad_set_of_one_trust_domain_leaves_its_last_good_one_and_the_others(byte[] set, UpdateRefusalReason reason)
    {
        await using var agent = await FakeWorkloadApi.StartAsync(_domain.Update("/billing", _partner), timeProvider: _clock);
        await using var source = await ConnectAsync(agent);
        var token = _partner.IssueJwt("/billing", [Audience]);

        _domain.RotateJwtKey();
        var update = WithKeys(1);
        await SendAsync(agent, update with { JwtBundles = update.JwtBundles.SetItem(_partner.SpiffeId, set) });

        (await _log.UntilAsync("FederatedBundleRefused")).Values["Reason"].Should().Be(reason);
        foreach (var right in new[] { token, _domain.IssueJwt("/billing", [Audience]) })
        {
            await using var ends = await Sockets.ConnectAsync(Validator(source), right);
            ends.Server.Connection.Should().NotBeNull();
        }
    }

    [Test]
    public async Task A_trust_domain_that_comes_twice_under_two_names_is_refused()
    {
        await using var agent = await FakeWorkloadApi.StartAsync(_domain.Update("/billing"), timeProvider: _clock);
        await using var source = await ConnectAsync(agent);
        var update = _domain.Update("/billing", _partner);

        agent.Send(update with { JwtBundles = update.JwtBundles.SetItem("example.test", _partner.JwtBundle()) });

        (await _log.UntilAsync("FederatedBundleRefused")).Values["Reason"].Should().Be(UpdateRefusalReason.BundlesDisagree);
        source.Current.TryGet(_domain.Name, out var bundle).Should().BeTrue();
        bundle!.ToString().Should().Contain("example.test 1", "the last good set stays");
    }

    private static IEnumerable<TestCaseData> BadUpdates()
    {
        static TestCaseData Case(string name, UpdateRefusalReason reason, Func<WorkloadUpdate, WorkloadUpdate> change) =>
            new TestCaseData(reason, change).SetArgDisplayNames(name);

        yield return Case("no set", UpdateRefusalReason.NoBundle, update => update with { JwtBundles = update.JwtBundles.Clear() });
        yield return Case("too many trust domains", UpdateRefusalReason.TooMany, update => update with
        {
            JwtBundles = update.JwtBundles.AddRange(Enumerable.Range(0, 2).Select(
                number => KeyValuePair.Create($"spiffe://domain{number}.test", update.JwtBundles.Values.First()))),
        });
        yield return Case("a name that is no trust domain alone", UpdateRefusalReason.SpiffeIdMalformed, update => update with
        {
            JwtBundles = update.JwtBundles.Clear().Add("https://example.test", update.JwtBundles.Values.First()),
        });
    }

    [TestCaseSource(nameof(BadUpdates))]
    public async Task An_update_that_does_not_check_changes_nothing(UpdateRefusalReason reason, Func<WorkloadUpdate, WorkloadUpdate> change)
    {
        await using var agent = await FakeWorkloadApi.StartAsync(_domain.Update("/billing"), timeProvider: _clock);
        await using var source = await ConnectAsync(
            agent, options => options with { Limits = new UpdateLimits { MaxFederatedTrustDomains = 1 } });
        var before = source.Current;

        agent.Send(change(_domain.Update("/billing")));

        (await _log.UntilAsync("UpdateRefused")).Values["Reason"].Should().Be(reason);
        source.Current.Should().BeSameAs(before);
    }

    public enum Hostile
    {
        Garbage,
        Huge,
        EndsTheStream,
        Refuses,
    }

    [Test]
    public async Task An_agent_that_misbehaves_is_left_and_the_last_keys_stay([Values] Hostile how)
    {
        await using var agent = await FakeWorkloadApi.StartAsync(_domain.Update("/billing"), timeProvider: _clock);
        await using var source = await ConnectAsync(
            agent, options => options with { Limits = new UpdateLimits { MaxMessageBytes = 64 * 1024 } });
        var before = source.Current;
        switch (how)
        {
            case Hostile.Garbage:
                agent.SendRaw("\xff\xff\xff\xff"u8);
                break;
            case Hostile.Huge:
                agent.SendRaw(new byte[65 * 1024]);
                break;
            case Hostile.EndsTheStream:
                agent.Queue(_domain.Update("/billing"));
                agent.EndStreams();
                break;
            case Hostile.Refuses:
                agent.Refuse(StatusCode.Internal, new string('x', 4000) + "\n");
                break;
        }

        var ended = await _log.UntilAsync("StreamEnded");
        source.Current.Should().BeSameAs(before);
        ended.Text.Should().NotContain("\n").And.Match(text => text.Length < 2000);
        _domain.RotateJwtKey();
        agent.Send(WithKeys(1));
        await AdvanceUntilAsync("KeysTaken", 2);
    }

    [TestCase(true)]
    [TestCase(false)]
    public async Task An_agent_that_says_nothing_at_the_start_is_given_up(bool isSlow)
    {
        await using var agent = await FakeWorkloadApi.StartAsync(_domain.Update("/billing"), timeProvider: _clock);
        if (isSlow)
        {
            agent.Delay = TimeSpan.FromHours(1);
        }
        else
        {
            agent.Hang();
        }

        var connecting = JwtSource.ConnectAsync(Options(agent));
        await agent.WaitForStreamsAsync(1).WaitAsync(s_deadline);
        _clock.Advance(TimeSpan.FromSeconds(30));

        var connect = () => connecting.WaitAsync(s_deadline);
        (await connect.Should().ThrowAsync<WorkloadApiException>()).Which.Failure.Should().Be(WorkloadApiFailure.Silent);
    }

    [Test]
    public async Task An_agent_without_the_profile_is_said_at_once()
    {
        await using var agent = await FakeWorkloadApi.StartAsync(timeProvider: _clock);
        agent.Refuse(StatusCode.Unimplemented, "disabled");

        var connect = () => JwtSource.ConnectAsync(Options(agent)).WaitAsync(s_deadline);

        var thrown = (await connect.Should().ThrowAsync<WorkloadApiException>()).Which;
        thrown.Failure.Should().Be(WorkloadApiFailure.NotUnderstood);
        thrown.Message.Should().Contain("JWT-SVID profile");
    }

    [Test]
    public async Task A_logger_that_throws_keeps_no_keys_from_being_followed([Values] LoggersThrow at)
    {
        await using var agent = await FakeWorkloadApi.StartAsync(_domain.Update("/billing"), timeProvider: _clock);
        await using var source = await ConnectAsync(agent, options => options with { LoggerFactory = new ThrowingLoggers(at) });
        var isReplaced = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        source.Replaced += (_, _) => isReplaced.TrySetResult();

        _domain.RotateJwtKey();
        agent.Send(_domain.Update("/billing"));

        await isReplaced.Task.WaitAsync(s_deadline);
        source.Completion.IsCompleted.Should().BeFalse();
    }

    [Test]
    public void Options_that_cannot_be_right_are_said_together()
    {
        var connect = () => JwtSource.ConnectAsync(
            new JwtSourceOptions { FirstUpdateTimeout = TimeSpan.Zero, Limits = new UpdateLimits { MaxMessageBytes = 1 } });
        connect.Should().ThrowAsync<ArgumentException>().WithMessage("*FirstUpdateTimeout*MaxMessageBytes*");
    }

    private JwtSourceOptions Options(FakeWorkloadApi agent) =>
        new() { Address = WorkloadApiAddress.Parse(agent.Address), TimeProvider = _clock, LoggerFactory = _log };

    private Task<JwtSource> ConnectAsync(FakeWorkloadApi agent, Func<JwtSourceOptions, JwtSourceOptions>? change = null) =>
        JwtSource.ConnectAsync(change?.Invoke(Options(agent)) ?? Options(agent)).WaitAsync(s_deadline);

    private JwtSvidValidator Validator(JwtSource source) => new(new JwtSvidValidatorOptions
    {
        Audiences = [Audience],
        Bundles = source,
        Workloads = WorkloadRule.AnyOf(WorkloadRule.MemberOf(_domain.Name), WorkloadRule.MemberOf(_partner.Name)),
        TimeProvider = _clock,
    });

    private WorkloadUpdate WithKeys(int newest)
    {
        var update = _domain.Update("/billing");
        return update with { JwtBundles = update.JwtBundles.SetItem(_domain.SpiffeId, _domain.JwtBundle(newest)) };
    }

    /// <summary>Sends an update, and waits until its keys are in force.</summary>
    private async Task SendAsync(FakeWorkloadApi agent, WorkloadUpdate update)
    {
        var taken = _log.Entries.Count(entry => entry.Name == "KeysTaken");
        agent.Send(update);
        await _log.UntilAsync("KeysTaken", taken + 1);
    }

    /// <summary>The next attempt waits by the clock, since before the event that says so.</summary>
    private async Task AdvanceUntilAsync(string name, int nth)
    {
        _clock.Advance(TimeSpan.FromSeconds(30));
        await _log.UntilAsync(name, nth);
    }
}
