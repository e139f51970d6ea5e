using System.Reflection;
using Microsoft.Extensions.Logging;
using MutualAuth.AspNetCore;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests;

/// <summary>Holds the pages to the code.</summary>
public sealed class PagesTests
{
    [Test]
    public void Every_event_has_exactly_one_row_and_a_number_of_our_block()
    {
        var events = (from type in typeof(IMutualTlsFeature).Assembly.GetTypes()
                      from method in type.GetMethods(BindingFlags.Static | BindingFlags.NonPublic | BindingFlags.Public)
                      let attribute = method.GetCustomAttribute<LoggerMessageAttribute>()
                      where attribute is not null
                      select (method.Name, attribute.EventId, attribute.Level)).ToArray();

        events.Select(entry => entry.EventId).Should().OnlyHaveUniqueItems().And.OnlyContain(id => id >= 2020 && id <= 2039);
        DocumentationPage.Open("docs/reference/telemetry.md").RowsUnder("Log events of MutualAuth.AspNetCore").Select(
            cells => (cells[0], cells[1], cells[2]))
            .Should().BeEquivalentTo(events.Select(entry => ($"`{entry.EventId}`", $"`{entry.Name}`", $"{entry.Level}")));
    }
}
