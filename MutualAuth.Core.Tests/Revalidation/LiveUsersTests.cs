using System.Runtime.Versioning;
using MutualAuth.Credentials;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Revalidation;

/// <summary>Users who are connected, and what becomes of them when what their login relied on changes.</summary>
[CancelAfter(60000)]
public sealed class LiveUsersTests
{
    private static readonly TimeSpan s_interval = LiveUsersWorld.Interval;

    private LiveUsersWorld _world = null!;

    [SetUp]
    public void SetUp() => _world = new LiveUsersWorld();

    [TearDown]
    public void TearDown() => _world.Dispose();

    [TestCase(true)]
    [TestCase(false)]
    public async Task Who_is_disabled_goes_at_once_and_nobody_else_does(bool hasCertificate)
    {
        var alice = await _world.LogInAsync("alice", hasCertificate);
        var again = _world.Connect(alice.Peer.User!, hasCertificate);
        var bob = await _world.LogInAsync("bob", hasCertificate);
        await _world.Registry.Users.IdleAsync(); // each was asked about once, as it joined

        await _world.Store.SetDisabledAsync("alice", isDisabled: true);

        (await alice.LostAsync()).Should().Be((RejectionReason.UserDisabled, InvalidationAction.Abort));
        (await again.LostAsync()).Should().Be((RejectionReason.UserDisabled, InvalidationAction.Abort));
        (await _world.AskedAsync()).Should().Be((1, 2), "only she was asked about");
        bob.Losses.Should().BeEmpty();
    }

    [Test]
    public async Task Who_is_removed_goes_at_once()
    {
        var alice = await _world.LogInAsync("alice");

        await _world.Store.RemoveAsync("alice");

        (await alice.LostAsync()).Should().Be((RejectionReason.UserRemoved, InvalidationAction.Abort));
    }

    [TestCase(true)]
    [TestCase(false)]
    public async Task Another_password_drains_and_another_verifier_of_another_hash_does_not(bool isPassword)
    {
        var alice = await _world.LogInAsync("alice");

        await _world.Store.SetAsync(
            "alice",
            isPassword
                ? LiveUsersWorld.Verifier("another")
                : ScramVerifier.Create(Password.From("alice"), ScramHash.Sha512, ScramVerifier.MinIterations));

        if (isPassword)
        {
            (await alice.LostAsync()).Should().Be((RejectionReason.PasswordChanged, InvalidationAction.Drain));
        }
        else
        {
            (await _world.AskedAsync()).Should().Be((1, 0));
            alice.Losses.Should().BeEmpty();
        }
    }

    [TestCase("totp-1", true)]
    [TestCase("totp-2", false)]
    public async Task A_factor_that_was_shown_is_missed_and_another_is_not(string removed, bool isLost)
    {
        var factors = new PlainFactors();
        await factors.SetFactorAsync("alice", new StoredFactor("totp-1", "totp", "x"));
        await factors.SetFactorAsync("alice", new StoredFactor("totp-2", "totp", "x"));
        var alice = _world.Connect(
            LiveUsersWorld.User("alice", null, null, await _world.AddAsync("alice"), LoginFacts.SecondFactor(factors, "alice", "totp-1")));

        await factors.RemoveFactorAsync("alice", removed);
        _world.Clock.Advance(s_interval);

        if (isLost)
        {
            (await alice.LostAsync()).Should().Be((RejectionReason.SecondFactorRemoved, InvalidationAction.Abort));
        }
        else
        {
            await _world.Store.SetDisabledAsync("alice", isDisabled: true);
            (await alice.LostAsync()).Reason.Should().Be(RejectionReason.UserDisabled);
        }
    }

    [TestCase("alice", false)]
    [TestCase("bob", true)]
    public async Task A_rule_that_no_longer_accepts_the_user_ends_the_connection(string named, bool isLost)
    {
        var alice = await _world.LogInAsync("alice");
        await _world.Registry.Users.IdleAsync(); // the question after a login does not find what is changed next

        _world.Rule.Replace(UserRules.Named(named));

        (await _world.AskedAsync()).Should().Be((1, isLost ? 1 : 0));
        alice.Losses.Select(loss => loss.Rejection.Reason).Should().Equal(isLost ? [RejectionReason.UserNotAllowed] : []);
    }

