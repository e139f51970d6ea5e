using System.Globalization;
using MutualAuth.Audit;
using MutualAuth.Hosting.Binding;
using MutualAuth.Platforms;
using MutualAuth.Revocation;
using MutualAuth.Validation;

namespace MutualAuth.Hosting;

/// <summary>What listeners and clients have in common, as a configuration can say it.</summary>
/// <remarks>
/// Everything is checked when the host starts, and every problem is told at once. Relative paths begin at the content root of the host. Set it
/// before the host starts; it is not safe for use from many threads.
/// </remarks>
public abstract class MutualTlsSettings
{
    private protected MutualTlsSettings()
    {
    }

    /// <summary>The files of our own certificate and key.</summary>
    public IdentitySettings Identity { get; } = new();

    /// <summary>
    /// PEM files of the authorities that are trusted; at least one. They are followed, and the list may change while the process runs.
    /// </summary>
    public IList<string> Trust { get; } = [];

    /// <summary>
    /// Constraints on every authority of <see cref="Trust"/>. They may change while the process runs; live connections are judged again.
    /// </summary>
    public TrustConstraintsSettings TrustConstraints { get; } = new();

    /// <summary>
    /// Who is accepted, one rule in each string, in the grammar of <see cref="Authorize.Parse"/>; a peer that one of them accepts is accepted. Either
    /// this or <see cref="AllowFile"/> is set. It may change while the process runs; live connections are judged again.
    /// </summary>
    public IList<string> Allow { get; } = [];

    /// <summary>A file of such rules, which is followed (<see cref="Authorization.AuthorizationFile"/>). Default: null.</summary>
    public string? AllowFile { get; set; }

    /// <summary>
    /// Files of revocation lists, which are followed. Which files they are may change while the process runs, but not whether there are any.
    /// Default: none; revocation is not checked, and a warning says so.
    /// </summary>
    public IList<string> RevocationLists { get; } = [];

    /// <summary>
    /// Addresses from which further lists are fetched (<see cref="Revocation.FetchedRevocationLists"/>), http or https. As for files, they may
    /// change while the process runs, but not whether there are any lists. Until an address has given its first list, peers that it covers are
    /// rejected. Default: none.
    /// </summary>
    public IList<string> RevocationListAddresses { get; } = [];

    /// <summary>
    /// The directory in which fetched lists are kept for the next start (<see cref="RevocationFetchOptions.Directory"/>). Default: null, they are
    /// kept in memory only.
    /// </summary>
    public string? RevocationListDirectory { get; set; }

    /// <summary>
    /// The file that remembers over a restart which lists were in force (<see cref="Revocation.RevocationListWitness"/>), so that older ones are
    /// refused. It must exist. Default: null, a restart forgets.
    /// </summary>
    public string? RevocationListWitness { get; set; }

    /// <summary>
    /// Whether <see cref="RevocationListWitness"/> is made where it is missing: for the first start. Set it back to false then, or an attacker
    /// who can remove the file can have an older list taken. Default: false.
    /// </summary>
    public bool DangerouslyCreateRevocationListWitness { get; set; }

    /// <summary>Which certificates the lists must cover. Default: <see cref="Revocation.RevocationCoverage.EveryCertificate"/>.</summary>
    public RevocationCoverage RevocationCoverage { get; set; } = RevocationCoverage.EveryCertificate;

    /// <summary>A deny list, which is followed (<see cref="Revocation.DenyListFile"/>). Default: null.</summary>
    public string? DenyListFile { get; set; }

    /// <summary>A file of pins, which is followed (<see cref="Pinning.PinFile"/>). Default: null.</summary>
    public string? PinFile { get; set; }

    /// <summary>Whether each side must learn that the other has accepted it. Default: <see cref="ConfirmationPolicy.Preferred"/>.</summary>
    public ConfirmationPolicy Confirmation { get; set; } = ConfirmationPolicy.Preferred;

    /// <summary>
    /// Which key exchanges are allowed. In a configuration: <c>any</c>, <c>hybrid</c>, <c>post-quantum</c>, or groups by name, such as
    /// <c>X25519MLKEM768</c>. Default: <see cref="KeyExchangePolicy.Any"/>.
    /// </summary>
    public KeyExchangePolicy KeyExchange { get; set; } = KeyExchangePolicy.Any;

