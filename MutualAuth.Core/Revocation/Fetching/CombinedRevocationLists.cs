using System.Collections.Immutable;
using MutualAuth.Reloading;

namespace MutualAuth.Revocation;

/// <summary>The lists of several sources as one: those of files beside those that are fetched, for example.</summary>
/// <remarks>
/// Every list counts; a certificate on any of them is revoked. A source that checks nothing (<see cref="RevocationLists.DangerouslyUnchecked"/>)
/// adds nothing, and takes nothing away from the others. It is told of the sources' replacements, and does not own them. Safe for use from many
/// threads. Dispose of it to stop hearing of replacements.
/// </remarks>
/// <example>
/// <code>
/// using var lists = new CombinedRevocationLists(files, fetched);
/// </code>
/// </example>
public sealed class CombinedRevocationLists : IRevocationListSource, IReloadable, IDisposable
{
    private readonly ImmutableArray<IRevocationListSource> _sources;
    private volatile Merged _merged;

    /// <summary>Combines sources.</summary>
    /// <param name="sources">The sources; the caller owns them.</param>
    /// <exception cref="ArgumentNullException"><paramref name="sources"/> is null.</exception>
    /// <exception cref="ArgumentException">There is no source, or one is null.</exception>
    public CombinedRevocationLists(params IEnumerable<IRevocationListSource> sources)
    {
        ArgumentNullException.ThrowIfNull(sources);
        _sources = [.. sources];
        if (_sources.IsEmpty || _sources.Contains(null!))
        {
            throw new ArgumentException("Give at least one source, and no null.", nameof(sources));
        }

        _merged = Merge();
        foreach (var reloadable in _sources.OfType<IReloadable>())
        {
            reloadable.Replaced += Forward;
        }
    }

    /// <inheritdoc/>
    public event EventHandler? Replaced;

    /// <summary>The lists of all sources as they are now.</summary>
    public RevocationLists Current
    {
        get
        {
            var merged = _merged;
            return merged.IsOf(_sources) ? merged.Lists : (_merged = Merge()).Lists;
        }
    }

    /// <summary>Stops hearing of replacements.</summary>
    public void Dispose()
    {
        foreach (var reloadable in _sources.OfType<IReloadable>())
        {
            reloadable.Replaced -= Forward;
        }
    }

    private Merged Merge()
    {
        ImmutableArray<RevocationLists> parts = [.. _sources.Select(source => source.Current)];
        return new Merged(parts, parts.All(part => !part.IsChecked) ? RevocationLists.DangerouslyUnchecked : RevocationLists.Together(parts));
    }

    private void Forward(object? sender, EventArgs arguments) => EventHandlers.TellAll(Replaced, this);

    private sealed record Merged(ImmutableArray<RevocationLists> Parts, RevocationLists Lists)
    {
        internal bool IsOf(ImmutableArray<IRevocationListSource> sources)
        {
            for (var index = 0; index < sources.Length; index++)
            {
                if (!ReferenceEquals(sources[index].Current, Parts[index]))
                {
                    return false;
                }
            }

            return true;
        }
    }
}
