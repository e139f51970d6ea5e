using MutualAuth.Testing;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Revalidation;

/// <summary>Connections with a common end do not end at once.</summary>
[TestFixture]
public sealed class ExpirySpreadTests
{
    private const int Count = 1000;
    private static readonly TimeSpan s_hour = TimeSpan.FromHours(1);

    [Test]
    public async Task A_thousand_connections_with_one_maximum_age_end_over_the_spread_and_none_later()
    {
        var next = 0;
        using var world = new RevalidationWorld(
            new RevalidationPolicy { MaximumAge = 4 * s_hour, ExpirySpread = s_hour }, () => next++ / (double)Count);
        var connections = Connect(world);
        world.Clock.Advance(3 * s_hour);
        await world.Registry.Ringing;
        Lost(connections).Should().Be(0);

        for (var quarter = 1; quarter <= 4; quarter++)
        {
            world.Clock.Advance(s_hour / 4);
            await world.Registry.Ringing;
            Lost(connections).Should().BeInRange((quarter * Count / 4) - 1, (quarter * Count / 4) + 1);
        }

        Lost(connections).Should().Be(Count);
    }

    [Test]
    public async Task Without_a_spread_all_end_at_the_date()
    {
        using var world = new RevalidationWorld(new RevalidationPolicy { MaximumAge = 4 * s_hour }, () => 0.9);
        var connections = Connect(world);
        world.Clock.Advance((4 * s_hour) - TimeSpan.FromSeconds(1));
        await world.Registry.Ringing;
        Lost(connections).Should().Be(0);

        world.Clock.Advance(TimeSpan.FromSeconds(1));
        await world.Registry.Ringing;
        Lost(connections).Should().Be(Count);
    }

    [Test]
    public async Task A_spread_longer_than_what_is_left_takes_half_of_it_at_most()
    {
        using var world = new RevalidationWorld(new RevalidationPolicy { MaximumAge = s_hour, ExpirySpread = 24 * s_hour }, () => 1);
        var connection = world.Connect();
        world.Clock.Advance((s_hour / 2) - TimeSpan.FromSeconds(1));
        await world.Registry.Ringing;
        connection.Losses.Should().BeEmpty();

        world.Clock.Advance(TimeSpan.FromSeconds(1));
        (await connection.LostAsync()).Reason.Should().Be(RejectionReason.MaximumAgeReached);
    }

    [TestCase(true)]
    [TestCase(false)]
    public async Task Our_own_certificate_and_the_path_of_the_peer_end_sooner_by_the_part(bool own)
    {
        using var world = new RevalidationWorld(
            new RevalidationPolicy { EndsWithOwnCertificate = true, ExpirySpread = s_hour }, () => 0.5);
        var end = world.Clock.GetUtcNow() + (4 * s_hour);
        var peer = own ? null : world.Issue(spec => spec with { NotAfter = end });
        var connection = world.Connect(peer, own ? end : null);
        world.Clock.Advance((3.5 * s_hour) - TimeSpan.FromSeconds(1));
        await world.Registry.Ringing;
        connection.Losses.Should().BeEmpty();

        world.Clock.Advance(TimeSpan.FromSeconds(3));
        (await connection.LostAsync()).Reason.Should().Be(
            own ? RejectionReason.OwnCertificateExpired : RejectionReason.CertificateExpired);
    }

    [Test]
    public async Task The_application_reads_the_sooner_end()
    {
        using var world = new RevalidationWorld(new RevalidationPolicy { MaximumAge = 4 * s_hour, ExpirySpread = s_hour }, () => 0.5);
        var connection = world.Connect();

        connection.Entry!.ValidUntil.Should().Be(world.Clock.GetUtcNow() + (3.5 * s_hour));

        world.Clock.Advance(3.5 * s_hour);
        (await connection.LostAsync()).Reason.Should().Be(RejectionReason.MaximumAgeReached);
    }

    [Test]
    public async Task A_token_ends_sooner_and_a_new_one_counts_by_the_same_part()
    {
        using var world = new LiveUsersWorld(new RevalidationPolicy { ExpirySpread = s_hour }, nextShare: () => 0.5);
        var alice = await world.LogInAsync("alice");
        var now = world.Clock.GetUtcNow();

        alice.Entry!.Renew(LiveUsersWorld.User("alice", now + (4 * s_hour))).Should().BeTrue();
        alice.Entry.ValidUntil.Should().Be(now + (3.5 * s_hour));
        alice.Entry.Renew(LiveUsersWorld.User("alice", now + (4 * s_hour))).Should().BeTrue("it is the same token");
        alice.Entry.ValidUntil.Should().Be(now + (3.5 * s_hour));
        alice.Entry.Renew(LiveUsersWorld.User("alice", now + s_hour)).Should().BeTrue();
        alice.Entry.ValidUntil.Should().Be(now + (0.75 * s_hour), "at most half of what is left counts");

        world.Clock.Advance(0.75 * s_hour);
        (await alice.LostAsync()).Reason.Should().Be(RejectionReason.TokenExpired);
    }

    private static List<FakeConnection> Connect(RevalidationWorld world) => [.. Enumerable.Range(0, Count).Select(_ => world.Connect())];

    private static int Lost(List<FakeConnection> connections) => connections.Count(connection => connection.Losses.Count > 0);
}
