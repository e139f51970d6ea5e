using System.Collections;
using System.Globalization;
using System.Reflection;
using System.Runtime.CompilerServices;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging.Abstractions;
using MutualAuth.Audit;
using MutualAuth.Callbacks;
using MutualAuth.Connections;
using MutualAuth.Credentials;
using MutualAuth.Evidence;
using MutualAuth.Expiry;
using MutualAuth.Handshake;
using MutualAuth.Ocsp;
using MutualAuth.Paths;
using MutualAuth.Platforms;
using MutualAuth.Revocation;
using MutualAuth.Tests.Support;
using MutualAuth.Validation;

namespace MutualAuth.Tests.Documentation;

/// <summary>Holds docs/reference/options.md to the options types, both ways round.</summary>
public sealed class OptionsPageTests
{
    private static readonly MutualTlsServerOptions s_server = new() { Identity = null!, Trust = null!, Authorization = null! };

    private static readonly MutualTlsClientOptions s_client = new() { Identity = ClientIdentity.None, Trust = null!, Authorization = null! };

    private static IEnumerable<TestCaseData> Types()
    {
        static TestCaseData Case(Type type, object instance) => new TestCaseData(type, instance).SetArgDisplayNames(type.Name);

        yield return Case(typeof(MutualTlsClientOptions), s_client);
        yield return Case(typeof(MutualTlsServerOptions), s_server);
        yield return Case(typeof(HandshakeOptions), s_server);
        yield return Case(typeof(CertificateStageOptions), s_server);
        yield return Case(typeof(ValidationCallbackOptions), new ValidationCallbackOptions());
        yield return Case(typeof(RevocationPolicy), new RevocationPolicy { Lists = null! });
        yield return Case(typeof(RevocationFetchOptions), new RevocationFetchOptions { Addresses = [] });
        yield return Case(typeof(OcspOptions), new OcspOptions { Responders = [] });
        yield return Case(typeof(CredentialPolicy), Require.Certificate);
        yield return Case(typeof(ClientCredentials), Login.WithToken("token"));
        yield return Case(typeof(BackoffAttemptLimiter), new BackoffAttemptLimiter());
        yield return Case(typeof(LockOutPolicy), new LockOutPolicy { Failures = 5 });
        yield return Case(typeof(ReconnectCredentialsOptions), new ReconnectCredentialsOptions { Server = "vpn.test", Store = null! });
        yield return Case(typeof(SessionLimits), new SessionLimits());
        yield return Case(typeof(IdentityCheck), new IdentityCheck { Role = PeerRole.Server });
        yield return Case(typeof(FileCredentialStoreOptions), new FileCredentialStoreOptions());
        yield return Case(typeof(AuditPolicy), new AuditPolicy { Sink = null! });
        yield return Case(typeof(RevalidationPolicy), new RevalidationPolicy());
        yield return Case(typeof(HandshakeLimits), new HandshakeLimits());
        yield return Case(typeof(TcpKeepAlive), new TcpKeepAlive());
        yield return Case(typeof(CertificateLimits), new CertificateLimits());
        yield return Case(
            typeof(MutualTlsListenerOptions), new MutualTlsListenerOptions { Server = null! });
        yield return Case(typeof(ProxyProtocol), new ProxyProtocol { TrustedProxies = [] });
        yield return Case(typeof(ExpiryWatchOptions), new ExpiryWatchOptions());
        yield return Case(typeof(WatchOptions), new WatchOptions());
        yield return Case(typeof(ValidationProfile), ValidationProfile.MutualTls);
        yield return Case(typeof(AnchorConstraints), new AnchorConstraints());
        yield return Case(typeof(ValidationBudget), new ValidationBudget());
        yield return Case(typeof(PlatformRequirements), new PlatformRequirements());
        yield return Case(
            typeof(DatabaseCredentialStore), new DatabaseCredentialStore(SqliteFactory.Instance.CreateDataSource("Data Source=:memory:")));
    }

