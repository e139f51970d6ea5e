using MutualAuth.Authorization;
using MutualAuth.Credentials;
using MutualAuth.Names;
using MutualAuth.Pinning;
using MutualAuth.Revocation;

namespace MutualAuth.Hosting.Materials;

/// <summary>Opens the files that settings name, and collects what is wrong with each of them, with its place in the configuration.</summary>
/// <param name="store">Every file that is followed.</param>
/// <param name="root">Where relative paths begin.</param>
/// <param name="settings">The settings.</param>
/// <param name="problems">Where problems go.</param>
internal sealed class MaterialReader(MaterialStore store, string root, MutualTlsSettings settings, List<string> problems)
{
    internal Lease<IdentityFiles>? Identity()
    {
        var identity = settings.Identity;
        return Try(nameof(MutualTlsSettings.Identity), () => store.Identity(
            Full(identity.Certificate), Full(identity.Key), Full(identity.Pkcs12), Full(identity.PasswordFile)));
    }

    internal Material<TrustAnchors>? Trust() => Try(nameof(MutualTlsSettings.TrustConstraints), settings.TrustConstraints.Read) is { } constraints
        ? Try(
            nameof(MutualTlsSettings.Trust),
            () => Material<TrustAnchors>.Of(store.Trust(Full(settings.Trust), constraints, settings.TrustConstraints.ToString())))
        : null;

    internal Material<AuthorizationRule>? Rules() => settings.AllowFile is { } file
        ? Try(nameof(MutualTlsSettings.AllowFile), () => Material<AuthorizationRule>.Of(store.Rules(Full(file)!)))
        : settings is MutualTlsClientSettings client && settings.Allow is [MutualTlsClientSettings.AllowServerName]
        ? Wildcards(client) is { } wildcards ? Material<AuthorizationRule>.Of(Authorize.ServerNameBy(wildcards)) : null
        : Try(nameof(MutualTlsSettings.Allow), () => Material<AuthorizationRule>.Of(Authorize.Parse(settings.Allow)));

    internal Material<RevocationLists>? Lists()
    {
        var isRead = settings.RevocationLists.Count > 0;
        var isFetched = settings.RevocationListAddresses.Count > 0;
        RevocationListWitness? witness = null;
        if (settings.RevocationListWitness is { } path && (witness = Witness(path)) is null)
        {
            return null;
        }

        var files = isRead ? Try(nameof(MutualTlsSettings.RevocationLists), () => store.Lists(Full(settings.RevocationLists), witness)) : null;
        var fetched = isFetched
            ? Try(
                nameof(MutualTlsSettings.RevocationListAddresses),
                () => store.Fetched([.. settings.RevocationListAddresses], Full(settings.RevocationListDirectory), witness))
            : null;
        if (isRead == files is null || isFetched == fetched is null)
        {
            files?.Dispose();
            fetched?.Dispose();
            return null;
        }

        return fetched is null ? Material<RevocationLists>.Of(files!) : Combine(files, fetched);
    }

    internal Material<DenyList>? DenyList() =>
        Try(nameof(MutualTlsSettings.DenyListFile), () => Material<DenyList>.Of(store.DenyList(Full(settings.DenyListFile)!)));

    internal Material<PinSet>? Pins() => Try(nameof(MutualTlsSettings.PinFile), () => Material<PinSet>.Of(store.Pins(Full(settings.PinFile)!)));

    internal Lease<FileCredentialStore>? Users(string file) =>
        Try(nameof(MutualTlsListenerSettings.UsersFile), () => store.Users(Full(file)!));

    internal Lease<FactorKeyFile>? FactorKeys(string file) =>
        Try(nameof(MutualTlsListenerSettings.FactorKeyFile), () => store.FactorKeys(Full(file)!));

    internal Lease<SharedTrail>? Audit() =>
        Try(nameof(MutualTlsSettings.Audit), () => store.Audit(Full(settings.Audit.File)!, Full(settings.Audit.KeyFile)));

    internal Password? Password(string file) =>
        Try(nameof(MutualTlsClientSettings.PasswordFile), () => Credentials.Password.FromFile(Full(file)!));

    private WildcardPolicy? Wildcards(MutualTlsClientSettings client) => client.RefuseWildcards ? WildcardPolicy.Refused
        : client.PublicSuffixFile is not { } file ? WildcardPolicy.Default
        : Try(nameof(MutualTlsClientSettings.PublicSuffixFile), () => WildcardPolicy.Above(SuffixFile.Read(Full(file)!)));

    private RevocationListWitness? Witness(string path) => Try(nameof(MutualTlsSettings.RevocationListWitness), () =>
        settings.DangerouslyCreateRevocationListWitness
            ? RevocationListWitness.DangerouslyOpenOrCreate(Full(path)!)
            : RevocationListWitness.Open(Full(path)!));

    private static Material<RevocationLists> Combine(Lease<RevocationListFiles>? files, Lease<FetchedRevocationLists> fetched)
    {
        IRevocationListSource[] sources = files is null ? [fetched.Source] : [files.Source, fetched.Source];
        var all = new CombinedRevocationLists(sources);
        var lease = new Lease<CombinedRevocationLists>(all, () =>
        {
            all.Dispose();
            files?.Dispose();
            fetched.Dispose();
        });
        return Material<RevocationLists>.Of(() => all.Current, all, files?.Source, lease, () => fetched.Source.Status);
    }

    // Of a key that has a problem already, its file would only say the same in other words.
    private T? Try<T>(string key, Func<T> open)
        where T : class
    {
        if (settings.IsToldIn(problems, key))
        {
            return null;
        }

        try
        {
            return open();
        }
        catch (Exception exception) when (exception is MaterialException or FormatException or ArgumentException or IOException
            or UnauthorizedAccessException)
        {
            problems.Add($"{settings.At(key)}: {exception.Message}");
            return null;
        }
    }

    private string? Full(string? path) => path is null ? null : Path.GetFullPath(path, root);

    private string[] Full(IEnumerable<string> paths) => [.. paths.Select(path => Full(path)!)];
}
