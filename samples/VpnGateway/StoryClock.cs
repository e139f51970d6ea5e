namespace MutualAuth.Samples;

/// <summary>A clock that the story sets forward: a one-time code counts once, and the next one is half a minute away.</summary>
internal sealed class StoryClock : TimeProvider
{
    private TimeSpan _ahead;

    public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + _ahead;

    internal void NextCode() => _ahead += TimeSpan.FromSeconds(30);
}
