using System.Globalization;
using System.Reflection;
using System.Runtime.CompilerServices;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using MutualAuth.Paths;
using MutualAuth.Spiffe;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests;

/// <summary>Holds the pages to the code: others build on what they say.</summary>
public sealed class PagesTests
{
    private static readonly Assembly s_library = typeof(X509Source).Assembly;

    [Test]
    public void Every_event_has_exactly_one_row_and_a_number_of_our_block()
    {
        var events = (from type in s_library.GetTypes()
                      from method in type.GetMethods(BindingFlags.Static | BindingFlags.NonPublic | BindingFlags.Public)
                      let attribute = method.GetCustomAttribute<LoggerMessageAttribute>()
                      where attribute is not null
                      select (method.Name, attribute.EventId, attribute.Level)).ToArray();

        events.Select(entry => entry.EventId).Should().OnlyHaveUniqueItems().And.OnlyContain(id => id >= 1500 && id <= 1549);
        DocumentationPage.Open("docs/reference/telemetry.md").RowsUnder("Log events of MutualAuth.Spiffe").Select(
            cells => (cells[0], cells[1], cells[2]))
            .Should().BeEquivalentTo(events.Select(entry => ($"`{entry.EventId}`", $"`{entry.Name}`", $"{entry.Level}")));
    }

    [TestCase(typeof(X509SourceOptions))]
    [TestCase(typeof(JwtSourceOptions))]
    [TestCase(typeof(JwtSvidRequest))]
    [TestCase(typeof(UpdateLimits))]
    public void Defaults_are_as_documented(Type type)
    {
        var instance = Activator.CreateInstance(type);
        var options = type.GetProperties(BindingFlags.Public | BindingFlags.Instance | BindingFlags.DeclaredOnly).Where(
            property => property.CanWrite);

        DocumentationPage.Open("docs/reference/options.md").RowsUnder(type.Name).Select(cells => (cells[0], cells[1])).Should().BeEquivalentTo(
            options.Select(option => ($"`{option.Name}`", option.IsDefined(typeof(RequiredMemberAttribute))
                ? "required"
                : DefaultOf(option.GetValue(instance)))));
    }

    [Test]
    public void Every_reason_has_exactly_one_row() =>
        DocumentationPage.Open(
            "docs/how-to/get-identities-from-spiffe.md").RowsUnder("Why an update is refused").Select(cells => cells[0]).Should().BeEquivalentTo(
            Enum.GetValues<UpdateRefusalReason>().Select(reason => $"`{reason}` ({(int)reason})"));

    private static string DefaultOf(object? value) => value switch
    {
        null => "none",
        double number => number.ToString(CultureInfo.InvariantCulture),
        int number => number.ToString("N0", CultureInfo.InvariantCulture),
        TimeSpan span => string.Create(CultureInfo.InvariantCulture, $"{span.TotalSeconds} s"),
        Enum member => $"`{member}`",
        NullLoggerFactory => "nowhere",
        TimeProvider clock when clock == TimeProvider.System => "the system's",
        ValidationProfile profile when profile == ValidationProfile.MutualTls => "`ValidationProfile.MutualTls`",
        _ => $"see `{value.GetType().Name}`",
    };
}
