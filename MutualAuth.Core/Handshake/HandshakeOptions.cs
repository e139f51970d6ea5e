using System.Collections.Immutable;
using System.Net.Security;
using System.Net.Sockets;
using MutualAuth.Audit;
using MutualAuth.Collections;
using MutualAuth.Confirmation;
using MutualAuth.Credentials;
using MutualAuth.Errors;
using MutualAuth.Evidence;
using MutualAuth.Platforms;
using MutualAuth.Validation;

namespace MutualAuth.Handshake;

/// <summary>The options of a handshake that clients and servers share, beyond trust and authorization.</summary>
public abstract record HandshakeOptions : CertificateStageOptions
{
    private EquatableArray<IAsyncPeerValidator> _asyncValidators = new([]);
    private EquatableArray<TlsCipherSuite> _cipherSuites = new([]);
    private EquatableArray<string> _applicationProtocols = new([]);

    /// <summary>Our application protocols (RFC 7301), the favourite first, one character per octet. Default: none.</summary>
    public ImmutableArray<string> ApplicationProtocols
    {
        get => _applicationProtocols.Items;
        init => _applicationProtocols = new(value);
    }

    /// <summary>The lowest TLS version accepted. Default: <see cref="TlsVersion.Tls12"/>; 1.3 is preferred where both sides have it.</summary>
    public TlsVersion MinimumTlsVersion { get; init; } = TlsVersion.Tls12;

    /// <summary>
    /// The only cipher suites that may be used, the favourite first (RFC 8446 §B.4). Default: empty, the platform's own list applies.
    /// Setting them costs a TLS context for each connection. Linux and macOS only: on Windows the system's policy decides.
    /// </summary>
    public ImmutableArray<TlsCipherSuite> CipherSuites
    {
        get => _cipherSuites.Items;
        init => _cipherSuites = new(value);
    }

    /// <summary>
    /// Which key exchanges are allowed. Default: <see cref="KeyExchangePolicy.Any"/>. <see cref="KeyExchangePolicy.PostQuantum"/> protects what is
    /// recorded today from a quantum computer of tomorrow, and needs OpenSSL 3.5 or its like on both sides.
    /// </summary>
    public KeyExchangePolicy KeyExchange { get; init; } = KeyExchangePolicy.Any;

    /// <summary>
    /// What TLS may offer and answer at most in this process. The constructor of the server or client reads that out, which takes about a second
    /// the first time, and throws <see cref="PlatformException"/> where it is more, or cannot be told. Default: null, nothing is required.
    /// </summary>
    /// <example><code>var guarded = serverOptions with { RequirePlatform = PlatformRequirements.Fapi };</code></example>
    public PlatformRequirements? RequirePlatform { get; init; }

    /// <summary>A ceiling, for tests of the older version between peers of our own.</summary>
    internal TlsVersion MaximumTlsVersion { get; init; } = TlsVersion.Tls13;

    /// <summary>For tests of what holds where sessions are given and the TLS context is shared all the same.</summary>
    internal bool SharesContextUnasked { get; init; }

    /// <summary>The versions for which suites are left: one without any must not be offered, or the TLS engine fails on itself.</summary>
    internal (TlsVersion Lowest, TlsVersion Highest) TlsVersions =>
        TlsChoice.VersionsWith(CipherSuites, MinimumTlsVersion, MaximumTlsVersion);

    /// <summary>
    /// Whether each side must learn inside the call that the other accepted it. Default: <see cref="ConfirmationPolicy.Preferred"/>.
    /// </summary>
    public ConfirmationPolicy Confirmation { get; init; } = ConfirmationPolicy.Preferred;

    /// <summary>
    /// Checks that may wait for others: a directory, a policy service. They run after the certificate stage and before our verdict. Default: none.
    /// </summary>
    public ImmutableArray<IAsyncPeerValidator> AsyncValidators
    {
        get => _asyncValidators.Items;
        init => _asyncValidators = new(value);
    }

    /// <summary>
    /// How long all asynchronous validators together may take for one peer. Default: five seconds; the handshake's own deadline holds as well.
    /// </summary>
    public TimeSpan AsyncValidatorTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// The maximum number of peers in the asynchronous validators at one time. Default: 64; further peers wait, within their deadline.
    /// </summary>
    public int MaxConcurrentAsyncValidations { get; init; } = 64;

