using MutualAuth.Credentials;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Credentials;

/// <summary>What a reconnect credential is worth, and to whom. Each refusal differs from the login in one fact.</summary>
[CancelAfter(60000)]
public sealed class ReconnectCredentialsTests
{
    private static readonly TimeSpan s_tick = TimeSpan.FromMilliseconds(1);

    private ReconnectWorld _world = null!;

    [SetUp]
    public void SetUp() => _world = new ReconnectWorld();

    [TearDown]
    public void TearDown() => _world.Dispose();

    [Test]
    public async Task A_user_comes_back_with_it_and_what_was_proven_earlier_is_told_from_what_is_proven_now()
    {
        await _world.HoldAsync();
        _world.Clock.Advance(TimeSpan.FromHours(1));

        var step = await _world.ComeBackAsync();

        (step.Kind, step.UserName, step.AuthorizationIdentity).Should().Be((SaslServerStepKind.Succeed, "alice", null));
        step.Proofs.Should().Be(PeerProofs.Password | PeerProofs.ChannelBinding | PeerProofs.ReconnectCredential);
        step.NotAfter.Should().Be(ReconnectWorld.MovedClock.Start + _world.Options.Lifetime);
    }

    [Test]
    public async Task It_counts_on_any_number_of_connections_of_the_same_key()
    {
        await _world.HoldAsync();
        var message = await _world.ShownAsync();

        (await _world.ShowAsync(message)).Kind.Should().Be(SaslServerStepKind.Succeed);
        (await _world.ShowAsync(message)).Kind.Should().Be(SaslServerStepKind.Succeed);
    }

    [Test]
    public async Task With_another_clients_key_it_is_worth_nothing()
    {
        await _world.HoldAsync();

        (await _world.ComeBackAsync(device: _world.OtherDevice)).Reason().Should().Be(RejectionReason.ReconnectCredentialNotBound);
    }

    [Test]
    public async Task At_another_service_with_the_same_key_it_is_worth_nothing()
    {
        byte[] key = [.. Enumerable.Range(1, ReconnectCredentialsOptions.KeyLength).Select(octet => (byte)octet)];
        using var here = new ReconnectWorld(options => options with { Key = [.. key] });
        using var there = new ReconnectCredentials(here.Options with { Server = "mail.test" });
        using var same = new ReconnectCredentials(here.Options);
        await here.HoldAsync();

        (await here.ComeBackAsync(here.PolicyOf(same))).Kind.Should().Be(SaslServerStepKind.Succeed);
        (await here.ComeBackAsync(here.PolicyOf(there))).Reason().Should().Be(RejectionReason.ReconnectCredentialForAnotherServer);
    }

    [Test]
    public async Task On_another_channel_what_was_said_is_worth_nothing()
    {
        await _world.HoldAsync();

        (await _world.ShowAsync(await _world.ShownAsync(Sasl.OtherBinding))).Reason().Should().Be(RejectionReason.ReconnectCredentialInvalid);
    }

    [Test]
    public async Task Altered_in_any_octet_it_is_worth_nothing()
    {
        await _world.HoldAsync();
        var message = await _world.ShownAsync();
        const int KeyName = 1 + 32 + 32 + 1;
        for (var index = 0; index < message.Length; index++)
        {
            foreach (var bit in (int[])[1, 128])
            {
                var altered = message.ToArray();
                altered[index] ^= (byte)bit;

                (await _world.ShowAsync(altered)).Reason().Should().Be(
                    index is >= KeyName and < KeyName + 8
                        ? RejectionReason.ReconnectCredentialNoLongerValid
                        : RejectionReason.ReconnectCredentialInvalid,
                    $"octet {index} is another");
            }
        }
    }

    [Test]
    public async Task No_part_of_it_is_worth_anything_nor_more_than_it()
    {
        await _world.HoldAsync();
        var message = await _world.ShownAsync();
        for (var length = 0; length < message.Length; length++)
        {
            (await _world.ShowAsync(message.AsMemory(0, length))).Reason().Should().Be(
                RejectionReason.ReconnectCredentialInvalid, $"it has {length} octets");
        }

        (await _world.ShowAsync((byte[])[.. message, 0])).Reason().Should().Be(RejectionReason.ReconnectCredentialInvalid);
        (await _world.ShowAsync(new byte[16_384])).Reason().Should().Be(RejectionReason.ReconnectCredentialInvalid);
    }

