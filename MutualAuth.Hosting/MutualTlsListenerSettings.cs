using System.Net;
using MutualAuth.Hosting.Binding;
using MutualAuth.Validation;

namespace MutualAuth.Hosting;

/// <summary>A named listener, as a configuration can say it.</summary>
/// <remarks>
/// What it cannot say, such as validators of your own, <see cref="MutualTlsListenerBuilder.ConfigureServer"/> and
/// <see cref="MutualTlsListenerBuilder.ConfigureListener"/> add.
/// </remarks>
public sealed class MutualTlsListenerSettings : MutualTlsSettings
{
    /// <summary>
    /// Where to listen; at least one of <c>ADDRESS:PORT</c> (<c>[::]:8443</c> listens on both families, port 0 takes any), <c>unix:PATH</c>,
    /// <c>systemd</c> for every socket that systemd has passed on, and <c>systemd:NAME</c> for those of that name (<c>FileDescriptorName=</c>).
    /// </summary>
    public IList<string> Listen { get; } = [];

    /// <summary>
    /// What clients must prove. Default: <see cref="ClientProof.Certificate"/>, with which <see cref="UsersFile"/> must not be set.
    /// </summary>
    public ClientProof Require { get; set; } = ClientProof.Certificate;

    /// <summary>
    /// A file of users with their SCRAM verifiers (RFC 5802), which is followed (<see cref="Credentials.FileCredentialStore"/>). Default: null.
    /// </summary>
    public string? UsersFile { get; set; }

    /// <summary>
    /// A private file of keys with which second factors are stored encrypted, which is followed (<see cref="Credentials.FactorKeyFile"/>).
    /// <see cref="MutualTlsListenerBuilder.ConfigureCredentials"/> gives it to the mechanisms; a listener that does not call it is not started.
    /// Default: null.
    /// </summary>
    public string? FactorKeyFile { get; set; }

    /// <summary>
    /// How many connections one user may have at a time, at all end points together; 1 to 1,000,000. Default: null, no limit. To count together with
    /// another listener, give both the same <see cref="SessionLimits"/> by <see cref="MutualTlsListenerBuilder.ConfigureServer"/>.
    /// </summary>
    public int? MaxSessionsPerUser { get; set; }

    /// <summary>The same for one device, by the first name of its certificate. Default: null, no limit.</summary>
    public int? MaxSessionsPerDevice { get; set; }

    /// <summary>What happens to one session more. Default: <see cref="Validation.WhenSessionsAreFull.Refuse"/>.</summary>
    public WhenSessionsAreFull WhenSessionsAreFull { get; set; } = WhenSessionsAreFull.Refuse;

    /// <summary>
    /// After how many failed logins in a row a user is locked out (<see cref="Credentials.LockOutPolicy"/>); 1 to 100. Default: null, the bound of
    /// <see cref="Credentials.CredentialPolicy.MaxConsecutiveFailures"/> alone.
    /// </summary>
    public int? LockOutFailures { get; set; }

    /// <summary>How long that lasts, from a second to seven days. Default: null, until an operator unlocks.</summary>
    public TimeSpan? LockOutDuration { get; set; }

    /// <summary>
    /// After what time each refusal for credentials is told, and alike (<see cref="Credentials.CredentialPolicy.UniformRefusalTime"/>). Default:
    /// null.
    /// </summary>
    public TimeSpan? UniformRefusalTime { get; set; }

    /// <summary>
    /// Networks of load balancers, such as <c>10.1.2.0/24</c>, whose PROXY protocol header says where a client is. Default: none.
    /// </summary>
    public IList<string> TrustedProxies { get; } = [];

    /// <summary>Whether the names of the trusted authorities are sent to clients. Default: false.</summary>
    public bool SendAcceptableIssuers { get; set; }

    /// <summary>Whether a stale Unix domain socket is removed and bound again. Default: false.</summary>
    public bool TakesOverStaleUnixSocket { get; set; }

    /// <summary>What the listener holds at most.</summary>
    public ListenerLimits Limits { get; } = new();

    private protected override string AllowHint => "say who is accepted, such as \"dns client.example\"";

    private protected override bool HasLogin => Require != ClientProof.Certificate;

