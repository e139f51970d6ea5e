using MutualAuth.Names;
using MutualAuth.Pinning;

namespace MutualAuth.Tests.Pinning;

public sealed class PinSetConstructionTests
{
    [Test]
    public void Pins_without_a_backup_are_refused_unless_the_danger_is_named()
    {
        FluentActions.Invoking(() => PinSet.Of()).Should().Throw<ArgumentException>();
        FluentActions.Invoking(() => PinSet.Of(PinOf(1))).Should().Throw<ArgumentException>();
        FluentActions.Invoking(() => PinSet.Of(PinOf(1), PinOf(1))).Should().Throw<ArgumentException>();
        FluentActions.Invoking(() => PinSet.Of(PinOf(1), null!)).Should().Throw<ArgumentException>();
        PinSet.Of(PinOf(1), PinOf(2)).Count.Should().Be(2);
        PinSet.DangerouslyWithoutBackup(PinOf(1)).Count.Should().Be(1);
    }

    [Test]
    public void A_set_holds_each_pin_once_and_finds_it_among_a_hundred_thousand()
    {
        var pins = PinSet.Of(Enumerable.Range(0, 100_000).Concat([5, 5]).Select(PinOf));

        pins.Count.Should().Be(100_000);
        Enumerable.Range(0, 100_000).Should().OnlyContain(number => pins.Contains(PinOf(number)));
        Enumerable.Range(100_000, 1000).Should().NotContain(number => pins.Contains(PinOf(number)));
    }

    [Test]
    public void A_set_describes_itself()
    {
        var pins = PinSet.Of(PinOf(1), PinOf(2));

        pins.ToString().Should().Be("2 pinned keys");
        pins.ReportOnly().ExpiringAt(DateTimeOffset.UnixEpoch).ToString().Should().Be("2 pinned keys, expiring at 1970-01-01T00:00:00Z, report only");
        pins.ExpiresAt.Should().BeNull();
    }

    private static SpkiPin PinOf(int number) => SpkiPin.OfSubjectPublicKeyInfo(BitConverter.GetBytes(number));
}
