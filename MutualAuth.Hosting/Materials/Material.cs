using MutualAuth.Reloading;
using MutualAuth.Revocation;

namespace MutualAuth.Hosting.Materials;

/// <summary>Material that is in force: followed files, lists that are fetched, or a value that the configuration holds itself.</summary>
internal sealed class Material<T> : IDisposable
    where T : class
{
    private readonly IDisposable? _lease;
    private readonly Func<T> _current;

    private Material(Func<T> current, IReloadable? source, IFileSource? files, IDisposable? lease) =>
        (_current, Source, Files, _lease) = (current, source, files, lease);

    internal T Current => _current();

    /// <summary>What tells of replacements; null for a value.</summary>
    internal IReloadable? Source { get; }

    /// <summary>The files among it; null where there are none.</summary>
    internal IFileSource? Files { get; }

    /// <summary>What is known of the addresses among it.</summary>
    internal Func<IEnumerable<RevocationFetchStatus>> Fetches { get; private init; } = () => [];

    internal static Material<T> Of(T value) => new(() => value, null, null, null);

    internal static Material<T> Of<TFiles>(Lease<TFiles> lease)
        where TFiles : WatchedFiles<T> => new(() => lease.Source.Current, lease.Source, lease.Source, lease);

    internal static Material<T> Of(
        Func<T> current, IReloadable source, IFileSource? files, IDisposable lease, Func<IEnumerable<RevocationFetchStatus>> fetches) =>
        new(current, source, files, lease) { Fetches = fetches };

    public void Dispose() => _lease?.Dispose();
}
