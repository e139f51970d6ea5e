using MutualAuth.Hosting.Binding;

namespace MutualAuth.Hosting;

/// <summary>A named client, as a configuration can say it.</summary>
/// <remarks>What it cannot say, <see cref="MutualTlsClientBuilder.ConfigureClient"/> adds.</remarks>
public sealed class MutualTlsClientSettings : MutualTlsSettings
{
    /// <summary>The line of <see cref="MutualTlsSettings.Allow"/> that accepts the server whose name is dialled; it stands alone.</summary>
    public const string AllowServerName = "server-name";

    /// <summary>
    /// Whether the client presents no certificate. Default: false; <see cref="MutualTlsSettings.Identity"/> must then be set.
    /// </summary>
    public bool WithoutCertificate { get; set; }

    /// <summary>The time limit for finding the host and connecting. Above zero, at most an hour. Default: ten seconds.</summary>
    public TimeSpan ConnectTimeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// Whether the server is judged before our certificate leaves. Default: false. See
    /// <see cref="MutualTlsClientOptions.JudgeServerBeforeShowingIdentity"/> for its price.
    /// </summary>
    public bool JudgeServerBeforeShowingIdentity { get; set; }

    /// <summary>
    /// Whether <see cref="AllowServerName"/> refuses a server whose certificate covers the dialled name by a wildcard only
    /// (<see cref="Names.WildcardPolicy.Refused"/>). Default: false.
    /// </summary>
    public bool RefuseWildcards { get; set; }

    /// <summary>
    /// A list of public suffixes in the format of publicsuffix.org, directly above which no wildcard counts for <see cref="AllowServerName"/>
    /// (<see cref="Names.PublicSuffixList.Parse"/>), in place of the built-in rule; it is read once. Default: null.
    /// </summary>
    public string? PublicSuffixFile { get; set; }

    /// <summary>The user as which the client logs in, by SCRAM (RFC 5802). Default: null, no login.</summary>
    public string? User { get; set; }

    /// <summary>A file whose first line is the password of <see cref="User"/>; it is read once. Default: null.</summary>
    public string? PasswordFile { get; set; }

    private protected override string AllowHint => $"say which servers are accepted, such as \"{AllowServerName}\" for the one that is dialled";

    private protected override bool HasLogin => User is not null;

    private protected override IEnumerable<(string Key, TimeSpan? Value, TimeSpan Longest)> Times() =>
        [.. base.Times(), (nameof(ConnectTimeout), ConnectTimeout, TimeSpan.FromHours(1))];

    internal override void Bind(SectionReader section)
    {
        base.Bind(section);
        section.Flag(nameof(WithoutCertificate), value => WithoutCertificate = value);
        section.Time(nameof(ConnectTimeout), value => ConnectTimeout = value);
        section.Flag(nameof(JudgeServerBeforeShowingIdentity), value => JudgeServerBeforeShowingIdentity = value);
        section.Flag(nameof(RefuseWildcards), value => RefuseWildcards = value);
        section.Text(nameof(PublicSuffixFile), value => PublicSuffixFile = value);
        section.Text(nameof(User), value => User = value);
        section.Text(nameof(PasswordFile), value => PasswordFile = value);
    }

    internal override IEnumerable<(string Key, string? Value)> Fixed() =>
    [
        .. base.Fixed(),
        (nameof(WithoutCertificate), Text(WithoutCertificate)),
        (nameof(ConnectTimeout), Text(ConnectTimeout)),
        (nameof(JudgeServerBeforeShowingIdentity), Text(JudgeServerBeforeShowingIdentity)),
        (nameof(RefuseWildcards), Text(RefuseWildcards)),
        (nameof(PublicSuffixFile), PublicSuffixFile),
        (nameof(User), User),
        (nameof(PasswordFile), PasswordFile),
    ];

    internal override IEnumerable<string> Problems()
    {
        foreach (var problem in base.Problems())
        {
            yield return problem;
        }

        if (WithoutCertificate == Identity.IsSet)
        {
            yield return WithoutCertificate
                ? $"{At(nameof(WithoutCertificate))} is true, and {nameof(Identity)} is set: set one of them."
                : $"{At(nameof(Identity))} is missing: name the files of our certificate, or set {nameof(WithoutCertificate)} to true.";
        }

        if (User is null != PasswordFile is null)
        {
            yield return $"{At(User is null ? nameof(User) : nameof(PasswordFile))} is missing: a login needs {nameof(User)} and "
                + $"{nameof(PasswordFile)}.";
        }

        if (PublicSuffixFile is not null && (RefuseWildcards || Allow is not [AllowServerName]))
        {
            yield return RefuseWildcards
                ? $"{At(nameof(PublicSuffixFile))} is set, but no wildcard counts: remove it, or {nameof(RefuseWildcards)}."
                : $"{At(nameof(PublicSuffixFile))} is set, but is for \"{AllowServerName}\" alone in {nameof(Allow)}: remove it, or the other rules.";
        }

        if (Allow.Count > 1 && Allow.Contains(AllowServerName))
        {
            yield return $"{At(nameof(Allow))}: \"{AllowServerName}\" stands beside other rules. Remove it, or all the others.";
        }
    }
}
