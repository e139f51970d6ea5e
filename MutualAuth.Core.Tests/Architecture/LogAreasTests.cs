using System.Diagnostics.Metrics;
using System.Net;
using Microsoft.Extensions.Logging;
using MutualAuth.Revocation;
using MutualAuth.Telemetry;
using MutualAuth.Tests.Support;
using MutualAuth.Validation;

namespace MutualAuth.Tests.Architecture;

/// <summary>What operators filter by: categories, acknowledged warnings, instruments.</summary>
public sealed class LogAreasTests
{
    private static readonly World s_world = new();

    [TestCase(1000, "MutualAuth.Handshake")]
    [TestCase(1099, "MutualAuth.Handshake")]
    [TestCase(1100, "MutualAuth.Validation")]
    [TestCase(1200, "MutualAuth.Listener")]
    [TestCase(1300, "MutualAuth.Login")]
    [TestCase(1400, "MutualAuth.Reload")]
    [TestCase(1449, "MutualAuth.Reload")]
    [TestCase(1450, "MutualAuth.Connection")]
    [TestCase(1600, "MutualAuth.Handshake")]
    [TestCase(1619, "MutualAuth.Handshake")]
    [TestCase(1620, "MutualAuth.Connection")]
    public void An_event_belongs_to_the_area_of_its_number(int id, string category) =>
        MutualAuthTelemetry.CategoryOf(AreaLogger.AreaOf(id)).Should().Be(category);

    [Test]
    public void Every_category_has_a_row_on_the_page() =>
        DocumentationPage.Open("docs/reference/telemetry.md").RowsUnder("Log categories").Select(cells => cells[0].Trim('`'))
            .Should().BeEquivalentTo(Enum.GetValues<LogArea>().Select(MutualAuthTelemetry.CategoryOf)
                .Concat(["MutualAuth.AspNetCore", "MutualAuth.Factors", "MutualAuth.Hosting", "MutualAuth.Spiffe", "MutualAuth.Tokens"]));

    /// <summary>A logger of several areas is as quiet as the area of the event.</summary>
    [TestCase("MutualAuth.Login", true)]
    [TestCase("MutualAuth.Validation", false)]
    public void A_filter_for_one_category_concerns_its_events_alone(string silenced, bool isLogged)
    {
        var log = new List<int>();
        using var factory = new Filtering(log, silenced);
        var logger = MutualAuthTelemetry.CreateLogger(factory);

        ValidationLog.RevocationNotChecked(logger);

        log.Should().Equal(isLogged ? [1110] : Array.Empty<int>());
        logger.IsEnabled(LogLevel.Warning).Should().BeTrue("other areas are heard");
    }

    private static IEnumerable<TestCaseData> Warnings()
    {
        static TestCaseData Case(ConfigurationWarnings warning, int id, Func<MutualTlsServerOptions, MutualTlsServerOptions> change) =>
            new TestCaseData(warning, id, change).SetArgDisplayNames(warning.ToString());

        yield return Case(ConfigurationWarnings.RevocationNotChecked, 1110, options => options);
        yield return Case(
            ConfigurationWarnings.RevocationRelaxed,
            1111,
            options => options with
            { Revocation = new RevocationPolicy { Lists = RevocationLists.Empty, Unknown = UnknownStatus.DangerouslyAllow } });
        yield return Case(
            ConfigurationWarnings.OwnIdentityDoubtful, 1113, options => options with { Trust = s_world.Foreign.ToTrustAnchors() });
    }

    [TestCaseSource(nameof(Warnings))]
    public void A_warning_that_is_acknowledged_is_not_logged_and_the_others_are(
        ConfigurationWarnings warning, int id, Func<MutualTlsServerOptions, MutualTlsServerOptions> change)
    {
        foreach (var (acknowledged, isLogged) in new[]
        { (ConfigurationWarnings.None, true), (warning, false), (~warning & (ConfigurationWarnings)15, true) })
        {
            using var log = new EventLog();

            _ = new MutualTlsServer(change(s_world.ServerOptions with { LoggerFactory = log, AcknowledgedWarnings = acknowledged }));

            log.Drain().Any(entry => entry.Id == id).Should().Be(isLogged, $"{acknowledged} is acknowledged");
        }
    }

    [TestCase(ConfigurationWarnings.None, true)]
    [TestCase(ConfigurationWarnings.BoundsExceedDescriptors, false)]
    [Platform(Include = "Linux")]
    public async Task Bounds_beyond_the_descriptors_can_be_acknowledged(ConfigurationWarnings acknowledged, bool isLogged)
    {
        using var log = new EventLog();
        await using var listener = MutualTlsListener.Start(new MutualTlsListenerOptions
        {
            Server = new MutualTlsServer(s_world.ServerOptions with { LoggerFactory = log, AcknowledgedWarnings = acknowledged }),
            EndPoint = new IPEndPoint(IPAddress.Loopback, 0),
            MaxPendingHellos = int.MaxValue,
        });

        log.Drain().Any(entry => entry.Id == 1204).Should().Be(isLogged);
    }

    [Test]
    public void Durations_recommend_boundaries_of_seconds_and_instruments_have_the_librarys_version()
    {
        var advice = MutualAuthTelemetry.HandshakeDuration.Advice!.HistogramBucketBoundaries!;

        advice.Should().BeInAscendingOrder().And.Contain([0.005, 0.1, 10]).And.NotContain(seconds => seconds > 10);
        MutualAuthTelemetry.Meter.Version.Should().MatchRegex(@"^\d+\.\d+\.\d+$").And.Be(MutualAuthTelemetry.Activities.Version);
        MutualAuthTelemetry.HandshakeDuration.Should().BeOfType<Histogram<double>>();
    }

    private sealed class Filtering(List<int> log, string silenced) : ILoggerFactory
    {
        public ILogger CreateLogger(string categoryName) => new Category(log, categoryName != silenced);

        public void AddProvider(ILoggerProvider provider) => throw new NotSupportedException();

        public void Dispose()
        {
        }

        private sealed class Category(List<int> log, bool isHeard) : ILogger
        {
            public IDisposable? BeginScope<TState>(TState state)
                where TState : notnull => null;

            public bool IsEnabled(LogLevel logLevel) => isHeard;

            public void Log<TState>(
                LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
                log.Add(eventId.Id);
        }
    }
}
