using System.Net.Sockets;
using Grpc.Core;
using Microsoft.Extensions.Time.Testing;
using MutualAuth.Certificates;
using MutualAuth.Spiffe;
using MutualAuth.Spiffe.Protocol;
using MutualAuth.Spiffe.Testing;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests;

/// <summary>The agent that users get for their tests does what a real one does, and fails as it is told.</summary>
[CancelAfter(60000)]
public sealed class FakeWorkloadApiTests
{
    private const string Svids = "FetchX509SVID";
    private const string BundlesAlone = "FetchX509Bundles";

    private static readonly TimeSpan s_deadline = TimeSpan.FromSeconds(20);

    private TestTrustDomain _domain = null!;

    [OneTimeSetUp]
    public void Make_the_trust_domain() => _domain = new TestTrustDomain("example.test");

    [OneTimeTearDown]
    public void Dispose_of_the_trust_domain() => _domain.Dispose();

    [TestCase(null, null, StatusCode.InvalidArgument)]
    [TestCase("workload.spiffe.io", "TRUE", StatusCode.InvalidArgument)]
    [TestCase("workload.spiffe.com", "true", StatusCode.InvalidArgument)]
    [TestCase("workload.spiffe.io", "true", StatusCode.OK)]
    public async Task Only_a_request_with_the_header_is_served(string? name, string? value, StatusCode expected)
    {
        await using var api = await FakeWorkloadApi.StartAsync(_domain.Update("/api"));
        using var workload = new PlainWorkload(api);
        var headers = name is null ? [] : new Metadata { { name, value! } };

        using var svids = workload.Call(Svids, headers);
        using var bundles = workload.Call(BundlesAlone, headers);

        (await PlainWorkload.NextAsync(svids)).Status.Should().Be(expected);
        (await PlainWorkload.NextAsync(bundles)).Status.Should().Be(expected);
        api.Requests.Should().Be(2);
    }

    [Test]
    public async Task Bundles_come_without_identities_and_keys()
    {
        using var other = new TestTrustDomain("other.test");
        var update = _domain.Update("/api", other);
        await using var api = await FakeWorkloadApi.StartAsync(update);
        using var workload = new PlainWorkload(api);

        using var call = workload.Call(BundlesAlone);
        var message = (await PlainWorkload.NextAsync(call)).Message;

        var bundles = PlainWorkload.Bundles(message);
        bundles.Keys.Should().BeEquivalentTo("spiffe://example.test", "spiffe://other.test");
        bundles["spiffe://example.test"].Should().Equal(_domain.Bundle().ToArray());
        bundles["spiffe://other.test"].Should().Equal(other.Bundle().ToArray());
        message.AsSpan().IndexOf(update.Svids[0].PrivateKey.Span[^32..]).Should().Be(-1);
    }

    /// <summary>Field 1 of the request is the audience, field 2 the identity (SPIFFE Workload API §6.1), written here by hand.</summary>
    [TestCase("\n\u0001a", StatusCode.OK)]
    [TestCase("\n\u0001a\n\u0001b", StatusCode.OK)]
    [TestCase("\n\u0001a\u0012\u0019spiffe://example.test/api", StatusCode.OK)]
    [TestCase("\n\u0001a\u0012\u001bspiffe://example.test/other", StatusCode.PermissionDenied)]
    [TestCase("", StatusCode.InvalidArgument)]
    public async Task Tokens_are_given_to_a_workload_that_is_not_ours(string request, StatusCode status)
    {
        await using var api = await FakeWorkloadApi.StartAsync(_domain.Update("/api"));
        using var workload = new PlainWorkload(api);
        using var call = workload.Call("FetchJWTSVID", request: System.Text.Encoding.ASCII.GetBytes(request));

        var (message, answered) = await PlainWorkload.NextAsync(call);

        answered.Should().Be(status);
        if (status == StatusCode.OK)
        {
            var svid = JWTSVIDResponse.Parser.ParseFrom(message).Svids.Should().ContainSingle().Subject;
            svid.SpiffeId.Should().Be("spiffe://example.test/api");
            svid.Svid.Split('.').Should().HaveCount(3);
        }
    }

