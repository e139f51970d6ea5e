using MutualAuth.Reloading;

namespace MutualAuth.Revocation;

/// <summary>
/// Revocation lists read from files, and read again when the files change. An emptied or damaged file is rejected; the last good lists then
/// remain valid until their next update.
/// </summary>
/// <remarks>
/// Lists never go back: a set is also rejected if one of its lists has an older number or date, is not in force while the previous list is,
/// or lacks an issuer. A list that its issuer has not signed is detected at the first path that needs it, and the previous list is used
/// instead. A restart forgets this, unless there is a <see cref="RevocationListWitness"/>.
/// </remarks>
public sealed class RevocationListFiles : WatchedFiles<RevocationLists>, IRevocationListSource
{
    private readonly RollbackGuard _succession;

    /// <summary>Reads revocation lists and watches their files.</summary>
    /// <param name="paths">Files with one list in DER, or any number in PEM (<c>X509 CRL</c>); at most 512 MiB each.</param>
    /// <param name="options">How the files are watched.</param>
    /// <exception cref="ArgumentException">There is no path, or <paramref name="options"/> contradict themselves.</exception>
    /// <exception cref="MaterialException">A file cannot be read, is empty, or has a list that cannot be used.</exception>
    public RevocationListFiles(IEnumerable<string> paths, WatchOptions? options = null)
        : this(paths, options, GuardOf(options, memory: null))
    {
    }

    /// <summary>Reads revocation lists, watches their files, and refuses at the start as well what a witness shows to be a step back.</summary>
    /// <param name="paths">Files with one list in DER, or any number in PEM (<c>X509 CRL</c>); at most 512 MiB each.</param>
    /// <param name="witness">What remembers the lists over a restart.</param>
    /// <param name="options">How the files are watched; null means the defaults.</param>
    /// <exception cref="ArgumentException">There is no path, or <paramref name="options"/> contradict themselves.</exception>
    /// <exception cref="ArgumentNullException"><paramref name="witness"/> is null.</exception>
    /// <exception cref="MaterialException">
    /// A file cannot be read, is empty, or has a list that cannot be used; a list is older than one that was in force, or is missing; or the witness
    /// cannot be read or written.
    /// </exception>
    public RevocationListFiles(IEnumerable<string> paths, RevocationListWitness witness, WatchOptions? options)
        : this(paths, options, Remembered(paths, witness, (options ?? WatchOptions.Default).TimeProvider))
    {
        if (_succession.Unrecorded is { } unrecorded)
        {
            Dispose();
            throw unrecorded;
        }
    }

    /// <inheritdoc cref="RevocationListFiles(IEnumerable{string}, WatchOptions?)"/>
    public RevocationListFiles(params string[] paths)
        : this(paths, null)
    {
    }

    private RevocationListFiles(IEnumerable<string> paths, WatchOptions? options, WitnessedSource memory)
        : this(paths, options, GuardOf(options, memory)) => memory.Unrecorded = OnUnrecorded;

    private RevocationListFiles(IEnumerable<string> paths, WatchOptions? options, RollbackGuard succession)
        : base(
            "revocation lists",
            FileUse.RevocationLists,
            paths,
            CrlFile.MaxBytes,
            files => succession.Admit(RevocationLists.FromContents(files)),
            lists => lists.ToString(),
            options)
    {
        _succession = succession;
        succession.Refuted = RefuseAfterwards;
    }

    /// <inheritdoc/>
    private protected override MaterialException? FlawAfterLoad => _succession.Unrecorded;

    private protected override void EndFollowing() => _succession.StopRecording();

    private static RollbackGuard GuardOf(WatchOptions? options, WitnessedSource? memory) =>
        new((options ?? WatchOptions.Default).TimeProvider, memory);

    private static WitnessedSource Remembered(IEnumerable<string> paths, RevocationListWitness witness, TimeProvider clock)
    {
        ArgumentNullException.ThrowIfNull(paths);
        ArgumentNullException.ThrowIfNull(witness);
        return witness.OfFiles(paths, clock);
    }

    private void OnUnrecorded(MaterialException? problem)
    {
        if (problem is not null)
        {
            NoteNotRemembered(problem);
        }
        else
        {
            Recover();
        }
    }
}
