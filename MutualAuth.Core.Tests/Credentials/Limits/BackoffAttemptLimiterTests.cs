using System.Net;
using Microsoft.Extensions.Time.Testing;
using MutualAuth.Credentials;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Credentials;

public sealed class BackoffAttemptLimiterTests
{
    private static readonly TimeSpan s_second = TimeSpan.FromSeconds(1);

    private FakeTimeProvider _time = null!;
    private BackoffAttemptLimiter _limiter = null!;

    [SetUp]
    public void SetUp()
    {
        _time = new FakeTimeProvider();
        _limiter = new BackoffAttemptLimiter(_time);
    }

    [Test]
    public async Task A_few_failures_are_free_and_then_each_doubles_the_wait()
    {
        await FailAsync("alice", "192.0.2.1", 5);
        (await WaitAsync("alice", "192.0.2.1")).Should().BeNull();

        foreach (var seconds in new[] { 1, 2, 4, 8 })
        {
            await FailAsync("alice", "192.0.2.1", 1);
            (await WaitAsync("alice", "192.0.2.1")).Should().Be(seconds * s_second);
            _time.Advance((seconds * s_second) - TimeSpan.FromTicks(1));
            (await WaitAsync("alice", "192.0.2.1")).Should().Be(TimeSpan.FromTicks(1));
            _time.Advance(TimeSpan.FromTicks(1));
            (await WaitAsync("alice", "192.0.2.1")).Should().BeNull();
        }
    }

    [Test]
    public async Task The_wait_has_an_end_and_the_count_fades_after_it()
    {
        await FailAsync("alice", "192.0.2.1", 200);
        (await WaitAsync("alice", "192.0.2.1")).Should().Be(TimeSpan.FromMinutes(15));

        _time.Advance(TimeSpan.FromMinutes(15));

        await FailAsync("alice", "192.0.2.1", 5);
        (await WaitAsync("alice", "192.0.2.1")).Should().BeNull();
    }

    [Test]
    public async Task A_first_wait_of_hours_never_turns_into_none()
    {
        var limiter = new BackoffAttemptLimiter(_time) { FirstWait = TimeSpan.FromHours(20), LongestWait = TimeSpan.FromDays(10) };
        for (var failures = 6; failures < 80; failures++)
        {
            await FailAsync("alice", "192.0.2.1", failures == 6 ? 6 : 1, limiter);
            (await WaitAsync("alice", "192.0.2.1", limiter)).Should().BeGreaterThanOrEqualTo(TimeSpan.FromHours(20));
        }
    }

    [TestCase("alice")]
    [TestCase("a")]
    public async Task A_user_elsewhere_and_another_user_here_do_not_wait(string user)
    {
        await FailAsync(user, "192.0.2.1", 8);

        (await WaitAsync(user, "192.0.2.1")).Should().NotBeNull();
        (await WaitAsync(user, "192.0.2.2")).Should().BeNull();
        (await WaitAsync("bob", "192.0.2.1")).Should().BeNull();
    }

    [TestCase("192.0.2.1", "192.0.2.1", true)]
    [TestCase("192.0.2.1", "192.0.2.2", false)]
    [TestCase("2001:db8::1", "2001:db8::ffff", true)]
    [TestCase("2001:db8::1", "2001:db8:0:1::1", false)]
    [TestCase("192.0.2.1", "::ffff:192.0.2.1", true)]
    [TestCase("192.0.2.1", "64:ff9b::192.0.2.1", true)]
    [TestCase("64:ff9b::192.0.2.1", "64:ff9b::192.0.2.2", false)]
    public async Task An_address_that_fails_for_many_users_waits_for_all_of_them(string attacker, string next, bool waits)
    {
        for (var number = 0; number < 21; number++)
        {
            await FailAsync($"user{number}", attacker, 1);
        }

        ((await WaitAsync("somebody", next)) is not null).Should().Be(waits);
    }

