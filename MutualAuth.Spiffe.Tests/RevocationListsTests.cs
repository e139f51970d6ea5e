using Microsoft.Extensions.Time.Testing;
using MutualAuth.Reloading;
using MutualAuth.Spiffe.Testing;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests;

/// <summary>Revocation lists of a Workload API never go back, whatever the agent sends, and never keep us from renewing our identity.</summary>
[CancelAfter(60000)]
public sealed class RevocationListsTests
{
    private readonly FakeTimeProvider _clock = new(DateTimeOffset.UtcNow);
    private TestTrustDomain _domain = null!;

    [OneTimeSetUp]
    public void Make_the_trust_domain() => _domain = new TestTrustDomain("example.test", _clock);

    [OneTimeTearDown]
    public void Dispose_of_the_trust_domain() => _domain.Dispose();

    [TestCase(6, true)]
    [TestCase(5, true)]
    [TestCase(4, false)]
    [TestCase(null, false)] // an update without any list
    public async Task A_list_that_goes_back_is_refused_with_an_event_and_the_rest_of_the_update_is_taken(int? number, bool isTaken)
    {
        await using var workload = await Workload.StartAsync(_clock, With(_domain.Update("/api"), 5, minutes: 0));
        var lists = workload.Source.Current.RevocationLists;
        var replaced = 0;
        ((IReloadable)workload.Source.RevocationLists).Replaced += (_, _) => replaced++;

        await workload.UpdateAsync(With(_domain.Update("/renewed"), number, minutes: 1));

        workload.Source.Current.SpiffeId.Path.Should().Be("/renewed", "lists must not keep an identity from being renewed");
        ReferenceEquals(workload.Source.Current.RevocationLists, lists).Should().Be(!isTaken);
        replaced.Should().Be(isTaken ? 1 : 0);
        workload.Log.Entries.Count(entry => entry.Id == 1401).Should().Be(isTaken ? 0 : 1);

        // What was refused is held up against the last good one again, and a newer one is taken.
        await workload.UpdateAsync(With(_domain.Update("/again"), 7, minutes: 2));
        workload.Source.Current.RevocationLists.Lists.Should().ContainSingle().And.NotBeEquivalentTo(lists.Lists);
    }

    /// <summary>Whether the lists of an update are taken (1400) or go back (1401): whoever hears of it finds what else is in force.</summary>
    [TestCase(6, 1400)]
    [TestCase(4, 1401)]
    public async Task Who_acts_on_the_log_finds_the_new_material(int number, int id)
    {
        await using var workload = await Workload.StartAsync(_clock, With(_domain.Update("/api"), 5, minutes: 0));
        var (lists, found) = (workload.Source.Current.RevocationLists, new List<(int Id, string Path, bool AreOld)>());
        workload.Log.Hearing = next =>
        {
            if (next is 1400 or 1401)
            {
                var now = workload.Source.Current;
                found.Add((next, now.SpiffeId.Path, ReferenceEquals(now.RevocationLists, lists)));
            }
        };

        await workload.UpdateAsync(With(_domain.Update("/renewed"), number, minutes: 1));

        found.Should().Equal((id, "/renewed", id == 1401));
    }

    [Test]
    public async Task A_list_whose_date_goes_back_is_refused_whatever_its_number()
    {
        await using var workload = await Workload.StartAsync(_clock, With(_domain.Update("/api"), 5, minutes: 0));
        var lists = workload.Source.Current.RevocationLists;

        await workload.UpdateAsync(With(_domain.Update("/renewed"), 6, minutes: -30));

        workload.Source.Current.RevocationLists.Should().BeSameAs(lists);
    }

    [Test]
    public async Task The_same_lists_again_say_nothing_after_a_refusal_either()
    {
        await using var workload = await Workload.StartAsync(_clock, With(_domain.Update("/api"), 5, minutes: 0));
        var older = With(_domain.Update("/renewed"), 4, minutes: 1);
        await workload.UpdateAsync(older);
        var lists = workload.Source.Current.RevocationLists;

        await workload.UpdateAsync(older with { Svids = [_domain.Issue("/again")] });

        workload.Source.Current.RevocationLists.Should().BeSameAs(lists);
    }

    private WorkloadUpdate With(WorkloadUpdate update, int? number, int minutes)
    {
        if (number is null)
        {
            return update;
        }

        var now = _clock.GetUtcNow().AddHours(-1).AddMinutes(minutes);
        return update with { RevocationLists = [_domain.Authority.IssueCrl(list => list with { Number = number, ThisUpdate = now }).Raw] };
    }
}