    [Test]
    public async Task It_ends_and_a_moment_before_it_has_not_ended()
    {
        await _world.HoldAsync();
        var message = await _world.ShownAsync();
        _world.Clock.Advance(_world.Options.Lifetime - s_tick);
        (await _world.ShowAsync(message)).Kind.Should().Be(SaslServerStepKind.Succeed);

        _world.Clock.Advance(s_tick);

        (await _world.ShowAsync(message)).Reason().Should().Be(RejectionReason.ReconnectCredentialNoLongerValid);
    }

    [Test]
    public async Task A_renewed_one_ends_when_the_first_would_have()
    {
        await _world.HoldAsync();
        _world.Clock.Advance(TimeSpan.FromHours(7));
        var back = (SaslServerStep.Succeeded)await _world.ComeBackAsync();

        var renewed = await _world.IssueAsync(back.ToUser(ReconnectServer.Name));

        renewed.NotAfter.Should().Be(ReconnectWorld.MovedClock.Start + _world.Options.Lifetime);
        _world.Held.Receive(_world.Server, renewed.Octets).Should().BeTrue();
        var message = await _world.ShownAsync();
        (await _world.ShowAsync(message)).Kind.Should().Be(SaslServerStepKind.Succeed);
        _world.Clock.Advance(TimeSpan.FromHours(1));
        (await _world.ShowAsync(message)).Reason().Should().Be(RejectionReason.ReconnectCredentialNoLongerValid);
        (await _world.IssueAsync(back.ToUser(ReconnectServer.Name))).Rejection!.Reason.Should().Be(
            RejectionReason.ReconnectCredentialNoLongerValid);
    }

    [Test]
    public async Task A_lifetime_that_is_made_shorter_counts_for_what_was_issued_before()
    {
        byte[] key = [.. Enumerable.Range(1, ReconnectCredentialsOptions.KeyLength).Select(octet => (byte)octet)];
        using var world = new ReconnectWorld(options => options with { Key = [.. key] });
        using var stricter = new ReconnectCredentials(world.Options with { Lifetime = TimeSpan.FromMinutes(30) });
        await world.HoldAsync();
        var message = await world.ShownAsync();
        world.Clock.Advance(TimeSpan.FromMinutes(30) - s_tick);
        (await world.ShowAsync(message, world.PolicyOf(stricter))).NotAfter.Should().Be(
            ReconnectWorld.MovedClock.Start + TimeSpan.FromMinutes(30));

        world.Clock.Advance(s_tick);

        (await world.ShowAsync(message, world.PolicyOf(stricter))).Reason().Should().Be(RejectionReason.ReconnectCredentialNoLongerValid);
        (await world.ShowAsync(message)).Kind.Should().Be(SaslServerStepKind.Succeed);
    }

    [Test]
    public async Task A_wall_clock_that_is_set_back_does_not_make_it_live_longer()
    {
        await _world.HoldAsync();
        var message = await _world.ShownAsync();
        _world.Clock.Advance(_world.Options.Lifetime - s_tick);
        _world.Clock.Set(TimeSpan.FromHours(-5));
        (await _world.ShowAsync(message)).Kind.Should().Be(SaslServerStepKind.Succeed);

        _world.Clock.Advance(s_tick);

        (await _world.ShowAsync(message)).Reason().Should().Be(RejectionReason.ReconnectCredentialNoLongerValid);
    }

    [TestCase(-1, true)]
    [TestCase(-2, false)]
    public async Task A_server_by_whose_clock_the_login_is_still_to_come_refuses_it(int minutes, bool isAccepted)
    {
        byte[] key = [.. Enumerable.Range(1, ReconnectCredentialsOptions.KeyLength).Select(octet => (byte)octet)];
        using var world = new ReconnectWorld(options => options with { Key = [.. key] });
        await world.HoldAsync();
        var late = new ReconnectWorld.MovedClock();
        late.Set(TimeSpan.FromMinutes(minutes));
        using var other = new ReconnectCredentials(world.Options with { TimeProvider = late });

        var step = await world.ShowAsync(await world.ShownAsync(), world.PolicyOf(other));

        (step.Rejection?.Reason).Should().Be(isAccepted ? null : RejectionReason.ReconnectCredentialNoLongerValid);
    }

