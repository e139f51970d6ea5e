using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using MutualAuth.Authorization;
using MutualAuth.Credentials;
using MutualAuth.Expiry;
using MutualAuth.Hosting.Running;
using MutualAuth.Paths;
using MutualAuth.Pinning;
using MutualAuth.Revocation;

namespace MutualAuth.Hosting.Materials;

/// <summary>Every file that is followed for this container. Who names the same files shares one source. The container disposes of it.</summary>
internal sealed class MaterialStore : IDisposable
{
    private readonly Lock _turn = new();
    private readonly Dictionary<(Type Kind, string Paths), Entry> _entries = [];
    private readonly ILoggerFactory _loggerFactory;
    private readonly TimeProvider _time;

    public MaterialStore(ILoggerFactory? loggerFactory, TimeProvider? time)
    {
        _loggerFactory = loggerFactory ?? NullLoggerFactory.Instance;
        _time = time ?? TimeProvider.System;
    }

    internal int Count
    {
        get
        {
            lock (_turn)
            {
                return _entries.Count;
            }
        }
    }

    private WatchOptions Watch => new() { LoggerFactory = _loggerFactory, TimeProvider = _time };

    private ExpiryWatchOptions Expiry => new() { LoggerFactory = _loggerFactory, TimeProvider = _time };

    internal Lease<IdentityFiles> Identity(string? certificate, string? key, string? pkcs12, string? password) => Take(
        [certificate ?? "", key ?? "", pkcs12 ?? "", password ?? ""],
        () => pkcs12 is null
            ? IdentityFiles.FromPem(certificate!, key, password, null, Watch)
            : IdentityFiles.FromPkcs12(pkcs12, password, null, Watch),
        files => new ExpiryWatch(files, Expiry));

    internal Lease<TrustAnchorFiles> Trust(IReadOnlyList<string> paths, AnchorConstraints constraints, string constraintsText) =>
        Take([.. paths, "", constraintsText], () => new TrustAnchorFiles(paths, constraints, Watch));

    internal Lease<AuthorizationFile> Rules(string path) => Take([path], () => new AuthorizationFile(path, Watch));

    internal Lease<RevocationListFiles> Lists(IReadOnlyList<string> paths, RevocationListWitness? witness) => Take(
        [.. paths, "", witness?.Path ?? ""],
        () => witness is null ? new RevocationListFiles(paths, Watch) : new RevocationListFiles(paths, witness, Watch),
        files => new ExpiryWatch(files, Expiry));

    internal Lease<FetchedRevocationLists> Fetched(IReadOnlyList<string> addresses, string? directory, RevocationListWitness? witness) => Take(
        [.. addresses, directory ?? "", witness?.Path ?? ""],
        () => new FetchedRevocationLists(new RevocationFetchOptions
        {
            Addresses = [.. addresses.Select(AddressOf)],
            Directory = directory,
            Witness = witness,
            LoggerFactory = _loggerFactory,
            TimeProvider = _time,
        }),
        fetched => new ExpiryWatch(fetched, Expiry));

    internal Lease<DenyListFile> DenyList(string path) => Take([path], () => new DenyListFile(path, Watch));

    internal Lease<PinFile> Pins(string path) => Take([path], () => new PinFile(path, Watch));

    internal Lease<FileCredentialStore> Users(string path) => Take([path], () => FileCredentialStore.Open(path, _time, _loggerFactory));

    internal Lease<FactorKeyFile> FactorKeys(string path) => Take([path], () => new FactorKeyFile(path, Watch));

    /// <summary>A trail has one writer: who names the file shares it, whatever key file is named beside it.</summary>
    internal Lease<SharedTrail> Audit(string path, string? keyPath) => Take(
        [path], () => SharedTrail.Open(path, keyPath, _time, HostingLog.Create(_loggerFactory)));

    public void Dispose()
    {
        lock (_turn)
        {
            foreach (var entry in _entries.Values)
            {
                entry.Dispose();
            }

            _entries.Clear();
        }
    }

    private static Uri AddressOf(string text) => Uri.TryCreate(text, UriKind.Absolute, out var address)
        ? address
        : throw new FormatException($"'{text}' is not an address, such as http://crl.example/issuing.crl.");

    private Lease<T> Take<T>(IReadOnlyList<string> paths, Func<T> open, Func<T, IDisposable>? accompany = null)
        where T : class, IDisposable
    {
        var place = (typeof(T), string.Join('\0', paths));
        lock (_turn)
        {
            if (!_entries.TryGetValue(place, out var entry))
            {
                var source = open();
                _entries[place] = entry = new Entry(source, accompany?.Invoke(source));
            }

            entry.Users++;
            return new Lease<T>((T)entry.Source, () => GiveBack(place, entry));
        }
    }

    private void GiveBack((Type Kind, string Paths) place, Entry entry)
    {
        lock (_turn)
        {
            if (--entry.Users == 0 && _entries.Remove(place))
            {
                entry.Dispose();
            }
        }
    }

    private sealed class Entry(IDisposable source, IDisposable? companion) : IDisposable
    {
        internal IDisposable Source { get; } = source;

        internal int Users { get; set; }

        public void Dispose()
        {
            companion?.Dispose();
            Source.Dispose();
        }
    }
}