    /// <summary>The time limit from the call with the transport until the connection is authenticated. Default: ten seconds.</summary>
    public TimeSpan HandshakeTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// How long a close waits for the peer to read the written data and to end its side before the transport is aborted. Default: one second.
    /// It is real time, independent of <see cref="TimeProvider"/>, so that a close always ends.
    /// </summary>
    public TimeSpan CloseTimeout { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>How much a peer may send before it is authenticated. Default: see the type.</summary>
    public HandshakeLimits HandshakeLimits { get; init; } = new();

    /// <summary>
    /// TCP keep-alive, which detects a vanished peer; set on each TCP socket that is dialled, accepted or passed in. Default: on, see the
    /// type. Streams are not concerned.
    /// </summary>
    public TcpKeepAlive KeepAlive { get; init; } = new();

    /// <summary>
    /// Called with each connected socket, after the library's own options and before the first octet of the handshake; for options that only the
    /// application knows. It must be quick and must not keep the socket, which the library owns. Its exceptions are
    /// <see cref="HandshakeFailure.OurFault"/>, and the socket is closed. Called from many threads at once. Default: null, nothing is called.
    /// </summary>
    public Action<Socket>? ConfigureSocket { get; init; }

    /// <summary>
    /// Where every connection is recorded for an auditor, from its first octet to its end, and every change of what it is judged by. Default: none,
    /// nothing is recorded.
    /// </summary>
    public AuditPolicy? Audit { get; init; }

    /// <summary>The clock for deadlines and for judging dates. Default: the system's.</summary>
    public TimeProvider TimeProvider { get; init; } = TimeProvider.System;

    /// <summary>What we require of clients, where we are the server.</summary>
    internal virtual CredentialPolicy RequiredCredentials => Require.Certificate;

    /// <summary>How many sessions each client may have, where we are the server; null for no limit.</summary>
    internal virtual SessionLimits? LimitsOfSessions => null;

    /// <summary>
    /// How many octets of the names of our anchors we send with the request for a certificate, where we are the server; zero for none.
    /// </summary>
    internal virtual int AcceptableIssuerBytes => 0;

    /// <summary>With what we log in, where we are the client; null when we do not.</summary>
    internal virtual ClientCredentials? OwnCredentials => null;

    /// <summary>Whether we present no certificate, where we are the client.</summary>
    internal virtual bool OwnIdentityIsNone => false;

    /// <summary>Whether a server need not ask for our certificate, where we are the client.</summary>
    internal virtual bool AllowsServersThatAskForNothing => false;

    /// <summary>Logging in is part of the confirmation protocol: where it must be done, the peer must speak that.</summary>
    internal ConfirmationPolicy EffectiveConfirmation =>
        RequiredCredentials.NeedsUser || OwnCredentials is not null ? ConfirmationPolicy.Required : Confirmation;

    internal override IEnumerable<string> DemandsBeyondTheStage() =>
        [
            .. base.DemandsBeyondTheStage(),
            .. AsyncValidators.IsEmpty ? Array.Empty<string>() : [$"{nameof(AsyncValidators)} run only after the certificate stage."],
            .. RequiredCredentials.LetsUsersIn ? ["Users log in only after the certificate stage."] : Array.Empty<string>(),
            .. Audit is null ? Array.Empty<string>() : [$"{nameof(Audit)} records who was accepted only after the certificate stage."],
            .. LimitsOfSessions is null ? Array.Empty<string>() : ["SessionLimits count connections only after the certificate stage."],
            .. RequirePlatform is null ? Array.Empty<string>() : [$"{nameof(RequirePlatform)} is judged before there is any handshake."],
        ];

    /// <summary>What is wrong with <see cref="ApplicationProtocols"/>.</summary>
    internal IEnumerable<string> ApplicationProtocolProblems()
    {
        if (ApplicationProtocols.IsDefault)
        {
            yield return $"{nameof(ApplicationProtocols)} must be set; leave it empty for none.";
        }
        else
        {
            foreach (var protocol in ApplicationProtocols)
            {
                if (string.IsNullOrEmpty(protocol)
                    || protocol.Length > ConfirmationProtocol.MaxApplicationProtocolLength
                    || protocol.Any(character => character > 0xff))
                {
                    yield return $"The application protocol '{protocol}' must have 1 to {ConfirmationProtocol.MaxApplicationProtocolLength} "
                        + "characters of one octet each.";
                }
                else if (ConfirmationProtocol.IsOfFamily(protocol))
                {
                    yield return $"The application protocol '{protocol}' is reserved for the library: set {nameof(Confirmation)} instead.";
                }
            }
        }
    }

    internal override IEnumerable<string> Problems()
    {
        foreach (var problem in base.Problems())
        {
            yield return problem;
        }

        foreach (var problem in ApplicationProtocolProblems())
        {
            yield return problem;
        }

        if (!Enum.IsDefined(MinimumTlsVersion))
        {
            yield return $"{nameof(MinimumTlsVersion)} must be TLS 1.2 or 1.3; it is {MinimumTlsVersion}.";
        }

        foreach (var problem in CipherSuiteProblems(OperatingSystem.IsWindows() || OperatingSystem.IsAndroid()))
        {
            yield return problem;
        }

        if (KeyExchange is null)
        {
            yield return $"{nameof(KeyExchange)} must not be null.";
        }
        else if (!CipherSuites.IsDefault && KeyExchange.ExamineHere(TlsVersions.Highest) is { } unavailable)
        {
            yield return $"{nameof(KeyExchange)} {unavailable}";
        }

        foreach (var problem in RequirePlatform?.Problems() ?? [])
        {
            yield return problem;
        }

        if (!Enum.IsDefined(Confirmation))
        {
            yield return $"{nameof(Confirmation)} must be a policy; it is {Confirmation}.";
        }

        if (Confirmation == ConfirmationPolicy.Never && (RequiredCredentials is { LetsUsersIn: true } || OwnCredentials is not null))
        {
            yield return $"{nameof(Confirmation)} is Never, but a login needs confirmation: set it to Preferred or Required.";
        }

        if (AsyncValidators.IsDefault || AsyncValidators.Any(validator => validator is null))
        {
            yield return $"{nameof(AsyncValidators)} must be set, and hold no null.";
        }
        else
        {
            foreach (var problem in FactProblems())
            {
                yield return problem;
            }
        }

        if (MaxConcurrentAsyncValidations < 1)
        {
            yield return $"{nameof(MaxConcurrentAsyncValidations)} must be at least 1; it is {MaxConcurrentAsyncValidations}.";
        }

        foreach (var (name, duration) in new[]
        { (nameof(HandshakeTimeout), HandshakeTimeout), (
            nameof(AsyncValidatorTimeout), AsyncValidatorTimeout), (nameof(CloseTimeout), CloseTimeout) })
        {
            if (duration <= TimeSpan.Zero || duration > TimeSpan.FromHours(1))
            {
                yield return $"{name} must be more than zero and at most an hour; it is {duration}.";
            }
        }

        if (HandshakeLimits is null || TimeProvider is null || KeepAlive is null)
        {
            yield return $"{nameof(HandshakeLimits)}, {nameof(KeepAlive)} and {nameof(TimeProvider)} must not be null.";
            yield break;
        }

        foreach (var problem in Audit?.Problems() ?? [])
        {
            yield return problem;
        }

        foreach (var problem in HandshakeLimits.Problems().Concat(KeepAlive.Problems()))
        {
            yield return problem;
        }
    }

    private IEnumerable<string> FactProblems()
    {
        var names = AsyncValidators.OfType<IPeerFactValidator>().Select(validator => validator.Name).ToList();
        foreach (var name in names.Where(name => !PeerFact.IsName(name)))
        {
            yield return $"{nameof(AsyncValidators)}: the name of a validator must have 1 to {PeerFact.MaxNameLength} letters, digits and the "
                + $"characters . _ : / - of ASCII; one has {SafeText.Quote(name)}.";
        }

        foreach (var name in names.GroupBy(name => name, StringComparer.Ordinal).Where(same => same.Count() > 1).Select(same => same.Key))
        {
            yield return $"{nameof(AsyncValidators)}: two validators have the name {SafeText.Quote(name)}, so that their facts could not be told "
                + "apart.";
        }

        foreach (var source in (Authorization?.FactSources() ?? []).Except(names, StringComparer.Ordinal))
        {
            yield return $"{nameof(Authorization)} asks for facts of '{source}', and no {nameof(IPeerFactValidator)} of this name is among "
                + $"{nameof(AsyncValidators)}: no peer could ever be accepted by that rule.";
        }
    }

    /// <param name="suitesAreTheSystems">Whether the system alone decides about suites.</param>
    internal IEnumerable<string> CipherSuiteProblems(bool suitesAreTheSystems)
    {
        if (CipherSuites.IsDefault || !CipherSuites.All(Enum.IsDefined))
        {
            yield return $"{nameof(CipherSuites)} must be set, and name suites that exist; leave it empty for the platform's own.";
        }
        else if (!CipherSuites.IsEmpty && suitesAreTheSystems)
        {
            yield return $"{nameof(CipherSuites)} cannot be chosen on this platform: leave it empty, and set the system's own policy.";
        }
        else if (!CipherSuites.IsEmpty && MinimumTlsVersion == TlsVersion.Tls13 && !CipherSuites.Any(TlsChoice.IsOfTls13))
        {
            yield return $"{nameof(CipherSuites)} names none of TLS 1.3, and {nameof(MinimumTlsVersion)} demands that version: no "
                + "handshake could succeed.";
        }
    }
}