    [TestCase("nothing", true)]
    [TestCase("another's password", true)]
    [TestCase("another hash of the password", true)]
    [TestCase("disabled", false)]
    [TestCase("removed", false)]
    [TestCase("removed and added with the same password", false)]
    [TestCase("another password", false)]
    [TestCase("a new factor", false)]
    [TestCase("another factor in its place", false)]
    [TestCase("a factor less", false)]
    [TestCase("a new factor of another", true)]
    public async Task It_ends_with_what_the_login_relied_on(string what, bool isAccepted)
    {
        await _world.Store.SetFactorAsync("alice", new StoredFactor("phone", "totp", "one"));
        var user = await _world.LoggedInAsync(further: LoginFacts.SecondFactor(_world.Store, "alice", "phone"));
        await _world.HoldAsync(user);
        switch (what)
        {
            case "another's password":
                await _world.Store.SetAsync("bob", Sasl.Verifier("other"));
                break;
            case "another hash of the password":
                await _world.Store.SetAsync("alice", Sasl.Verifier("right", ScramHash.Sha512));
                break;
            case "disabled":
                await _world.Store.SetDisabledAsync("alice", true);
                break;
            case "removed":
                await _world.Store.RemoveAsync("alice");
                break;
            case "removed and added with the same password":
                await _world.Store.RemoveAsync("alice");
                await _world.Store.SetAsync("alice", ScramVerifier.Create(Password.From("right"), ScramHash.Sha256, ScramVerifier.MinIterations));
                break;
            case "another password":
                await _world.Store.SetAsync("alice", Sasl.Verifier("other"));
                break;
            case "a new factor":
                await _world.Store.SetFactorAsync("alice", new StoredFactor("tablet", "totp", "two"));
                break;
            case "another factor in its place":
                await _world.Store.SetFactorAsync("alice", new StoredFactor("phone", "totp", "two"));
                break;
            case "a factor less":
                await _world.Store.RemoveFactorAsync("alice", "phone");
                break;
            case "a new factor of another":
                await _world.Store.SetFactorAsync("bob", new StoredFactor("tablet", "totp", "two"));
                break;
        }

        var step = await _world.ComeBackAsync();
        var again = await _world.IssueAsync(user);

        (step.Rejection?.Reason).Should().Be(isAccepted ? null : RejectionReason.ReconnectCredentialNoLongerValid);
        (again.Octets is not null).Should().Be(
            isAccepted || what is "a new factor" or "another factor in its place", "a login that still holds gets one for the factors of now");
    }

    [Test]
    public async Task A_store_that_throws_lets_nobody_in()
    {
        using var broken = new ReconnectCredentials(_world.Options with { Key = [.. Key(1)], Factors = new ThrowingFactors() });
        _world.Reconnects.ReplaceKeys(Key(1));
        await _world.HoldAsync();

        (await _world.ComeBackAsync(_world.PolicyOf(broken))).Reason().Should().Be(RejectionReason.CredentialCheckFaulted);
        (await _world.ComeBackAsync()).Kind.Should().Be(SaslServerStepKind.Succeed);
    }

    [Test]
    public async Task Of_keys_that_rotate_two_are_accepted()
    {
        await _world.HoldAsync();
        var first = await _world.ShownAsync();
        _world.Reconnects.RotateKey();
        await _world.HoldAsync();
        var second = await _world.ShownAsync();
        (await _world.ShowAsync(first)).Kind.Should().Be(SaslServerStepKind.Succeed);

        _world.Reconnects.RotateKey();

        (await _world.ShowAsync(first)).Reason().Should().Be(RejectionReason.ReconnectCredentialNoLongerValid);
        (await _world.ShowAsync(second)).Kind.Should().Be(SaslServerStepKind.Succeed);
    }