    internal override void Bind(SectionReader section)
    {
        base.Bind(section);
        section.Texts(nameof(Listen), Listen);
        section.Choice<ClientProof>(nameof(Require), value => Require = value);
        section.Text(nameof(UsersFile), value => UsersFile = value);
        section.Text(nameof(FactorKeyFile), value => FactorKeyFile = value);
        section.Number(nameof(MaxSessionsPerUser), value => MaxSessionsPerUser = value);
        section.Number(nameof(MaxSessionsPerDevice), value => MaxSessionsPerDevice = value);
        section.Choice<WhenSessionsAreFull>(nameof(WhenSessionsAreFull), value => WhenSessionsAreFull = value);
        section.Number(nameof(LockOutFailures), value => LockOutFailures = value);
        section.Time(nameof(LockOutDuration), value => LockOutDuration = value);
        section.Time(nameof(UniformRefusalTime), value => UniformRefusalTime = value);
        section.Texts(nameof(TrustedProxies), TrustedProxies);
        section.Flag(nameof(SendAcceptableIssuers), value => SendAcceptableIssuers = value);
        section.Flag(nameof(TakesOverStaleUnixSocket), value => TakesOverStaleUnixSocket = value);
        section.Object(nameof(Limits), limits =>
        {
            limits.Number(nameof(ListenerLimits.MaxConnections), value => Limits.MaxConnections = value);
            limits.Number(nameof(ListenerLimits.Backlog), value => Limits.Backlog = value);
            limits.Number(nameof(ListenerLimits.MaxPendingHellos), value => Limits.MaxPendingHellos = value);
            limits.Number(nameof(ListenerLimits.MaxPendingHellosPerAddress), value => Limits.MaxPendingHellosPerAddress = value);
            limits.Number(nameof(ListenerLimits.MaxWaitingHandshakes), value => Limits.MaxWaitingHandshakes = value);
            limits.Number(nameof(ListenerLimits.MaxWaitingHandshakesPerAddress), value => Limits.MaxWaitingHandshakesPerAddress = value);
            limits.Number(nameof(ListenerLimits.MaxConcurrentHandshakes), value => Limits.MaxConcurrentHandshakes = value);
            limits.Number(nameof(ListenerLimits.MaxQueuedHandshakes), value => Limits.MaxQueuedHandshakes = value);
            limits.Number(nameof(ListenerLimits.MaxLingeringCloses), value => Limits.MaxLingeringCloses = value);
            limits.Number(nameof(ListenerLimits.MaxReadyConnections), value => Limits.MaxReadyConnections = value);
        });
    }

    internal override IEnumerable<(string Key, string? Value)> Fixed() =>
    [
        .. base.Fixed(),
        (nameof(Listen), string.Join('|', Listen)),
        (nameof(Require), Require.ToString()),
        (nameof(UsersFile), UsersFile),
        (nameof(FactorKeyFile), FactorKeyFile),
        (nameof(MaxSessionsPerUser), Text(MaxSessionsPerUser)),
        (nameof(MaxSessionsPerDevice), Text(MaxSessionsPerDevice)),
        (nameof(WhenSessionsAreFull), WhenSessionsAreFull.ToString()),
        (nameof(LockOutFailures), Text(LockOutFailures)),
        (nameof(LockOutDuration), Text(LockOutDuration)),
        (nameof(UniformRefusalTime), Text(UniformRefusalTime)),
        (nameof(TrustedProxies), string.Join('|', TrustedProxies)),
        (nameof(SendAcceptableIssuers), Text(SendAcceptableIssuers)),
        (nameof(TakesOverStaleUnixSocket), Text(TakesOverStaleUnixSocket)),
        .. Limits.All().Where(limit => limit.Key != nameof(ListenerLimits.MaxConnections))
            .Select(limit => ($"{nameof(Limits)}:{limit.Key}", Text(limit.Value))),
    ];

