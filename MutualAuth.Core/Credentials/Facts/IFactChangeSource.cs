using System.Collections.Immutable;

namespace MutualAuth.Credentials;

/// <summary>
/// A store or source that announces what changed in it, so that only the connections that it concerns are examined, and at once. Without it they
/// are examined at each <see cref="RevalidationPolicy.RecheckInterval"/>.
/// </summary>
public interface IFactChangeSource
{
    /// <summary>
    /// Raised after the change, never before: a handler that asks gets the new state. It is raised on any thread; handlers return quickly and do
    /// not throw.
    /// </summary>
    event EventHandler<FactsChangedEventArgs>? FactsChanged;
}

/// <summary>Says what changed.</summary>
/// <remarks>Immutable.</remarks>
public sealed class FactsChangedEventArgs : EventArgs
{
    /// <summary>Makes an announcement.</summary>
    /// <param name="keys">
    /// The users whose verifiers, factors or state changed, as SASLprep writes their names, or the keys of an <see cref="ILoginFactSource"/>;
    /// default when anything may have changed.
    /// </param>
    public FactsChangedEventArgs(ImmutableArray<string> keys = default) => Keys = keys;

    /// <summary>The users or keys that changed; default when anything may have changed.</summary>
    public ImmutableArray<string> Keys { get; }
}
