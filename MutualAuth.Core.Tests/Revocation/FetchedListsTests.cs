using System.Text;
using MutualAuth.Revocation;
using MutualAuth.Testing.Responders;
using MutualAuth.Testing.Revocation;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Revocation;

/// <summary>Lists from addresses: what is taken, what is refused and why, and that the last good list outlives every refusal.</summary>
[CancelAfter(60_000)]
public sealed class FetchedListsTests
{
    private static readonly (RejectionReason?, RejectionReason?) s_judgedByTheList = (null, RejectionReason.CertificateRevoked);

    private static readonly (RejectionReason?, RejectionReason?) s_unknown =
        (RejectionReason.RevocationStatusUnknown, RejectionReason.RevocationStatusUnknown);

    private FetchWorld _world = null!;

    [SetUp]
    public void SetUp() => _world = new FetchWorld();

    [TearDown]
    public async Task TearDown() => await _world.DisposeAsync();

    [Test]
    public async Task Lists_of_every_address_are_in_force_once_they_are_fetched(CancellationToken cancellationToken)
    {
        await using var lists = _world.Fetch(options => options with
        {
            Addresses = [new Uri(_world.Responder.FullUri), new Uri(_world.RootResponder.FullUri)],
        });
        var replaced = 0;
        lists.Replaced += (_, _) => Interlocked.Increment(ref replaced);

        (await lists.FetchAsync(cancellationToken)).Should().BeTrue();

        var judging = _world.World.Options(lists);
        _world.World.Judge(judging).Should().BeNull();
        _world.World.Judge(judging, peer: _world.Revoked)!.Reason.Should().Be(RejectionReason.CertificateRevoked);
        lists.Status.Should().OnlyContain(status => status.HasLists && status.Failure == null && status.LastSuccess == _world.Clock.GetUtcNow());
        replaced.Should().BeLessThanOrEqualTo(_world.Responder.Hits + _world.RootResponder.Hits, "an answer replaces the lists once at most");
        (await _world.Events.NextAsync(1400)).Values["Material"].Should().Be("revocation lists");
    }

    [Test]
    public async Task Before_the_first_list_the_status_is_unknown(CancellationToken cancellationToken)
    {
        _world.Responder.Mode = ResponderMode.NotFound;
        await using var lists = _world.Fetch();

        (await lists.FetchAsync(cancellationToken)).Should().BeFalse();
        _world.Judge(lists).Should().Be(s_unknown);

        _world.Responder.Mode = ResponderMode.Normal;
        (await lists.FetchAsync(cancellationToken)).Should().BeTrue();
        _world.Judge(lists).Should().Be(s_judgedByTheList);
    }

    /// <summary>Health is asked at any time, and above all by who has just heard that something is new.</summary>
    [Test]
    public async Task Who_hears_of_new_lists_finds_that_their_address_has_given_them(CancellationToken cancellationToken)
    {
        _world.Responder.Mode = ResponderMode.NotFound;
        await using var lists = _world.Fetch();
        await lists.FetchAsync(cancellationToken);
        await lists.FetchAsync(cancellationToken);
        var (before, heard) = (lists.Status[0], new List<RevocationFetchStatus>());
        lists.Replaced += (_, _) => heard.Add(lists.Status[0]);

        _world.Responder.Mode = ResponderMode.Normal;
        await lists.FetchAsync(cancellationToken);

        before.FailuresInARow.Should().BeGreaterThan(1);
        heard.Should().ContainSingle().Which.Should().Be(lists.Status[0] with { NextAttempt = null });
        (heard[0].Failure, heard[0].FailuresInARow, heard[0].LastSuccess).Should().Be((null, 0, _world.Clock.GetUtcNow()));
    }

    [Test]
    public async Task Who_hears_of_lists_that_do_not_count_finds_why_and_a_failure_counts_once(CancellationToken cancellationToken)
    {
        var now = _world.Clock.GetUtcNow();
        var crl = _world.World.IssuingCrl(crl => crl with { ThisUpdate = now.AddDays(-2), NextUpdate = now.AddDays(-1) }).Raw.ToArray();
        var isHeld = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var server = new RawHttpServer(async (_, stream, token) =>
        {
            await isHeld.Task.WaitAsync(token);
            await RawHttpServer.SendAsync(stream, "200 OK", "", crl, token);
        });
        await using var lists = _world.Fetch(options => options with { Addresses = [server.Uri] });
        var heard = new List<RevocationFetchStatus>();
        lists.Replaced += (_, _) => heard.Add(lists.Status[0]);
        var fetching = lists.FetchAsync(cancellationToken);
        isHeld.SetResult();

        (await fetching).Should().BeFalse();

        heard.Should().ContainSingle().Which.Should().Be(lists.Status[0] with { NextAttempt = null });
        (heard[0].Failure, heard[0].FailuresInARow, heard[0].LastSuccess).Should().Be((RevocationFetchFailure.NotCurrent, 1, null));
    }

