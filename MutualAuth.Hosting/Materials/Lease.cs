namespace MutualAuth.Hosting.Materials;

/// <summary>A share in a source that several listeners and clients may use; the last one to give it back disposes of the source.</summary>
internal sealed class Lease<T>(T source, Action giveBack) : IDisposable
    where T : class
{
    private Action? _giveBack = giveBack;

    internal T Source { get; } = source;

    public void Dispose() => Interlocked.Exchange(ref _giveBack, null)?.Invoke();
}
