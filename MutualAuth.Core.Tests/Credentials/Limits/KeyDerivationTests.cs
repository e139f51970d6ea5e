using System.Collections.Concurrent;
using System.Net;
using MutualAuth.Credentials;

namespace MutualAuth.Tests.Credentials;

/// <summary>
/// How many keys may be derived at once, for whom, and in which order. The first derivation of each test is held until the test lets go.
/// </summary>
[CancelAfter(30000)]
public sealed class KeyDerivationTests
{
    private readonly ConcurrentQueue<IPAddress> _order = new();
    private ManualResetEventSlim _held = null!;

    [SetUp]
    public void SetUp()
    {
        _order.Clear();
        _held = new ManualResetEventSlim();
    }

    [TearDown]
    public void TearDown()
    {
        _held.Set();
        _held.Dispose();
    }

    [Test]
    public async Task More_than_may_run_wait_and_more_than_may_wait_are_refused()
    {
        var derivation = Held(2, 10);
        var first = Derive(derivation, "192.0.2.1");
        var second = Derive(derivation, "192.0.2.2");
        var third = Derive(derivation, "192.0.2.3");

        (await Derive(derivation, "192.0.2.4")).Should().BeNull();

        derivation.Waiting.Should().Be(2);
        _held.Set();
        (await Task.WhenAll(first, second, third)).Should().NotContainNulls();
        derivation.Calls.Should().Be(3);
        (derivation.Waiting, await Derive(derivation, "192.0.2.4")).Should().Match<(int, byte[]?)>(after => after.Item1 == 0 && after.Item2 != null);
    }

    [TestCase("192.0.2.1", "192.0.2.1", true)]
    [TestCase("192.0.2.1", "192.0.2.9", false)]
    [TestCase("2001:db8::1", "2001:db8::2", true)]
    [TestCase("2001:db8::1", "2001:db8:0:1::2", false)]
    [TestCase("192.0.2.1", "::ffff:192.0.2.1", true)]
    [TestCase("64:ff9b::192.0.2.1", "64:ff9b::192.0.2.1", true)]
    [TestCase("64:ff9b::192.0.2.1", "64:ff9b::192.0.2.9", false)] // two hosts of IPv4 behind a translator (RFC 6052), and no /64 of one
    [TestCase("64:ff9b::192.0.2.1", "192.0.2.1", true)]
    [TestCase(null, null, false)] // a stream without an address is no address that all such streams share
    public async Task One_address_may_not_have_them_all(string? one, string? next, bool isRefused)
    {
        var derivation = Held(10, 2);
        var first = Derive(derivation, one);
        var second = Derive(derivation, one);

        var third = Derive(derivation, next);
        _held.Set();

        ((await third) is null).Should().Be(isRefused);
        (await Task.WhenAll(first, second)).Should().NotContainNulls();
        (await Derive(derivation, one)).Should().NotBeNull();
    }

    [Test]
    public async Task Who_is_familiar_goes_before_all_strangers_that_wait()
    {
        var derivation = Held(10, 10);
        var first = Derive(derivation, "192.0.2.1");
        var stranger = Derive(derivation, "192.0.2.2");
        var another = Derive(derivation, "192.0.2.3");
        var familiar = Derive(derivation, "192.0.2.4", isFamiliar: true);
        _held.Set();

        (await Task.WhenAll(first, stranger, another, familiar)).Should().NotContainNulls();

        _order.Select(address => address.ToString()).Should().Equal("192.0.2.1", "192.0.2.4", "192.0.2.2", "192.0.2.3");
    }

    [Test]
    public async Task Where_all_places_are_taken_the_last_stranger_makes_room_for_who_is_familiar_and_for_nobody_else()
    {
        var derivation = Held(2, 10);
        var first = Derive(derivation, "192.0.2.1");
        var earlier = Derive(derivation, "192.0.2.2");
        var last = Derive(derivation, "192.0.2.3");

        (await Derive(derivation, "192.0.2.4", isFamiliar: false)).Should().BeNull();
        var familiar = Derive(derivation, "192.0.2.5", isFamiliar: true);

        (await last).Should().BeNull();
        _held.Set();
        (await Task.WhenAll(first, earlier, familiar)).Should().NotContainNulls();
    }

    [Test]
    public async Task Places_to_wait_are_shared_by_those_who_are_familiar_and_strangers()
    {
        var derivation = Held(2, 10);
        var first = Derive(derivation, "192.0.2.1");
        var familiar = Derive(derivation, "192.0.2.2", isFamiliar: true);
        var stranger = Derive(derivation, "192.0.2.3");

        derivation.Waiting.Should().Be(2);
        (await Derive(derivation, "192.0.2.4")).Should().BeNull();

        _held.Set();
        (await Task.WhenAll(first, familiar, stranger)).Should().NotContainNulls();
    }