    [Test]
    public async Task Key_sets_are_streamed_and_calls_without_the_header_are_refused()
    {
        await using var api = await FakeWorkloadApi.StartAsync(_domain.Update("/api"));
        using var workload = new PlainWorkload(api);
        using var call = workload.Call("FetchJWTBundles");
        JWTBundlesResponse.Parser.ParseFrom((await PlainWorkload.NextAsync(call)).Message).Bundles.Keys.Should().Equal("spiffe://example.test");
        _domain.RotateJwtKey();
        api.Send(_domain.Update("/api"));
        var next = JWTBundlesResponse.Parser.ParseFrom((await PlainWorkload.NextAsync(call)).Message);
        next.Bundles["spiffe://example.test"].ToByteArray().Should().Equal(_domain.JwtBundle().ToArray());

        foreach (var method in new[] { "FetchJWTSVID", "FetchJWTBundles" })
        {
            using var bare = workload.Call(method, []);
            (await PlainWorkload.NextAsync(bare)).Status.Should().Be(StatusCode.InvalidArgument);
        }
    }

    [TestCase("ValidateJWTSVID")]
    public async Task What_it_does_not_have_it_says_it_does_not_have(string method)
    {
        await using var api = await FakeWorkloadApi.StartAsync(_domain.Update("/api"));
        using var workload = new PlainWorkload(api);

        using var call = workload.Call(method);

        (await PlainWorkload.NextAsync(call)).Status.Should().Be(StatusCode.Unimplemented);
    }

    [TestCase(true)]
    [TestCase(false)]
    public async Task An_update_reaches_open_streams_when_it_is_sent_and_later_ones_alone_when_it_is_queued(bool isSent)
    {
        await using var api = await FakeWorkloadApi.StartAsync(_domain.Update("/first"));
        using var workload = new PlainWorkload(api);
        using var open = workload.Call(Svids);
        PlainWorkload.FirstId((await PlainWorkload.NextAsync(open)).Message).Should().Be("spiffe://example.test/first");

        Action<WorkloadUpdate> set = isSent ? api.Send : api.Queue;
        set(_domain.Update("/second"));
        using var later = workload.Call(Svids);
        PlainWorkload.FirstId((await PlainWorkload.NextAsync(later)).Message).Should().Be("spiffe://example.test/second");
        api.Send(_domain.Update("/third"));

        PlainWorkload.FirstId((await PlainWorkload.NextAsync(open)).Message).Should().Be($"spiffe://example.test/{(isSent ? "second" : "third")}");
    }

    [Test]
    public async Task Without_an_identity_it_denies_until_one_is_registered()
    {
        await using var api = await FakeWorkloadApi.StartAsync();
        using var workload = new PlainWorkload(api);
        using var early = workload.Call(Svids);
        (await PlainWorkload.NextAsync(early)).Status.Should().Be(StatusCode.PermissionDenied);

        api.Send(_domain.Update("/api"));
        using var later = workload.Call(Svids);
        (await PlainWorkload.NextAsync(later)).Status.Should().Be(StatusCode.OK);

        api.Refuse();
        (await PlainWorkload.NextAsync(later)).Status.Should().Be(StatusCode.PermissionDenied);
    }

    [Test]
    public async Task A_malformed_message_is_sent_as_it_is()
    {
        await using var api = await FakeWorkloadApi.StartAsync(_domain.Update("/api"));
        using var workload = new PlainWorkload(api);
        using var plain = workload.Call(Svids);
        await PlainWorkload.NextAsync(plain);
        using var log = new EventLog();
        await using var source = await X509Source.ConnectAsync(
            new X509SourceOptions { Address = WorkloadApiAddress.Parse(api.Address), LoggerFactory = log }).WaitAsync(s_deadline);
        var before = source.Current;

        api.SendRaw([0x0a, 0xff, 0xff]);

        (await PlainWorkload.NextAsync(plain)).Message.Should().Equal(0x0a, 0xff, 0xff);
        await log.UntilAsync("StreamEnded");
        source.Current.Should().BeSameAs(before);
    }