    [Test]
    public async Task Instances_that_are_given_the_next_key_first_accept_each_others_all_the_way()
    {
        using var one = new ReconnectCredentials(_world.Options with { Key = [.. Key(1)] });
        using var two = new ReconnectCredentials(_world.Options with { Key = [.. Key(1)] });
        ReconnectCredentials[] both = [one, two];

        async Task AcceptEachOthersAsync()
        {
            foreach (var issuer in both)
            {
                var issue = await issuer.IssueAsync(
                    await _world.LoggedInAsync(), _world.Device.Certificate, _world.Clock.GetUtcNow(), _world.Policy, default);
                _world.Held.Receive(_world.Server, issue.Octets).Should().BeTrue();
                foreach (var judge in both)
                {
                    (await _world.ComeBackAsync(_world.PolicyOf(judge))).Kind.Should().Be(SaslServerStepKind.Succeed);
                }
            }
        }

        await AcceptEachOthersAsync();
        one.ReplaceKeys(Key(1), Key(2));
        await AcceptEachOthersAsync();
        two.ReplaceKeys(Key(1), Key(2));
        one.ReplaceKeys(Key(2), Key(1));
        await AcceptEachOthersAsync();
        two.ReplaceKeys(Key(2), Key(1));
        await AcceptEachOthersAsync();
        one.ReplaceKeys(Key(2));
        (await _world.ComeBackAsync(_world.PolicyOf(one))).Kind.Should().Be(SaslServerStepKind.Succeed);
        one.ReplaceKeys(Key(3));
        (await _world.ComeBackAsync(_world.PolicyOf(one))).Reason().Should().Be(RejectionReason.ReconnectCredentialNoLongerValid);
    }

    [Test]
    public async Task Once_disposed_it_accepts_and_issues_nothing()
    {
        await _world.HoldAsync();
        _world.Reconnects.Dispose();

        (await _world.ComeBackAsync()).Reason().Should().Be(RejectionReason.ReconnectCredentialNoLongerValid);
        await _world.Invoking(world => world.IssueAsync()).Should().ThrowAsync<ObjectDisposedException>();
        _world.Reconnects.Invoking(reconnects => reconnects.RotateKey()).Should().Throw<ObjectDisposedException>();
        _world.Reconnects.Invoking(reconnects => reconnects.ReplaceKeys(Key(1))).Should().Throw<ObjectDisposedException>();
    }

    [Test]
    public void What_is_no_key_is_not_taken()
    {
        _world.Reconnects.Invoking(reconnects => reconnects.ReplaceKeys(new byte[ReconnectCredentialsOptions.KeyLength]))
            .Should().Throw<ArgumentException>("nobody has filled it");
        _world.Reconnects.Invoking(reconnects => reconnects.ReplaceKeys(Key(1).AsSpan(1))).Should().Throw<ArgumentException>();
        _world.Reconnects.Invoking(reconnects => reconnects.ReplaceKeys(Key(1), Key(2).AsSpan(1))).Should().Throw<ArgumentException>();
        _world.Reconnects.Invoking(reconnects => reconnects.ReplaceKeys(Key(1), Key(2))).Should().NotThrow();
    }

    [Test]
    public async Task Revoked_are_all_of_one_user_until_the_next_full_login()
    {
        await _world.HoldAsync();
        var openBefore = (await _world.LoggedInAsync(), _world.Clock.GetUtcNow());
        using var bobs = new HeldReconnectCredential(_world.Clock);
        bobs.Receive(_world.Server, (await _world.IssueAsync(await _world.LoggedInAsync("bob"))).Octets);
        using var bob = bobs.Mechanism.Begin(ReconnectServer.Name, _world.ClientContext());

        await _world.Reconnects.RevokeAsync("alice");

        (await _world.ComeBackAsync()).Reason().Should().Be(RejectionReason.ReconnectCredentialNoLongerValid);
        (await _world.IssueAsync(openBefore.Item1, openBefore.Item2)).Rejection!.Reason.Should().Be(RejectionReason.ReconnectCredentialRevoked);
        (await _world.ShowAsync((await bob.StartAsync(default))!.Value)).Kind.Should().Be(SaslServerStepKind.Succeed);
        _world.Clock.Advance(s_tick);
        await _world.HoldAsync();
        (await _world.ComeBackAsync()).Kind.Should().Be(SaslServerStepKind.Succeed);
    }