    [TestCase(true)]
    [TestCase(false)]
    public async Task The_device_counts_for_the_rule(bool hasCertificate)
    {
        var alice = await _world.LogInAsync("alice", hasCertificate);
        await _world.Registry.Users.IdleAsync();

        _world.Rule.Replace(UserRules.Where("she has a device", (_, device) => device is { Certificate: not null, User: null }));

        await _world.AskedAsync();
        alice.Losses.Should().HaveCount(hasCertificate ? 0 : 1);
    }

    [Test]
    public async Task A_rule_that_throws_ends_the_connection()
    {
        var alice = await _world.LogInAsync("alice");

        _world.Rule.Replace(UserRules.Where("it does not throw", (_, _) => throw new InvalidOperationException()));

        (await alice.LostAsync()).Should().Be((RejectionReason.CredentialCheckFaulted, InvalidationAction.Abort));
    }

    [TestCase(true)]
    [TestCase(false)]
    public async Task Who_may_no_longer_act_as_another_goes(bool mayStill)
    {
        var may = true;
        using var world = new LiveUsersWorld(rules: policy => policy with { MayActAs = (_, _) => may });
        var alice = world.Connect(LiveUsersWorld.User("alice", null, "company", await world.AddAsync("alice")));
        may = mayStill;

        world.Rule.Replace(UserRules.Any);

        await world.AskedAsync();
        alice.Losses.Select(loss => loss.Rejection.Reason).Should().Equal(mayStill ? [] : [RejectionReason.AuthorizationIdentityRefused]);
    }

    [Test]
    public async Task A_token_drains_when_it_expires_and_not_before()
    {
        var end = _world.Clock.GetUtcNow() + TimeSpan.FromMinutes(5);
        var alice = _world.Connect(LiveUsersWorld.User("alice", end));
        alice.Entry!.ValidUntil.Should().Be(end);

        _world.Clock.Advance(TimeSpan.FromMinutes(5) - TimeSpan.FromTicks(1));
        alice.Losses.Should().BeEmpty();
        _world.Clock.Advance(TimeSpan.FromMilliseconds(1));

        (await alice.LostAsync()).Should().Be((RejectionReason.TokenExpired, InvalidationAction.Drain));
    }

    [Test]
    public async Task The_margin_of_certificates_does_not_shorten_a_token()
    {
        using var world = new LiveUsersWorld(new RevalidationPolicy { ExpiryMargin = TimeSpan.FromHours(1) });
        var alice = world.Connect(LiveUsersWorld.User("alice", world.Clock.GetUtcNow() + TimeSpan.FromMinutes(5)));

        world.Clock.Advance(TimeSpan.FromMinutes(4));

        alice.Losses.Should().BeEmpty();
        world.Clock.Advance(TimeSpan.FromMinutes(1));
        (await alice.LostAsync()).Reason.Should().Be(RejectionReason.TokenExpired);
    }

    [Test]
    public async Task A_store_that_announces_nothing_is_asked_at_each_interval_and_only_then()
    {
        var store = new PlainStore(_world.Store);
        await _world.AddAsync("alice");
        var verifier = (await _world.Store.FindAsync("alice", default))!.Verifiers[0];
        var alice = _world.Connect(LiveUsersWorld.User("alice", null, null, LoginFacts.Verifier(store, "alice", verifier)));
        await _world.Store.SetDisabledAsync("alice", isDisabled: true);

        _world.Clock.Advance(s_interval - TimeSpan.FromTicks(1));
        store.Count.Should().Be(0);
        alice.Losses.Should().BeEmpty();
        _world.Clock.Advance(TimeSpan.FromTicks(1));

        (await alice.LostAsync()).Reason.Should().Be(RejectionReason.UserDisabled);
        store.Count.Should().Be(1);
    }

