using System.Globalization;
using MutualAuth.Audit;
using MutualAuth.Credentials;
using MutualAuth.Errors;
using MutualAuth.Evidence;
using MutualAuth.Identities;
using MutualAuth.Reloading;

namespace MutualAuth.Handshake;

/// <summary>
/// Records what a server or client is made of, and each change of what it judges by and presents: for as long as the sources last, and once for all
/// that share a source and a sink.
/// </summary>
internal static class AuditedMaterial
{
    /// <param name="options">What was configured.</param>
    /// <param name="ourRole">Our role.</param>
    /// <param name="identities">Where our identities come from.</param>
    internal static void Begin(HandshakeOptions options, PeerRole ourRole, IEnumerable<IIdentitySource> identities)
    {
        if (Auditor.For(options.Audit, options.LoggerFactory, options.TimeProvider) is not { } auditor)
        {
            return;
        }

        auditor.Tell(Configured(options, ourRole, identities));
        foreach (var source in identities.OfType<IReloadable>())
        {
            Follow(auditor, source, "identity", AuditKinds.IdentityReplaced, sender => DetailsOf(sender as IIdentitySource));
        }

        Follow(auditor, options.Trust, "trust", AuditKinds.TrustReplaced);
        Follow(auditor, options.Revocation?.Lists, "revocation lists", AuditKinds.RevocationReplaced);
        Follow(auditor, options.DenyList, "deny list", AuditKinds.RulesReplaced);
        Follow(auditor, options.Pins, "pins", AuditKinds.RulesReplaced);
        foreach (var rule in options.Authorization.Reloadables())
        {
            Follow(auditor, rule, "authorization", AuditKinds.RulesReplaced);
        }

        foreach (var rule in options.RequiredCredentials.Users.Reloadables())
        {
            Follow(auditor, rule, "rules for users", AuditKinds.RulesReplaced);
        }

        foreach (var store in options.RequiredCredentials.Mechanisms.OfType<IUsesStore>().Select(mechanism => mechanism.Store).Distinct())
        {
            auditor.Watch(store, source => FollowStore(auditor, source));
        }
    }

    private static AuditEvent Configured(HandshakeOptions options, PeerRole ourRole, IEnumerable<IIdentitySource> identities)
    {
        var credentials = options.RequiredCredentials;
        var text = $"a {HandshakeEvents.Name(ourRole)} was configured: peers are accepted by {options.Authorization}";
        return new AuditEvent(AuditKinds.Configured, text)
        {
            Details = new AuditDetails().With("role", HandshakeEvents.Name(ourRole)).With("version", VersionOfLibrary)
                .With("minimum_tls", options.TlsVersions.Lowest.ToText()).With("cipher_suites", string.Join(' ', options.CipherSuites))
                .With("key_exchange", options.KeyExchange.ToString()).With("confirmation", options.Confirmation.ToString())
                .With("authorization", options.Authorization.ToString()).With("trust", options.Trust.GetType().Name)
                .With("revocation", RevocationOf(options)).With("deny_list", options.DenyList is not null)
                .With("pins", options.Pins is not null).With("credentials", ourRole == PeerRole.Server ? credentials.ToString() : null)
                .With("on_audit_failure", options.Audit!.OnFailure.ToString())
                .With(identities.SelectMany(ServerIdentities.AtHand).FirstOrDefault()?.Current.Certificate).ToArray(),
        };
    }

    private static string RevocationOf(HandshakeOptions options) => options.Revocation is { } policy
        ? $"by lists, coverage {policy.Coverage}, unknown status {policy.Unknown}"
        : "not checked by lists";

    private static string VersionOfLibrary => typeof(AuditedMaterial).Assembly.GetName().Version!.ToString(3);

    private static void Follow(
        Auditor auditor, object? source, string material, string kind, Func<object?, AuditDetails>? describe = null)
    {
        if (source is not IReloadable reloadable)
        {
            return;
        }

        auditor.Watch(reloadable, watched =>
        {
            watched.Replaced += OnReplaced;
            if (watched is IFileSource files)
            {
                files.Refused += (sender, refused) => auditor.TellUnlessClosed(
                    new AuditEvent(AuditKinds.ReloadRefused, $"{material}: {refused.Problem.Message}") { Details = Of(sender).ToArray() });
            }
        });

        void OnReplaced(object? sender, EventArgs e)
        {
            if (auditor.IsClosed)
            {
                reloadable.Replaced -= OnReplaced;
                return;
            }

            auditor.Tell(new AuditEvent(kind, $"{material}: replaced") { Details = (describe?.Invoke(sender) ?? Of(sender)).ToArray() });
        }

        AuditDetails Of(object? sender) => new AuditDetails().With("material", material).With("files", FilesOf(sender));
    }

    private static AuditDetails DetailsOf(IIdentitySource? source)
    {
        var details = new AuditDetails().With("material", "identity").With("files", FilesOf(source));
        try
        {
            return source is null || source is ServerIdentities ? details
                : details.With(source.Current.Certificate).With("not_after", UtcText.Of(source.Current.Certificate.NotAfter));
        }
        catch (Exception)
        {
            return details; // the application's source threw
        }
    }

    private static string? FilesOf(object? source) => source is IFileSource files ? string.Join(' ', files.Paths) : null;

    /// <summary>The users that changed, where the store says which; what was not said by whom is left out.</summary>
    private static void FollowStore(Auditor auditor, ICredentialStore store)
    {
        var name = store is FileCredentialStore { FilePath: var path } ? $"{store.GetType().Name} {path}" : store.GetType().Name;
        if (store is IFactChangeSource announces)
        {
            announces.FactsChanged += (_, change) => auditor.TellUnlessClosed(new AuditEvent(
                AuditKinds.CredentialsChanged, $"{name}: {UsersOf(change)} changed or gone")
            { Details = new AuditDetails().With("store", name).With("users", UsersOf(change)).ToArray() });
        }

        if (store is IAnnouncesWrites written)
        {
            written.Written += (_, user) => auditor.TellUnlessClosed(new AuditEvent(
                AuditKinds.CredentialsChanged, $"{name}: {SafeText.Quote(user)} was changed by this process")
            {
                Details = new AuditDetails().With("store", name).With("users", SafeText.Quote(user))
                    .With("by", $"process {Environment.ProcessId.ToString(CultureInfo.InvariantCulture)}, {Environment.UserName}").ToArray(),
            });
        }

        if (store is FileCredentialStore file)
        {
            file.Replaced += (_, _) => auditor.TellUnlessClosed(new AuditEvent(
                AuditKinds.CredentialsChanged, $"{name}: the file was replaced, {file.Count.ToString(CultureInfo.InvariantCulture)} users")
            { Details = new AuditDetails().With("store", name).With("count", file.Count.ToString(CultureInfo.InvariantCulture)).ToArray() });
            file.Refused += (_, refused) => auditor.TellUnlessClosed(
                new AuditEvent(AuditKinds.ReloadRefused, $"credentials: {refused.Problem.Message}")
                { Details = new AuditDetails().With("material", "credentials").With("store", name).ToArray() });
        }
    }

    private static string UsersOf(FactsChangedEventArgs change) =>
        change.Keys.IsDefault ? "any" : string.Join(' ', change.Keys.Select(key => SafeText.Quote(key)));
}
