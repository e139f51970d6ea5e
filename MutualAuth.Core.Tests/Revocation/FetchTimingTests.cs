using MutualAuth.Revocation;
using MutualAuth.Testing;
using MutualAuth.Testing.Responders;
using MutualAuth.Testing.Revocation;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Revocation;

/// <summary>When an address is asked, how often, and that a server that has nothing new is not asked for everything again.</summary>
[CancelAfter(60_000)]
public sealed class FetchTimingTests
{
    private FetchWorld _world = null!;

    [SetUp]
    public void SetUp() => _world = new FetchWorld();

    [TearDown]
    public async Task TearDown() => await _world.DisposeAsync();

    [Test]
    public async Task An_address_is_asked_again_after_the_interval_less_a_part_at_random()
    {
        await using var lists = _world.Fetch();

        for (var round = 1; round <= 5; round++)
        {
            var pause = await NextPauseAsync();
            pause.Should().BeGreaterThanOrEqualTo(_world.Options.Interval * 0.8).And.BeLessThanOrEqualTo(_world.Options.Interval);
            lists.Status[0].NextAttempt.Should().Be(_world.Clock.GetUtcNow() + pause);
            _world.Responder.Hits.Should().Be(round);
            _world.Clock.Advance(pause - TimeSpan.FromTicks(1));
            _world.Responder.Hits.Should().Be(round);
            _world.Clock.Advance(TimeSpan.FromTicks(1));
        }
    }

