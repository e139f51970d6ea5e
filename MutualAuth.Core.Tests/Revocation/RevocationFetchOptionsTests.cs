using System.Diagnostics.Metrics;
using MutualAuth.Revocation;
using MutualAuth.Testing.Responders;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Revocation;

/// <summary>What options may say, and what is measured.</summary>
[CancelAfter(60_000)]
public sealed class RevocationFetchOptionsTests
{
    private static readonly RevocationFetchOptions s_good = new() { Addresses = [new Uri("http://crl.example/list.crl")] };

    private static IEnumerable<TestCaseData> Wrong()
    {
        yield return Case("no address", good => good with { Addresses = [] });
        yield return Case("addresses that are missing", good => good with { Addresses = default });
        yield return Case("null", good => good with { Addresses = [null!] });
        yield return Case("relative", good => good with { Addresses = [new Uri("/list.crl", UriKind.Relative)] });
        yield return Case("ldap", good => good with { Addresses = [new Uri("ldap://crl.example/")] });
        yield return Case("file", good => good with { Addresses = [new Uri("file:///list.crl")] });
        yield return Case("a user", good => good with { Addresses = [new Uri("http://user@crl.example/")] });
        yield return Case("a fragment", good => good with { Addresses = [new Uri("http://crl.example/#list")] });
        yield return Case("twice", good => good with { Addresses = [good.Addresses[0], good.Addresses[0]] });
        yield return Case("interval too short", good => good with { Interval = TimeSpan.FromSeconds(59) });
        yield return Case("interval too long", good => good with { Interval = TimeSpan.FromDays(8) });
        yield return Case("lead below zero", good => good with { LeadTime = TimeSpan.FromTicks(-1) });
        yield return Case("retry too soon", good => good with { RetryDelay = TimeSpan.FromMilliseconds(999) });
        yield return Case("retry beyond the interval", good => good with { RetryDelay = TimeSpan.FromHours(2) });
        yield return Case("no time", good => good with { Timeout = TimeSpan.Zero });
        yield return Case("too much time", good => good with { Timeout = TimeSpan.FromMinutes(11) });
        yield return Case("too few bytes", good => good with { MaxBytes = 1023 });
        yield return Case("too many bytes", good => good with { MaxBytes = (512 << 20) + 1 });
        yield return Case("no place", good => good with { MaxConcurrentFetches = 0 });
        yield return Case("too many places", good => good with { MaxConcurrentFetches = 65 });
        yield return Case("an empty directory", good => good with { Directory = " " });
        yield return Case("issuers that are null", good => good with { Issuers = [null!] });
        yield return Case("no clock", good => good with { TimeProvider = null! });

        static TestCaseData Case(string name, Func<RevocationFetchOptions, RevocationFetchOptions> change) =>
            new TestCaseData(change).SetArgDisplayNames(name);
    }

    [TestCaseSource(nameof(Wrong))]
    public void What_contradicts_itself_is_refused(Func<RevocationFetchOptions, RevocationFetchOptions> change) =>
        FluentActions.Invoking(() => new FetchedRevocationLists(change(s_good))).Should().Throw<ArgumentException>();

    [Test]
    public void Every_problem_is_told_at_once() =>
        FluentActions.Invoking(() => new FetchedRevocationLists(s_good with { Timeout = TimeSpan.Zero, MaxBytes = 1 }))
            .Should().Throw<ArgumentException>().WithMessage("*Timeout*MaxBytes*");

    [Test]
    public void Options_with_the_same_addresses_are_equal() =>
        (s_good with { Addresses = [new Uri("http://crl.example/list.crl")] }).Should().Be(s_good).And.NotBe(s_good with { MaxBytes = 2048 });

    [Test]
    public async Task Each_fetch_is_counted_by_its_outcome(CancellationToken cancellationToken)
    {
        await using var world = new FetchWorld();
        var outcomes = new List<object?>();
        using var meters = new MeterListener();
        meters.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Name == "mutualauth.revocation.fetches")
            {
                listener.EnableMeasurementEvents(instrument);
            }
        };
        meters.SetMeasurementEventCallback<long>((_, _, tags, _) =>
        {
            lock (outcomes)
            {
                outcomes.Add(tags.ToArray().Single(tag => tag.Key == "mutualauth.fetch.outcome").Value);
            }
        });
        meters.Start();

        await using var lists = world.Fetch();
        await lists.FetchAsync(cancellationToken);
        world.Responder.Mode = ResponderMode.Redirect;
        await lists.FetchAsync(cancellationToken);

        lock (outcomes)
        {
            outcomes.Should().Contain("good").And.Contain("redirected");
        }
    }
}
