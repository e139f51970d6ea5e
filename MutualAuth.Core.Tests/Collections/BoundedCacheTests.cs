using MutualAuth.Collections;

namespace MutualAuth.Tests.Collections;

/// <summary>The one bounded cache: what it evicts, and what it keeps.</summary>
public sealed class BoundedCacheTests
{
    [Test]
    public void A_full_cache_evicts_the_entry_that_was_set_longest_ago()
    {
        var cache = new BoundedCache<string, int>(2);

        cache.Set("a", 1);
        cache.Set("b", 2);
        cache.Set("a", 3);
        cache.Set("c", 4);

        cache.TryGet("b", out _).Should().BeFalse();
        cache.TryGet("a", out var value).Should().BeTrue();
        value.Should().Be(3);
        cache.Count.Should().Be(2);
    }

    [Test]
    public void Reading_does_not_keep_an_entry()
    {
        var cache = new BoundedCache<string, int>(2);
        cache.Set("a", 1);
        cache.Set("b", 2);

        cache.TryGet("a", out _).Should().BeTrue();
        cache.Set("c", 3);

        cache.TryGet("a", out _).Should().BeFalse();
    }

    [Test]
    public void The_lowest_rank_goes_first_however_young_its_entries_are()
    {
        var cache = new BoundedCache<string, int>(2, ranks: 3);
        cache.Set("old and high", 1, rank: 2);
        cache.Set("young and low", 2);

        cache.Set("new", 3, rank: 1);

        cache.TryGet("young and low", out _).Should().BeFalse();
        cache.TryGet("old and high", out _).Should().BeTrue();
    }

    [Test]
    public void An_entry_that_is_expendable_goes_before_the_lower_ranks()
    {
        var cache = new BoundedCache<string, int>(2, ranks: 2);
        cache.Set("expendable", 1, rank: 1);
        cache.Set("low", 2);

        cache.TryEvict(value => value == 1, highestRank: 0).Should().BeTrue();

        cache.TryGet("low", out _).Should().BeTrue();
        cache.TryGet("expendable", out _).Should().BeFalse();
    }

    [Test]
    public void What_may_not_be_evicted_stays()
    {
        var cache = new BoundedCache<string, int>(1, ranks: 2);
        cache.Set("high", 1, rank: 1);

        cache.TryEvict(null, highestRank: 0).Should().BeFalse();

        cache.TryGet("high", out _).Should().BeTrue();
    }

    [Test]
    public void Entries_that_come_and_go_one_by_one_are_each_their_own()
    {
        var cache = new BoundedCache<string, int>(4, ranks: 2);
        cache.Set("first", 1, rank: 1);
        cache.Remove("first").Should().BeTrue();
        cache.Set("second", 2);
        cache.Remove("first").Should().BeFalse();
        cache.Set("third", 3, rank: 1);

        cache.TryGet("first", out _).Should().BeFalse();
        cache.TryGet("second", out var second).Should().BeTrue();
        cache.TryGet("third", out var third).Should().BeTrue();
        (second, third, cache.Count).Should().Be((2, 3, 2));

        cache.TryEvict(null, highestRank: 1).Should().BeTrue();
        cache.TryGet("second", out _).Should().BeFalse("it is of the lower rank");
        cache.TryGet("third", out _).Should().BeTrue();
    }

    [Test]
    public void Nothing_is_kept_of_an_entry_that_has_gone()
    {
        var cache = new BoundedCache<string, object>(4);
        var gone = SetAndRemove(cache);

        GC.Collect();

        gone.IsAlive.Should().BeFalse();
        cache.Count.Should().Be(0);

        [System.Runtime.CompilerServices.MethodImpl(System.Runtime.CompilerServices.MethodImplOptions.NoInlining)]
        static WeakReference SetAndRemove(BoundedCache<string, object> cache)
        {
            var value = new object();
            cache.Set("one", value);
            cache.Remove("one");
            return new WeakReference(value);
        }
    }

    [Test]
    public void A_cache_for_nothing_keeps_nothing()
    {
        var cache = new BoundedCache<string, int>(0);

        cache.Set("a", 1);

        cache.Count.Should().Be(0);
    }
}
