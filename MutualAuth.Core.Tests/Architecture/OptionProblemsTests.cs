using System.Collections.Immutable;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Text.RegularExpressions;
using MutualAuth.Audit;
using MutualAuth.Callbacks;
using MutualAuth.Confirmation;
using MutualAuth.Connections;
using MutualAuth.Credentials;
using MutualAuth.Expiry;
using MutualAuth.Handshake;
using MutualAuth.Names;
using MutualAuth.Ocsp;
using MutualAuth.Paths;
using MutualAuth.Platforms;
using MutualAuth.Revocation;
using MutualAuth.Tests.Support;
using MutualAuth.Validation;

namespace MutualAuth.Tests.Architecture;

/// <summary>
/// Everything that options can be told to be wrong: each message is produced by options that have that one fault and no other, and beside it stand
/// options that differ in this one fact and have none.
/// </summary>
public sealed partial class OptionProblemsTests
{
    private const TlsVersion NoVersion = (TlsVersion)99;

    private static readonly World s_world = new();

    private static readonly MutualTlsServerOptions s_server = s_world.ServerOptions;

    private static readonly MutualTlsClientOptions s_client = s_world.ClientOptions;

    private static readonly ReconnectCredentialsOptions s_reconnects = new() { Server = "vpn.test", Store = new MemoryCredentialStore() };

    private static readonly CredentialPolicy s_users = Require.User(SaslServer.Scram(new MemoryCredentialStore()));

    private static readonly RevocationPolicy s_revocation = new() { Lists = RevocationLists.Empty };

    private static readonly RevocationFetchOptions s_fetch = new() { Addresses = [new Uri("http://crl.test/")] };

    private static readonly OcspOptions s_ocsp = new() { Responders = [new OcspEndpoint(new Uri("http://ocsp.test/"))] };

    private static readonly ClientCredentials s_credentials = Login.WithPassword("alice", Password.From("correct horse"));

    private static readonly MutualTlsListenerOptions s_listener = new()
    {
        Server = new MutualTlsServer(s_server),
        EndPoint = new IPEndPoint(IPAddress.Loopback, 0),
    };

    private static readonly Socket s_bound = Bound();

