using System.Collections.Immutable;

namespace MutualAuth.Reloading;

/// <summary>The members of every <see cref="WatchedFiles{T}"/>, whatever its files contain.</summary>
public interface IFileSource : IReloadable, IDisposable
{
    /// <summary>
    /// Raised when the files have new content that is not valid, once for each such content. It is raised on any thread; handlers must
    /// return quickly.
    /// </summary>
    event EventHandler<ReloadRefusedEventArgs>? Refused;

    /// <summary>The files, as absolute paths.</summary>
    ImmutableArray<string> Paths { get; }

    /// <summary>Why the current files are not in force; null when they are.</summary>
    MaterialException? LastFailure { get; }

    /// <summary>
    /// Reads the files now and applies their content, without waiting until they are stable. For callers that know that all files are
    /// complete. Calls at the same time share one reading, which begins after all of them, and its answer.
    /// </summary>
    /// <returns>Whether new material has replaced the old. If not, <see cref="LastFailure"/> says whether there is a problem.</returns>
    bool Reload();
}
