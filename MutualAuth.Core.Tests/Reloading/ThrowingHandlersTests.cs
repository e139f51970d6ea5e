using Microsoft.Extensions.Time.Testing;
using MutualAuth.Credentials;
using MutualAuth.Expiry;
using MutualAuth.Identities;
using MutualAuth.Reloading;
using MutualAuth.Revocation;
using MutualAuth.Testing;
using MutualAuth.Tests.Credentials;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Reloading;

/// <summary>A handler that throws keeps no other one from hearing: the one after it may be what ends connections.</summary>
[CancelAfter(20000)]
[NonParallelizable] // a watch belongs to a meter of the process
public sealed class ThrowingHandlersTests
{
    private readonly FakeTimeProvider _clock = new(new DateTimeOffset(2030, 1, 1, 0, 0, 0, TimeSpan.Zero));

    [Test]
    public async Task Of_users_in_a_file([Values] bool throws)
    {
        using var folder = new TemporaryFolder();
        using var store = FileCredentialStore.OpenOrCreate(folder["users"], folder.Clock);
        await store.SetAsync("alice", Sasl.Verifier("right"));
        var heard = new List<string>();
        store.FactsChanged += (_, _) => MayThrow(throws);
        store.FactsChanged += (_, changed) => heard.AddRange(changed.Keys);

        await store.RemoveAsync("alice");

        heard.Should().Equal("alice");
    }

    [Test]
    public async Task Of_users_in_memory([Values] bool throws)
    {
        var store = Sasl.Store(("alice", "right"));
        var heard = new List<string>();
        store.FactsChanged += (_, _) => MayThrow(throws);
        store.FactsChanged += (_, changed) => heard.AddRange(changed.Keys);

        var removing = async () => await store.RemoveAsync("alice");

        await (throws ? removing.Should().ThrowAsync<InvalidOperationException>() : (Task)removing.Should().NotThrowAsync());
        heard.Should().Equal("alice");
        (await store.FindAsync("alice", default)).Should().BeNull();
    }

    [Test]
    public void Of_lists_of_several_sources([Values] bool throws)
    {
        var source = new ReplaceableRevocationLists(RevocationLists.Empty);
        using var combined = new CombinedRevocationLists(source);
        var heard = 0;
        combined.Replaced += (_, _) => MayThrow(throws);
        combined.Replaced += (_, _) => heard++;

        source.Replace(RevocationLists.Empty);

        heard.Should().Be(1);
    }

    [Test]
    public void Of_an_end_that_is_near([Values] bool throws)
    {
        using var authority = new TestAuthority(timeProvider: _clock);
        var identity = World.ToIdentity(
            authority.Issue(spec => spec with { NotBefore = _clock.GetUtcNow(), NotAfter = _clock.GetUtcNow().AddDays(10) }));
        using var watch = new ExpiryWatch(
            new ReplaceableIdentity(identity), new ExpiryWatchOptions { TimeProvider = _clock, WarnBefore = [TimeSpan.FromDays(3)] });
        var heard = 0;
        watch.Expiring += (_, _) => MayThrow(throws);
        watch.Expiring += (_, _) => heard++;

        _clock.Advance(TimeSpan.FromDays(8));

        heard.Should().Be(1);
    }

    private static void MayThrow(bool throws)
    {
        if (throws)
        {
            throw new InvalidOperationException("a fault of the application");
        }
    }
}
