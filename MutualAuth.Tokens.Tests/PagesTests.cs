using System.Collections;
using System.Globalization;
using System.Reflection;
using System.Runtime.CompilerServices;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using MutualAuth.Credentials;
using MutualAuth.Tests.Support;
using MutualAuth.Tokens;

namespace MutualAuth.Tests;

/// <summary>Holds the pages to the code, and the options to what they say of themselves.</summary>
public sealed class PagesTests
{
    private static readonly TokenIssuerConnection s_connection = new() { Trust = TrustAnchors.None };

    private static readonly IssuerKeys s_keys = MakeKeys();

    [OneTimeTearDown]
    public async Task TearDown() => await s_keys.DisposeAsync();

    [Test]
    public void Every_event_has_exactly_one_row_and_a_number_of_our_block()
    {
        var events = (from type in typeof(JwtValidator).Assembly.GetTypes()
                      from method in type.GetMethods(BindingFlags.Static | BindingFlags.NonPublic | BindingFlags.Public)
                      let attribute = method.GetCustomAttribute<LoggerMessageAttribute>()
                      where attribute is not null
                      select (method.Name, attribute.EventId, attribute.Level)).ToArray();

        events.Select(entry => entry.EventId).Should().OnlyHaveUniqueItems().And.OnlyContain(id => id >= 1330 && id <= 1339);
        DocumentationPage.Open("docs/reference/telemetry.md").RowsUnder("Log events of MutualAuth.Tokens").Select(
            cells => (cells[0], cells[1], cells[2]))
            .Should().BeEquivalentTo(events.Select(entry => ($"`{entry.EventId}`", $"`{entry.Name}`", $"{entry.Level}")));
    }

    public static IEnumerable<object> Options()
    {
        yield return Jwt();
        yield return Introspection();
        yield return new IssuerKeysOptions { Connection = s_connection };
        yield return s_connection;
        yield return Granting();
        yield return new TokenRenewalOptions { Name = "an issuer" };
        yield return new JwtSvidValidatorOptions
        {
            Audiences = [Signer.Audience],
            Bundles = JwtBundles.None,
            Workloads = WorkloadRule.MemberOf("example.test"),
        };
    }

    [TestCaseSource(nameof(Options))]
    public void Defaults_are_as_documented(object options)
    {
        var properties = options.GetType().GetProperties(BindingFlags.Public | BindingFlags.Instance).Where(property => property.CanWrite);

        DocumentationPage.Open("docs/reference/options.md").RowsUnder(options.GetType().Name).Select(cells => (cells[0], cells[1]))
            .Should().BeEquivalentTo(properties.Select(property => ($"`{property.Name}`", property.IsDefined(typeof(RequiredMemberAttribute))
                ? "required"
                : DefaultOf(property.GetValue(options)))));
    }

