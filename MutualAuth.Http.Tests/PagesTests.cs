using System.Globalization;
using System.Net;
using System.Reflection;
using MutualAuth.Testing;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests;

/// <summary>Holds the options to their page, and to what they say of themselves.</summary>
public sealed class PagesTests
{
    [Test]
    public void Defaults_are_as_documented([Values(typeof(MutualTlsHttpOptions), typeof(MutualTlsHttpTarget))] Type type)
    {
        var options = Activator.CreateInstance(type);
        var properties = type.GetProperties(BindingFlags.Public | BindingFlags.Instance).Where(property => property.CanWrite);

        DocumentationPage.Open("docs/reference/options.md").RowsUnder(type.Name).Select(cells => (cells[0], cells[1]))
            .Should().BeEquivalentTo(properties.Select(property => ($"`{property.Name}`", DefaultOf(property.GetValue(options)))));
    }

    public static IEnumerable<TestCaseData> Problems()
    {
        static TestCaseData Case(string said, MutualTlsHttpOptions options) => new TestCaseData(said, options).SetArgDisplayNames(said);

        yield return Case("PooledConnectionLifetime must be more than zero", new() { PooledConnectionLifetime = TimeSpan.Zero });
        yield return Case("PooledConnectionIdleTimeout must be more than zero", new() { PooledConnectionIdleTimeout = TimeSpan.FromSeconds(-2) });
        yield return Case("MaxConnectionsPerServer must be at least 1", new() { MaxConnectionsPerServer = 0 });
        yield return Case("KeepAlivePingDelay must be at least a second", new() { KeepAlivePingDelay = TimeSpan.FromMilliseconds(999) });
        yield return Case("KeepAlivePingTimeout must be at least a second", new() { KeepAlivePingTimeout = TimeSpan.FromMilliseconds(999) });
        yield return Case("MaxResponseHeadersLength must be 1 to 1,024", new() { MaxResponseHeadersLength = 1025 });
        yield return Case("MaxRedirects must be 0 to 50", new() { MaxRedirects = 51 });
    }

    [TestCaseSource(nameof(Problems))]
    public void A_problem_is_said(string said, MutualTlsHttpOptions options) =>
        FluentActions.Invoking(() => Make(options)).Should().Throw<ArgumentException>().WithMessage($"*{said}*");

    [Test]
    public void All_problems_are_said_at_once() =>
        FluentActions.Invoking(() => Make(new MutualTlsHttpOptions { MaxRedirects = -1, MaxConnectionsPerServer = 0 }))
            .Should().Throw<ArgumentException>().WithMessage("*MaxConnectionsPerServer*MaxRedirects*");

    [Test]
    public void What_is_just_possible_is_no_problem() => Make(new MutualTlsHttpOptions
    {
        PooledConnectionLifetime = Timeout.InfiniteTimeSpan,
        PooledConnectionIdleTimeout = Timeout.InfiniteTimeSpan,
        MaxConnectionsPerServer = 1,
        KeepAlivePingDelay = TimeSpan.FromSeconds(1),
        KeepAlivePingTimeout = TimeSpan.FromSeconds(1),
        MaxResponseHeadersLength = 1024,
        AutomaticDecompression = DecompressionMethods.All,
        MaxRedirects = 50,
    });

    private static void Make(MutualTlsHttpOptions options)
    {
        using var authority = new TestAuthority();
        using var pair = authority.CreatePair();
        var client = new MutualTlsClient(pair.Client);
        using var handler = new MutualTlsHttpHandler(client, options);
    }

    private static string DefaultOf(object? value) => value switch
    {
        null => "none",
        bool flag => flag ? "yes" : "no",
        int number => number.ToString("N0", CultureInfo.InvariantCulture),
        TimeSpan span when span == Timeout.InfiniteTimeSpan => "infinite",
        TimeSpan span => string.Create(CultureInfo.InvariantCulture, $"{span.TotalSeconds} s"),
        _ => $"`{value}`",
    };
}
