using MutualAuth.Reloading;

namespace MutualAuth.Revocation;

/// <summary>Revocation lists, read from files and following them. A file that was emptied or damaged is refused; the last good lists then count until their next update.</summary>
/// <remarks>
/// Lists never go back: a set in which one lies behind by its number or date, does not count while the one before does, or lacks an issuer, is refused
/// too. A list that its issuer has not signed is found at the first path that needs it, and the list before counts in its place. A restart forgets.
/// </remarks>
public sealed class RevocationListFiles : WatchedFiles<RevocationLists>, IRevocationListSource
{
    /// <summary>Follows files of lists.</summary>
    /// <param name="paths">Files with one list in DER, or any number in PEM (<c>X509 CRL</c>); at most 512 MiB each.</param>
    /// <param name="options">How the files are followed.</param>
    /// <exception cref="ArgumentException">There is no path, or <paramref name="options"/> contradict themselves.</exception>
    /// <exception cref="MaterialException">A file cannot be read, is empty, or has a list that must not be relied on.</exception>
    public RevocationListFiles(IEnumerable<string> paths, WatchOptions? options = null)
        : this(paths, options, new RollbackGuard((options ?? WatchOptions.Default).TimeProvider))
    {
    }

    /// <inheritdoc cref="RevocationListFiles(IEnumerable{string}, WatchOptions?)"/>
    public RevocationListFiles(params string[] paths)
        : this(paths, null)
    {
    }

    private RevocationListFiles(IEnumerable<string> paths, WatchOptions? options, RollbackGuard succession)
        : base("revocation lists", paths, CrlFile.MaxBytes, files => succession.Admit(RevocationLists.FromContents(files)), lists => lists.ToString(), options) =>
        succession.Refuted = RefuseAfterwards;
}