    [Test]
    public async Task Nobody_makes_room_for_who_is_familiar_where_only_such_wait()
    {
        var derivation = Held(1, 10);
        var first = Derive(derivation, "192.0.2.1");
        var familiar = Derive(derivation, "192.0.2.2", isFamiliar: true);

        (await Derive(derivation, "192.0.2.3", isFamiliar: true)).Should().BeNull();

        _held.Set();
        (await Task.WhenAll(first, familiar)).Should().NotContainNulls();
    }

    [Test]
    public async Task Who_is_familiar_and_gives_up_leaves_the_place_too()
    {
        var derivation = Held(1, 10);
        using var giveUp = new CancellationTokenSource();
        var first = Derive(derivation, "192.0.2.1");
        var second = Derive(derivation, "192.0.2.2", isFamiliar: true, token: giveUp.Token);

        await giveUp.CancelAsync();

        await second.Invoking(task => task.WaitAsync(TimeSpan.FromSeconds(20))).Should().ThrowAsync<OperationCanceledException>();
        derivation.Waiting.Should().Be(0);
        var third = Derive(derivation, "192.0.2.3");
        _held.Set();
        (await Task.WhenAll(first, third)).Should().NotContainNulls();
        derivation.Calls.Should().Be(2);
    }

    [Test]
    public async Task Who_gives_up_waiting_leaves_the_place_to_others_and_costs_no_derivation()
    {
        var derivation = Held(1, 10);
        using var giveUp = new CancellationTokenSource();
        var first = Derive(derivation, "192.0.2.1");
        var second = Derive(derivation, "192.0.2.2", token: giveUp.Token);

        await giveUp.CancelAsync();

        await second.Invoking(task => task).Should().ThrowAsync<OperationCanceledException>();
        var third = Derive(derivation, "192.0.2.3");
        _held.Set();
        (await Task.WhenAll(first, third)).Should().NotContainNulls();
        derivation.Calls.Should().Be(2);
    }

    [Test]
    public async Task A_count_above_the_ceiling_is_never_derived_whoever_asks()
    {
        var derivation = new KeyDerivation(1, 1, 1);

        var derive = () => Derive(derivation, "192.0.2.1", int.MaxValue);

        await derive.Should().ThrowAsync<ArgumentOutOfRangeException>();
        derivation.Calls.Should().Be(0);
    }

    [Test]
    public async Task A_derivation_that_throws_gives_its_place_back()
    {
        var derivation = new KeyDerivation(1, 0, 1);
        var wiped = Password.From("pencil");
        wiped.Dispose();

        var derive = async () => await derivation.HiAsync(ScramHash.Sha256, wiped, new byte[16], 4096, null, false, default);

        await derive.Should().ThrowAsync<ObjectDisposedException>();
        (await Derive(derivation, "192.0.2.1")).Should().NotBeNull();
    }

    [Test]
    public void Who_has_logged_in_is_remembered_by_user_and_address_and_not_for_ever()
    {
        var familiar = new KnownLoginAddresses();
        var alice = new LoginAttempt("a", IPAddress.Parse("192.0.2.1"));
        familiar.Add(alice);

        familiar.Contains(alice).Should().BeTrue();
        familiar.Contains(alice with { Address = IPAddress.Parse("192.0.2.2") }).Should().BeFalse();
        familiar.Contains(alice with { UserName = "bob" }).Should().BeFalse();
        for (var number = 0; number < KnownLoginAddresses.MaxPairs; number++)
        {
            familiar.Add(new LoginAttempt($"user{number}", alice.Address));
        }

        familiar.Contains(alice).Should().BeFalse();
        familiar.Contains(new LoginAttempt("user0", alice.Address)).Should().BeTrue();
    }

    [Test]
    public void An_attempt_without_a_name_makes_nobody_familiar()
    {
        var familiar = new KnownLoginAddresses();
        foreach (var address in new[] { null, IPAddress.Parse("192.0.2.1") })
        {
            familiar.Add(new LoginAttempt(string.Empty, address));

            familiar.Contains(new LoginAttempt(string.Empty, address)).Should().BeFalse();
        }
    }

    private KeyDerivation Held(int maxWaiting, int maxPerAddress) => new(1, maxWaiting, maxPerAddress) { BeforeDeriving = Hold };

    private void Hold(IPAddress? address)
    {
        _order.Enqueue(address ?? IPAddress.None);
        _held.Wait(TimeSpan.FromSeconds(20));
    }

    private static Task<byte[]?> Derive(
        KeyDerivation derivation, string? address, int iterations = 4096, bool isFamiliar = false, CancellationToken token = default)
    {
        var from = address is null ? null : IPAddress.Parse(address);
        return derivation.HiAsync(ScramHash.Sha256, Password.From("pencil"), new byte[16], iterations, from, isFamiliar, token).AsTask();
    }
}