    [TestCaseSource(nameof(Types))]
    public void Defaults_are_as_documented(Type type, object instance)
    {
        var options = type.GetProperties(BindingFlags.Public | BindingFlags.Instance | BindingFlags.DeclaredOnly).Where(
            property => property.CanWrite);

        DocumentationPage.Open("docs/reference/options.md").RowsUnder(type.Name).Select(cells => (cells[0], cells[1])).Should().BeEquivalentTo(
            options.Select(option => ($"`{option.Name}`", DefaultOf(option, instance))));
    }

    [Test]
    public void Every_options_type_has_a_section() => typeof(MutualTlsServer).Assembly.GetExportedTypes().Where(IsOptions)
        .Should().BeEquivalentTo(Types().Select(type => (Type)type.Arguments[0]!));

    [TestCase(typeof(Rejection))]
    [TestCase(typeof(PeerEvidence))]
    [TestCase(typeof(MaterialException))]
    public void What_is_no_choice_of_the_user_is_no_options_type(Type type) => IsOptions(type).Should().BeFalse();

    /// <summary>
    /// Options are what has problems, and what can be set in every property while it is made. What a constructor must be told says
    /// what happened, not what shall.
    /// </summary>
    private static bool IsOptions(Type type)
    {
        const BindingFlags Declared = BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.DeclaredOnly;
        var properties = type.GetProperties(BindingFlags.Public | BindingFlags.Instance | BindingFlags.DeclaredOnly);
        return type.GetMethod("Problems", Declared) is not null
            || (properties.Length > 0 && Array.TrueForAll(properties, property => property.SetMethod is { IsPublic: true })
                && !Array.Exists(type.GetConstructors(), constructor => SetsPropertiesOnly(constructor, properties))
                && !type.IsAssignableTo(typeof(Exception)));
    }

    private static bool SetsPropertiesOnly(ConstructorInfo constructor, PropertyInfo[] properties) =>
        constructor.GetParameters() is { Length: > 0 } parameters && Array.TrueForAll(
            parameters, parameter => Array.Exists(properties, property => property.Name.Equals(parameter.Name, StringComparison.OrdinalIgnoreCase)));

    private static string DefaultOf(PropertyInfo option, object instance)
    {
        if (option.GetCustomAttribute<RequiredMemberAttribute>() is not null)
        {
            return "required";
        }

        if (option.Name == nameof(CredentialPolicy.MaxConcurrentKeyDerivations))
        {
            return "half the processors"; // differs from machine to machine
        }

        if (option.Name == nameof(MutualTlsListenerOptions.MaxConcurrentHandshakes))
        {
            option.GetValue(instance).Should().Be(Math.Max(2, Environment.ProcessorCount));
            return "the processors, 2 at least";
        }

        return option.GetValue(instance) switch
        {
            UserRule value => value.ToString(),
            string value => $"`{value}`",
            null => "none",
            System.Collections.Immutable.ImmutableArray<TimeSpan> { Length: 7 } => "30, 14, 7, 3 and 1 days, 6 h, 1 h",
            bool value => value ? "`true`" : "`false`",
            int value when instance is MutualTlsListenerOptions && value == DescriptorLimit.Share(4096) => "4,096",
            int value when instance is MutualTlsListenerOptions && value == DescriptorLimit.Share(1024) => "1,024",
            int value => value.ToString("N0", CultureInfo.InvariantCulture),
            TimeSpan value => string.Create(CultureInfo.InvariantCulture, $"{value.TotalSeconds} s"),
            Enum value => $"`{value}`",
            NullLoggerFactory => "nowhere",
            TimeProvider value when value == TimeProvider.System => "the system's",
            ValidationProfile value when value == ValidationProfile.MutualTls => "`ValidationProfile.MutualTls`",
            IEnumerable value when !value.Cast<object>().Any() => "none",
            var value => $"see `{value.GetType().Name}`",
        };
    }
}