    /// <summary>Fetches are bounded because they cost sockets and memory; code of the application's that hears of them costs neither.</summary>
    [TestCase("a handler", 0)]
    [TestCase("the log of new lists", 1400)]
    [TestCase("the log of a failure", 1640)]
    public async Task Who_is_slow_to_hear_of_one_address_keeps_no_other_from_being_fetched(
        string who, int id, CancellationToken cancellationToken)
    {
        using var mayGoOn = new ManualResetEventSlim();
        var (heard, isTold) = (0, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
        _world.Responder.Mode = _world.RootResponder.Mode = id == 1640 ? ResponderMode.NotFound : ResponderMode.Normal;
        _world.Events.Hearing = next => Hear(next == id);
        await using var lists = _world.Fetch(options => options with
        {
            Addresses = [new Uri(_world.Responder.FullUri), new Uri(_world.RootResponder.FullUri)],
            MaxConcurrentFetches = 1,
        });
        lists.Replaced += (_, _) => Hear(id == 0);

        var fetching = lists.FetchAsync(cancellationToken);
        try
        {
            await isTold.Task.WaitAsync(ConnectedPair.Deadline, cancellationToken);
            lists.Status.Should().OnlyContain(status => status.HasLists == (id != 1640), who);
        }
        finally
        {
            mayGoOn.Set();
        }

        (await fetching).Should().Be(id != 1640);

        void Hear(bool isMeant)
        {
            if (!isMeant)
            {
                return;
            }

            if (Interlocked.Increment(ref heard) == 1)
            {
                mayGoOn.Wait(ConnectedPair.Deadline * 2, CancellationToken.None);
            }
            else
            {
                isTold.TrySetResult();
            }
        }
    }

    [TestCase(ResponderMode.NotFound, RevocationFetchFailure.HttpStatus)]
    [TestCase(ResponderMode.Garbage, RevocationFetchFailure.Malformed)]
    [TestCase(ResponderMode.Truncated, RevocationFetchFailure.Malformed)]
    [TestCase(ResponderMode.Stale, RevocationFetchFailure.Older)]
    [TestCase(ResponderMode.WrongSigner, RevocationFetchFailure.NotSigned)]
    [TestCase(ResponderMode.Oversized, RevocationFetchFailure.TooLarge)]
    [TestCase(ResponderMode.Redirect, RevocationFetchFailure.Redirected)]
    [TestCase(ResponderMode.Hang, RevocationFetchFailure.TimedOut)]
    public async Task Whatever_the_server_does_the_last_good_list_stays(
        ResponderMode mode, RevocationFetchFailure expected, CancellationToken cancellationToken)
    {
        await using var lists = _world.Fetch(options => options with { Issuers = [_world.Issuer] });
        await lists.FetchAsync(cancellationToken);
        var before = lists.Current;

        _world.Responder.Mode = mode;
        (await FailAsync(lists)).Should().BeFalse();

        lists.Current.Should().BeSameAs(before);
        _world.Judge(lists).Should().Be(s_judgedByTheList);
        (lists.Status[0].Failure, lists.Status[0].FailuresInARow).Should().Be((expected, 1));
        var told = await _world.Events.NextAsync(1640);
        told.Values["Reason"].Should().Be(expected);
        told.Values["Address"].Should().Be(_world.Responder.FullUri);

        _world.Responder.Mode = ResponderMode.Normal;
        (await lists.FetchAsync(cancellationToken)).Should().BeTrue();
        (lists.Status[0].Failure, lists.Status[0].FailuresInARow).Should().Be((null, 0));
        lists.Current.Should().NotBeSameAs(before);
    }

    [Test]
    public async Task A_slow_server_is_waited_for_until_the_time_limit(CancellationToken cancellationToken)
    {
        _world.Responder.Mode = ResponderMode.Slow;
        await using var lists = _world.Fetch();
        var fetching = lists.FetchAsync(cancellationToken);
        await _world.World.Clock.UntilWaitAsync(_world.Responder.Delay);
        fetching.IsCompleted.Should().BeFalse();

        _world.World.Clock.Advance(_world.Responder.Delay);

        (await fetching).Should().BeTrue();
    }

    [Test]
    public async Task A_forged_list_takes_nobodys_place_and_is_asked_for_anew(CancellationToken cancellationToken)
    {
        await using var lists = _world.Fetch();
        await lists.FetchAsync(cancellationToken);
        _world.Judge(lists).Should().Be(s_judgedByTheList);

        _world.Responder.Mode = ResponderMode.WrongSigner;
        await lists.FetchAsync(cancellationToken);

        _world.Judge(lists).Should().Be(s_judgedByTheList);
        (await _world.Events.NextAsync(1642)).Values["Address"].Should().Be(_world.Responder.FullUri);

        _world.Responder.Mode = ResponderMode.Normal;
        (await lists.FetchAsync(cancellationToken)).Should().BeTrue("a number that nobody signed holds nobody up");
        _world.Judge(lists).Should().Be(s_judgedByTheList);
    }

    [Test]
    public async Task After_the_end_of_the_last_good_list_the_status_is_unknown_and_it_is_told_once(CancellationToken cancellationToken)
    {
        await using var lists = _world.Fetch();
        await lists.FetchAsync(cancellationToken);
        _world.Responder.Mode = ResponderMode.NotFound;
        var end = lists.Current.NextUpdate!.Value;

        _world.Advance(end - _world.Clock.GetUtcNow());
        await lists.FetchAsync(cancellationToken);
        _world.Judge(lists).Should().Be(s_judgedByTheList);
        _world.Advance(TimeSpan.FromSeconds(1));
        await lists.FetchAsync(cancellationToken);
        await lists.FetchAsync(cancellationToken);

        _world.Judge(lists).Should().Be(s_unknown);
        _world.Events.Drain().Where(told => told.Id == 1641).Should().ContainSingle().Which.Values["EndsAt"].Should().Be(end);
    }

    [Test]
    public async Task A_first_list_that_has_run_out_is_no_success_and_covers_nothing(CancellationToken cancellationToken)
    {
        _world.Responder.Mode = ResponderMode.Stale;
        await using var lists = _world.Fetch();

        (await lists.FetchAsync(cancellationToken)).Should().BeFalse();

        lists.Status[0].Failure.Should().Be(RevocationFetchFailure.NotCurrent);
        _world.Judge(lists).Should().Be(s_unknown);
    }

    [Test]
    public async Task A_delta_and_a_partition_count_beside_the_full_list(CancellationToken cancellationToken)
    {
        _world.Responder.Rebase();
        var late = _world.World.Issue();
        await using var lists = _world.Fetch(options => options with
        {
            Addresses = [new Uri(_world.Responder.BaseCrlUri), new Uri(_world.Responder.DeltaUri), new Uri(_world.Responder.EndEntitiesUri)],
        });
        await lists.FetchAsync(cancellationToken);
        using var all = new CombinedRevocationLists(lists, RevocationLists.FromDer(_world.World.RootCrl().Raw));
        _world.World.Judge(_world.World.Options(all), peer: late).Should().BeNull();

        _world.World.Issuing.Revoke(late);
        await lists.FetchAsync(cancellationToken);

        _world.World.Judge(_world.World.Options(all), peer: late)!.Reason.Should().Be(RejectionReason.CertificateRevoked);
        lists.Current.Lists.Should().HaveCount(3).And.Contain(list => list.IsDelta);
    }

    [Test]
    public async Task Certificates_in_an_answer_are_not_used(CancellationToken cancellationToken)
    {
        var body = Encoding.ASCII.GetBytes(_world.World.Issuing.CertificatePem + "\n" + _world.World.IssuingCrl().Pem);
        await using var server = new RawHttpServer((_, stream, token) => RawHttpServer.SendAsync(stream, "200 OK", "", body, token));
        await using var lists = _world.Fetch(options => options with { Addresses = [server.Uri] });

        (await lists.FetchAsync(cancellationToken)).Should().BeTrue();

        lists.Current.Certificates.Should().BeEmpty();
        _world.Judge(lists).Should().Be(s_judgedByTheList);
    }

    [Test]
    public async Task A_list_of_an_issuer_that_is_not_named_is_taken_beside_one_that_is(CancellationToken cancellationToken)
    {
        _world.RootResponder.Mode = _world.Responder.Mode = ResponderMode.WrongSigner;
        await using var lists = _world.Fetch(options => options with
        {
            Addresses = [new Uri(_world.Responder.FullUri), new Uri(_world.RootResponder.FullUri)],
            Issuers = [_world.Issuer],
        });

        await lists.FetchAsync(cancellationToken);

        lists.Status.Select(status => status.Failure).Should().Equal(RevocationFetchFailure.NotSigned, null);
    }

    private async Task<bool> FailAsync(FetchedRevocationLists lists)
    {
        _world.Clock.Forget();
        var fetching = lists.FetchAsync();
        if (_world.Responder.Mode == ResponderMode.Hang)
        {
            await _world.Clock.UntilWaitAsync(_world.Options.Timeout);
            _world.Clock.Advance(_world.Options.Timeout);
        }

        return await fetching.WaitAsync(ConnectedPair.Deadline);
    }
}