    [Test]
    public async Task A_success_clears_the_users_count_at_the_address_and_not_that_of_the_address()
    {
        await FailAsync("alice", "192.0.2.1", 5);
        await SucceedAsync("alice", "192.0.2.1");
        await FailAsync("alice", "192.0.2.1", 5);
        (await WaitAsync("alice", "192.0.2.1")).Should().BeNull();

        // An attacker with an account of his own cannot wash the address clean with it.
        await SucceedAsync("alice", "192.0.2.1");
        await FailAsync("bob", "192.0.2.1", 5);
        await SucceedAsync("alice", "192.0.2.1");
        await FailAsync("carol", "192.0.2.1", 5);
        await SucceedAsync("alice", "192.0.2.1");
        await FailAsync("dave", "192.0.2.1", 1);
        (await WaitAsync("erin", "192.0.2.1")).Should().Be(s_second);
    }

    [TestCase(false)]
    [TestCase(true)]
    public async Task Strangers_can_make_a_user_wait_only_where_the_user_has_never_logged_in(bool hasBeenHere)
    {
        if (hasBeenHere)
        {
            await SucceedAsync("alice", "192.0.2.1");
        }

        for (var number = 0; number < 101; number++)
        {
            await FailAsync("alice", $"198.51.100.{number}", 1);
        }

        ((await WaitAsync("alice", "192.0.2.1")) is null).Should().Be(hasBeenHere);
        (await WaitAsync("alice", "203.0.113.1")).Should().NotBeNull();
    }

    [Test]
    public async Task Unknown_users_are_counted_like_known_ones()
    {
        // The limiter is asked by name alone: there is nothing by which it could tell them apart.
        await FailAsync("alice", "192.0.2.1", 7);
        await FailAsync("nobody", "192.0.2.2", 7);

        (await WaitAsync("alice", "192.0.2.1")).Should().Be(await WaitAsync("nobody", "192.0.2.2")).And.NotBeNull();
    }

    [Test]
    public async Task Attempts_that_run_at_once_are_bounded_and_one_that_is_abandoned_counts_for_nothing()
    {
        var attempt = Attempt("alice", "192.0.2.1");
        for (var number = 0; number < 6; number++)
        {
            (await _limiter.BeginAsync(attempt, default)).Should().BeNull();
        }

        (await _limiter.BeginAsync(attempt, default)).Should().NotBeNull("all of them may fail, and then no more may be judged");
        for (var number = 0; number < 6; number++)
        {
            await _limiter.EndAsync(attempt, AttemptOutcome.Abandoned);
        }

        (await WaitAsync("alice", "192.0.2.1")).Should().BeNull();
    }

    [Test]
    public async Task Once_waiting_has_begun_attempts_go_one_at_a_time()
    {
        await FailAsync("alice", "192.0.2.1", 6);
        _time.Advance(s_second);
        var attempt = Attempt("alice", "192.0.2.1");

        (await _limiter.BeginAsync(attempt, default)).Should().BeNull();
        (await _limiter.BeginAsync(attempt, default)).Should().NotBeNull();
        await _limiter.EndAsync(attempt, AttemptOutcome.Abandoned);
        (await _limiter.BeginAsync(attempt, default)).Should().BeNull();
    }

    [Test]
    public async Task Memory_is_bounded_and_whoever_keeps_failing_is_not_forgotten_for_newcomers()
    {
        await FailAsync("first", "192.0.2.1", 20);
        for (var number = 0; number < 40_000; number++)
        {
            // Two keys each: more in all than are held.
            await FailAsync($"user{number}", new IPAddress([10, (byte)(number >> 16), (byte)(number >> 8), (byte)number]).ToString(), 1);
            if (number % 10_000 == 0)
            {
                await FailAsync("first", "192.0.2.1", 1);
            }
        }

        _limiter.Keys.Should().BeLessThanOrEqualTo(65_536);
        (await WaitAsync("first", "192.0.2.1")).Should().NotBeNull();
    }

    [Test]
    public async Task An_attempt_without_a_name_is_counted_too()
    {
        await FailAsync(string.Empty, "192.0.2.1", 21);

        (await WaitAsync("alice", "192.0.2.1")).Should().NotBeNull();
    }