    [Test]
    public async Task Nothing_is_asked_when_nobody_is_connected()
    {
        var store = new PlainStore(_world.Store);
        await _world.AddAsync("alice");
        var verifier = (await _world.Store.FindAsync("alice", default))!.Verifiers[0];
        var alice = _world.Connect(LiveUsersWorld.User("alice", null, null, LoginFacts.Verifier(store, "alice", verifier)));
        _world.Registry.Users.SourceCount.Should().Be(1);

        alice.End();
        _world.Clock.Advance(10 * s_interval);

        store.Count.Should().Be(0);
        _world.Registry.Users.SourceCount.Should().Be(0);
        _world.Registry.Count.Should().Be(0);
    }

    [Test]
    public async Task A_store_that_cannot_be_read_keeps_who_is_there_for_the_time_stated_and_no_longer()
    {
        var store = new PlainStore(_world.Store);
        await _world.AddAsync("alice");
        var verifier = (await _world.Store.FindAsync("alice", default))!.Verifiers[0];
        var alice = _world.Connect(LiveUsersWorld.User("alice", null, null, LoginFacts.Verifier(store, "alice", verifier)));
        store.Fault = new IOException("down");

        for (var minute = 1; minute < 15; minute++)
        {
            _world.Clock.Advance(s_interval);
            await store.AskedAsync(minute);
            await _world.Registry.Users.IdleAsync(); // the answer has been taken in before the clock goes on
        }

        await _world.Log.NextAsync(1460);
        _world.Clock.Advance(s_interval - TimeSpan.FromTicks(1));
        alice.Losses.Should().BeEmpty();
        _world.Clock.Advance(TimeSpan.FromSeconds(1));

        (await alice.LostAsync()).Should().Be((RejectionReason.UserStoreUnreadable, InvalidationAction.Drain));
    }

    [Test]
    public async Task What_passes_while_the_timer_is_set_is_not_waited_for_once_more()
    {
        PassingClock clock = null!;
        using var world = new LiveUsersWorld(
            new RevalidationPolicy { RecheckInterval = 2 * s_interval },
            clock: inner => clock = new PassingClock(inner) { From = 2 * s_interval });
        var store = new PlainStore(world.Store);
        await world.AddAsync("alice");
        var verifier = (await world.Store.FindAsync("alice", default))!.Verifiers[0];
        clock.Passes = s_interval;

        var alice = world.Connect(LiveUsersWorld.User("alice", null, null, LoginFacts.Verifier(store, "alice", verifier)));
        world.Clock.Advance(s_interval);

        await store.AskedAsync(1);
        GC.KeepAlive(alice); // the registry does not
    }

    [Test]
    public async Task A_store_that_answers_again_in_time_ends_nobody()
    {
        var store = new PlainStore(_world.Store);
        await _world.AddAsync("alice");
        var verifier = (await _world.Store.FindAsync("alice", default))!.Verifiers[0];
        var alice = _world.Connect(LiveUsersWorld.User("alice", null, null, LoginFacts.Verifier(store, "alice", verifier)));
        store.Fault = new IOException("down");
        for (var minute = 1; minute < 14; minute++)
        {
            _world.Clock.Advance(s_interval);
            await store.AskedAsync(minute);
            await _world.Registry.Users.IdleAsync(); // the answer has been taken in before the clock goes on
        }

        store.Fault = null;
        _world.Clock.Advance(s_interval);
        await _world.Log.NextAsync(1461);
        _world.Clock.Advance(2 * s_interval);

        alice.Losses.Should().BeEmpty();
    }

