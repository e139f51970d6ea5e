using System.Collections;
using System.Globalization;
using System.Reflection;
using System.Text;
using System.Text.RegularExpressions;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging;
using MutualAuth.Hosting;
using MutualAuth.Hosting.Binding;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests;

/// <summary>Holds the pages to the code, and the settings to what they say of themselves.</summary>
public sealed partial class PagesTests
{
    [Test]
    public void Every_event_has_exactly_one_row_and_a_number_of_our_block()
    {
        var events = (from type in typeof(HostedListener).Assembly.GetTypes()
                      from method in type.GetMethods(BindingFlags.Static | BindingFlags.NonPublic | BindingFlags.Public)
                      let attribute = method.GetCustomAttribute<LoggerMessageAttribute>()
                      where attribute is not null
                      select (method.Name, attribute.EventId, attribute.Level)).ToArray();

        events.Select(entry => entry.EventId).Should().OnlyHaveUniqueItems().And.OnlyContain(id => id >= 2000 && id <= 2019);
        DocumentationPage.Open("docs/reference/telemetry.md").RowsUnder("Log events of MutualAuth.Hosting")
            .Select(cells => (cells[0], cells[1], cells[2]))
            .Should().BeEquivalentTo(events.Select(entry => ($"`{entry.EventId}`", $"`{entry.Name}`", $"{entry.Level}")));
    }

    private static readonly object[] s_settings =
    [
        new MutualTlsListenerSettings(), new MutualTlsClientSettings(), new IdentitySettings(), new TrustConstraintsSettings(), new AuditSettings(),
        new ListenerLimits(),
    ];

    [TestCaseSource(nameof(s_settings))]
    public void Defaults_are_as_documented(object settings) =>
        DocumentationPage.Open("docs/reference/options.md").RowsUnder(settings.GetType().Name).Select(cells => (cells[0], cells[1]))
            .Should().BeEquivalentTo(settings.GetType().GetProperties(BindingFlags.Public | BindingFlags.Instance)
                .Select(property => ($"`{property.Name}`", DefaultOf(property.GetValue(settings)))));

    [TestCase("docs/how-to/host-it.md")]
    [TestCase("docs/getting-started.md")]
    [TestCase("MutualAuth.Hosting/README.md")]
    public void The_configuration_of_a_page_can_be_read(string page)
    {
        var json = Json().Matches(DocumentationPage.Open(page).Text).Select(match => match.Groups[1].Value).ToArray();

        json.Should().NotBeEmpty();
        foreach (var text in json)
        {
            var sections = new ConfigurationBuilder().AddJsonStream(new MemoryStream(Encoding.UTF8.GetBytes(text))).Build()
                .GetSection("MutualTls").GetChildren().ToArray();
            sections.Should().NotBeEmpty();
            foreach (var section in sections)
            {
                MutualTlsSettings settings = section.GetSection("Listen").Exists() ? new MutualTlsListenerSettings() : new MutualTlsClientSettings();
                settings.Path = section.Path;
                SectionReader.Read(section, settings);
                settings.AllProblems().Should().BeEmpty();
            }
        }
    }

    [Test]
    public void The_program_of_the_sample_has_thirty_lines_at_most() =>
        File.ReadAllLines(Path.Combine(DocumentationPage.Root, "samples", "Worker", "Program.cs")).Length.Should().BeLessThanOrEqualTo(30);

    private static string DefaultOf(object? value) => value switch
    {
        null => "none",
        bool flag => flag ? "yes" : "no",
        TimeSpan span => string.Create(CultureInfo.InvariantCulture, $"{span.TotalSeconds} s"),
        Enum member => $"`{member}`",
        IEnumerable list when !list.Cast<object>().Any() => "none",
        _ => $"see `{value.GetType().Name}`",
    };

    [GeneratedRegex("```json\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex Json();
}
