using MutualAuth.Reloading;

namespace MutualAuth.Hosting.Materials;

/// <summary>Material that is in force: followed files, or a value that the configuration holds itself.</summary>
internal sealed class Material<T> : IDisposable
    where T : class
{
    private readonly IDisposable? _lease;
    private readonly Func<T> _current;

    private Material(Func<T> current, IFileSource? files, IDisposable? lease) => (_current, Files, _lease) = (current, files, lease);

    internal T Current => _current();

    internal IFileSource? Files { get; }

    internal static Material<T> Of(T value) => new(() => value, null, null);

    internal static Material<T> Of<TFiles>(Lease<TFiles> lease)
        where TFiles : WatchedFiles<T> => new(() => lease.Source.Current, lease.Source, lease);

    public void Dispose() => _lease?.Dispose();
}
