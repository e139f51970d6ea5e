using System.Collections.Frozen;
using MutualAuth.Authorization;
using MutualAuth.Errors;
using MutualAuth.Reloading;

namespace MutualAuth.Credentials;

/// <summary>Makes the rules that say which users may log in, and with which certificate.</summary>
public static class UserRules
{
    /// <summary>Every user with correct credentials.</summary>
    public static UserRule Any { get; } = new Rule("any user may log in", "any user", (_, _) => true);

    /// <summary>These users only.</summary>
    /// <exception cref="ArgumentException">There is no name, or one that is no name for a user.</exception>
    public static UserRule Named(params IEnumerable<string> userNames)
    {
        var names = Prepare(userNames);
        return new Rule($"only {Describe(names)} may log in", $"one of {Describe(names)}", (user, _) => names.Contains(user.Name));
    }

    /// <summary>
    /// A user may log in only with a certificate that carries the user's name: as a DNS name, an e-mail address, a URI, a user principal name or
    /// the SPIFFE ID of a valid SVID, and well formed as such.
    /// </summary>
    public static UserRule NamedByTheirCertificate { get; } = new Rule(
        "users log in with a certificate that names them",
        "a user whom the certificate names",
        (user, peer) => peer?.Certificate is { } certificate
            && PeerNames.AllOf(certificate).Any(name =>
                name.Kind is PeerNameKind.SpiffeId or PeerNameKind.Dns or PeerNameKind.Email or PeerNameKind.Uri or PeerNameKind.UserPrincipalName
                && name.Value == user.Name));

    /// <summary>
    /// A user may log in only with a certificate that carries the user's name as an otherName of this type, such as the number of a card.
    /// </summary>
    /// <param name="type">The type, as a dotted object identifier.</param>
    /// <exception cref="ArgumentNullException"><paramref name="type"/> is null.</exception>
    /// <exception cref="FormatException"><paramref name="type"/> is not an object identifier.</exception>
    /// <example><code>var byCard = UserRules.NamedByOtherName("1.3.6.1.5.5.7.8.5");</code></example>
    public static UserRule NamedByOtherName(string type)
    {
        _ = PeerName.OtherName(type, "user"); // no identifier: said at once
        return new Rule(
            $"users log in with a certificate that names them by {type}",
            $"a user whom the certificate names by {type}",
            (user, peer) => peer?.Certificate is { } certificate
                && PeerName.TryOtherName(type, user.Name, out _)
                && certificate.OtherNames.Any(name => name.Type == type && name.Text == user.Name));
    }

    /// <summary>Each device has its users: a user that is not on the list of the presented certificate may not log in with it.</summary>
    /// <param name="usersByDevice">
    /// For a name of a device, the users that may come with it; it is copied. Where a certificate carries several of these names, the users of each
    /// of them may. Kinds count: a text that a certificate carries as another kind is another name, and one that is not well formed is none.
    /// </param>
    /// <exception cref="ArgumentNullException"><paramref name="usersByDevice"/> is null.</exception>
    /// <exception cref="ArgumentException">A name is no name for a user.</exception>
    public static UserRule OfDevice(IReadOnlyDictionary<PeerName, IEnumerable<string>> usersByDevice)
    {
        ArgumentNullException.ThrowIfNull(usersByDevice);
        var devices = usersByDevice.ToFrozenDictionary(device => device.Key, device => Prepare(device.Value));
        return new Rule(
            "each device has its users",
            "a user of this device",
            (user, peer) => peer?.Certificate is { } certificate
                && PeerNames.AllOf(certificate).Any(name => devices.TryGetValue(name, out var users) && users.Contains(user.Name)));
    }