    public static IEnumerable<TestCaseData> Problems()
    {
        static TestCaseData Case(string said, Action make) => new TestCaseData(said, make).SetName($"Options: {said}");
        static Action OfJwt(Func<JwtValidatorOptions, JwtValidatorOptions> change) => () => _ = new JwtValidator(change(Jwt()));
        static Action OfKeys(Func<IssuerKeysOptions, IssuerKeysOptions> change) => () => IssuerKeys.FetchAsync(
            new Uri("https://issuer.test"), change(new IssuerKeysOptions { Connection = s_connection })).GetAwaiter().GetResult();
        static Action Asking(Func<IntrospectionOptions, IntrospectionOptions> change) => () =>
            _ = new IntrospectionValidator(change(Introspection()));
        static Action Getting(Func<ClientCredentialsOptions, ClientCredentialsOptions> change) => () =>
            _ = TokenSource.ClientCredentials(change(Granting()));

        yield return Case("Issuer must not be empty", OfJwt(options => options with { Issuer = string.Empty }));
        yield return Case("Keys must not be null", OfJwt(options => options with { Keys = null! }));
        yield return Case("Algorithms must hold at least one", OfJwt(options => options with { Algorithms = ["none"] }));
        yield return Case("Algorithms must hold at least one of ES256", OfJwt(options => options with { Algorithms = ["HS256"] }));
        yield return Case("MaxTokenAge must be between", OfJwt(options => options with { MaxTokenAge = TimeSpan.Zero }));
        yield return Case("Audiences must hold", OfJwt(options => options with { Audiences = [] }));
        yield return Case("RequiredScopes must hold scopes", OfJwt(options => options with { RequiredScopes = ["a b"] }));
        yield return Case("User must be a TokenUser", OfJwt(options => options with { User = 0 }));
        yield return Case("ClockSkew must be between", OfJwt(options => options with { ClockSkew = TimeSpan.FromMinutes(6) }));
        yield return Case("OpenIdConfiguration must be", OfJwt(options => options with { OpenIdConfiguration = "http://issuer.test" }));
        yield return Case("TimeProvider must not be null", OfJwt(options => options with { TimeProvider = null! }));
        yield return Case("Connection must not be null", OfKeys(options => options with { Connection = null! }));
        yield return Case("Trust must not be null", OfKeys(options => options with { Connection = s_connection with { Trust = null! } }));
        yield return Case(
            "Timeout must be above zero", OfKeys(options => options with { Connection = s_connection with { Timeout = TimeSpan.Zero } }));
        yield return Case("MaxResponseBytes must be", OfKeys(options => options with { Connection = s_connection with { MaxResponseBytes = 1 } }));
        yield return Case("Interval must be between", OfKeys(options => options with { Interval = TimeSpan.FromSeconds(59) }));
        yield return Case("UnknownKeyInterval must be", OfKeys(options => options with { UnknownKeyInterval = TimeSpan.Zero }));
        yield return Case("MaxAge must be at least", OfKeys(options => options with { MaxAge = TimeSpan.FromMinutes(9) }));
        yield return Case("AcceptedThumbprints must hold", OfKeys(options => options with { AcceptedThumbprints = ["short"] }));
        yield return Case("FurtherKeyHosts must hold", OfKeys(options => options with { FurtherKeyHosts = [" "] }));
        yield return Case("LoggerFactory must not be null", OfKeys(options => options with { LoggerFactory = null! }));
        yield return Case("Endpoint must be an https", Asking(options => options with { Endpoint = new Uri("http://issuer.test") }));
        yield return Case("ByCertificate needs", Asking(options => options with { Credentials = IssuerCredentials.ByCertificate("us") }));
        yield return Case("MaxConcurrent must be", Asking(options => options with { MaxConcurrent = 0 }));
        yield return Case("CacheTime must be", Asking(options => options with { CacheTime = TimeSpan.FromSeconds(61) }));
        yield return Case("LoggerFactory must not", Asking(options => options with { LoggerFactory = null! }));
        yield return Case("Endpoint must be", Getting(options => options with { Endpoint = new Uri("/token", UriKind.Relative) }));
        yield return Case("Credentials must not be null", Getting(options => options with { Credentials = null! }));
        yield return Case("Scopes must hold", Getting(options => options with { Scopes = [""] }));
        yield return Case("Resource must be", Getting(options => options with { Resource = new Uri("/x", UriKind.Relative) }));
        yield return Case("RenewAfter must be", Getting(options => options with { RenewAfter = 1 }));
        yield return Case("RetryDelay must be", Getting(options => options with { RetryDelay = TimeSpan.Zero }));
        yield return Case("TimeProvider and LoggerFactory", Getting(options => options with { TimeProvider = null! }));
    }

    [TestCaseSource(nameof(Problems))]
    public void A_problem_is_said(string said, Action make) => make.Should().Throw<ArgumentException>().WithMessage($"*{said}*");

    private static JwtValidatorOptions Jwt() => new() { Issuer = Signer.Issuer, Audiences = [Signer.Audience], Keys = s_keys };

    private static IntrospectionOptions Introspection() => new()
    {
        Endpoint = new Uri("https://issuer.test"),
        Connection = s_connection,
        Credentials = IssuerCredentials.BySecret("us", "secret"),
        Audiences = [Signer.Audience],
    };

    private static ClientCredentialsOptions Granting() => new()
    {
        Endpoint = new Uri("https://issuer.test"),
        Connection = s_connection,
        Credentials = IssuerCredentials.BySecret("us", "secret"),
    };

    private static IssuerKeys MakeKeys()
    {
        using var signer = new Signer();
        var file = Path.GetTempFileName();
        try
        {
            File.WriteAllText(file, Signer.Set(signer.Jwk));
            return IssuerKeys.FromFile(file);
        }
        finally
        {
            File.Delete(file);
        }
    }

    private static string DefaultOf(object? value) => value switch
    {
        null => "none",
        bool flag => flag ? "yes" : "no",
        int number => number.ToString("N0", CultureInfo.InvariantCulture),
        double number => number.ToString(CultureInfo.InvariantCulture),
        TimeSpan span => string.Create(CultureInfo.InvariantCulture, $"{span.TotalSeconds} s"),
        Enum member => $"`{member}`",
        NullLoggerFactory => "nowhere",
        TimeProvider clock when clock == TimeProvider.System => "the system's",
        IEnumerable list => string.Join(", ", list.Cast<object>()) is { Length: > 0 } text ? text : "none",
        _ => $"see `{value.GetType().Name}`",
    };
}
