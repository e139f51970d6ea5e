using System.Diagnostics.Metrics;
using System.Reflection;
using Microsoft.Extensions.Logging;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Documentation;

/// <summary>Holds docs/reference/telemetry.md to the events and instruments of the code: others build dashboards on that page.</summary>
public sealed class TelemetryPageTests
{
    private static readonly DocumentationPage s_page = DocumentationPage.Open("docs/reference/telemetry.md");

    private static readonly (MethodInfo Method, LoggerMessageAttribute Event)[] s_events =
    [
        .. from type in typeof(MutualAuthTelemetry).Assembly.GetTypes()
           from method in type.GetMethods(BindingFlags.Static | BindingFlags.NonPublic | BindingFlags.Public)
           let attribute = method.GetCustomAttribute<LoggerMessageAttribute>()
           where attribute is not null
           select (method, attribute),
    ];

    [Test]
    public void Event_ids_are_unique() => s_events.Select(entry => entry.Event.EventId).Should().OnlyHaveUniqueItems().And.HaveCountGreaterThan(5);

    [Test]
    public void Every_event_has_exactly_one_row() =>
        s_page.RowsUnder("Log events").Select(cells => (cells[0], cells[1], cells[2])).Should().BeEquivalentTo(
            s_events.Select(entry => ($"`{entry.Event.EventId}`", $"`{entry.Method.Name}`", $"{entry.Event.Level}")));

    [Test]
    public void Every_instrument_has_exactly_one_row()
    {
        var instruments = typeof(MutualAuthTelemetry).GetFields(BindingFlags.Static | BindingFlags.NonPublic | BindingFlags.Public)
            .Select(field => field.GetValue(null)).OfType<Instrument>().ToArray();

        s_page.RowsUnder("Metrics").Where(cells => cells.Length == 5).Select(cells => (cells[0], cells[1], cells[2])).Should().BeEquivalentTo(
            instruments.Select(instrument => ($"`{instrument.Name}`", KindOf(instrument), $"`{instrument.Unit}`")));
    }

    [Test]
    public void Every_failure_is_a_documented_outcome()
    {
        var outcomes = s_page.RowsUnder("Metrics").Single(cells => cells[0] == "`mutualauth.outcome`")[1];

        outcomes.Split('`').Where((_, index) => index % 2 == 1).Should().BeEquivalentTo(
            Enum.GetValues<HandshakeFailure>().Select(failure => RejectionReasons.ToSnakeCase(failure.ToString())).Concat(["accepted", "cancelled"]));
    }

    [Test]
    public void The_names_are_those_of_the_page() =>
        (MutualAuthTelemetry.SourceName, MutualAuthTelemetry.LogCategory).Should().Be(("MutualAuth", "MutualAuth"));

    private static string KindOf(Instrument instrument) => instrument switch
    {
        Histogram<double> => "histogram",
        UpDownCounter<int> => "up-down counter",
        Counter<long> => "counter",
        ObservableGauge<double> => "gauge",
        _ => instrument.GetType().Name,
    };
}
