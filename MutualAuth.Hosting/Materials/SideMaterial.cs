using MutualAuth.Credentials;
using MutualAuth.Reloading;
using MutualAuth.Revocation;

namespace MutualAuth.Hosting.Materials;

/// <summary>Everything that a listener or a client has from files.</summary>
internal sealed class SideMaterial : IDisposable
{
    internal Lease<IdentityFiles>? Identity { get; private set; }

    internal SwitchableTrust? Trust { get; private set; }

    internal SwitchableRule? Rules { get; private set; }

    internal SwitchableLists? Lists { get; private set; }

    internal SwitchableDenyList? DenyList { get; private set; }

    internal SwitchablePins? Pins { get; private set; }

    internal Lease<FileCredentialStore>? Users { get; private set; }

    internal Lease<FactorKeyFile>? FactorKeys { get; private set; }

    internal Password? Password { get; private set; }

    internal Lease<SharedTrail>? Audit { get; private set; }

    /// <summary>The files that are followed, to ask each whether its last change was refused.</summary>
    internal IEnumerable<IFileSource> Files =>
        new ISwitchableSource?[] { Trust, Rules, Lists, DenyList, Pins }.Select(source => source?.Files).Append(Identity?.Source)
            .Append(FactorKeys?.Source).OfType<IFileSource>();

    /// <summary>Opens everything, and goes on after a problem, so that all are told at once. Where there is one, something is missing.</summary>
    internal static SideMaterial Open(MutualTlsSettings settings, MaterialReader reader) => new()
    {
        Identity = settings.Identity.IsSet ? reader.Identity() : null,
        Trust = settings.Trust.Count > 0 && reader.Trust() is { } trust ? new SwitchableTrust(trust) : null,
        Rules = (settings.Allow.Count > 0 || settings.AllowFile is not null) && reader.Rules() is { } rules ? new SwitchableRule(rules) : null,
        Lists = settings.HasRevocationLists && reader.Lists() is { } lists ? new SwitchableLists(lists) : null,
        DenyList = settings.DenyListFile is not null && reader.DenyList() is { } denied ? new SwitchableDenyList(denied) : null,
        Pins = settings.PinFile is not null && reader.Pins() is { } pins ? new SwitchablePins(pins) : null,
        Users = settings is MutualTlsListenerSettings { UsersFile: { } users } ? reader.Users(users) : null,
        FactorKeys = settings is MutualTlsListenerSettings { FactorKeyFile: { } keys } ? reader.FactorKeys(keys) : null,
        Password = settings is MutualTlsClientSettings { PasswordFile: { } password } ? reader.Password(password) : null,
        Audit = settings.Audit.File is not null ? reader.Audit() : null,
    };

    /// <summary>Opens what the new settings name otherwise than the old ones, and puts it in force once all of it could be read.</summary>
    /// <param name="old">The settings in force.</param>
    /// <param name="next">The new ones.</param>
    /// <param name="reader">Opens what the new ones name.</param>
    /// <param name="problems">Where the reader puts problems; with one, everything stays as it is.</param>
    /// <param name="onHandlerFaulted">Is told of each handler of the application's that throws.</param>
    /// <returns>The keys whose material was replaced.</returns>
    internal List<string> Switch(
        MutualTlsSettings old, MutualTlsSettings next, MaterialReader reader, List<string> problems, Action<Exception> onHandlerFaulted)
    {
        var steps = new List<(string Key, Action Take, IDisposable Opened)>();
        void Prepare<T>(string key, bool isChanged, SwitchableSource<T>? source, Func<Material<T>?> open)
            where T : class
        {
            if (isChanged && source is not null && open() is { } material)
            {
                steps.Add((key, () => source.Switch(material, onHandlerFaulted), material));
            }
        }

        Prepare(
            nameof(MutualTlsSettings.Trust),
            !old.Trust.SequenceEqual(next.Trust) || old.TrustConstraints.ToString() != next.TrustConstraints.ToString(),
            Trust,
            reader.Trust);
        Prepare(
            nameof(MutualTlsSettings.Allow), !old.Allow.SequenceEqual(next.Allow) || old.AllowFile != next.AllowFile, Rules, reader.Rules);
        Prepare(
            nameof(MutualTlsSettings.RevocationLists),
            next.HasRevocationLists && !(old.RevocationLists.SequenceEqual(next.RevocationLists)
                && old.RevocationListAddresses.SequenceEqual(next.RevocationListAddresses)
                && old.RevocationListDirectory == next.RevocationListDirectory),
            Lists,
            reader.Lists);
        Prepare(
            nameof(MutualTlsSettings.DenyListFile),
            next.DenyListFile is not null && old.DenyListFile != next.DenyListFile,
            DenyList,
            reader.DenyList);
        Prepare(nameof(MutualTlsSettings.PinFile), next.PinFile is not null && old.PinFile != next.PinFile, Pins, reader.Pins);

        if (problems.Count > 0)
        {
            steps.ForEach(step => step.Opened.Dispose());
            return [];
        }

        steps.ForEach(step => step.Take());
        return steps.ConvertAll(step => step.Key);
    }

    public void Dispose()
    {
        foreach (var part in new IDisposable?[] { Identity, Trust, Rules, Lists, DenyList, Pins, Users, FactorKeys, Password, Audit })
        {
            part?.Dispose();
        }
    }
}