    [TestCase("1;x;0123456789abcdef")]
    [TestCase("2;1;0123456789abcdef")]
    [TestCase("1;1")]
    public async Task A_mark_of_a_revocation_that_cannot_be_read_revokes(string data)
    {
        await _world.Store.SetFactorAsync("alice", new StoredFactor(ReconnectRevocation.FactorId, ReconnectRevocation.Kind, data));

        (await _world.IssueAsync()).Rejection!.Reason.Should().Be(RejectionReason.ReconnectCredentialRevoked);
    }

    [Test]
    public async Task It_acts_as_whom_the_login_acted_as_while_that_is_granted()
    {
        var may = true;
        _world.Policy = _world.Policy with { MayActAs = (_, _) => may };
        await _world.HoldAsync(await _world.LoggedInAsync(actsAs: "company"));
        (await _world.ComeBackAsync()).AuthorizationIdentity.Should().Be("company");

        may = false;

        (await _world.ComeBackAsync()).Reason().Should().Be(RejectionReason.AuthorizationIdentityRefused);
    }

    [Test]
    public async Task It_stands_for_nothing_that_is_not_named()
    {
        await _world.Store.SetFactorAsync("alice", new StoredFactor("phone", "totp", "one"));
        await _world.HoldAsync(await _world.LoggedInAsync(further: LoginFacts.SecondFactor(_world.Store, "alice", "phone")));

        async Task<PeerProofs> ProvenAsync(PeerProofs standsFor)
        {
            _world.Reconnects.ReplaceKeys(Key(1));
            using var other = new ReconnectCredentials(_world.Options with { Key = [.. Key(1)], StandsFor = standsFor });
            await _world.HoldAsync(await _world.LoggedInAsync(further: LoginFacts.SecondFactor(_world.Store, "alice", "phone")));
            return (await _world.ComeBackAsync(_world.PolicyOf(other))).Proofs & ~(PeerProofs.ChannelBinding | PeerProofs.ReconnectCredential);
        }

        (await ProvenAsync(PeerProofs.None)).Should().Be(PeerProofs.None);
        (await ProvenAsync(PeerProofs.Password)).Should().Be(PeerProofs.Password);
        (await ProvenAsync(PeerProofs.Password | PeerProofs.OneTimeCode)).Should().Be(PeerProofs.Password | PeerProofs.OneTimeCode);
        (await ProvenAsync(PeerProofs.Password | PeerProofs.Passkey)).Should().Be(PeerProofs.Password, "no passkey was shown");
    }

    [Test]
    public async Task For_a_login_that_cannot_be_examined_again_there_is_none()
    {
        var fact = (await _world.LoggedInAsync()).Facts[0];
        var stranger = LoginFacts.Verifier(new MemoryCredentialStore(), "alice", Sasl.Verifier("right"));
        AuthenticatedUser[] users =
        [
            new("alice", null, "OAUTHBEARER", PeerProofs.Token, []),
            new("alice", null, "EXTERNAL", PeerProofs.Certificate, []),
            new("alice", null, "PLAIN", PeerProofs.Password, []),
            new("alice", null, "PLAIN", PeerProofs.Password, [], null, [stranger]),
            new("alice", null, "PLAIN", PeerProofs.Password, [new("group", "x")], null, [fact]),
            new AuthenticatedUser("alice", null, "PLAIN", PeerProofs.Password, [], null, [fact])
                .And(new AuthenticatedUser("alice", null, "TEST-CODE", PeerProofs.OneTimeCode, [])),
            new AuthenticatedUser("alice", null, "PLAIN", PeerProofs.Password, [], null, [fact])
                .And(new AuthenticatedUser("alice", null, "TOTP", PeerProofs.OneTimeCode, [], null, [
                    LoginFacts.SecondFactor(new MemoryCredentialStore(), "alice", "phone")])),
        ];
        foreach (var user in users)
        {
            (await _world.IssueAsync(user)).Rejection!.Reason.Should().Be(RejectionReason.ReconnectCredentialUnavailable, user.Mechanism);
        }

        (await _world.Reconnects.IssueAsync(await _world.LoggedInAsync(), null, _world.Clock.GetUtcNow(), _world.Policy, default))
            .Rejection!.Reason.Should().Be(RejectionReason.ReconnectCredentialUnavailable);
        (await _world.IssueAsync(new AuthenticatedUser("alice", null, "PLAIN", PeerProofs.Password, [], null, [fact]))).Rejection.Should().BeNull();
    }

