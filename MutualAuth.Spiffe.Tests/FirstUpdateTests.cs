using Grpc.Core;
using Microsoft.Extensions.Time.Testing;
using MutualAuth.Names;
using MutualAuth.Spiffe;
using MutualAuth.Spiffe.Testing;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests;

[CancelAfter(60000)]
public sealed class FirstUpdateTests
{
    private readonly FakeTimeProvider _clock = Clocks.Standing();
    private TestTrustDomain _domain = null!;

    [OneTimeSetUp]
    public void Make_the_trust_domain() => _domain = new TestTrustDomain("example.test", _clock);

    [OneTimeTearDown]
    public void Dispose_of_the_trust_domain() => _domain.Dispose();

    [Test]
    public async Task The_first_update_is_in_force_when_connecting_returns()
    {
        var update = _domain.Update("/api");
        await using var workload = await Workload.StartAsync(_clock, update);

        var current = workload.Source.Current;
        current.SpiffeId.Should().Be(SpiffeId.Parse("spiffe://example.test/api"));
        current.Identity.Certificate.RawData.ToArray().Should().Equal(update.Svids[0].Certificates.ToArray());
        current.Bundles.TrustDomains.Should().Equal(_domain.Name);
        current.RevocationLists.Lists.Should().BeEmpty();
        workload.Source.Identity.Current.Should().BeSameAs(current.Identity);
        workload.Source.Trust.Current.Should().BeSameAs(current.Bundles);
        workload.Source.RevocationLists.Current.Should().BeSameAs(current.RevocationLists);
        workload.Log.Entries.Select(entry => entry.Id).Should().Equal(1500);
    }

    [Test]
    public async Task An_agent_may_be_reached_by_tcp()
    {
        await using var api = await FakeWorkloadApi.StartAsync(_domain.Update("/api"));
        using var log = new EventLog();

        await using var source = await X509Source.ConnectAsync(Options(api, log) with { Address = WorkloadApiAddress.Parse(api.TcpAddress) })
            .WaitAsync(TimeSpan.FromSeconds(20));

        source.Current.SpiffeId.Path.Should().Be("/api");
    }

    [Test]
    public async Task Intermediates_come_along_with_the_identity()
    {
        using var intermediate = _domain.Authority.IssueIntermediate();
        await using var workload = await Workload.StartAsync(_clock, new WorkloadUpdate { Svids = [_domain.Issue("/api", by: intermediate)] });

        workload.Source.Current.Identity.Intermediates.Should().ContainSingle();
        (await workload.CallAsync(workload)).Server!.SpiffeId.Should().Be(SpiffeId.Parse("spiffe://example.test/api"));
    }

    [TestCase(null, null, "/first")]
    [TestCase(null, "internal", "/second")]
    [TestCase("/third", null, "/third")]
    [TestCase("/third", "internal", "/third")]
    [TestCase("/fourth", null, null)]
    [TestCase("/first", "internal", null)]
    [TestCase(null, "Internal", null)]
    public async Task The_identity_that_is_asked_for_is_taken_and_else_none(string? path, string? hint, string? expected)
    {
        await using var api = await FakeWorkloadApi.StartAsync(
            new WorkloadUpdate
            {
                Svids =
                [
                    _domain.Issue("/first", hint: "external"), _domain.Issue("/second", hint: "internal"), _domain.Issue("/third", hint: "internal"),
                ],
            });
        using var log = new EventLog();
        var connecting = X509Source.ConnectAsync(
            Options(api, log) with { SpiffeId = path is null ? null : SpiffeId.Parse(_domain.SpiffeId + path), Hint = hint });
        if (expected is not null)
        {
            await using var source = await connecting.WaitAsync(TimeSpan.FromSeconds(20));
            source.Current.SpiffeId.Path.Should().Be(expected);
            return;
        }

        await log.UntilAsync("UpdateRefused");
        var failure = await FailureAsync(connecting);
        failure.Failure.Should().Be(WorkloadApiFailure.UpdateRefused);
        failure.Refusal!.Reason.Should().Be(UpdateRefusalReason.IdentityNotFound);
    }

    [Test]
    public async Task Without_an_agent_the_error_says_what_to_do()
    {
        await using var api = await FakeWorkloadApi.StartAsync();
        await api.GoAwayAsync();
        using var log = new EventLog();
        var connecting = X509Source.ConnectAsync(Options(api, log));
        await log.UntilAsync("StreamEnded");

        var failure = await FailureAsync(connecting);

        failure.Failure.Should().Be(WorkloadApiFailure.Unreachable);
        failure.Message.Should().Contain(api.Address).And.Contain("agent");
    }

    [Test]
    public async Task A_workload_without_an_identity_is_told_so()
    {
        await using var api = await FakeWorkloadApi.StartAsync();
        using var log = new EventLog();
        var connecting = X509Source.ConnectAsync(Options(api, log));
        await log.UntilAsync("StreamEnded");

        (await FailureAsync(connecting)).Failure.Should().Be(WorkloadApiFailure.Denied);
    }