    internal override IEnumerable<string> Problems()
    {
        foreach (var problem in base.Problems())
        {
            yield return problem;
        }

        if (!Identity.IsSet)
        {
            yield return $"{At(nameof(Identity))} is missing: a listener must present a certificate.";
        }

        if (Listen.Count == 0)
        {
            yield return $"{At(nameof(Listen))} is missing: say where to listen, such as \"[::]:8443\".";
        }

        for (var index = 0; index < Listen.Count; index++)
        {
            if (ListenAddress.ProblemOf(Listen[index]) is { } problem)
            {
                yield return $"{At(nameof(Listen))}:{index}: {problem}";
            }
        }

        for (var index = 0; index < TrustedProxies.Count; index++)
        {
            if (!IPNetwork.TryParse(TrustedProxies[index], out _))
            {
                yield return $"{At(nameof(TrustedProxies))}:{index}: '{TrustedProxies[index]}' is not a network; write one such as 10.1.2.0/24.";
            }
        }

        if (!Enum.IsDefined(Require))
        {
            yield return $"{At(nameof(Require))} must be a {nameof(ClientProof)}; it is {Require}.";
        }
        else if (Require == ClientProof.Certificate && UsersFile is not null)
        {
            yield return $"{At(nameof(UsersFile))} is set, but no user may log in: set {nameof(Require)} to {ClientProof.CertificateAndUser}, "
                + $"{ClientProof.User} or {ClientProof.CertificateOrUser}.";
        }
        else if (Require != ClientProof.Certificate && UsersFile is null)
        {
            yield return $"{At(nameof(UsersFile))} is missing: {nameof(Require)} is {Require}.";
        }

        foreach (var problem in ProblemsOfUsers())
        {
            yield return problem;
        }

        foreach (var (key, value, least) in Limits.All())
        {
            if (value < least)
            {
                yield return $"{At(nameof(Limits))}:{key} must be at least {least}; it is {value}.";
            }
        }
    }

    internal SessionLimits? ToSessionLimits() => MaxSessionsPerUser is null && MaxSessionsPerDevice is null
        ? null
        : new SessionLimits { MaxPerUser = MaxSessionsPerUser, MaxPerDevice = MaxSessionsPerDevice, WhenFull = WhenSessionsAreFull };

    internal Credentials.LockOutPolicy? ToLockOutPolicy() => LockOutFailures is { } failures
        ? new Credentials.LockOutPolicy { Failures = failures, Duration = LockOutDuration }
        : null;

    private IEnumerable<string> ProblemsOfUsers()
    {
        if (FactorKeyFile is not null && UsersFile is null)
        {
            yield return $"{At(nameof(FactorKeyFile))} is set, but there are no users: set {nameof(UsersFile)}.";
        }

        foreach (var (key, value, most) in new[]
            {
                (nameof(MaxSessionsPerUser), MaxSessionsPerUser, 1_000_000),
                (nameof(MaxSessionsPerDevice), MaxSessionsPerDevice, 1_000_000),
                (nameof(LockOutFailures), LockOutFailures, 100),
            })
        {
            if (value < 1 || value > most)
            {
                yield return $"{At(key)} must be from 1 to {most}; it is {value}.";
            }
        }

        if (!Enum.IsDefined(WhenSessionsAreFull))
        {
            yield return $"{At(nameof(WhenSessionsAreFull))} must be a {nameof(Validation.WhenSessionsAreFull)}; it is {WhenSessionsAreFull}.";
        }

        foreach (var (key, value, least, most) in new[]
            {
                (nameof(LockOutDuration), LockOutDuration, TimeSpan.FromSeconds(1), TimeSpan.FromDays(7)),
                (nameof(UniformRefusalTime), UniformRefusalTime, TimeSpan.FromMilliseconds(10), TimeSpan.FromSeconds(5)),
            })
        {
            if (value < least || value > most)
            {
                yield return $"{At(key)} must be from {least} to {most}; it is {value}.";
            }
        }

        if (LockOutDuration is not null && LockOutFailures is null)
        {
            yield return $"{At(nameof(LockOutDuration))} is set, but no number of failures: set {nameof(LockOutFailures)}.";
        }

        if (Require == ClientProof.Certificate && (MaxSessionsPerUser ?? LockOutFailures) is not null)
        {
            var key = MaxSessionsPerUser is null ? nameof(LockOutFailures) : nameof(MaxSessionsPerUser);
            yield return $"{At(key)} is set, but no user may log in: set {nameof(Require)}.";
        }
    }
}