    [TestCase(100, false)]
    [TestCase(101, true)]
    public async Task Without_an_address_and_a_certificate_users_are_counted_and_nobody_waits_for_another(int failures, bool waits)
    {
        var nowhere = new LoginAttempt("alice", null);
        for (var number = 0; number < failures; number++)
        {
            await _limiter.EndAsync(nowhere, AttemptOutcome.Failed);
        }

        ((await _limiter.BeginAsync(nowhere, default)) is not null).Should().Be(waits);
        (await _limiter.BeginAsync(new LoginAttempt("bob", null), default)).Should().BeNull();
    }

    [Test]
    public async Task Names_that_are_merely_mentioned_leave_nothing_behind_and_drive_no_failure_out()
    {
        await FailAsync("alice", "192.0.2.1", 7);
        var before = _limiter.Keys;

        for (var number = 0; number < 70_000; number++)
        {
            await WaitAsync($"user{number}", "198.51.100.1");
        }

        _limiter.Keys.Should().Be(before);
        (await WaitAsync("alice", "192.0.2.1")).Should().NotBeNull();
    }

    [Test]
    public async Task Names_that_are_held_open_drive_no_failure_out()
    {
        await FailAsync("alice", "192.0.2.1", 7);
        for (var number = 0; number < 40_000; number++)
        {
            await _limiter.BeginAsync(
                Attempt($"user{number}", new IPAddress([10, (byte)(number >> 16), (byte)(number >> 8), (byte)number]).ToString()), default);
        }

        _limiter.Keys.Should().BeLessThanOrEqualTo(65_536);
        (await WaitAsync("alice", "192.0.2.1")).Should().NotBeNull();
    }

    [Test]
    public async Task Those_with_the_fewest_failures_go_first()
    {
        await FailAsync("alice", "192.0.2.1", 7);
        for (var number = 0; number < 40_000; number++)
        {
            await FailAsync($"user{number}", new IPAddress([10, (byte)(number >> 16), (byte)(number >> 8), (byte)number]).ToString(), 1);
        }

        (await WaitAsync("alice", "192.0.2.1")).Should().NotBeNull();
    }

    [TestCase("alice", true)]
    [TestCase("bob", false)]
    public async Task Where_a_user_has_logged_in_the_failures_of_others_at_the_same_address_are_not_the_users(string user, bool passes)
    {
        await SucceedAsync("alice", "192.0.2.1");
        for (var number = 0; number < 30; number++)
        {
            await FailAsync($"nobody{number}", "192.0.2.1", 1);
        }

        ((await WaitAsync(user, "192.0.2.1")) is null).Should().Be(passes);
    }

    [TestCase(false)]
    [TestCase(true)]
    public async Task An_accepted_certificate_counts_in_the_place_of_the_address(bool sameCertificate)
    {
        using var world = new World();
        var first = MutualAuth.Certificates.Certificate.Parse(world.ClientCertificate.RawCertificate);
        var second = MutualAuth.Certificates.Certificate.Parse(world.ServerCertificate.RawCertificate);
        for (var number = 0; number < 21; number++)
        {
            await _limiter.EndAsync(Attempt($"user{number}", "192.0.2.1") with { Certificate = first }, AttemptOutcome.Failed);
        }

        ((await _limiter.BeginAsync(Attempt("alice", "192.0.2.1") with { Certificate = sameCertificate ? first : second }, default)) is not null)
            .Should().Be(sameCertificate);
        (await WaitAsync("alice", "192.0.2.1")).Should().BeNull("who shows no certificate is not held to what another's did");
    }

    [TestCase("OAUTHBEARER", false)]
    [TestCase("EXTERNAL", false)]
    [TestCase("PLAIN", true)]
    public async Task What_cannot_be_guessed_locks_nobody_out(string mechanism, bool counts)
    {
        for (var number = 0; number < 30; number++)
        {
            await _limiter.EndAsync(Attempt(string.Empty, "192.0.2.1") with { Mechanism = mechanism }, AttemptOutcome.Failed);
        }

        ((await WaitAsync("alice", "192.0.2.1")) is not null).Should().Be(counts);
    }