    /// <summary>Who hears of new lists may be slow, or move the clock: the pause began with the lists.</summary>
    [Test]
    public async Task What_passes_while_new_lists_are_told_of_is_not_waited_for_once_more()
    {
        var (asked, isAskedAgain) = (0, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
        var isHeard = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var crl = _world.World.IssuingCrl().Raw.ToArray();
        await using var server = new RawHttpServer(async (_, stream, token) =>
        {
            if (Interlocked.Increment(ref asked) > 1)
            {
                isAskedAgain.TrySetResult();
            }

            await isHeard.Task.WaitAsync(token);
            await RawHttpServer.SendAsync(stream, "200 OK", "", crl, token);
        });
        await using var lists = _world.Fetch(options => options with { Addresses = [server.Uri] });
        lists.Replaced += (_, _) => _world.Clock.Advance(_world.Options.Interval);
        isHeard.SetResult();

        await isAskedAgain.Task.WaitAsync(ConnectedPair.Deadline);

        _world.Clock.GetUtcNow().Should().Be(_world.World.Now + _world.Options.Interval);
    }

    [Test]
    public async Task What_passes_while_the_wait_is_set_is_not_waited_for_once_more()
    {
        var interval = _world.Options.Interval;
        var clock = new PassingClock(_world.Clock) { From = interval * 0.7, Passes = interval * 0.3 };
        var (asked, isAskedAgain) = (0, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
        var crl = _world.World.IssuingCrl().Raw.ToArray();
        await using var server = new RawHttpServer((_, stream, token) =>
        {
            if (Interlocked.Increment(ref asked) == 2)
            {
                isAskedAgain.SetResult();
            }

            return RawHttpServer.SendAsync(stream, "200 OK", "", crl, token);
        });
        await using var lists = _world.Fetch(options => options with { Addresses = [server.Uri], TimeProvider = clock });
        await NextPauseAsync();
        clock.Passes.Should().Be(TimeSpan.Zero);
        var next = lists.Status[0].NextAttempt!.Value;
        next.Should().BeOnOrBefore(_world.World.Now + interval);

        _world.Clock.Advance(next - _world.Clock.GetUtcNow() - TimeSpan.FromTicks(1));
        Volatile.Read(ref asked).Should().Be(1);
        _world.Clock.Advance(TimeSpan.FromMilliseconds(1));

        await isAskedAgain.Task.WaitAsync(ConnectedPair.Deadline);
    }

    /// <summary>The first fetch of its own is the one that is joined: none comes behind it, however late a thread is free for it.</summary>
    [Test]
    public async Task At_the_start_an_address_is_asked_once_also_by_who_waits_for_it(CancellationToken cancellationToken)
    {
        for (var round = 0; round < 20; round++)
        {
            var isJoined = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            var crl = _world.World.IssuingCrl().Raw.ToArray();
            await using var server = new RawHttpServer(async (_, stream, token) =>
            {
                await isJoined.Task.WaitAsync(token);
                await RawHttpServer.SendAsync(stream, "200 OK", "", crl, token);
            });
            await using var lists = _world.Fetch(options => options with { Addresses = [server.Uri] });
            var fetching = lists.FetchAsync(cancellationToken);
            isJoined.SetResult();

            (await fetching).Should().BeTrue();
            await NextPauseAsync();
            server.Heads.Should().ContainSingle();
        }
    }

    [Test]
    public async Task A_list_is_due_before_its_end_and_then_asked_for_as_after_a_failure()
    {
        await using var server = Serve();
        await using var lists = _world.Fetch(options => options with
        {
            Addresses = [server.Uri],
            Interval = TimeSpan.FromDays(7),
            LeadTime = TimeSpan.FromHours(6),
        });

        var pause = await NextPauseAsync();
        var end = lists.Current.NextUpdate!.Value;
        (_world.Clock.GetUtcNow() + pause).Should().BeOnOrBefore(end.AddHours(-6)).And.BeAfter(_world.Clock.GetUtcNow());
        _world.Clock.Advance(end.AddHours(-6) - _world.Clock.GetUtcNow());

        var soon = await NextPauseAsync();
        soon.Should().BeLessThanOrEqualTo(_world.Options.RetryDelay);
        lists.Status[0].Failure.Should().BeNull("the list still counts");
    }

    [Test]
    public async Task A_list_that_is_valid_for_minutes_is_due_after_three_quarters_of_them()
    {
        var now = _world.Clock.GetUtcNow();
        await using var server = Serve(crl => crl with { ThisUpdate = now, NextUpdate = now.AddMinutes(8) });
        await using var lists = _world.Fetch(options => options with { Addresses = [server.Uri] });

        (await NextPauseAsync()).Should().Be(TimeSpan.FromMinutes(6));
    }

    [Test]
    public async Task Pauses_after_failures_double_up_to_the_interval_and_begin_anew_after_a_success()
    {
        _world.Responder.Mode = ResponderMode.NotFound;
        var interval = TimeSpan.FromMinutes(4);
        await using var lists = _world.Fetch(options => options with { Interval = interval });

        foreach (var seconds in new[] { 30, 60, 120, 240, 240 })
        {
            var pause = await NextPauseAsync();
            pause.Should().BeGreaterThanOrEqualTo(TimeSpan.FromSeconds(seconds) / 2).And.BeLessThanOrEqualTo(TimeSpan.FromSeconds(seconds));
            _world.Clock.Advance(pause);
        }

        var last = await NextPauseAsync();
        _world.Responder.Mode = ResponderMode.Normal;
        _world.Clock.Advance(last);
        var regular = await NextPauseAsync();
        regular.Should().BeGreaterThanOrEqualTo(interval * 0.8);
        lists.Status[0].Failure.Should().BeNull();

        _world.Responder.Mode = ResponderMode.NotFound;
        _world.Clock.Advance(regular);
        (await NextPauseAsync()).Should().BeLessThanOrEqualTo(TimeSpan.FromSeconds(30));
    }

    [Test]
    public async Task The_end_of_the_last_good_list_is_noticed_when_it_comes()
    {
        await using var lists = _world.Fetch(options => options with { Interval = TimeSpan.FromDays(7), RetryDelay = TimeSpan.FromDays(7) });
        await NextPauseAsync();
        _world.Responder.Mode = ResponderMode.NotFound;
        _world.Clock.Advance(lists.Current.NextUpdate!.Value.AddMinutes(-1) - _world.Clock.GetUtcNow());

        var pause = await NextPauseAsync();

        pause.Should().BeGreaterThan(TimeSpan.FromMinutes(1), "before that there is nothing to notice");
        _world.Clock.Advance(TimeSpan.FromDays(7) + TimeSpan.FromMinutes(2));
        await _world.Events.NextAsync(1641);
    }

    [TestCase("ETag: \"seven\"\r\n", "If-None-Match: \"seven\"")]
    [TestCase("ETag: W/\"seven\"\r\n", "If-None-Match: W/\"seven\"")]
    [TestCase("Last-Modified: Sat, 01 Jun 2030 11:00:00 GMT\r\n", "If-Modified-Since: Sat, 01 Jun 2030 11:00:00 GMT")]
    public async Task A_server_that_has_nothing_new_sends_nothing(string version, string condition, CancellationToken cancellationToken)
    {
        var crl = _world.World.IssuingCrl().Raw.ToArray();
        await using var server = new RawHttpServer((head, stream, token) => head.Contains(condition, StringComparison.Ordinal)
            ? RawHttpServer.SendAsync(stream, "304 Not Modified", version, [], token)
            : RawHttpServer.SendAsync(stream, "200 OK", version, crl, token));
        await using var lists = _world.Fetch(options => options with { Addresses = [server.Uri] });
        await lists.FetchAsync(cancellationToken);
        var before = lists.Current;
        _world.Clock.Advance(TimeSpan.FromMinutes(1));

        (await lists.FetchAsync(cancellationToken)).Should().BeTrue();

        server.Heads[0].Should().NotContain("If-");
        server.Heads[^1].Should().Contain(condition);
        lists.Current.Should().BeSameAs(before);
        lists.Status[0].LastSuccess.Should().Be(_world.Clock.GetUtcNow());
    }

    [Test]
    public async Task The_same_list_again_replaces_nothing(CancellationToken cancellationToken)
    {
        await using var server = Serve();
        await using var lists = _world.Fetch(options => options with { Addresses = [server.Uri] });
        await lists.FetchAsync(cancellationToken);
        var before = lists.Current;

        (await lists.FetchAsync(cancellationToken)).Should().BeTrue();

        lists.Current.Should().BeSameAs(before);
    }

    [Test]
    public async Task Not_modified_is_no_answer_to_who_has_nothing(CancellationToken cancellationToken)
    {
        await using var server = new RawHttpServer((_, stream, token) => RawHttpServer.SendAsync(stream, "304 Not Modified", "", [], token));
        await using var lists = _world.Fetch(options => options with { Addresses = [server.Uri] });

        (await lists.FetchAsync(cancellationToken)).Should().BeFalse();

        lists.Status[0].Failure.Should().Be(RevocationFetchFailure.HttpStatus);
    }

    /// <summary>Otherwise a server that says "not modified" to the version of a refused list would keep the good one away.</summary>
    [Test]
    public async Task The_version_of_a_list_that_was_refused_is_not_remembered(CancellationToken cancellationToken)
    {
        byte[] good = _world.World.IssuingCrl(crl => crl with { Number = 7 }).Raw.ToArray();
        byte[] old = _world.World.IssuingCrl(crl => crl with { Number = 5 }).Raw.ToArray();
        var (body, tag) = (good, "good");
        await using var server = new RawHttpServer(
            (_, stream, token) => RawHttpServer.SendAsync(stream, "200 OK", $"ETag: \"{tag}\"\r\n", body, token));
        await using var lists = _world.Fetch(options => options with { Addresses = [server.Uri] });
        await lists.FetchAsync(cancellationToken);

        (body, tag) = (old, "old");
        (await lists.FetchAsync(cancellationToken)).Should().BeFalse();
        await lists.FetchAsync(cancellationToken);

        lists.Status[0].Failure.Should().Be(RevocationFetchFailure.Older);
        server.Heads[^1].Should().Contain("\"good\"");
    }

    [Test]
    public async Task A_list_that_a_path_has_refuted_is_asked_for_whatever_its_version(CancellationToken cancellationToken)
    {
        var number = 7;
        var isForged = false;
        await using var server = new RawHttpServer((_, stream, token) => RawHttpServer.SendAsync(
            stream,
            "200 OK",
            "ETag: \"same\"\r\n",
            _world.World.IssuingCrl(crl => crl with { Number = number, SigningKey = isForged ? TestKey.Generate() : null }).Raw.ToArray(),
            token));
        await using var lists = _world.Fetch(options => options with { Addresses = [server.Uri] });
        await lists.FetchAsync(cancellationToken);
        _world.Judge(lists);
        (number, isForged) = (8, true);
        await lists.FetchAsync(cancellationToken);
        var regular = await NextPauseAsync();

        _world.Judge(lists).Revoked.Should().Be(RejectionReason.CertificateRevoked);
        (await NextPauseAsync()).Should().BeLessThanOrEqualTo(_world.Options.RetryDelay)
            .And.BeLessThan(regular, "a forged list is not left for an hour");
        await lists.FetchAsync(cancellationToken);

        server.Heads[^1].Should().NotContain("If-None-Match");
    }

    private RawHttpServer Serve(Func<CrlSpec, CrlSpec>? spec = null)
    {
        var crl = _world.World.IssuingCrl(spec).Raw.ToArray();
        return new RawHttpServer((_, stream, token) => RawHttpServer.SendAsync(stream, "200 OK", "", crl, token));
    }

    /// <summary>The pause that begins next; the time limits of fetches are waits too.</summary>
    private Task<TimeSpan> NextPauseAsync() => _world.Clock.NextWaitAsync(but: _world.Options.Timeout);
}