    [TestCase(true)]
    [TestCase(false)]
    [Platform(Exclude = "Win")]
    [UnsupportedOSPlatform("windows")]
    public async Task A_file_that_cannot_be_read_counts_from_its_last_good_reading(bool comesBack)
    {
        using var folder = new TemporaryFolder();
        var path = folder["users"];
        using var store = FileCredentialStore.OpenOrCreate(
            path, new FileCredentialStoreOptions { TimeProvider = _world.Clock, MaxUnreadable = Timeout.InfiniteTimeSpan });
        var verifier = LiveUsersWorld.Verifier("alice");
        await store.SetAsync("alice", verifier);
        var alice = _world.Connect(LiveUsersWorld.User("alice", null, null, LoginFacts.Verifier(store, "alice", verifier)));
        var content = await File.ReadAllBytesAsync(path);
        File.Delete(path);

        var minutes = 0;
        for (; minutes < 40 && alice.Losses.Count == 0; minutes++)
        {
            if (minutes == 10 && comesBack)
            {
                await File.WriteAllBytesAsync(path, content);
                File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
            }

            _world.Clock.Advance(s_interval);
            await store.Looking;
            await _world.Registry.Users.IdleAsync();
        }

        alice.Losses.Select(loss => loss.Rejection.Reason).Should().Equal(comesBack ? [] : [RejectionReason.UserStoreUnreadable]);
        minutes.Should().Be(comesBack ? 40 : 15);
    }

    [Test]
    public async Task A_source_that_can_say_nothing_of_one_loses_that_one_and_keeps_the_other()
    {
        var source = new Source { ["good"] = LoginFactAnswer.Holds, ["unknown"] = LoginFactAnswer.CannotSay };
        var good = _world.Connect(LiveUsersWorld.User("alice", null, null, LoginFacts.Of(source, "good", "an entry")));
        var unknown = _world.Connect(LiveUsersWorld.User("bob", null, null, LoginFacts.Of(source, "unknown", "an entry")));

        for (var minute = 1; minute <= 16; minute++)
        {
            var asked = source.AskedAsync();
            _world.Clock.Advance(s_interval);
            await asked.WaitAsync(ConnectedPair.Deadline);
            await _world.Registry.Users.IdleAsync(); // the answer has been taken in before the clock goes on
        }

        (await unknown.LostAsync()).Reason.Should().Be(RejectionReason.UserStoreUnreadable);
        good.Losses.Should().BeEmpty();
    }

    [Test]
    public async Task A_source_of_another_kind_is_believed_with_its_own_reason()
    {
        var source = new Source
        {
            ["good"] = LoginFactAnswer.Holds,
            ["bad"] = LoginFactAnswer.NoLonger(RejectionReason.UserDisabled, "an entry that is active", "one that is locked"),
        };
        var good = _world.Connect(LiveUsersWorld.User("alice", null, null, LoginFacts.Of(source, "good", "an entry")));
        var bad = _world.Connect(LiveUsersWorld.User("bob", null, null, LoginFacts.Of(source, "bad", "an entry")));

        _world.Clock.Advance(s_interval);

        (await bad.LostAsync()).Should().Be((RejectionReason.UserDisabled, InvalidationAction.Abort));
        good.Losses.Should().BeEmpty();
    }

    /// <summary>The interval says how often the store is asked, not how fast it must answer.</summary>
    [TestCase(25, true)]
    [TestCase(35, false)]
    public async Task A_store_that_answers_later_than_the_next_interval_is_listened_to(int seconds, bool isFound)
    {
        using var world = new LiveUsersWorld(new RevalidationPolicy { RecheckInterval = TimeSpan.FromSeconds(1) });
        var store = new SlowStore(world.Store);
        await world.AddAsync("alice");
        var verifier = (await world.Store.FindAsync("alice", default))!.Verifiers[0];
        var alice = world.Connect(LiveUsersWorld.User("alice", null, null, LoginFacts.Verifier(store, "alice", verifier)));
        await world.Store.SetDisabledAsync("alice", isDisabled: true);

        world.Clock.Advance(TimeSpan.FromSeconds(1));
        var question = await store.AskedAsync();
        for (var second = 0; second < seconds; second++)
        {
            world.Clock.Advance(TimeSpan.FromSeconds(1));
        }

        question.Cancellation.IsCancellationRequested.Should().Be(!isFound);
        question.Answer();

        if (isFound)
        {
            (await alice.LostAsync()).Reason.Should().Be(RejectionReason.UserDisabled);
        }
        else
        {
            await store.AskedAsync(); // the next question: the first was given up, and nothing was taken from it
            alice.Losses.Should().BeEmpty();
        }
    }