    [TestCase(100, "2001:db8:0:ffff::1", false)]
    [TestCase(101, "2001:db8:0:ffff::1", true)]
    [TestCase(101, "2001:db8:1:ffff::1", false)]
    public async Task Whoever_has_a_whole_network_does_not_have_65536_addresses(int failures, string next, bool waits)
    {
        for (var number = 0; number < failures; number++)
        {
            await FailAsync($"user{number}", $"2001:db8:0:{number:x}::1", 1);
        }

        ((await WaitAsync("somebody", next)) is not null).Should().Be(waits);
    }

    [Test]
    public async Task The_longest_of_the_waits_counts()
    {
        await FailAsync("alice", "192.0.2.1", 8);
        await FailAsync("bob", "192.0.2.1", 13);

        (await WaitAsync("carol", "192.0.2.1")).Should().Be(s_second, "21 failures here");
        (await WaitAsync("alice", "192.0.2.1")).Should().Be(4 * s_second, "8 of her own");
    }

    [Test]
    public async Task A_success_does_not_clear_what_was_counted_for_the_user_from_anywhere()
    {
        for (var number = 0; number < 101; number++)
        {
            await FailAsync("alice", $"198.51.100.{number}", 1);
        }

        await SucceedAsync("alice", "192.0.2.1");

        (await WaitAsync("alice", "192.0.2.1")).Should().BeNull();
        (await WaitAsync("alice", "203.0.113.1")).Should().NotBeNull("whoever guesses elsewhere still has to wait");
    }

    [TestCase(64, false)]
    [TestCase(65, true)]
    public async Task However_many_failures_are_free_64_attempts_run_at_once(int attempts, bool isLastRefused)
    {
        var limiter = new BackoffAttemptLimiter(_time)
        { FailuresBeforeWaitPerUser = 1000, FailuresBeforeWaitPerUserAndAddress = 1000, FailuresBeforeWaitPerAddress = 1000 };
        for (var number = 1; number < attempts; number++)
        {
            (await limiter.BeginAsync(Attempt("alice", "192.0.2.1"), default)).Should().BeNull();
        }

        (await limiter.BeginAsync(Attempt("alice", "192.0.2.1"), default) is not null).Should().Be(isLastRefused);
    }

    [Test]
    public async Task One_attempt_that_is_abandoned_does_not_make_the_others_forgotten()
    {
        var attempt = Attempt("alice", "192.0.2.1");
        for (var number = 0; number < 6; number++)
        {
            (await _limiter.BeginAsync(attempt, default)).Should().BeNull();
        }

        await _limiter.EndAsync(attempt, AttemptOutcome.Abandoned);

        (await _limiter.BeginAsync(attempt, default)).Should().BeNull("one place is free");
        (await _limiter.BeginAsync(attempt, default)).Should().NotBeNull("and no more than one");
    }

    [Test]
    public async Task Attempts_that_run_do_not_fade()
    {
        var attempt = Attempt("alice", "192.0.2.1");
        for (var number = 0; number < 6; number++)
        {
            await _limiter.BeginAsync(attempt, default);
        }

        _time.Advance(TimeSpan.FromHours(1));

        (await _limiter.BeginAsync(attempt, default)).Should().NotBeNull();
    }

    [Test]
    public async Task An_end_without_a_beginning_frees_no_place()
    {
        var attempt = Attempt("alice", "192.0.2.1");
        await FailAsync("alice", "192.0.2.1", 1); // which never began
        for (var number = 0; number < 5; number++)
        {
            (await _limiter.BeginAsync(attempt, default)).Should().BeNull();
        }

        (await _limiter.BeginAsync(attempt, default)).Should().NotBeNull("with the one that failed, six");
    }

    [Test]
    public async Task A_network_is_not_held_to_what_accepted_certificates_did()
    {
        using var world = new World();
        var certificate = MutualAuth.Certificates.Certificate.Parse(world.ClientCertificate.RawCertificate);
        for (var number = 0; number < 101; number++)
        {
            await _limiter.EndAsync(Attempt($"user{number}", $"2001:db8:0:{number:x}::1") with { Certificate = certificate }, AttemptOutcome.Failed);
        }

        (await WaitAsync("alice", "2001:db8:0:ffff::1")).Should().BeNull();
    }

