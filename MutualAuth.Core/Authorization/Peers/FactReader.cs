namespace MutualAuth.Authorization;

/// <summary>Asks one source whether facts still hold. Made by <see cref="LoginFact.CreateReader"/>, one for all facts of the source.</summary>
internal abstract class FactReader
{
    /// <summary>The source, for a log.</summary>
    internal abstract string Name { get; }

    /// <summary>How many keys one call may have.</summary>
    internal abstract int MaxKeys { get; }

    /// <summary>Whether <see cref="AskAsync"/> never blocks its thread, because the answer is in memory. Default: false.</summary>
    internal virtual bool NeverBlocks => false;

    /// <summary>Asks about these keys. It may block its thread, and throw.</summary>
    internal abstract ValueTask<FactAnswers> AskAsync(IReadOnlyCollection<string> keys, CancellationToken cancellationToken);

    /// <summary>Listens to what the source announces: the keys that changed, or null for any. May block and throw, as it calls the source.</summary>
    /// <returns>False when the source announces nothing.</returns>
    internal abstract bool Subscribe(Action<IReadOnlyCollection<string>?> onChanged);

    /// <summary>Listens no more.</summary>
    internal abstract void Unsubscribe();
}

/// <summary>What a source said about the keys that it was asked about.</summary>
internal abstract class FactAnswers
{
    /// <summary>How long ago the source knew what it says; zero unless it holds on to what it read last.</summary>
    internal virtual TimeSpan Age => TimeSpan.Zero;

    /// <summary>What the answer means for a fact of one of the keys.</summary>
    internal abstract FactState StateOf(LoginFact fact);
}

/// <summary>Whether a fact holds.</summary>
/// <param name="IsKnown">False when that cannot be said now.</param>
/// <param name="Objection">Why it does not hold; null when it does.</param>
internal readonly record struct FactState(bool IsKnown, Rejection? Objection)
{
    internal static FactState Unknown { get; } = new(IsKnown: false, null);

    internal static FactState Holds { get; } = new(IsKnown: true, null);

    internal static FactState Lost(Rejection objection) => new(IsKnown: true, objection);
}
