using System.Collections.Immutable;

namespace MutualAuth.Reloading;

/// <summary>What every <see cref="WatchedFiles{T}"/> has, whatever its files hold.</summary>
public interface IFileSource : IReloadable, IDisposable
{
    /// <summary>Raised when the files hold something new that does not check, once for each such content. It comes from any thread; handlers return quickly.</summary>
    event EventHandler<ReloadRefusedEventArgs>? Refused;

    /// <summary>The files, as absolute paths.</summary>
    ImmutableArray<string> Paths { get; }

    /// <summary>Why the files as they are now are not in force; null when they are.</summary>
    MaterialException? LastFailure { get; }

    /// <summary>Looks at the files now and takes up what they hold, without waiting for them to stand still. For those who know that all is written.</summary>
    /// <returns>Whether new material has taken the old one's place. If not, <see cref="LastFailure"/> says whether something is wrong.</returns>
    bool Reload();
}