    [Test]
    public async Task A_slow_agent_holds_each_message_back_by_its_clock()
    {
        var clock = new AnnouncingClock();
        await using var api = await FakeWorkloadApi.StartAsync(_domain.Update("/api"), timeProvider: clock);
        api.Delay = TimeSpan.FromMinutes(3);
        using var workload = new PlainWorkload(api);
        using var call = workload.Call(Svids);
        var next = PlainWorkload.NextAsync(call);

        await clock.Waiting.Task.WaitAsync(s_deadline);
        next.IsCompleted.Should().BeFalse();
        clock.Advance(TimeSpan.FromMinutes(3));

        (await next).Status.Should().Be(StatusCode.OK);
    }

    [Test]
    public async Task A_delay_that_no_clock_can_wait_for_is_refused_at_once_and_the_longest_is_waited_for()
    {
        var clock = new AnnouncingClock();
        await using var api = await FakeWorkloadApi.StartAsync(_domain.Update("/api"), timeProvider: clock);
        var longest = TimeSpan.FromMilliseconds(int.MaxValue);

        foreach (var wrong in new[] { TimeSpan.FromTicks(-1), Timeout.InfiniteTimeSpan, longest + TimeSpan.FromTicks(1), TimeSpan.MaxValue })
        {
            api.Invoking(agent => agent.Delay = wrong).Should().Throw<ArgumentOutOfRangeException>();
        }

        api.Delay.Should().Be(TimeSpan.Zero);
        api.Delay = longest;
        using var workload = new PlainWorkload(api);
        using var call = workload.Call(Svids);
        var next = PlainWorkload.NextAsync(call);
        await clock.Waiting.Task.WaitAsync(s_deadline);
        clock.Advance(longest);
        (await next).Status.Should().Be(StatusCode.OK);
    }

    [Test]
    public async Task One_that_hangs_keeps_the_stream_open_until_something_is_sent()
    {
        await using var api = await FakeWorkloadApi.StartAsync(_domain.Update("/api"));
        api.Hang();
        using var workload = new PlainWorkload(api);
        using var call = workload.Call(Svids);
        var next = PlainWorkload.NextAsync(call);

        await api.WaitForStreamsAsync(1).WaitAsync(s_deadline);
        next.IsCompleted.Should().BeFalse();
        api.Send(_domain.Update("/late"));

        PlainWorkload.FirstId((await next).Message).Should().Be("spiffe://example.test/late");
    }

    [Test]
    public async Task It_goes_away_comes_back_at_the_same_socket_and_is_gone_in_the_end()
    {
        var directory = Directory.CreateTempSubdirectory("agent");
        var path = Path.Combine(directory.FullName, "public.sock");
        await File.WriteAllTextAsync(path, "what a crashed agent left behind");
        var api = await FakeWorkloadApi.StartAsync(_domain.Update("/api"), path);
        using var workload = new PlainWorkload(api);
        using var open = workload.Call(Svids);
        (await PlainWorkload.NextAsync(open)).Status.Should().Be(StatusCode.OK);
        var twice = () => api.ComeBackAsync();
        await twice.Should().ThrowAsync<InvalidOperationException>();

        await api.GoAwayAsync();
        await api.GoAwayAsync();
        (await PlainWorkload.NextAsync(open)).Message.Should().BeNull();
        api.OpenStreams.Should().Be(0);
        var connecting = () => ConnectAsync(path);
        await connecting.Should().ThrowAsync<SocketException>();

        await api.ComeBackAsync();
        using var again = workload.Call(Svids);
        (await PlainWorkload.NextAsync(again)).Status.Should().Be(StatusCode.OK);

        await api.DisposeAsync();
        await api.DisposeAsync();
        File.Exists(path).Should().BeFalse();
        await twice.Should().ThrowAsync<ObjectDisposedException>();
        directory.Delete(recursive: true);
    }