    [Test]
    public async Task A_store_that_blocks_for_ever_delays_no_other()
    {
        using var hold = new ManualResetEventSlim();
        var store = new PlainStore(_world.Store) { Hold = hold };
        await _world.AddAsync("bob");
        var verifier = (await _world.Store.FindAsync("bob", default))!.Verifiers[0];
        var bob = _world.Connect(LiveUsersWorld.User("bob", null, null, LoginFacts.Verifier(store, "bob", verifier)));
        var alice = await _world.LogInAsync("alice");
        _world.Clock.Advance(s_interval);
        await store.AskedAsync(1);

        await _world.Store.SetDisabledAsync("alice", isDisabled: true);
        (await alice.LostAsync()).Reason.Should().Be(RejectionReason.UserDisabled);
        (await _world.LogInAsync("carol")).Losses.Should().BeEmpty();

        // Nor does it keep its own for longer than stated: the clock that ends them does not wait for it.
        for (var minute = 2; minute <= 16 && bob.Losses.Count == 0; minute++)
        {
            _world.Clock.Advance(s_interval);
        }

        (await bob.LostAsync()).Reason.Should().Be(RejectionReason.UserStoreUnreadable);
        hold.Set();
    }

    /// <summary>Each way of coming in between a login and its place in the registry.</summary>
    [TestCase(true)]
    [TestCase(false)]
    public async Task A_change_between_a_login_and_its_place_is_found(bool hasOthers)
    {
        var bob = hasOthers ? await _world.LogInAsync("bob") : null;
        using var scope = _world.Registry.Begin();
        var fact = await _world.AddAsync("alice");
        await _world.Store.SetDisabledAsync("alice", isDisabled: true);

        var alice = _world.Register(scope, LiveUsersWorld.User("alice", null, null, fact));

        (await alice.LostAsync()).Reason.Should().Be(RejectionReason.UserDisabled);
        bob?.Losses.Should().BeEmpty();
    }

    [Test]
    public async Task A_rule_that_is_replaced_between_a_login_and_its_place_counts()
    {
        using var scope = _world.Registry.Begin();
        var fact = await _world.AddAsync("alice");
        _world.Rule.Replace(UserRules.Named("bob"));

        var alice = _world.Register(scope, LiveUsersWorld.User("alice", null, null, fact));

        (await alice.LostAsync()).Reason.Should().Be(RejectionReason.UserNotAllowed);
    }

    [Test]
    public async Task To_notify_keeps_the_connection_and_a_good_state_takes_it_back()
    {
        using var world = new LiveUsersWorld(new RevalidationPolicy { OnUserDisabled = InvalidationAction.Notify });
        var alice = await world.LogInAsync("alice", hasCertificate: true);
        await world.Registry.Users.IdleAsync(); // the question after a login does not find what is changed next

        await world.Store.SetDisabledAsync("alice", isDisabled: true);
        (await alice.LostAsync()).Should().Be((RejectionReason.UserDisabled, InvalidationAction.Notify));
        alice.IsEnded.Should().BeFalse();
        await world.Registry.Users.IdleAsync(); // what is told of this question is not taken for the next one's

        // A certificate that is good does not make the user good.
        world.Certificates.Rule.Replace(Authorize.AnyTrustedPeer);
        await world.Certificates.JudgedAgainAsync();
        await world.Store.SetDisabledAsync("alice", isDisabled: true);
        (await world.AskedAsync()).Should().Be((1, 0), "it was told already");

        await world.Store.SetDisabledAsync("alice", isDisabled: false);
        await world.AskedAsync();
        await world.Store.SetDisabledAsync("alice", isDisabled: true);
        (await alice.LostAsync(2)).Should().Be((RejectionReason.UserDisabled, InvalidationAction.Notify));
    }