    [Test]
    public void It_is_offered_with_a_certificate_and_a_binding_and_never_to_a_known_user()
    {
        var device = ReconnectWorld.PeerOf(_world.Device);
        var user = new AuthenticatedUser("alice", null, "SCRAM-SHA-256-PLUS", PeerProofs.Password, []);
        string[] Offered(SaslServerContext context) => [.. _world.Reconnects.Mechanism.NamesFor(context)];
        var services = new LoginServices(_world.Policy, _world.Clock);
        SaslServerContext Context(ChannelBinding? binding, AuthenticatedPeer? peer, AuthenticatedUser? known = null, bool isStepUp = false) =>
            new(_world.Policy, services, binding, peer, null) { User = known, IsStepUp = isStepUp };

        Offered(Context(Sasl.Binding, device)).Should().Equal("RECONNECT-PLUS");
        Offered(Context(null, device)).Should().BeEmpty();
        Offered(Context(Sasl.Binding, null)).Should().BeEmpty();
        Offered(Context(Sasl.Binding, device, user)).Should().BeEmpty();
        Offered(Context(Sasl.Binding, device, user, isStepUp: true)).Should().BeEmpty();
        (StepUpBinding.Binds("RECONNECT-PLUS"), StepUpBinding.MayReauthenticate("RECONNECT-PLUS")).Should().Be((false, false));
    }

    [Test]
    public async Task A_stale_one_burns_no_attempt_and_a_good_one_clears_none()
    {
        var services = new LoginServices(_world.Policy, _world.Clock);
        await _world.HoldAsync();
        var good = await _world.ShownAsync();
        await FailAsync(services);

        (await _world.ShowAsync(good, services: services)).Kind.Should().Be(SaslServerStepKind.Succeed);
        (await _world.Store.FindFailuresAsync("alice")).Should().Be(1);
        _world.Clock.Advance(_world.Options.Lifetime);
        (await _world.ShowAsync(good, services: services)).Reason().Should().Be(RejectionReason.ReconnectCredentialNoLongerValid);

        (await _world.Store.FindFailuresAsync("alice")).Should().Be(1);
        _world.Limiter.Outcomes.Where(end => end.Attempt.Mechanism == ReconnectServer.Name).Select(end => (end.Attempt.UserName, end.Outcome))
            .Should().Equal((string.Empty, AttemptOutcome.Succeeded), (string.Empty, AttemptOutcome.Abandoned));
        services.Familiar.Contains(new LoginAttempt("alice", System.Net.IPAddress.Parse("192.0.2.1")) { Certificate = _world.Device.Certificate })
            .Should().BeFalse("it is no full login from this place");
    }

    [Test]
    public async Task Altered_ones_slow_no_login_from_the_same_place_down()
    {
        _world.Policy = _world.Policy with { AttemptLimiter = null };
        var services = new LoginServices(_world.Policy, _world.Clock);
        await _world.HoldAsync();
        var good = await _world.ShownAsync();
        byte[] altered = [.. good[..^1], (byte)(good[^1] ^ 1)];
        for (var count = 0; count < 200; count++)
        {
            (await _world.ShowAsync(altered, services: services)).Reason().Should().Be(RejectionReason.ReconnectCredentialInvalid);
        }

        await FailAsync(services); // it is judged, and not made to wait
    }