    [Test]
    public async Task Streams_that_come_and_go_beside_updates_and_refusals_all_end()
    {
        await using var api = await FakeWorkloadApi.StartAsync(_domain.Update("/api"));
        using var workload = new PlainWorkload(api);
        var update = _domain.Update("/api");
        var calls = Enumerable.Range(0, 40).Select(async i =>
        {
            using var call = workload.Call(i % 2 == 0 ? Svids : BundlesAlone);
            while ((await PlainWorkload.NextAsync(call)).Message is not null)
            {
            }
        }).ToList();
        var changing = Task.Run(() =>
        {
            for (var i = 0; i < 200; i++)
            {
                api.Send(update);
                api.EndStreams();
                api.Queue(update);
            }
        });

        await changing.WaitAsync(s_deadline);
        api.Refuse(StatusCode.Unavailable);

        await Task.WhenAll(calls).WaitAsync(s_deadline);
        await api.WaitForStreamsAsync(0).WaitAsync(s_deadline);
    }

    [Test]
    public async Task Waiting_for_streams_that_never_come_can_be_given_up()
    {
        await using var api = await FakeWorkloadApi.StartAsync();
        using var giveUp = new CancellationTokenSource();
        var waiting = api.WaitForStreamsAsync(1, giveUp.Token);

        await giveUp.CancelAsync();

        var ended = () => waiting.WaitAsync(s_deadline);
        await ended.Should().ThrowAsync<OperationCanceledException>();
    }

    [TestCase("a", "a", true)]
    [TestCase("a", "b", false)]
    public void A_seed_and_a_clock_give_the_same_octets(string first, string second, bool isSame)
    {
        var clock = new FakeTimeProvider(new DateTimeOffset(2026, 6, 1, 12, 0, 0, TimeSpan.Zero));

        byte[] Octets(string seed)
        {
            using var domain = new TestTrustDomain("example.test", clock, seed);
            domain.RotateAuthority();
            using var other = new TestTrustDomain("other.test", clock, seed);
            return domain.Update("/api", other).ToX509SvidMessage();
        }

        Octets(first).SequenceEqual(Octets(second)).Should().Be(isSame);
    }

    [Test]
    public void Trust_domains_of_one_seed_have_keys_of_their_own()
    {
        using var one = new TestTrustDomain("one.test", seed: "seed");
        using var two = new TestTrustDomain("two.test", seed: "seed");

        one.Authority.AsCertificate.Key.Pkcs8.ToArray().Should().NotEqual(two.Authority.AsCertificate.Key.Pkcs8.ToArray());
    }

    [Test]
    public void An_authority_names_its_trust_domain()
    {
        Certificate.Parse(_domain.Bundle()).Uris.Should().Equal("spiffe://example.test");
    }

    [TestCase("")]
    [TestCase("Example.test")]
    [TestCase("example.test/path")]
    public void What_is_no_trust_domain_is_refused(string name)
    {
        var making = () => new TestTrustDomain(name);

        making.Should().Throw<FormatException>();
    }

    [Test]
    public void No_key_is_printed()
    {
        var svid = _domain.Issue("/api", hint: "internal");

        svid.ToString().Should().Be("spiffe://example.test/api (internal)");
        new WorkloadUpdate { Svids = [svid] }.ToString().Should().NotContain("PrivateKey");
    }

    private static async Task ConnectAsync(string path)
    {
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await socket.ConnectAsync(new UnixDomainSocketEndPoint(path)).WaitAsync(s_deadline);
    }

    /// <summary>A clock that stands, and says when somebody waits for it.</summary>
    private sealed class AnnouncingClock : FakeTimeProvider
    {
        internal TaskCompletionSource Waiting { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            var timer = base.CreateTimer(callback, state, dueTime, period);
            Waiting.TrySetResult();
            return timer;
        }
    }
}
