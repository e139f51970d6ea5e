using System.Diagnostics.Metrics;
using System.Runtime.Loader;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.Time.Testing;
using MutualAuth.Expiry;
using MutualAuth.Identities;
using MutualAuth.Revocation;
using MutualAuth.Testing;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Expiry;

/// <summary>The end of our own material is told of before it comes, once for each threshold.</summary>
[NonParallelizable] // meters belong to the process
public sealed class ExpiryWatchTests
{
    private readonly FakeTimeProvider _clock = new(new DateTimeOffset(2030, 1, 1, 0, 0, 0, TimeSpan.Zero));
    private readonly List<ExpiringEventArgs> _heard = [];

    [SetUp]
    public void SetUp() => _heard.Clear();

    [Test]
    public void Each_threshold_is_told_of_once_and_the_end_too()
    {
        using var authority = new TestAuthority(timeProvider: _clock);
        using var watch = Watch(new ReplaceableIdentity(Issue(authority, 10)), TimeSpan.FromDays(3), TimeSpan.FromDays(1));

        Pass(TimeSpan.FromDays(6));
        _heard.Should().BeEmpty();
        Pass(TimeSpan.FromDays(2));
        Pass(TimeSpan.FromHours(1));
        _heard.Should().ContainSingle().Which.Left.Should().BeCloseTo(TimeSpan.FromDays(2), TimeSpan.FromMinutes(2));
        Pass(TimeSpan.FromDays(1.5));
        _heard.Should().HaveCount(2);
        Pass(TimeSpan.FromDays(1));
        Pass(TimeSpan.FromDays(1));

        _heard.Should().HaveCount(3);
        _heard[^1].Left.Should().BeNegative();
    }

    [Test]
    public void A_renewal_begins_anew()
    {
        using var authority = new TestAuthority(timeProvider: _clock);
        var source = new ReplaceableIdentity(Issue(authority, 10));
        using var watch = Watch(source, TimeSpan.FromDays(3));
        Pass(TimeSpan.FromDays(8));
        _heard.Should().HaveCount(1);

        source.Replace(Issue(authority, 10));
        Pass(TimeSpan.FromDays(1));
        _heard.Should().HaveCount(1);
        Pass(TimeSpan.FromDays(7));

        _heard.Should().HaveCount(2);
    }

    [Test]
    public void A_threshold_of_more_than_a_third_of_the_lifetime_says_nothing()
    {
        using var authority = new TestAuthority(timeProvider: _clock);
        using var watch = Watch(Issue(authority, 1), TimeSpan.FromDays(30), TimeSpan.FromHours(6));

        Pass(TimeSpan.FromHours(12));
        _heard.Should().BeEmpty();
        Pass(TimeSpan.FromHours(7));

        _heard.Should().ContainSingle();
    }

    [Test]
    public void The_gauge_has_the_days_left_of_identities_and_lists()
    {
        using var authority = new TestAuthority(timeProvider: _clock);
        using var identity = new ExpiryWatch((IIdentitySource)Issue(authority, 10), new ExpiryWatchOptions { TimeProvider = _clock });
        using var lists = new ExpiryWatch(
            RevocationLists.FromDer(authority.IssueCrl(spec => spec with { NextUpdate = _clock.GetUtcNow().AddDays(5) }).Raw),
            new ExpiryWatchOptions { TimeProvider = _clock });

        var read = Read();

        read.Should().Contain(("identity", 10)).And.Contain(("revocation lists", 5));
        identity.Dispose();
        Read().Should().NotContain(("identity", 10));
    }

    [Test]
    public void A_handler_that_comes_late_hears_what_has_passed_and_hears_it_once()
    {
        using var authority = new TestAuthority(timeProvider: _clock);
        using var watch = new ExpiryWatch(
            new ReplaceableIdentity(Issue(authority, 10)), new ExpiryWatchOptions { TimeProvider = _clock, WarnBefore = [TimeSpan.FromDays(3)] });
        Pass(TimeSpan.FromDays(8));

        watch.Expiring += (_, expiring) => _heard.Add(expiring);
        Pass(TimeSpan.FromMinutes(5));

        _heard.Should().ContainSingle().Which.Left.Should().BeCloseTo(TimeSpan.FromDays(2), TimeSpan.FromMinutes(1));
    }