    [Test]
    public async Task An_agent_that_says_nothing_is_told_from_one_that_is_not_there()
    {
        await using var api = await FakeWorkloadApi.StartAsync();
        api.Hang();
        using var log = new EventLog();
        var connecting = X509Source.ConnectAsync(Options(api, log));
        await api.WaitForStreamsAsync(1).WaitAsync(TimeSpan.FromSeconds(20));

        (await FailureAsync(connecting)).Failure.Should().Be(WorkloadApiFailure.Silent);
        await api.WaitForStreamsAsync(0).WaitAsync(TimeSpan.FromSeconds(20));
    }

    [Test]
    public async Task Giving_up_ends_the_stream()
    {
        await using var api = await FakeWorkloadApi.StartAsync();
        api.Hang();
        using var log = new EventLog();
        using var giveUp = new CancellationTokenSource();
        var connecting = X509Source.ConnectAsync(Options(api, log), giveUp.Token);
        await api.WaitForStreamsAsync(1).WaitAsync(TimeSpan.FromSeconds(20));

        await giveUp.CancelAsync();

        var waiting = () => connecting.WaitAsync(TimeSpan.FromSeconds(20));
        await waiting.Should().ThrowAsync<OperationCanceledException>();
        await api.WaitForStreamsAsync(0).WaitAsync(TimeSpan.FromSeconds(20));
    }

    [TestCase(StatusCode.InvalidArgument)]
    [TestCase(StatusCode.Unimplemented)]
    public async Task What_no_new_attempt_will_change_is_an_error_at_once(StatusCode status)
    {
        await using var api = await FakeWorkloadApi.StartAsync();
        api.Refuse(status);
        using var log = new EventLog();

        var connecting = () => X509Source.ConnectAsync(Options(api, log)).WaitAsync(TimeSpan.FromSeconds(20));

        (await connecting.Should().ThrowAsync<WorkloadApiException>()).Which.Failure.Should().Be(WorkloadApiFailure.NotUnderstood);
        api.Requests.Should().Be(1);
    }

    [Test]
    public async Task A_grpc_server_without_the_workload_api_is_an_error_at_once()
    {
        await using var api = await FakeWorkloadApi.StartAsync();
        await api.GoAwayAsync();
        await api.ComeBackAsAnotherServerAsync();
        using var log = new EventLog();

        var connecting = () => X509Source.ConnectAsync(Options(api, log)).WaitAsync(TimeSpan.FromSeconds(20));

        (await connecting.Should().ThrowAsync<WorkloadApiException>()).Which.Failure.Should().Be(WorkloadApiFailure.NotUnderstood);
    }

    [Test]
    public async Task All_problems_of_the_options_are_reported_at_once()
    {
        var connecting = () => X509Source.ConnectAsync(new X509SourceOptions
        {
            FirstUpdateTimeout = TimeSpan.Zero,
            MaxRetryDelay = TimeSpan.FromMilliseconds(1),
            WhenDenied = 0,
            Limits = new UpdateLimits { MaxIdentities = 0 },
        });

        (await connecting.Should().ThrowAsync<ArgumentException>()).Which.Message.Should()
            .Contain("FirstUpdateTimeout").And.Contain("MaxRetryDelay").And.Contain("WhenDenied").And.Contain("MaxIdentities");
    }

    [Test]
    [NonParallelizable]
    public async Task The_environment_gives_the_address_where_none_is_configured()
    {
        await using var api = await FakeWorkloadApi.StartAsync(_domain.Update("/api"));
        using var log = new EventLog();
        var before = Environment.GetEnvironmentVariable(WorkloadApiAddress.EnvironmentVariable);
        try
        {
            Environment.SetEnvironmentVariable(WorkloadApiAddress.EnvironmentVariable, api.Address);
            await using (var source = await X509Source.ConnectAsync(Options(api, log) with { Address = null }).WaitAsync(TimeSpan.FromSeconds(20)))
            {
                source.Current.SpiffeId.Path.Should().Be("/api");
            }

            Environment.SetEnvironmentVariable(WorkloadApiAddress.EnvironmentVariable, null);
            var without = () => X509Source.ConnectAsync(Options(api, log) with { Address = null });
            (await without.Should().ThrowAsync<WorkloadApiException>()).Which.Failure.Should().Be(WorkloadApiFailure.NoAddress);

            Environment.SetEnvironmentVariable(WorkloadApiAddress.EnvironmentVariable, "http://127.0.0.1:1");
            var other = () => X509Source.ConnectAsync(Options(api, log) with { Address = null });
            await other.Should().ThrowAsync<FormatException>();
        }
        finally
        {
            Environment.SetEnvironmentVariable(WorkloadApiAddress.EnvironmentVariable, before);
        }
    }

    private X509SourceOptions Options(FakeWorkloadApi api, EventLog log) =>
        new() { Address = WorkloadApiAddress.Parse(api.Address), TimeProvider = _clock, LoggerFactory = log };

    /// <summary>Lets the time for the first update pass.</summary>
    private async Task<WorkloadApiException> FailureAsync(Task<X509Source> connecting)
    {
        _clock.Advance(TimeSpan.FromSeconds(30));
        var waiting = () => connecting.WaitAsync(TimeSpan.FromSeconds(20));
        return (await waiting.Should().ThrowAsync<WorkloadApiException>()).Which;
    }
}