    private static readonly Socket s_unbound = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);

    [OneTimeTearDown]
    public void TearDown()
    {
        s_bound.Dispose();
        s_unbound.Dispose();
    }

    /// <summary>The faults of <see cref="CertificateStageOptions"/> and of what it holds.</summary>
    private static IEnumerable<TestCaseData> OfTheCertificateStage()
    {
        static TestCaseData Case(string message, CertificateStageOptions faulty, CertificateStageOptions sound) =>
            Fault<CertificateStageOptions>(message, faulty.Problems, sound.Problems);
        static TestCaseData Limit(string message, CertificateLimits faulty, CertificateLimits sound) => Fault<CertificateLimits>(
            message, (s_server with { CertificateLimits = faulty }).Problems, (s_client with { CertificateLimits = sound }).Problems);
        static TestCaseData Lists(string message, RevocationPolicy faulty, RevocationPolicy sound) => Fault<RevocationPolicy>(
            message, (s_server with { Revocation = faulty }).Problems, (s_client with { Revocation = sound }).Problems);

        yield return Case("Trust is missing", s_server with { Trust = null! }, s_server);
        yield return Case("Authorization is missing", s_server with { Authorization = null! }, s_server);
        yield return Case("Validators must be set", s_server with { Validators = default }, s_server with { Validators = [] });
        yield return Case("Validators must be set, and hold no null", s_server with { Validators = [null!] }, s_server);
        yield return Case("Profile, LoggerFactory and CertificateLimits must not be null", s_server with { Profile = null! }, s_server);
        yield return Case("LoggerFactory and CertificateLimits must not be null", s_server with { LoggerFactory = null! }, s_server);
        yield return Case("CertificateLimits must not be null", s_server with { CertificateLimits = null! }, s_server);

        yield return Case(
            "AcknowledgedWarnings must be defined flags",
            s_server with { AcknowledgedWarnings = (ConfigurationWarnings)16 },
            s_server with { AcknowledgedWarnings = (ConfigurationWarnings)15 });

        yield return Limit("MaxCertificates must be at least 1", new() { MaxCertificates = 0 }, new() { MaxCertificates = 1 });
        yield return Limit("MaxCertificateBytes must be at least 1024", new() { MaxCertificateBytes = 1023 }, new() { MaxCertificateBytes = 1024 });

        var (hour, year, tick) = (TimeSpan.FromHours(1), TimeSpan.FromDays(366), TimeSpan.FromTicks(1));
        yield return Lists("RevocationPolicy.Lists is missing", s_revocation with { Lists = null! }, s_revocation);
        yield return Lists(
            "RevocationPolicy.Coverage and Unknown must be defined values",
            s_revocation with { Coverage = (RevocationCoverage)9 },
            s_revocation with { Coverage = RevocationCoverage.LeafOnly });
        yield return Lists("Coverage and Unknown must be defined", s_revocation with { Unknown = (UnknownStatus)9 }, s_revocation);
        yield return Lists("ClockSkew must be zero to one hour", s_revocation with { ClockSkew = -tick }, s_revocation with { ClockSkew = default });
        yield return Lists(
            "ClockSkew must be zero to one hour", s_revocation with { ClockSkew = hour + tick }, s_revocation with { ClockSkew = hour });
        var (days, more) = (TimeSpan.FromDays(10), TimeSpan.FromDays(366));
        yield return Lists(
            "RevocationPolicy.NoRevAvailLifetime must be zero to 366 days",
            s_revocation with { NoRevAvailLifetime = more + tick },
            s_revocation with { NoRevAvailLifetime = more });
        yield return Lists("NoRevAvailLifetime must be zero to", s_revocation with { NoRevAvailLifetime = -tick }, s_revocation);
        yield return Lists(
            "RevocationPolicy.ShortLivedLifetime must be zero to 10 days",
            s_revocation with { ShortLivedLifetime = days + tick },
            s_revocation with { ShortLivedLifetime = days });
        yield return Lists("ShortLivedLifetime must be zero to", s_revocation with { ShortLivedLifetime = -tick }, s_revocation);
        var excepted = s_server with { Profile = ValidationProfile.MutualTls with { Purpose = PurposeRule.DangerouslyServerAuthForClients } };
        yield return Case(
            "Profile has PurposeRule.DangerouslyServerAuthForClients, but Authorization does not spell out the names of all peers",
            excepted with { Authorization = Authorize.AnyTrustedPeer },
            excepted with { Authorization = Authorize.Dns("client.test") });
        yield return Lists("DangerousGracePeriod must be between", s_revocation with { DangerousGracePeriod = -tick }, s_revocation);
        yield return Lists(
            "DangerousGracePeriod must be between zero and 366 days",
            s_revocation with { DangerousGracePeriod = year + tick },
            s_revocation with { DangerousGracePeriod = year });
    }

    /// <summary>The faults of <see cref="HandshakeOptions"/> and of what it holds.</summary>
    private static IEnumerable<TestCaseData> OfTheHandshake()
    {
        static TestCaseData Case(string message, HandshakeOptions faulty, HandshakeOptions sound) =>
            Fault<HandshakeOptions>(message, faulty.Problems, sound.Problems);
        static TestCaseData Limit(string message, HandshakeLimits faulty, HandshakeLimits sound) => Fault<HandshakeLimits>(
            message, (s_server with { HandshakeLimits = faulty }).Problems, (s_client with { HandshakeLimits = sound }).Problems);
        static TestCaseData Probes(string message, TcpKeepAlive faulty, TcpKeepAlive sound) => Fault<TcpKeepAlive>(
            message, (s_client with { KeepAlive = faulty }).Problems, (s_server with { KeepAlive = sound }).Problems);
        static TestCaseData Required(string message, PlatformRequirements faulty, PlatformRequirements sound) => Fault<PlatformRequirements>(
            message, (s_server with { RequirePlatform = faulty }).Problems, (s_client with { RequirePlatform = sound }).Problems);
        static TestCaseData Suites(string message, ImmutableArray<TlsCipherSuite> faulty, bool isTheSystems, ImmutableArray<TlsCipherSuite> sound)
        {
            var options = s_server with { MinimumTlsVersion = TlsVersion.Tls13 };
            return Fault<HandshakeOptions>(
                message,
                () => (options with { CipherSuites = faulty }).CipherSuiteProblems(isTheSystems),
                () => (options with { CipherSuites = sound }).CipherSuiteProblems(isTheSystems));
        }

        static TestCaseData Audits(string message, AuditPolicy faulty, AuditPolicy sound) => Fault<AuditPolicy>(
            message, (s_server with { Audit = faulty }).Problems, (s_client with { Audit = sound }).Problems);

        var audit = new AuditPolicy { Sink = new RecordingSink() };
        yield return Audits("AuditPolicy.Sink is missing: say where events are recorded", audit with { Sink = null! }, audit);
        yield return Audits(
            "AuditPolicy.OnFailure must be an action; it is 0", audit with { OnFailure = default },
            audit with { OnFailure = AuditFailureAction.DangerouslyContinueWithoutAudit });
        yield return Audits(
            "AuditPolicy.Timeout must be more than zero and at most a minute; it is 00:00:00", audit with { Timeout = default },
            audit with { Timeout = TimeSpan.FromTicks(1) });
        yield return Audits(
            "AuditPolicy.Timeout must be more than zero and at most a minute; it is 00:01:00.0000001",
            audit with { Timeout = TimeSpan.FromMinutes(1) + TimeSpan.FromTicks(1) }, audit with { Timeout = TimeSpan.FromMinutes(1) });
        var longest = new string('p', ConfirmationProtocol.MaxApplicationProtocolLength);
        yield return Case(
            "ApplicationProtocols must be set", s_server with { ApplicationProtocols = default }, s_server with { ApplicationProtocols = [] });
        yield return Case(
            $"The application protocol '{longest}p' must have 1 to {longest.Length} characters",
            s_server with { ApplicationProtocols = [longest + "p"] },
            s_server with { ApplicationProtocols = [longest] });
        yield return Case(
            "The application protocol '' must have 1", s_client with { ApplicationProtocols = [""] }, s_client with { ApplicationProtocols = ["h"] });
        yield return Case(
            "characters of one octet each", s_server with { ApplicationProtocols = ["\u0100"] }, s_server with { ApplicationProtocols = ["\u00ff"] });
        yield return Case(
            $"The application protocol '{ConfirmationProtocol.Bare}' is reserved for the library",
            s_server with { ApplicationProtocols = [ConfirmationProtocol.Bare] },
            s_server with { ApplicationProtocols = ["h2"] });
        yield return Case(
            "MinimumTlsVersion must be TLS 1.2 or 1.3",
            s_server with { MinimumTlsVersion = NoVersion },
            s_server with { MinimumTlsVersion = TlsVersion.Tls13 });

        yield return Suites("CipherSuites must be set", default, isTheSystems: false, []);
        yield return Suites("and name suites that exist", [(TlsCipherSuite)0xfefe], isTheSystems: false, [TlsCipherSuite.TLS_AES_256_GCM_SHA384]);
        yield return Suites("CipherSuites cannot be chosen on this platform", [TlsCipherSuite.TLS_AES_256_GCM_SHA384], isTheSystems: true, []);
        yield return Suites(
            "CipherSuites names none of TLS 1.3, and MinimumTlsVersion demands that version",
            [TlsCipherSuite.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384],
            isTheSystems: false,
            [TlsCipherSuite.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, TlsCipherSuite.TLS_AES_256_GCM_SHA384]);

        const string Name = "PlatformRequirements.Name must have 1 to 64 characters";
        yield return Required(Name, new() { Name = " " }, new() { Name = "a" });
        yield return Required(Name, new() { Name = new string('a', 65) }, new() { Name = new string('a', 64) });
        yield return Required(Name, new() { Name = "a\nb" }, new() { Name = "a b" });
        yield return Required(
            "PlatformRequirements.MinimumTlsVersion must be TLS 1.2 or 1.3", new() { MinimumTlsVersion = NoVersion },
            new() { MinimumTlsVersion = TlsVersion.Tls13 });
        const string Lists = "CipherSuites, KeyExchangeGroups and SignatureSchemes of PlatformRequirements must be set";
        yield return Required(Lists, new() { CipherSuites = default }, new() { CipherSuites = [] });
        yield return Required(Lists, new() { KeyExchangeGroups = default }, new() { KeyExchangeGroups = [] });
        yield return Required(Lists, new() { SignatureSchemes = default }, new() { SignatureSchemes = [] });

        yield return Case("KeyExchange must not be null", s_server with { KeyExchange = null! }, s_server);
        yield return Case(
            "KeyExchange demands ML-KEM, which TLS 1.2 does not have",
            s_client with { KeyExchange = KeyExchangePolicy.Hybrid, CipherSuites = [TlsCipherSuite.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384] },
            s_client with
            {
                KeyExchange = KeyExchangePolicy.Only(KeyExchangeGroup.X25519, KeyExchangeGroup.X25519MLKem768),
                CipherSuites = [TlsCipherSuite.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384],
            });
        yield return Case("Confirmation must be a policy", s_server with { Confirmation = (ConfirmationPolicy)9 }, s_server);
        yield return Case(
            "Confirmation is Never, but a login needs confirmation",
            s_server with { Confirmation = ConfirmationPolicy.Never, Credentials = s_users },
            s_server with { Confirmation = ConfirmationPolicy.Never });
        yield return Case(
            "Confirmation is Never, but a login",
            s_client with { Confirmation = ConfirmationPolicy.Never, Credentials = s_credentials },
            s_client with { Credentials = s_credentials });
        yield return Case("AsyncValidators must be set", s_server with { AsyncValidators = default }, s_server with { AsyncValidators = [] });
        yield return Case("AsyncValidators must be set, and hold no null", s_server with { AsyncValidators = [null!] }, s_server);
        var facts = new ScriptedFacts();
        yield return Case(
            "the name of a validator must have 1 to 64 letters",
            s_server with { AsyncValidators = [new ScriptedFacts("a b")] },
            s_server with { AsyncValidators = [facts] });
        yield return Case(
            "two validators have the name",
            s_server with { AsyncValidators = [facts, new ScriptedFacts()] },
            s_server with { AsyncValidators = [facts, new ScriptedFacts("location")] });
        yield return Case(
            "Authorization asks for facts of 'posture'",
            s_server with { Authorization = Authorize.Fact("posture", "compliant", "true") },
            s_server with { Authorization = Authorize.Fact("posture", "compliant", "true"), AsyncValidators = [facts] });
        yield return Case(
            "MaxConcurrentAsyncValidations must be at least 1",
            s_server with { MaxConcurrentAsyncValidations = 0 },
            s_server with { MaxConcurrentAsyncValidations = 1 });

        var (hour, tick) = (TimeSpan.FromHours(1), TimeSpan.FromTicks(1));
        yield return Case(
            "HandshakeTimeout must be more than zero", s_server with { HandshakeTimeout = default }, s_server with { HandshakeTimeout = tick });
        yield return Case(
            "HandshakeTimeout must be more", s_server with { HandshakeTimeout = hour + tick }, s_server with { HandshakeTimeout = hour });
        yield return Case(
            "AsyncValidatorTimeout must be more", s_server with { AsyncValidatorTimeout = default }, s_server with { AsyncValidatorTimeout = tick });
        yield return Case(
            "AsyncValidatorTimeout must be", s_server with { AsyncValidatorTimeout = hour + tick }, s_server with { AsyncValidatorTimeout = hour });
        yield return Case("CloseTimeout must be more than zero", s_server with { CloseTimeout = default }, s_server with { CloseTimeout = tick });
        yield return Case("CloseTimeout must be more", s_server with { CloseTimeout = hour + tick }, s_server with { CloseTimeout = hour });
        yield return Case("HandshakeLimits, KeepAlive and TimeProvider must not be null", s_server with { HandshakeLimits = null! }, s_server);
        yield return Case("KeepAlive and TimeProvider must not be null", s_server with { KeepAlive = null! }, s_server);
        yield return Case("TimeProvider must not be null", s_client with { TimeProvider = null! }, s_client);

        const int Most = 1 << 20;
        yield return Limit(
            "MaxClientHelloBytes must be from 512 to 1,048,576", new() { MaxClientHelloBytes = 511 }, new() { MaxClientHelloBytes = 512 });
        yield return Limit(
            "MaxClientHelloBytes must be from 512",
            new() { MaxClientHelloBytes = Most + 1, MaxHandshakeBytes = 3 * Most },
            new() { MaxClientHelloBytes = Most, MaxHandshakeBytes = 2 * Most });
        yield return Limit(
            "MaxHandshakeBytes must be at least twice MaxClientHelloBytes",
            new() { MaxClientHelloBytes = 512, MaxHandshakeBytes = 1023 },
            new() { MaxClientHelloBytes = 512, MaxHandshakeBytes = 1024 });

        var (second, longestProbe) = (TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(short.MaxValue));
        yield return Probes("TcpKeepAlive.Time must be whole seconds", new() { Time = second - tick }, new() { Time = second });
        yield return Probes("TcpKeepAlive.Time must be whole seconds", new() { Time = longestProbe + second }, new() { Time = longestProbe });
        yield return Probes("TcpKeepAlive.Interval must be whole seconds", new() { Interval = default }, new() { Interval = second });
        yield return Probes("TcpKeepAlive.Interval must be whole seconds", new() { Interval = second * 1.5 }, new() { Interval = second * 2 });
        yield return Probes("TcpKeepAlive.RetryCount must be 1 to 127", new() { RetryCount = 0 }, new() { RetryCount = 1 });
        yield return Probes("TcpKeepAlive.RetryCount must be 1 to 127", new() { RetryCount = 128 }, new() { RetryCount = 127 });
    }

    /// <summary>The faults that a client or a server can have, and those of what both hold.</summary>
    private static IEnumerable<TestCaseData> OfClientsAndServers()
    {
        static TestCaseData Client(string message, MutualTlsClientOptions faulty, MutualTlsClientOptions sound) =>
            Fault<MutualTlsClientOptions>(message, faulty.Problems, sound.Problems);
        static TestCaseData Server(string message, MutualTlsServerOptions faulty, MutualTlsServerOptions sound) =>
            Fault<MutualTlsServerOptions>(message, faulty.Problems, sound.Problems);
        static TestCaseData Again(string message, RevalidationPolicy faulty, RevalidationPolicy sound) => Fault<RevalidationPolicy>(
            message,
            () => (s_server with { Revalidation = faulty }).Problems().Intersect((s_client with { Revalidation = faulty }).Problems()),
            () => (s_server with { Revalidation = sound }).Problems().Concat((s_client with { Revalidation = sound }).Problems()));

        var (hour, tick) = (TimeSpan.FromHours(1), TimeSpan.FromTicks(1));
        var alike = s_server with { Credentials = s_users with { UniformRefusalTime = TimeSpan.FromSeconds(4) } };
        yield return Server(
            "UniformRefusalTime must be less than HandshakeTimeout",
            alike with { HandshakeTimeout = TimeSpan.FromSeconds(4) },
            alike with { HandshakeTimeout = TimeSpan.FromSeconds(4) + tick });
        yield return Server(
            "Authorization compares the dialled name",
            s_server with { Authorization = Authorize.ServerName },
            s_server with { Authorization = Authorize.AnyOf(Authorize.ServerName, Authorize.Dns("client.test")) });
        yield return Server(
            "Authorization compares the dialled name",
            s_server with { Authorization = Authorize.AllOf(Authorize.ServerName, Authorize.Dns("client.test")) },
            s_server with { Authorization = Authorize.AllOf(Authorize.AnyTrustedPeer, Authorize.Dns("client.test")) });
        yield return Client("Revalidation must not be null", s_client with { Revalidation = null! }, s_client);
        yield return Client("Identity is missing", s_client with { Identity = null! }, s_client with { Identity = ClientIdentity.None });
        yield return Client(
            "ConnectTimeout must be more than zero", s_client with { ConnectTimeout = default }, s_client with { ConnectTimeout = tick });
        yield return Client("ConnectTimeout must be", s_client with { ConnectTimeout = hour + tick }, s_client with { ConnectTimeout = hour });
        yield return Client(
            "JudgeServerBeforeShowingIdentity protects an identity",
            s_client with { JudgeServerBeforeShowingIdentity = true, Identity = ClientIdentity.None },
            s_client with { JudgeServerBeforeShowingIdentity = true });

        yield return Server(
            "MaxAcceptableIssuerBytes must be 1 to 65535",
            s_server with { MaxAcceptableIssuerBytes = 0 },
            s_server with { MaxAcceptableIssuerBytes = 1 });
        yield return Server(
            "MaxAcceptableIssuerBytes must be 1 to 65535",
            s_server with { MaxAcceptableIssuerBytes = 65_536 },
            s_server with { MaxAcceptableIssuerBytes = 65_535 });
        yield return Server("Identity is missing", s_server with { Identity = null! }, s_server);
        yield return Server("Revalidation must not be null", s_server with { Revalidation = null! }, s_server);
        yield return Server(
            "Credentials must not be null", s_server with { Credentials = null! }, s_server with { Credentials = Require.Certificate });

        const InvalidationAction NoAction = (InvalidationAction)9;
        RevalidationPolicy[] withoutAction =
        [
            new() { OnRevoked = NoAction }, new() { OnUntrusted = NoAction }, new() { OnStatusUnknown = NoAction },
            new() { OnUnauthorized = NoAction }, new() { OnExpired = NoAction }, new() { OnMaximumAge = NoAction }, new() { OnIdle = NoAction },
            new() { OnOwnCertificateExpired = NoAction }, new() { OnUserDisabled = NoAction }, new() { OnUserRemoved = NoAction },
            new() { OnUserNotAllowed = NoAction }, new() { OnSecondFactorRemoved = NoAction }, new() { OnPasswordChanged = NoAction },
            new() { OnTokenExpired = NoAction }, new() { OnUserStoreUnreadable = NoAction }, new() { OnUserInactive = NoAction },
        ];
        foreach (var policy in withoutAction)
        {
            yield return Again(
                "Every action of RevalidationPolicy must be Notify, Drain or Abort", policy, new() { OnRevoked = InvalidationAction.Notify });
        }

        var (day, most) = (TimeSpan.FromDays(1), TimeSpan.FromDays(3660));
        yield return Again("GracePeriod must be between zero and an hour", new() { GracePeriod = -tick }, new() { GracePeriod = default });
        yield return Again("GracePeriod must be between", new() { GracePeriod = hour + tick }, new() { GracePeriod = hour });
        yield return Again("MaximumAge must be more than zero", new() { MaximumAge = TimeSpan.Zero }, new() { MaximumAge = null });
        yield return Again("MaximumAge must be", new() { MaximumAge = most + tick }, new() { MaximumAge = most });
        yield return Again("IdleTimeout must be more than zero", new() { IdleTimeout = TimeSpan.Zero }, new() { IdleTimeout = tick });
        yield return Again("IdleTimeout must be", new() { IdleTimeout = most + tick }, new() { IdleTimeout = most });
        yield return Again(
            "UserInactivityTimeout must be more than zero", new() { UserInactivityTimeout = TimeSpan.Zero }, new() { UserInactivityTimeout = tick });
        yield return Again("UserInactivityTimeout must be", new() { UserInactivityTimeout = most + tick }, new() { UserInactivityTimeout = most });
        yield return Again("ExpiryMargin must be between zero and a day", new() { ExpiryMargin = -tick }, new() { ExpiryMargin = default });
        yield return Again("ExpiryMargin must be between", new() { ExpiryMargin = day + tick }, new() { ExpiryMargin = day });
        yield return Again("ExpirySpread must be between zero and a day", new() { ExpirySpread = -tick }, new() { ExpirySpread = default });
        yield return Again("ExpirySpread must be between", new() { ExpirySpread = day + tick }, new() { ExpirySpread = day });
        yield return Again("RecheckInterval must be from a second to a day", new() { RecheckInterval = tick }, new());
        yield return Again("MaxUserStaleness must be from RecheckInterval to 3,660 days", new() { MaxUserStaleness = tick }, new());
        yield return Again(
            "MaxConcurrentFactQuestions must be from 1 to 1,024",
            new() { MaxConcurrentFactQuestions = 0 },
            new() { MaxConcurrentFactQuestions = 1 });
        yield return Again(
            "MaxConcurrentFactQuestions must be from 1 to 1,024",
            new() { MaxConcurrentFactQuestions = 1025 },
            new() { MaxConcurrentFactQuestions = 1024 });
        yield return Again("ReauthenticationLead must be between zero and a day", new() { ReauthenticationLead = -tick }, new());
    }

    /// <summary>The faults of <see cref="MutualTlsListenerOptions"/>.</summary>
    private static IEnumerable<TestCaseData> OfTheListener()
    {
        static TestCaseData Case(string message, MutualTlsListenerOptions faulty, MutualTlsListenerOptions? sound = null) =>
            Fault<MutualTlsListenerOptions>(message, faulty.Problems, (sound ?? s_listener).Problems);

        static ProxyProtocol Proxies(params ImmutableArray<IPNetwork> networks) => new() { TrustedProxies = networks };
        static TestCaseData Proxy(string message, ProxyProtocol faulty, ProxyProtocol sound) => Fault<ProxyProtocol>(
            message, (s_listener with { ProxyProtocol = faulty }).Problems, (s_listener with { ProxyProtocol = sound }).Problems);

        yield return Case("Server must be set", s_listener with { Server = null! });
        yield return Case(
            "Either EndPoint or BoundSocket must be set",
            s_listener with { EndPoint = null },
            s_listener with { EndPoint = null, BoundSocket = s_bound });
        yield return Case(
            "Either EndPoint or BoundSocket must be set, and not both",
            s_listener with { BoundSocket = s_bound },
            s_listener with { EndPoint = null, BoundSocket = s_bound });
        yield return Case(
            "EndPoint must be an address of this machine",
            s_listener with { EndPoint = new DnsEndPoint("localhost", 0) },
            s_listener with { EndPoint = new IPEndPoint(IPAddress.IPv6Any, 0) });
        yield return Case(
            "BoundSocket must be a stream socket that is bound and not connected; it is not bound",
            s_listener with { EndPoint = null, BoundSocket = s_unbound },
            s_listener with { EndPoint = null, BoundSocket = s_bound });
        yield return Proxy(
            "ProxyProtocol.TrustedProxies must name at least one network", Proxies(), Proxies(IPNetwork.Parse("10.0.0.0/8")));
        yield return Proxy(
            "TrustedProxies must name at least one network",
            Proxies(default(ImmutableArray<IPNetwork>)),
            Proxies() with { TrustUnixSockets = true });
        yield return Case("Backlog must be at least 1", s_listener with { Backlog = 0 }, s_listener with { Backlog = 1 });
        yield return Case("MaxPendingHellos must be at least 1", s_listener with { MaxPendingHellos = 0 }, s_listener with { MaxPendingHellos = 1 });
        yield return Case(
            "MaxPendingHellosPerAddress must be",
            s_listener with { MaxPendingHellosPerAddress = 0 },
            s_listener with { MaxPendingHellosPerAddress = 1 });
        yield return Case(
            "MaxWaitingHandshakes must be at least 1", s_listener with { MaxWaitingHandshakes = 0 }, s_listener with { MaxWaitingHandshakes = 1 });
        yield return Case(
            "MaxWaitingHandshakesPerAddress must",
            s_listener with { MaxWaitingHandshakesPerAddress = 0 },
            s_listener with { MaxWaitingHandshakesPerAddress = 1 });
        yield return Case(
            "MaxConcurrentHandshakes must be at least 1",
            s_listener with { MaxConcurrentHandshakes = 0 },
            s_listener with { MaxConcurrentHandshakes = 1 });
        yield return Case(
            "MaxQueuedHandshakes must be at least 1", s_listener with { MaxQueuedHandshakes = 0 }, s_listener with { MaxQueuedHandshakes = 1 });
        yield return Case(
            "MaxLingeringCloses must be at least 0", s_listener with { MaxLingeringCloses = -1 }, s_listener with { MaxLingeringCloses = 0 });
        yield return Case(
            "MaxReadyConnections must be at least 1", s_listener with { MaxReadyConnections = 0 }, s_listener with { MaxReadyConnections = 1 });
    }

    private static Socket Bound()
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return socket;
    }

    /// <summary>The faults of what has to do with logging in.</summary>
    private static IEnumerable<TestCaseData> OfCredentials()
    {
        static TestCaseData Policy(string message, CredentialPolicy faulty, CredentialPolicy? sound = null) => Fault<CredentialPolicy>(
            message, (s_server with { Credentials = faulty }).Problems, (s_server with { Credentials = sound ?? s_users }).Problems);
        static TestCaseData Lock(string message, LockOutPolicy faulty, LockOutPolicy sound) => Fault<LockOutPolicy>(
            message,
            (s_server with { Credentials = s_users with { LockOut = faulty } }).Problems,
            (s_server with { Credentials = s_users with { LockOut = sound } }).Problems);
        static TestCaseData Own(string message, ClientCredentials faulty, ClientCredentials sound) => Fault<ClientCredentials>(
            message, (s_client with { Credentials = faulty }).Problems, (s_client with { Credentials = sound }).Problems);
        static TestCaseData Users(string message, FileCredentialStoreOptions faulty, FileCredentialStoreOptions? sound = null) =>
            Fault<FileCredentialStoreOptions>(message, faulty.Problems, (sound ?? new()).Problems);

        yield return Policy("Users must not be null", s_users with { Users = null! });
        var codes = new Support.CodeServer();
        var both = FactorRequirement.Proofs(PeerProofs.Password | PeerProofs.OneTimeCode);
        const string NoNull = "SecondFactors, LoginFactors and StepUpFactors must not be null, nor hold a null";
        yield return Policy(NoNull, s_users with { SecondFactors = default });
        yield return Policy(NoNull, s_users with { SecondFactors = [null!] });
        yield return Policy(NoNull, s_users with { LoginFactors = null! });
        yield return Policy(NoNull, s_users with { StepUpFactors = null! });
        yield return Policy(
            "nothing requires them", s_users with { SecondFactors = [codes] }, s_users with { SecondFactors = [codes], StepUpFactors = both });
        yield return Policy(
            "LoginFactors can never be met", s_users with { LoginFactors = both }, s_users with { SecondFactors = [codes], LoginFactors = both });
        yield return Policy(
            "StepUpFactors can never be met", s_users with { StepUpFactors = both }, s_users with { SecondFactors = [codes], StepUpFactors = both });
        yield return Policy("need a policy that lets users log in", Require.Certificate with { LoginFactors = both });
        yield return Policy("need a policy that lets users log in", Require.Certificate with { SecondFactors = [codes] });
        using var reconnects = new ReconnectCredentials(s_reconnects);
        var scram = SaslServer.Scram(s_reconnects.Store);
        yield return Policy(
            "SecondFactors must not hold a ReconnectCredentials.Mechanism",
            s_users with { SecondFactors = [reconnects.Mechanism, codes], LoginFactors = both },
            s_users with { SecondFactors = [codes], LoginFactors = both });
        const string InFull =
            "A ReconnectCredentials.Mechanism needs a policy that asks for certificates, and a mechanism for the full login beside it";
        yield return Policy(InFull, Require.User(scram, reconnects.Mechanism), Require.CertificateOrUser(scram, reconnects.Mechanism));
        yield return Policy(InFull, Require.CertificateAndUser(reconnects.Mechanism), Require.CertificateAndUser(scram, reconnects.Mechanism));
        yield return Policy(
            "LoginFactors can never be met",
            Require.CertificateAndUser(scram, reconnects.Mechanism) with { LoginFactors = FactorRequirement.Proofs(PeerProofs.ReconnectCredential) },
            Require.CertificateAndUser(scram, reconnects.Mechanism));
        yield return Policy("ChannelBinding must be a policy", s_users with { ChannelBinding = (ChannelBindingPolicy)99 });
        const string Derivations =
            "MaxConcurrentKeyDerivations must be from 1 to 1,024, MaxWaitingKeyDerivations from 0 to 65,536, MaxKeyDerivationsPerAddress at least 1";
        yield return Policy(Derivations, s_users with { MaxConcurrentKeyDerivations = 0 }, s_users with { MaxConcurrentKeyDerivations = 1 });
        yield return Policy(Derivations, s_users with { MaxConcurrentKeyDerivations = 1025 }, s_users with { MaxConcurrentKeyDerivations = 1024 });
        yield return Policy(Derivations, s_users with { MaxWaitingKeyDerivations = -1 }, s_users with { MaxWaitingKeyDerivations = 0 });
        yield return Policy(Derivations, s_users with { MaxWaitingKeyDerivations = 65_537 }, s_users with { MaxWaitingKeyDerivations = 65_536 });
        yield return Policy(Derivations, s_users with { MaxKeyDerivationsPerAddress = 0 }, s_users with { MaxKeyDerivationsPerAddress = 1 });
        yield return Policy(
            "MaxConsecutiveFailures must be from 1", s_users with { MaxConsecutiveFailures = 0 }, s_users with { MaxConsecutiveFailures = 1 });
        yield return Policy("to 1,000,000", s_users with { MaxConsecutiveFailures = 1_000_001 }, s_users with { MaxConsecutiveFailures = 1_000_000 });
        var (moment, week) = (TimeSpan.FromMilliseconds(10), TimeSpan.FromDays(7));
        yield return Lock("LockOutPolicy.Failures must be from 1 to 1,000", new() { Failures = 0 }, new() { Failures = 1 });
        yield return Lock("and at most MaxConsecutiveFailures", new() { Failures = 101 }, new() { Failures = 100 });
        yield return Lock(
            "LockOutPolicy.Duration must be from a second",
            new() { Failures = 5, Duration = TimeSpan.Zero },
            new() { Failures = 5, Duration = TimeSpan.FromSeconds(1) });
        yield return Lock(
            "to seven days", new() { Failures = 5, Duration = week + moment }, new() { Failures = 5, Duration = week });
        yield return Policy(
            "UniformRefusalTime must be from 10 milliseconds",
            s_users with { UniformRefusalTime = moment / 2 },
            s_users with { UniformRefusalTime = moment });
        yield return Policy(
            "to 5 seconds, or null",
            s_users with { UniformRefusalTime = TimeSpan.FromSeconds(5) + moment },
            s_users with { UniformRefusalTime = TimeSpan.FromSeconds(5) });
        yield return Policy(
            "MaxConcurrentChecks must be from 1 to 1,024", s_users with { MaxConcurrentChecks = 0 }, s_users with { MaxConcurrentChecks = 1 });
        yield return Policy(
            "MaxConcurrentChecks must be from 1 to 1,024", s_users with { MaxConcurrentChecks = 1025 }, s_users with { MaxConcurrentChecks = 1024 });
        const int Least = ScramVerifier.MinIterations;
        const int Most = ScramVerifier.MaxIterations;
        yield return Policy("DecoyIterations must be from", s_users with { DecoyIterations = Least - 1 }, s_users with { DecoyIterations = Least });
        yield return Policy("DecoyIterations must be from", s_users with { DecoyIterations = Most + 1 }, s_users with { DecoyIterations = Most });
        yield return Policy(
            "DecoySecret must have 16 octets or more",
            s_users with { DecoySecret = [.. new byte[15]] },
            s_users with { DecoySecret = [.. new byte[16]] });
        yield return Policy("DecoySecret must have 16 octets or more", s_users with { DecoySecret = default }, s_users with { DecoySecret = [] });

        yield return Own("Credentials without a mechanism cannot log in", new ClientCredentials([]), s_credentials);
        yield return Own("Credentials without a mechanism cannot log in", new ClientCredentials([null!]), s_credentials);
        yield return Own(
            "'scram sha' is not the name of a SASL mechanism",
            s_credentials with { OnlyMechanism = "scram sha" },
            s_credentials with { OnlyMechanism = "SCRAM-SHA-256" });

        yield return Users(
            "MaxUnreadable must be a second or more",
            new() { MaxUnreadable = TimeSpan.FromMilliseconds(999) },
            new() { MaxUnreadable = TimeSpan.FromSeconds(1) });
        yield return Users(
            "MaxUnreadable must be", new() { MaxUnreadable = TimeSpan.FromSeconds(-1) }, new() { MaxUnreadable = Timeout.InfiniteTimeSpan });
        yield return Users("MaxFileBytes must be from 1 to 2,000,000,000", new() { MaxFileBytes = 0 }, new() { MaxFileBytes = 1 });
        yield return Users("MaxFileBytes must be from 1", new() { MaxFileBytes = 2_000_000_001 }, new() { MaxFileBytes = 2_000_000_000 });
        yield return Users("TimeProvider and LoggerFactory must not be null", new() { TimeProvider = null! });
        yield return Users("TimeProvider and LoggerFactory must not be null", new() { LoggerFactory = null! });
    }

    /// <summary>The faults of <see cref="ReconnectCredentialsOptions"/>.</summary>
    private static IEnumerable<TestCaseData> OfReconnectCredentials()
    {
        static TestCaseData Case(string message, ReconnectCredentialsOptions faulty, ReconnectCredentialsOptions? sound = null) =>
            Fault<ReconnectCredentialsOptions>(message, faulty.Problems, (sound ?? s_reconnects).Problems);
        static byte[] Key(int length, byte first = 1) => [.. Enumerable.Range(first, length).Select(octet => (byte)octet)];

        yield return Case("Server must name the service", s_reconnects with { Server = null! });
        yield return Case("Server must name the service", s_reconnects with { Server = " " });
        yield return Case(
            "in at most 255 octets", s_reconnects with { Server = new string('x', 256) }, s_reconnects with { Server = new string('x', 255) });
        yield return Case("Store and TimeProvider must not be null", s_reconnects with { Store = null! });
        yield return Case("Store and TimeProvider must not be null", s_reconnects with { TimeProvider = null! });
        yield return Case(
            "Factors must be set",
            s_reconnects with { Store = new OtherStore() },
            s_reconnects with { Store = new OtherStore(), Factors = new MemoryCredentialStore() });
        yield return Case(
            "StandsFor may hold Password, OneTimeCode, Passkey, UserVerification, RecoveryCode",
            s_reconnects with { StandsFor = PeerProofs.Password | PeerProofs.Certificate },
            s_reconnects with { StandsFor = PeerProofs.Password | PeerProofs.RecoveryCode });
        yield return Case(
            "StandsFor may hold",
            s_reconnects with { StandsFor = PeerProofs.ReconnectCredential },
            s_reconnects with { StandsFor = PeerProofs.None });
        var tick = TimeSpan.FromTicks(1);
        yield return Case("Lifetime must be more than zero", s_reconnects with { Lifetime = TimeSpan.Zero }, s_reconnects with { Lifetime = tick });
        yield return Case(
            "and at most 1.00:00:00",
            s_reconnects with { Lifetime = TimeSpan.FromHours(24) + tick },
            s_reconnects with { Lifetime = TimeSpan.FromHours(24) });
        const string Keys = "Key and OtherKey must have 32 random octets";
        yield return Case(Keys, s_reconnects with { Key = [.. Key(31)] }, s_reconnects with { Key = [.. Key(32)] });
        yield return Case(Keys, s_reconnects with { Key = [.. Key(33)] });
        yield return Case(Keys, s_reconnects with { Key = [.. new byte[32]] });
        yield return Case(Keys, s_reconnects with { Key = default });
        yield return Case(
            Keys,
            s_reconnects with { Key = [.. Key(32)], OtherKey = [.. Key(31)] },
            s_reconnects with { Key = [.. Key(32)], OtherKey = [.. Key(32, 2)] });
        yield return Case("OtherKey needs a Key beside it", s_reconnects with { OtherKey = [.. Key(32)] });
    }

    private sealed class OtherStore : ICredentialStore
    {
        public ValueTask<StoredCredential?> FindAsync(string userName, CancellationToken cancellationToken) => default;
    }

    /// <summary>The faults of <see cref="OcspOptions"/>, <see cref="WatchOptions"/> and other options that stand for themselves.</summary>
    private static IEnumerable<TestCaseData> OfOcspAndFiles()
    {
        static TestCaseData Ocsp(string message, OcspOptions faulty, OcspOptions? sound = null) =>
            Fault<OcspOptions>(message, faulty.Problems, (sound ?? s_ocsp).Problems);
        static TestCaseData Watch(string message, WatchOptions faulty, WatchOptions? sound = null) =>
            Fault<WatchOptions>(message, faulty.Problems, (sound ?? new WatchOptions()).Problems);

        var endPoint = s_ocsp.Responders[0];
        var ofIssuer = new OcspEndpoint(endPoint.Address, DistinguishedName.Parse("CN=Ours"));
        var (hour, tick) = (TimeSpan.FromHours(1), TimeSpan.FromTicks(1));
        yield return Ocsp("Responders must name at least one responder", s_ocsp with { Responders = [] });
        yield return Ocsp("Responders must name at least one", s_ocsp with { Responders = default });
        yield return Ocsp("and hold no null", s_ocsp with { Responders = [endPoint, null!] });
        yield return Ocsp(
            "Responders has two for one issuer",
            s_ocsp with { Responders = [endPoint, endPoint] },
            s_ocsp with { Responders = [endPoint, ofIssuer] });
        const string Values = "Coverage, Failure, Nonce and Hash must be values that exist";
        yield return Ocsp(Values, s_ocsp with { Coverage = (RevocationCoverage)9 });
        yield return Ocsp(Values, s_ocsp with { Failure = (OcspFailure)9 });
        yield return Ocsp(Values, s_ocsp with { Nonce = (OcspNonce)9 });
        yield return Ocsp(Values, s_ocsp with { Hash = (OcspHash)9 });
        var (days, most) = (TimeSpan.FromDays(10), TimeSpan.FromDays(366));
        yield return Ocsp(
            "NoRevAvailLifetime must be zero to 366 days",
            s_ocsp with { NoRevAvailLifetime = most + tick },
            s_ocsp with { NoRevAvailLifetime = most });
        yield return Ocsp("NoRevAvailLifetime must be zero", s_ocsp with { NoRevAvailLifetime = -tick });
        yield return Ocsp(
            "ShortLivedLifetime must be zero to 10 days",
            s_ocsp with { ShortLivedLifetime = days + tick },
            s_ocsp with { ShortLivedLifetime = days });
        yield return Ocsp("ShortLivedLifetime must be zero", s_ocsp with { ShortLivedLifetime = -tick });
        yield return Ocsp("Timeout must be above zero and at most five minutes", s_ocsp with { Timeout = default }, s_ocsp with { Timeout = tick });
        yield return Ocsp(
            "Timeout must be above", s_ocsp with { Timeout = TimeSpan.FromMinutes(5) + tick }, s_ocsp with { Timeout = TimeSpan.FromMinutes(5) });
        yield return Ocsp("MaxResponseBytes must be 512 to 1048576", s_ocsp with { MaxResponseBytes = 511 }, s_ocsp with { MaxResponseBytes = 512 });
        yield return Ocsp(
            "MaxResponseBytes must be 512", s_ocsp with { MaxResponseBytes = (1 << 20) + 1 }, s_ocsp with { MaxResponseBytes = 1 << 20 });
        yield return Ocsp("MaxCachedAnswers not negative", s_ocsp with { MaxCachedAnswers = -1 }, s_ocsp with { MaxCachedAnswers = 0 });
        yield return Ocsp("ClockSkew must be zero to one hour", s_ocsp with { ClockSkew = -tick }, s_ocsp with { ClockSkew = default });
        yield return Ocsp("ClockSkew must be zero to one hour", s_ocsp with { ClockSkew = hour + tick }, s_ocsp with { ClockSkew = hour });
        yield return Ocsp("MaxCacheTime not negative", s_ocsp with { MaxCacheTime = -tick }, s_ocsp with { MaxCacheTime = default });
        yield return Ocsp("Profile, TimeProvider and LoggerFactory must not be null", s_ocsp with { Profile = null! });
        yield return Ocsp("TimeProvider and LoggerFactory must not be null", s_ocsp with { TimeProvider = null! });
        yield return Ocsp("LoggerFactory must not be null", s_ocsp with { LoggerFactory = null! });

        var (shortest, minute) = (TimeSpan.FromMilliseconds(10), TimeSpan.FromMinutes(1));
        yield return Watch(
            "PollInterval must be between ten milliseconds and an hour", new() { PollInterval = shortest - tick }, new() { PollInterval = shortest });
        yield return Watch("PollInterval must be between", new() { PollInterval = hour + tick }, new() { PollInterval = hour });
        yield return Watch("QuietTime must be between zero and a minute", new() { QuietTime = -tick }, new() { QuietTime = default });
        yield return Watch("QuietTime must be between", new() { QuietTime = minute + tick }, new() { QuietTime = minute });
        yield return Watch("TimeProvider and LoggerFactory must not be null", new() { TimeProvider = null! });
        yield return Watch("TimeProvider and LoggerFactory must not be null", new() { LoggerFactory = null! });
    }

    private static IEnumerable<TestCaseData> OfExpiry()
    {
        static TestCaseData Expiry(string message, ExpiryWatchOptions faulty, ExpiryWatchOptions? sound = null) =>
            Fault<ExpiryWatchOptions>(message, faulty.Problems, (sound ?? new ExpiryWatchOptions()).Problems);

        var (second, day, tick) = (TimeSpan.FromSeconds(1), TimeSpan.FromDays(1), TimeSpan.FromTicks(1));
        yield return Expiry("WarnBefore must hold positive times only", new() { WarnBefore = [default] }, new() { WarnBefore = [tick] });
        yield return Expiry("WarnBefore must hold positive times only", new() { WarnBefore = default }, new() { WarnBefore = [] });
        yield return Expiry("Interval must lie between a second and a day", new() { Interval = second - tick }, new() { Interval = second });
        yield return Expiry("Interval must lie between", new() { Interval = day + tick }, new() { Interval = day });
        yield return Expiry("TimeProvider must not be null", new() { TimeProvider = null! });
        yield return Expiry("LoggerFactory must not be null", new() { LoggerFactory = null! });
    }

    private static IEnumerable<TestCaseData> OfFetches()
    {
        static TestCaseData Fetch(string message, RevocationFetchOptions faulty, RevocationFetchOptions? sound = null) =>
            Fault<RevocationFetchOptions>(message, faulty.Problems, (sound ?? s_fetch).Problems);

        var (tick, second, hour) = (TimeSpan.FromTicks(1), TimeSpan.FromSeconds(1), TimeSpan.FromHours(1));
        yield return Fetch("Addresses must hold absolute http or https addresses without user and fragment", s_fetch with { Addresses = [] });
        yield return Fetch("Addresses must hold absolute", s_fetch with { Addresses = [new Uri("ftp://crl.test/")] });
        yield return Fetch("Addresses must hold each address once", s_fetch with { Addresses = [.. s_fetch.Addresses, .. s_fetch.Addresses] });
        yield return Fetch("Issuers must hold no null", s_fetch with { Issuers = [null!] });
        yield return Fetch(
            "Interval must be between one minute and seven days",
            s_fetch with { Interval = TimeSpan.FromMinutes(1) - tick },
            s_fetch with { Interval = TimeSpan.FromMinutes(1) });
        yield return Fetch(
            "Interval must be between", s_fetch with { Interval = TimeSpan.FromDays(7) + tick }, s_fetch with { Interval = TimeSpan.FromDays(7) });
        yield return Fetch("LeadTime must be between zero and seven days", s_fetch with { LeadTime = -tick }, s_fetch with { LeadTime = default });
        yield return Fetch(
            "RetryDelay must be between one second and Interval", s_fetch with { RetryDelay = second - tick }, s_fetch with { RetryDelay = second });
        yield return Fetch("RetryDelay must be between", s_fetch with { RetryDelay = hour + tick }, s_fetch with { RetryDelay = hour });
        yield return Fetch("Timeout must be above zero and at most ten minutes", s_fetch with { Timeout = default }, s_fetch with { Timeout = tick });
        yield return Fetch("MaxBytes must be 1024 to", s_fetch with { MaxBytes = 1023 }, s_fetch with { MaxBytes = 1024 });
        yield return Fetch(
            "and MaxConcurrentFetches 1 to 64", s_fetch with { MaxConcurrentFetches = 65 }, s_fetch with { MaxConcurrentFetches = 64 });
        yield return Fetch("Directory must name a directory", s_fetch with { Directory = " " }, s_fetch with { Directory = "lists" });
        yield return Fetch("TimeProvider and LoggerFactory must not be null", s_fetch with { TimeProvider = null! });
    }

    private static IEnumerable<TestCaseData> OfCallbacks()
    {
        static TestCaseData Callback(string message, ValidationCallbackOptions faulty, ValidationCallbackOptions? sound = null) =>
            Fault<ValidationCallbackOptions>(message, faulty.Problems, (sound ?? new ValidationCallbackOptions()).Problems);

        yield return Callback("Name must have 1 to 64 characters", new() { Name = null! });
        yield return Callback("not only spaces", new() { Name = " " }, new() { Name = " a" });
        yield return Callback("Name must have 1 to 64", new() { Name = new string('a', 65) }, new() { Name = new string('a', 64) });
        yield return Callback("no control characters", new() { Name = "a\nb" }, new() { Name = "a b" });
        yield return Callback("TimeProvider must not be null", new() { TimeProvider = null! });
    }

    private static IEnumerable<TestCaseData> Faults() =>
        [
            .. OfTheCertificateStage(), .. OfTheHandshake(), .. OfClientsAndServers(), .. OfTheListener(), .. OfCredentials(),
            .. OfReconnectCredentials(), .. OfOcspAndFiles(), .. OfExpiry(), .. OfFetches(), .. OfCallbacks(),
        ];

    [TestCaseSource(nameof(Faults))]
    public void One_fault_is_one_problem_and_its_neighbour_is_none(
        Type type, string message, Func<IEnumerable<string>> faulty, Func<IEnumerable<string>> sound)
    {
        faulty().Should().ContainSingle().Which.Should().Contain(message).And.EndWith(".");
        sound().Should().BeEmpty();
    }

    [Test]
    public void Every_message_of_every_options_type_has_a_case()
    {
        var messages = SourcesWithProblems().SelectMany(source => source.Messages.Select(message => (source.Type, Message: message))).ToArray();
        var produced = Faults().ToLookup(
            fault => ((Type)fault.Arguments[0]!).Name, fault => ((Func<IEnumerable<string>>)fault.Arguments[2]!)().First());

        messages.Should().HaveCountGreaterThan(50);
        messages.Where(expected => !produced[expected.Type].Any(problem => Regex.IsMatch(problem, PatternOf(expected.Message)))).Should().BeEmpty();
    }

    /// <summary>The test above sees nothing of a message that is written in a way that it does not know.</summary>
    [Test]
    public void Every_message_is_written_so_that_it_is_found()
    {
        SourcesWithProblems().Where(source => source.Yields - source.PassedOn != source.Messages.Length).Should().BeEmpty();
        Faults().Select(fault => ((Type)fault.Arguments[0]!).Name).Distinct().Should().BeEquivalentTo(
            SourcesWithProblems().Select(source => source.Type), "a case stands under the type whose file has the message");
    }

    /// <summary>Every constructor throws all of them, those of the options' parts included.</summary>
    [Test]
    public void Constructors_throw_all_problems_at_once()
    {
        var server = s_server with
        {
            Trust = null!,
            Credentials = s_users with { MaxConcurrentChecks = 0 },
            Revalidation = new() { GracePeriod = -TimeSpan.FromSeconds(1) },
            HandshakeLimits = new() { MaxHandshakeBytes = 1 },
            KeepAlive = new() { RetryCount = 0 },
            CertificateLimits = new() { MaxCertificates = 0 },
            Revocation = s_revocation with { Lists = null! },
        };
        var client = s_client with
        {
            Authorization = null!,
            Credentials = s_credentials with { OnlyMechanism = "?" },
            Revalidation = server.Revalidation,
        };

        Thrown(() => new MutualTlsServer(server)).Should().ContainAll(
            "Trust is", "MaxConcurrentChecks", "GracePeriod", "MaxHandshakeBytes", "RetryCount", "MaxCertificates", "RevocationPolicy.Lists");
        Thrown(() => new MutualTlsClient(client)).Should().ContainAll("Authorization is", "'?'", "GracePeriod");
        Thrown(() => new CertificateStage(server)).Should().ContainAll("Trust is", "MaxCertificates", "RevocationPolicy.Lists");
        Thrown(() => MutualTlsListener.Start(s_listener with { Server = null!, Backlog = 0 })).Should().ContainAll("Server must", "Backlog");
        Thrown(() => new OcspValidator(s_ocsp with { Timeout = default, ClockSkew = TimeSpan.FromDays(1) }))
            .Should().ContainAll("Timeout", "ClockSkew");
        Thrown(() => FileCredentialStore.Open("users", new() { MaxFileBytes = 0, MaxUnreadable = default }))
            .Should().ContainAll("MaxFileBytes", "MaxUnreadable");
        Thrown(() => new WatchOptions { PollInterval = default, QuietTime = TimeSpan.FromDays(1) }.ThrowIfProblem("options"))
            .Should().ContainAll("PollInterval", "QuietTime");
    }

    [OneTimeTearDown]
    public void Dispose_what_all_cases_share() => s_world.Dispose();

    private static TestCaseData Fault<T>(string message, Func<IEnumerable<string>> faulty, Func<IEnumerable<string>> sound) =>
        new TestCaseData(typeof(T), message, faulty, sound).SetArgDisplayNames(typeof(T).Name, message);

    private static string Thrown(Func<object> make) => make.Should().Throw<ArgumentException>().Which.Message;

    private static string Thrown(Action make) => make.Should().Throw<ArgumentException>().Which.Message;

    /// <summary>The files of the library that tell problems, each with its messages and with the count of all that it yields.</summary>
    private static IEnumerable<(string Type, string[] Messages, int Yields, int PassedOn)> SourcesWithProblems()
    {
        var core = Path.Combine(DocumentationPage.Root, "MutualAuth.Core");
        foreach (var file in Directory.EnumerateFiles(core, "*.cs", SearchOption.AllDirectories))
        {
            var text = JoinPattern().Replace(File.ReadAllText(file), string.Empty);
            if (ProblemsPattern().IsMatch(text))
            {
                yield return (
                    Path.GetFileNameWithoutExtension(file),
                    [.. MessagePattern().Matches(text).Select(match => match.Groups[1].Value)],
                    YieldPattern().Count(text),
                    PassedOnPattern().Count(text));
            }
        }
    }

    /// <summary>What a message looks like, whatever is put into it; names stand in it as they are.</summary>
    private static string PatternOf(string message) =>
        $"^{PlaceholderPattern().Replace(Regex.Escape(NamePattern().Replace(message, match => match.Groups[1].Value)), ".*")}$";

    // A message that goes on in the next line.
    [GeneratedRegex(@"""\s*\+\s*\$?""")]
    private static partial Regex JoinPattern();

    [GeneratedRegex(@"IEnumerable<string> \w*Problems\(")]
    private static partial Regex ProblemsPattern();

    [GeneratedRegex(@"yield return\s+\$?""([^""]+)"";")]
    private static partial Regex MessagePattern();

    [GeneratedRegex(@"yield return\s")]
    private static partial Regex YieldPattern();

    [GeneratedRegex("yield return problem;")]
    private static partial Regex PassedOnPattern();

    [GeneratedRegex(@"\{nameof\((?:\w+\.)*(\w+)\)\}")]
    private static partial Regex NamePattern();

    // Regex.Escape writes { as \{ and leaves } as it is.
    [GeneratedRegex(@"\\\{[^}]*\}")]
    private static partial Regex PlaceholderPattern();
}