    [Test]
    public async Task Whoever_sets_no_bound_has_none()
    {
        var limiter = new BackoffAttemptLimiter(_time)
        {
            FailuresBeforeWaitPerUser = int.MaxValue,
            FailuresBeforeWaitPerUserAndAddress = int.MaxValue,
            FailuresBeforeWaitPerAddress = int.MaxValue,
        };
        await FailAsync("alice", "2001:db8::1", 200, limiter);

        (await WaitAsync("alice", "2001:db8::1", limiter)).Should().BeNull();
    }

    [Test]
    public async Task Where_everything_has_failed_a_name_that_is_merely_tried_drives_nothing_out_and_one_that_fails_does()
    {
        var limiter = new BackoffAttemptLimiter(_time) { FailuresBeforeWaitPerUser = 0 };
        for (var number = 0; number < 65_536; number++)
        {
            // Without a place there is one key for each.
            await limiter.EndAsync(new LoginAttempt($"user{number}", null), AttemptOutcome.Failed);
        }

        limiter.Keys.Should().Be(65_536);
        for (var number = 0; number < 10; number++)
        {
            (await limiter.BeginAsync(new LoginAttempt($"new{number}", null), default)).Should().BeNull();
        }

        (await limiter.BeginAsync(new LoginAttempt("user0", null), default)).Should().NotBeNull();
        await limiter.EndAsync(new LoginAttempt("new", null), AttemptOutcome.Failed);
        (await limiter.BeginAsync(new LoginAttempt("new", null), default)).Should().NotBeNull("what fails is counted, always");
        (await limiter.BeginAsync(new LoginAttempt("user0", null), default)).Should().BeNull("the oldest of those with the fewest made room");
        limiter.Keys.Should().Be(65_536);
    }

    [TestCase(899, false)]
    [TestCase(900, true)]
    public async Task A_count_fades_after_the_longest_wait_and_not_before(int seconds, bool hasFaded)
    {
        await FailAsync("alice", "192.0.2.1", 5);
        _time.Advance(seconds * s_second);

        await FailAsync("alice", "192.0.2.1", 1);

        ((await WaitAsync("alice", "192.0.2.1")) is null).Should().Be(hasFaded);
    }

    [Test]
    public void Figures_that_would_switch_it_off_are_refused()
    {
        FluentActions.Invoking(() => new BackoffAttemptLimiter { FirstWait = TimeSpan.Zero }).Should().Throw<ArgumentOutOfRangeException>();
        FluentActions.Invoking(() => new BackoffAttemptLimiter { LongestWait = -s_second }).Should().Throw<ArgumentOutOfRangeException>();
        FluentActions.Invoking(() => new BackoffAttemptLimiter { FailuresBeforeWaitPerUser = -1 }).Should().Throw<ArgumentOutOfRangeException>();
        FluentActions.Invoking(() => new BackoffAttemptLimiter { FailuresBeforeWaitPerUser = 0 }).Should().NotThrow();
    }

    private static LoginAttempt Attempt(string user, string address) => new(user, IPAddress.Parse(address));

    private async Task FailAsync(string user, string address, int times, BackoffAttemptLimiter? limiter = null)
    {
        for (var count = 0; count < times; count++)
        {
            await (limiter ?? _limiter).EndAsync(Attempt(user, address), AttemptOutcome.Failed);
        }
    }

    private async Task SucceedAsync(string user, string address) => await _limiter.EndAsync(Attempt(user, address), AttemptOutcome.Succeeded);

    /// <summary>Asks, and gives the place back.</summary>
    private async Task<TimeSpan?> WaitAsync(string user, string address, BackoffAttemptLimiter? limiter = null)
    {
        var wait = await (limiter ?? _limiter).BeginAsync(Attempt(user, address), default);
        if (wait is null)
        {
            await (limiter ?? _limiter).EndAsync(Attempt(user, address), AttemptOutcome.Abandoned);
        }

        return wait;
    }
}
