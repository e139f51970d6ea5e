namespace MutualAuth.Tokens.Keys;

/// <summary>Where a key set comes from.</summary>
internal interface IKeySource : IAsyncDisposable
{
    /// <summary>The keys in force; null when there are none, or none that are young enough.</summary>
    KeySet? Current { get; }

    /// <summary>Looks for newer keys, because a token names one that is unknown; seldom. Whether there are.</summary>
    ValueTask<bool> RenewAsync(CancellationToken cancellationToken);
}

/// <summary>A file that is followed.</summary>
internal sealed class KeyFile(Reloading.MaterialFile<KeySet> file) : IKeySource
{
    public KeySet? Current => file.Current;

    public ValueTask<bool> RenewAsync(CancellationToken cancellationToken) => ValueTask.FromResult(false);

    public ValueTask DisposeAsync()
    {
        file.Dispose();
        return ValueTask.CompletedTask;
    }
}