    [Test]
    public async Task A_log_that_fails_keeps_nobody()
    {
        var alice = await _world.LogInAsync("alice");
        var bob = await _world.LogInAsync("bob");
        _world.Log.FailsAt = 1450;

        await _world.Store.SetDisabledAsync("alice", isDisabled: true);
        await alice.LostAsync();
        await _world.Store.SetDisabledAsync("bob", isDisabled: true);

        (await bob.LostAsync()).Reason.Should().Be(RejectionReason.UserDisabled);
    }

    [Test]
    public async Task Many_connections_of_one_user_come_and_go_in_any_order()
    {
        var first = await _world.LogInAsync("alice");
        var all = Enumerable.Range(0, 100).Select(_ => _world.Connect(first.Peer.User!)).Prepend(first).ToList();
        foreach (var gone in all.Where((_, index) => index % 3 == 0))
        {
            gone.End();
        }

        await _world.Store.SetDisabledAsync("alice", isDisabled: true);

        foreach (var live in all.Where((_, index) => index % 3 != 0))
        {
            (await live.LostAsync()).Reason.Should().Be(RejectionReason.UserDisabled);
        }

        _world.Registry.Users.SourceCount.Should().Be(0);
    }

    [TestCase(0, true)]
    [TestCase(1, false)]
    public async Task A_rule_that_ends_takes_a_handshake_that_began_before_it(int handshakesAfter, bool isEnded)
    {
        var bob = await _world.LogInAsync("bob");
        var before = _world.Registry.Begin();
        var fact = await _world.AddAsync("alice");

        _world.Registry.EndWhere(peer => peer.User?.Name == "alice", "laptop stolen", InvalidationAction.Abort).Should().Be(0);
        using var after = _world.Registry.Begin();
        var alice = _world.Register(handshakesAfter == 0 ? before : after, LiveUsersWorld.User("alice", null, null, fact));
        before.Dispose();

        alice.Losses.Select(loss => loss.Rejection.Reason).Should().Equal(isEnded ? [RejectionReason.EndedByApplication] : []);
        alice.Losses.Select(loss => loss.Rejection.Presented).Should().Equal(isEnded ? ["one that it ended: \"laptop stolen\""] : []);
        bob.Losses.Should().BeEmpty();
    }

    [Test]
    public async Task A_rule_that_throws_keeps_that_connection_and_ends_the_others()
    {
        var alice = await _world.LogInAsync("alice");
        var bob = await _world.LogInAsync("bob");
        var carol = await _world.LogInAsync("carol");

        var ending = () => _world.Registry.EndWhere(
            peer => peer.User!.Name == "bob" ? throw new InvalidOperationException() : peer.User.Name == "carol", "x", InvalidationAction.Drain);

        ending.Should().Throw<AggregateException>().WithInnerException<InvalidOperationException>();
        (await carol.LostAsync()).Should().Be((RejectionReason.EndedByApplication, InvalidationAction.Drain));
        alice.Losses.Should().BeEmpty();
        bob.Losses.Should().BeEmpty();
    }

    /// <summary>Answers of which a test says what they are.</summary>
    private sealed class Source : Dictionary<string, LoginFactAnswer>, ILoginFactSource
    {
        private TaskCompletionSource _asked = new(TaskCreationOptions.RunContinuationsAsynchronously);

        internal Task AskedAsync() => Volatile.Read(ref _asked).Task;

        public ValueTask<IReadOnlyDictionary<string, LoginFactAnswer>> AskAsync(
            IReadOnlyCollection<string> keys, CancellationToken cancellationToken)
        {
            keys.Should().BeSubsetOf(Keys);
            Interlocked.Exchange(ref _asked, new(TaskCreationOptions.RunContinuationsAsynchronously)).TrySetResult();
            return ValueTask.FromResult<IReadOnlyDictionary<string, LoginFactAnswer>>(this);
        }
    }
}