    [TestCase(true)]
    [TestCase(false)]
    public async Task Who_is_locked_out_from_known_places_too_does_not_come_back(bool exemptsKnownPlaces)
    {
        _world.Policy = _world.Policy with { LockOut = new LockOutPolicy { Failures = 3, ExemptsKnownPlaces = exemptsKnownPlaces } };
        var services = new LoginServices(_world.Policy, _world.Clock);
        await _world.HoldAsync();
        for (var count = 0; count < 3; count++)
        {
            (await _world.ComeBackAsync(services: services)).Kind.Should().Be(SaslServerStepKind.Succeed);
            await FailAsync(services);
        }

        var step = await _world.ComeBackAsync(services: services);

        (step.Rejection?.Reason).Should().Be(exemptsKnownPlaces ? null : RejectionReason.AttemptsLimited);
    }

    [Test]
    public async Task A_thousand_at_once_are_each_judged_for_themselves()
    {
        var services = new LoginServices(_world.Policy, _world.Clock);
        await _world.HoldAsync();
        var good = await _world.ShownAsync();
        byte[] altered = [.. good[..^1], (byte)(good[^1] ^ 1)];

        var steps = await Task.WhenAll(Enumerable.Range(0, 1000).Select(index => Task.Run(() => (index % 4) switch
        {
            0 => _world.ShowAsync(good, services: services),
            1 => _world.ShowAsync(altered, services: services),
            2 => _world.ShowAsync(good, device: _world.OtherDevice, services: services),
            _ => RotateAndComeBackAsync(services),
        }))).WaitAsync(ConnectedPair.Deadline);

        steps.Where((_, index) => index % 4 == 0).Should().OnlyContain(step => step.Kind == SaslServerStepKind.Succeed);
        steps.Where((_, index) => index % 4 == 1).Select(step => step.Reason()).Distinct()
            .Should().Equal(RejectionReason.ReconnectCredentialInvalid);
        steps.Where((_, index) => index % 4 == 2).Select(step => step.Reason()).Distinct()
            .Should().Equal(RejectionReason.ReconnectCredentialNotBound);
        steps.Where((_, index) => index % 4 == 3).Should().OnlyContain(step => step.Kind == SaslServerStepKind.Succeed);
        (await _world.Store.FindFailuresAsync("alice")).Should().Be(0);
    }

    /// <summary>Others issue and revoke in the middle of it.</summary>
    private async Task<SaslServerStep> RotateAndComeBackAsync(LoginServices services)
    {
        using var held = new HeldReconnectCredential(_world.Clock);
        held.Receive(_world.Server, (await _world.IssueAsync(await _world.LoggedInAsync("bob"))).Octets);
        using var exchange = held.Mechanism.Begin(ReconnectServer.Name, _world.ClientContext());
        return await _world.ShowAsync((await exchange.StartAsync(default))!.Value, services: services);
    }

    private async Task FailAsync(LoginServices services)
    {
        await using var session = _world.Session(services: services);
        var step = await session.StartAsync("SCRAM-SHA-256-PLUS", Sasl.Utf8("p=tls-server-end-point,,n=alice,r=0123456789abcdef"), default);
        var nonce = step.Text().Split(',')[0];
        var binding = Convert.ToBase64String([.. Sasl.Utf8("p=tls-server-end-point,,"), .. Sasl.Binding.Data]);
        (await session.ContinueAsync(Sasl.Utf8($"c={binding},{nonce},p={Convert.ToBase64String(new byte[32])}"), default))
            .Reason().Should().Be(RejectionReason.CredentialsWrong);
    }

    private static byte[] Key(byte number) => [.. Enumerable.Range(number, ReconnectCredentialsOptions.KeyLength).Select(octet => (byte)octet)];

    private sealed class ThrowingFactors : ISecondFactorStore
    {
        public ValueTask<System.Collections.Immutable.ImmutableArray<StoredFactor>> FindFactorsAsync(
            string userName, CancellationToken cancellationToken = default) => throw new IOException();

        public ValueTask SetFactorAsync(string userName, StoredFactor factor, CancellationToken cancellationToken = default) =>
            throw new IOException();

        public ValueTask<bool> TryReplaceFactorAsync(
            string userName, StoredFactor before, StoredFactor after, CancellationToken cancellationToken = default) => throw new IOException();

        public ValueTask<bool> RemoveFactorAsync(string userName, string factorId, CancellationToken cancellationToken = default) =>
            throw new IOException();
    }
}