    /// <summary>A user for whom <paramref name="predicate"/> is true.</summary>
    /// <param name="description">Says who may log in, after "a user may log in when", for logs and rejections.</param>
    /// <param name="predicate">
    /// Gets the user, and the peer as its certificate shows it, if it showed one. Pure and quick; when it throws, the user is refused.
    /// </param>
    /// <exception cref="ArgumentNullException"><paramref name="predicate"/> is null.</exception>
    /// <exception cref="ArgumentException"><paramref name="description"/> is empty or white space.</exception>
    public static UserRule Where(string description, Func<AuthenticatedUser, AuthenticatedPeer?, bool> predicate)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(description);
        ArgumentNullException.ThrowIfNull(predicate);
        return new Rule($"a user may log in when {description}", description, predicate) { IsOfApplication = true };
    }

    /// <summary>A user that every one of the rules accepts.</summary>
    /// <exception cref="ArgumentNullException"><paramref name="rules"/> is null.</exception>
    /// <exception cref="ArgumentException"><paramref name="rules"/> is empty, or holds a null.</exception>
    public static UserRule AllOf(params IEnumerable<UserRule> rules)
    {
        ArgumentNullException.ThrowIfNull(rules);
        UserRule[] all = [.. rules];
        return all.Length == 0 || all.Contains(null)
            ? throw new ArgumentException("Expected at least one rule and no null.", nameof(rules))
            : new AllRule(all);
    }

    /// <summary>A user that the source's current rule accepts. Live users are examined again when the source announces another rule.</summary>
    /// <exception cref="ArgumentNullException"><paramref name="source"/> is null.</exception>
    /// <example><code>var following = UserRules.From(new ReplaceableUserRule(UserRules.Any));</code></example>
    public static UserRule From(IUserRuleSource source)
    {
        ArgumentNullException.ThrowIfNull(source);
        return new SourcedRule(source);
    }

    private static FrozenSet<string> Prepare(IEnumerable<string> userNames)
    {
        ArgumentNullException.ThrowIfNull(userNames);
        var names = userNames.Select(UserNames.Prepare).ToFrozenSet(StringComparer.Ordinal);
        return names.Count == 0 ? throw new ArgumentException("Expected at least one user name, got none.", nameof(userNames)) : names;
    }

    private static string Describe(FrozenSet<string> names) =>
        string.Join(", ", names.Order(StringComparer.Ordinal).Take(8).Select(SafeText.Quote)) + (names.Count > 8 ? ", …" : string.Empty);

    private sealed class Rule(string sentence, string expected, Func<AuthenticatedUser, AuthenticatedPeer?, bool> predicate) : UserRule
    {
        internal override bool CallsApplication => IsOfApplication;

        internal bool IsOfApplication { private get; init; }

        public override string ToString() => sentence;

        internal override IEnumerable<IReloadable> Reloadables() => [];

        internal override Rejection? Examine(AuthenticatedUser user, AuthenticatedPeer? certifiedPeer) => predicate(user, certifiedPeer)
            ? null
            : new Rejection(
                RejectionReason.UserNotAllowed,
                expected,
                $"{user}{(certifiedPeer is null ? " without a certificate" : $" with the certificate of {certifiedPeer.Name}")}");
    }

    private sealed class AllRule(UserRule[] rules) : UserRule
    {
        internal override bool CallsApplication { get; } = rules.Any(rule => rule.CallsApplication);

        public override string ToString() => string.Join(", and ", rules.Select(rule => rule.ToString()));

        internal override Rejection? Examine(AuthenticatedUser user, AuthenticatedPeer? certifiedPeer) =>
            rules.Select(rule => rule.Examine(user, certifiedPeer)).FirstOrDefault(objection => objection is not null);

        internal override IEnumerable<IReloadable> Reloadables() => rules.SelectMany(rule => rule.Reloadables());
    }

    private sealed class SourcedRule(IUserRuleSource source) : UserRule
    {
        internal override bool CallsApplication => true;

        public override string ToString() => source.Current.ToString();

        internal override Rejection? Examine(AuthenticatedUser user, AuthenticatedPeer? certifiedPeer) =>
            source.Current.Examine(user, certifiedPeer);

        internal override IEnumerable<IReloadable> Reloadables() =>
            source.Current.Reloadables().Concat(source is IReloadable reloadable ? [reloadable] : []);
    }
}