    /// <summary>
    /// What TLS may offer and answer at most in this process; where it is more, the host does not start. In a configuration: <c>default</c>,
    /// <c>fapi</c>, <c>cnsa-1.0</c> or <c>cnsa-2.0</c> (<see cref="PlatformRequirements.Named"/>). Default: null, nothing is required.
    /// </summary>
    public PlatformRequirements? RequirePlatform { get; set; }

    /// <summary>The lowest version of TLS. Default: <see cref="TlsVersion.Tls12"/>.</summary>
    public TlsVersion MinimumTlsVersion { get; set; } = TlsVersion.Tls12;

    /// <summary>Application protocols (ALPN, RFC 7301), the favourite first. Default: none.</summary>
    public IList<string> ApplicationProtocols { get; } = [];

    /// <summary>How long a handshake may take. Above zero, at most an hour. Default: ten seconds.</summary>
    public TimeSpan HandshakeTimeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>How long closing a connection waits for the peer. Above zero, at most an hour. Default: one second.</summary>
    public TimeSpan CloseTimeout { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>How long a connection may last; at most 3,660 days. Default: null, no bound.</summary>
    public TimeSpan? MaximumAge { get; set; }

    /// <summary>
    /// Over how long before a common end connections end, see <see cref="RevalidationPolicy.ExpirySpread"/>; at most a day. Default: null, no
    /// spread.
    /// </summary>
    public TimeSpan? ExpirySpread { get; set; }

    /// <summary>How long a connection may carry no data; at most 3,660 days. Default: null, no bound.</summary>
    public TimeSpan? IdleTimeout { get; set; }

    /// <summary>
    /// How long a connection may last since its user did something last (<see cref="RevalidationPolicy.UserInactivityTimeout"/>), which the
    /// application says; at most 3,660 days. <see cref="GracePeriod"/> comes on top. Default: null, no bound.
    /// </summary>
    public TimeSpan? UserInactivityTimeout { get; set; }

    /// <summary>How long a connection that is no longer valid may go on; at most an hour. Default: 30 seconds.</summary>
    public TimeSpan GracePeriod { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>Warnings about this configuration that are not to be logged. Default: none.</summary>
    public ConfigurationWarnings AcknowledgedWarnings { get; set; }

    /// <summary>The audit trail in which every connection is recorded. Default: none.</summary>
    public AuditSettings Audit { get; } = new();

    /// <summary>Where the settings stand in the configuration, or the name of the listener or client when they come from code.</summary>
    internal string Path { get; set; } = "";

    /// <summary>What could not be read in the configuration, each with its place.</summary>
    internal List<string> BindingProblems { get; } = [];

    internal bool HasRevocationLists => RevocationLists.Count + RevocationListAddresses.Count > 0;

    internal string At(string key) => $"{Path}:{key}";

    /// <summary>Reads everything that a configuration has to say.</summary>
    internal virtual void Bind(SectionReader section)
    {
        section.Object(nameof(Identity), identity =>
        {
            identity.Text(nameof(IdentitySettings.Certificate), value => Identity.Certificate = value);
            identity.Text(nameof(IdentitySettings.Key), value => Identity.Key = value);
            identity.Text(nameof(IdentitySettings.Pkcs12), value => Identity.Pkcs12 = value);
            identity.Text(nameof(IdentitySettings.PasswordFile), value => Identity.PasswordFile = value);
        });
        section.Texts(nameof(Trust), Trust);
        section.Texts(nameof(Allow), Allow);
        section.Text(nameof(AllowFile), value => AllowFile = value);
        section.Texts(nameof(RevocationLists), RevocationLists);
        section.Texts(nameof(RevocationListAddresses), RevocationListAddresses);
        section.Text(nameof(RevocationListDirectory), value => RevocationListDirectory = value);
        section.Text(nameof(RevocationListWitness), value => RevocationListWitness = value);
        section.Flag(nameof(DangerouslyCreateRevocationListWitness), value => DangerouslyCreateRevocationListWitness = value);
        section.Choice<RevocationCoverage>(nameof(RevocationCoverage), value => RevocationCoverage = value);
        section.Text(nameof(DenyListFile), value => DenyListFile = value);
        section.Text(nameof(PinFile), value => PinFile = value);
        section.Choice<ConfirmationPolicy>(nameof(Confirmation), value => Confirmation = value);
        section.KeyExchange(nameof(KeyExchange), value => KeyExchange = value);
        section.Platform(nameof(RequirePlatform), value => RequirePlatform = value);
        section.Choice<TlsVersion>(nameof(MinimumTlsVersion), value => MinimumTlsVersion = value);
        section.Texts(nameof(ApplicationProtocols), ApplicationProtocols);
        section.Time(nameof(HandshakeTimeout), value => HandshakeTimeout = value);
        section.Time(nameof(CloseTimeout), value => CloseTimeout = value);
        section.Time(nameof(MaximumAge), value => MaximumAge = value);
        section.Time(nameof(ExpirySpread), value => ExpirySpread = value);
        section.Time(nameof(IdleTimeout), value => IdleTimeout = value);
        section.Time(nameof(UserInactivityTimeout), value => UserInactivityTimeout = value);
        section.Time(nameof(GracePeriod), value => GracePeriod = value);
        section.Object(nameof(Audit), audit =>
        {
            audit.Text(nameof(AuditSettings.File), value => Audit.File = value);
            audit.Text(nameof(AuditSettings.KeyFile), value => Audit.KeyFile = value);
            audit.Choice<AuditFailureAction>(nameof(AuditSettings.OnFailure), value => Audit.OnFailure = value);
        });
        section.Choices<ConfigurationWarnings>(nameof(AcknowledgedWarnings), value => AcknowledgedWarnings |= value);
        section.Object(nameof(TrustConstraints), TrustConstraints.Bind);
    }

    /// <summary>What cannot change while the process runs, as text to compare.</summary>
    internal virtual IEnumerable<(string Key, string? Value)> Fixed() =>
    [
        (nameof(Identity), string.Join('|', Identity.Certificate, Identity.Key, Identity.Pkcs12, Identity.PasswordFile)),
        (nameof(RevocationLists), HasRevocationLists ? "some" : "none"),
        (nameof(RevocationListWitness), RevocationListWitness),
        (nameof(DangerouslyCreateRevocationListWitness), Text(DangerouslyCreateRevocationListWitness)),
        (nameof(RevocationCoverage), RevocationCoverage.ToString()),
        (nameof(DenyListFile), DenyListFile is null ? "none" : "one"),
        (nameof(PinFile), PinFile is null ? "none" : "one"),
        (nameof(Confirmation), Confirmation.ToString()),
        (nameof(KeyExchange), KeyExchange?.ToString()),
        (nameof(RequirePlatform), RequirePlatform?.ToString() ?? "nothing"),
        (nameof(MinimumTlsVersion), MinimumTlsVersion.ToString()),
        (nameof(ApplicationProtocols), string.Join('|', ApplicationProtocols)),
        (nameof(HandshakeTimeout), Text(HandshakeTimeout)),
        (nameof(CloseTimeout), Text(CloseTimeout)),
        (nameof(MaximumAge), Text(MaximumAge)),
        (nameof(ExpirySpread), Text(ExpirySpread)),
        (nameof(IdleTimeout), Text(IdleTimeout)),
        (nameof(UserInactivityTimeout), Text(UserInactivityTimeout)),
        (nameof(GracePeriod), Text(GracePeriod)),
        (nameof(AcknowledgedWarnings), AcknowledgedWarnings.ToString()),
        (nameof(Audit), string.Join('|', Audit.File, Audit.KeyFile, Audit.OnFailure)),
    ];

    /// <summary>
    /// What could not be read, and what does not fit together. Where something could not be read, nothing is said of what follows from that.
    /// </summary>
    internal List<string> AllProblems()
    {
        var all = new List<string>(BindingProblems);
        all.AddRange(Problems().Where(problem => !BindingProblems.Any(earlier => IsAt(PlaceIn(problem), earlier))));
        return all;
    }

    /// <summary>Whether a problem is told already of this place, or of one beneath it, or that everything is missing.</summary>
    internal bool IsToldIn(List<string> problems, string key) => problems.Exists(problem => IsAt(At(key), problem));

    private bool IsAt(string place, string problem) =>
        PlaceIn(problem) is var told && (told == Path || told == place || told.StartsWith(place + ":", StringComparison.OrdinalIgnoreCase));

    /// <summary>A problem begins with its place, which begins with that of the settings.</summary>
    private string PlaceIn(string problem) =>
        problem.IndexOf(' ', Math.Min(Path.Length, problem.Length)) is > 0 and var end ? problem[..end].TrimEnd(':') : problem;

    /// <summary>What does not fit together; what only a file or Core can say comes later.</summary>
    internal virtual IEnumerable<string> Problems()
    {
        if (Identity is { Certificate: not null, Pkcs12: not null } or { Key: not null, Pkcs12: not null })
        {
            yield return $"{At(nameof(Identity))}: set either {nameof(IdentitySettings.Certificate)} and {nameof(IdentitySettings.Key)}, or "
                + $"{nameof(IdentitySettings.Pkcs12)}, and not both.";
        }
        else if (Identity is { IsSet: true, Certificate: null, Pkcs12: null })
        {
            yield return $"{At(nameof(Identity))}: {nameof(IdentitySettings.Certificate)} or {nameof(IdentitySettings.Pkcs12)} is missing.";
        }

        if (Trust.Count == 0)
        {
            yield return $"{At(nameof(Trust))} is missing: name at least one PEM file of the authorities that you trust.";
        }

        if (Allow.Count == 0 && AllowFile is null)
        {
            yield return $"{At(nameof(Allow))} is missing: {AllowHint}, or name a file of such rules with {nameof(AllowFile)}.";
        }
        else if (Allow.Count > 0 && AllowFile is not null)
        {
            yield return $"{At(nameof(Allow))} and {nameof(AllowFile)} are both set: set one of them.";
        }

        if (RevocationListDirectory is not null && RevocationListAddresses.Count == 0)
        {
            yield return $"{At(nameof(RevocationListDirectory))} is set, but nothing is fetched: set {nameof(RevocationListAddresses)} too.";
        }

        if (RevocationListWitness is not null && !HasRevocationLists)
        {
            yield return $"{At(nameof(RevocationListWitness))} is set, but there are no lists: set {nameof(RevocationLists)} or "
                + $"{nameof(RevocationListAddresses)} too.";
        }

        if (DangerouslyCreateRevocationListWitness && RevocationListWitness is null)
        {
            yield return $"{At(nameof(DangerouslyCreateRevocationListWitness))} is true, but {nameof(RevocationListWitness)} is missing: name the "
                + "file.";
        }

        foreach (var (key, value, longest) in Times())
        {
            var isAllowed = value >= TimeSpan.Zero && value <= longest && (value > TimeSpan.Zero || key == nameof(GracePeriod));
            if (value is not null && !isAllowed)
            {
                var least = key == nameof(GracePeriod) ? "zero or more" : "above zero";
                yield return $"{At(key)} must be {least} and at most {longest:c}; it is {value:c}.";
            }
        }

        if (Audit is { IsSet: true, File: null })
        {
            yield return $"{At(nameof(Audit))}: {nameof(AuditSettings.File)} is missing: say where the trail is.";
        }

        if (!Enum.IsDefined(Audit.OnFailure))
        {
            yield return $"{At(nameof(Audit))}:{nameof(AuditSettings.OnFailure)} must be an {nameof(AuditFailureAction)}; it is {Audit.OnFailure}.";
        }

        if (Confirmation == ConfirmationPolicy.Never && HasLogin)
        {
            yield return $"{At(nameof(Confirmation))} is {ConfirmationPolicy.Never}, but a login needs confirmation: set it to "
                + $"{ConfirmationPolicy.Preferred} or {ConfirmationPolicy.Required}.";
        }
    }

    internal RevalidationPolicy ToRevalidationPolicy() => new()
    {
        MaximumAge = MaximumAge,
        ExpirySpread = ExpirySpread ?? TimeSpan.Zero,
        IdleTimeout = IdleTimeout,
        UserInactivityTimeout = UserInactivityTimeout,
        GracePeriod = GracePeriod,
    };

    private protected virtual IEnumerable<(string Key, TimeSpan? Value, TimeSpan Longest)> Times() =>
    [
        (nameof(HandshakeTimeout), HandshakeTimeout, TimeSpan.FromHours(1)),
        (nameof(CloseTimeout), CloseTimeout, TimeSpan.FromHours(1)),
        (nameof(MaximumAge), MaximumAge, TimeSpan.FromDays(3660)),
        (nameof(ExpirySpread), ExpirySpread, TimeSpan.FromDays(1)),
        (nameof(IdleTimeout), IdleTimeout, TimeSpan.FromDays(3660)),
        (nameof(UserInactivityTimeout), UserInactivityTimeout, TimeSpan.FromDays(3660)),
        (nameof(GracePeriod), GracePeriod, TimeSpan.FromHours(1)),
    ];

    private protected abstract bool HasLogin { get; }

    private protected abstract string AllowHint { get; }

    private protected static string? Text<T>(T value) => Convert.ToString(value, CultureInfo.InvariantCulture);
}
