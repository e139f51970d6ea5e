using System.Net;
using Microsoft.Extensions.Time.Testing;
using MutualAuth.Connections;

namespace MutualAuth.Tests.Connections;

public sealed class UnfinishedHandshakeCountsTests
{
    private static readonly IPAddress s_one = IPAddress.Parse("192.0.2.1");
    private static readonly IPAddress s_other = IPAddress.Parse("192.0.2.2");

    [Test]
    public void They_are_counted_for_each_address_and_half_are_forgotten_in_ten_seconds()
    {
        var time = new FakeTimeProvider();
        var counts = new UnfinishedHandshakeCounts(10, time);
        counts.Begin(s_one).Should().Be(1);
        counts.Begin(s_one).Should().Be(2);
        counts.CountOf(s_other).Should().Be(0);

        time.Advance(TimeSpan.FromSeconds(10));

        counts.CountOf(s_one).Should().BeApproximately(1, 1e-6);
        counts.Begin(s_one).Should().BeApproximately(2, 1e-6);
    }

    [Test]
    public void One_that_succeeds_clears_its_address_and_no_other()
    {
        var counts = new UnfinishedHandshakeCounts(10, new FakeTimeProvider());
        counts.Begin(s_one);
        counts.Begin(s_other);

        counts.Clear(s_one);

        (counts.CountOf(s_one), counts.CountOf(s_other)).Should().Be((0d, 1d));
    }

    [Test]
    public void Of_too_many_addresses_the_one_that_was_quiet_longest_is_forgotten()
    {
        var counts = new UnfinishedHandshakeCounts(2, new FakeTimeProvider());
        counts.Begin(s_one);
        counts.Begin(s_other);
        counts.Begin(s_one);

        counts.Begin(IPAddress.Parse("192.0.2.3"));

        (counts.CountOf(s_one), counts.CountOf(s_other)).Should().Be((2d, 0d));
    }
}