    [Test]
    public void A_handler_that_comes_early_hears_nothing_before_a_threshold_has_passed()
    {
        using var authority = new TestAuthority(timeProvider: _clock);
        using var watch = Watch(new ReplaceableIdentity(Issue(authority, 10)), TimeSpan.FromDays(3));

        Pass(TimeSpan.FromDays(6));

        _heard.Should().BeEmpty();
    }

    [Test]
    public void A_watch_that_was_refused_leaves_the_gauges_of_the_others_alone()
    {
        using var authority = new TestAuthority(timeProvider: _clock);
        using var identity = new ExpiryWatch(new ReplaceableIdentity(Issue(authority, 10)), new ExpiryWatchOptions { TimeProvider = _clock });

        FluentActions.Invoking(() => new ExpiryWatch((IIdentitySource)null!)).Should().Throw<ArgumentNullException>();
        FluentActions.Invoking(() => new ExpiryWatch((IRevocationListSource)null!)).Should().Throw<ArgumentNullException>();

        Read().Should().Contain(("identity", 10));
    }

    [Test]
    public void A_source_that_throws_takes_the_gauge_from_itself_only()
    {
        using var authority = new TestAuthority(timeProvider: _clock);
        using var identity = new ExpiryWatch(new ReplaceableIdentity(Issue(authority, 10)), new ExpiryWatchOptions { TimeProvider = _clock });
        using var broken = new ExpiryWatch(new ThrowingSource(), new ExpiryWatchOptions { TimeProvider = _clock });

        Read().Should().Contain(("identity", 10));
    }

    /// <summary>In a copy of the library that has made no handshake, and does nothing but watch.</summary>
    [Test]
    public void A_process_that_only_watches_has_the_gauge()
    {
        using var authority = new TestAuthority();
        using var certificate = authority.IssueServer("server.test");
        var published = 0;
        using var listener = new MeterListener();
        listener.InstrumentPublished = (instrument, _) => published += instrument.Name == "mutualauth.days_left" ? 1 : 0;
        listener.Start();
        var before = published;
        var alone = new AssemblyLoadContext("a library without handshakes", isCollectible: true);
        try
        {
            var core = alone.LoadFromAssemblyPath(typeof(ExpiryWatch).Assembly.Location);
            var identity = core.GetType("MutualAuth.Identity")!.GetMethods()
                .First(method => method.Name == "From" && method.GetParameters()[0].ParameterType == typeof(X509Certificate2));
            var source = identity.Invoke(null, [certificate.Certificate, Array.Empty<X509Certificate2>()]);
            using var watch = (IDisposable)core.GetType("MutualAuth.Expiry.ExpiryWatch")!.GetConstructors()
                .First(constructor => constructor.GetParameters()[0].ParameterType.Name == nameof(IIdentitySource)).Invoke([source, null]);

            published.Should().Be(before + 1);
        }
        finally
        {
            alone.Unload();
        }
    }

    private sealed class ThrowingSource : IIdentitySource
    {
        public Identity Current => throw new InvalidOperationException("no identity");
    }

    private static List<(string Material, int Days)> Read()
    {
        var read = new List<(string, int)>();
        using var listener = new MeterListener();
        listener.InstrumentPublished = (instrument, meters) =>
        {
            if (instrument.Meter.Name == MutualAuthTelemetry.SourceName && instrument.Name == "mutualauth.days_left")
            {
                meters.EnableMeasurementEvents(instrument);
            }
        };
        listener.SetMeasurementEventCallback<double>((_, days, tags, _) => read.Add(((string)tags[0].Value!, (int)Math.Round(days))));
        listener.Start();
        listener.RecordObservableInstruments();
        return read;
    }

    private Identity Issue(TestAuthority authority, int days)
    {
        var certificate = authority.Issue(spec => spec with { NotBefore = _clock.GetUtcNow(), NotAfter = _clock.GetUtcNow().AddDays(days) });
        return World.ToIdentity(certificate);
    }

    private ExpiryWatch Watch(IIdentitySource source, params TimeSpan[] thresholds)
    {
        var watch = new ExpiryWatch(source, new ExpiryWatchOptions { TimeProvider = _clock, WarnBefore = [.. thresholds] });
        watch.Expiring += (_, expiring) => _heard.Add(expiring);
        return watch;
    }

    // A minute at a time would take long; the watch looks once for each minute that passes.
    private void Pass(TimeSpan time) => _clock.Advance(time);
}
