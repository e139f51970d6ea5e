using MutualAuth.Reloading;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Reloading;

/// <summary>Material in memory: when it takes the place of the old one, and who is told.</summary>
public sealed class ReplaceableTests
{
    [Test]
    public void What_is_replaced_is_in_force_before_anybody_is_told_and_everybody_is()
    {
        var material = new Material("one");
        var seen = new List<(object?, string)>();
        material.Replaced += (_, _) => throw new InvalidOperationException("planted");
        material.Replaced += (sender, _) => seen.Add((sender, material.Current));

        material.Replace("two");

        seen.Should().Equal((material, "two"));
        material.Current.Should().Be("two");
    }

    [Test]
    public void What_must_not_take_its_place_is_refused_logged_and_told_to_nobody()
    {
        using var log = new EventLog();
        var material = new Material("one", log);
        var told = 0;
        material.Replaced += (_, _) => told++;

        FluentActions.Invoking(() => material.Replace("older")).Should().Throw<MaterialException>().WithMessage("It goes back.");

        (material.Current, told).Should().Be(("one", 0));
        log.Drain().Should().ContainSingle().Which.Values.Values.Should().Contain("It goes back.");
        material.Replace("two");
        told.Should().Be(1);
        log.Drain().Should().ContainSingle().Which.Values.Values.Should().Contain("It is two");
    }

    [Test]
    public void Nothing_is_no_material()
    {
        FluentActions.Invoking(() => new Material(null!)).Should().Throw<ArgumentNullException>();
        FluentActions.Invoking(() => new Material("one").Replace(null!)).Should().Throw<ArgumentNullException>();
    }

    private sealed class Material(string first, EventLog? log = null) : Replaceable<string>("probe", first, text => $"It is {text}", log)
    {
        private protected override void Admit(string next)
        {
            if (next == "older")
            {
                throw new MaterialException("It goes back.");
            }
        }
    }
}
