using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using MutualAuth.Reloading;

namespace MutualAuth.Revocation;

/// <summary>
/// Remembers over a restart, in a small file, which revocation lists were in force: for each issuer, key and scope the number and the dates, of full
/// and of delta lists. A source that has a witness refuses at its start what it would refuse while it runs.
/// </summary>
/// <remarks>
/// A missing, empty or damaged file is an error and never counts as a first start: <see cref="Create"/> makes it, once. Keep it where a copy of the
/// lists does not reach. It is written in one step, for its owner alone, and has a checksum against damage, which does not protect from those who may
/// write it. Give one to every source of a program; several programs may share it. Safe for concurrent use.
/// </remarks>
/// <example>
/// <code>
/// var witness = RevocationListWitness.Open("/var/lib/inventory/lists.witness");
/// using var lists = new RevocationListFiles(["root.crl", "issuing.crl"], witness, null);
/// </code>
/// </example>
public sealed class RevocationListWitness
{
    private readonly Lock _turn = new();
    private Task _queue = Task.CompletedTask;

    private RevocationListWitness(string path) => Path = System.IO.Path.GetFullPath(path);

    /// <summary>The file, as an absolute path.</summary>
    public string Path { get; }

    /// <summary>Opens an existing file, and sees whether it can be written.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="ArgumentException"><paramref name="path"/> is null or empty.</exception>
    /// <exception cref="MaterialException">The file is missing or damaged, others may write it, or it cannot be read or written.</exception>
    public static RevocationListWitness Open(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        var witness = new RevocationListWitness(path);
        witness.Locked(() => AtomicFile.Replace(witness.Path, WitnessBook.Write(witness.Read()), onStep: null));
        return witness;
    }

    /// <summary>Makes the file, for a first start; one that exists is an error.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="ArgumentException"><paramref name="path"/> is null or empty.</exception>
    /// <exception cref="MaterialException">The file exists, or cannot be made.</exception>
    public static RevocationListWitness Create(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        var witness = new RevocationListWitness(path);
        witness.Locked(() =>
        {
            if (File.Exists(witness.Path))
            {
                throw new MaterialException(
                    $"The witness {witness.Path} exists. Open it; to begin anew, remove it first, and look why it is there.");
            }

            AtomicFile.CreateUnlessExists(witness.Path, WitnessBook.Write(WitnessBook.Empty));
        });
        return witness;
    }

    /// <summary>
    /// Opens the file, or makes it where it is missing. An attacker who can remove the file makes the next start a first one, at which any list is
    /// taken: use it where no operator attends the first start, and for no longer.
    /// </summary>
    /// <param name="path">The file.</param>
    /// <exception cref="ArgumentException"><paramref name="path"/> is null or empty.</exception>
    /// <exception cref="MaterialException">The file is damaged, others may write it, or it cannot be read, written or made.</exception>
    public static RevocationListWitness DangerouslyOpenOrCreate(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        return File.Exists(path) ? Open(path) : Create(path);
    }

    /// <summary>What it remembers of the lists of these files, whatever their order.</summary>
    /// <exception cref="MaterialException">It cannot be read.</exception>
    internal WitnessedSource OfFiles(IEnumerable<string> paths, TimeProvider clock) =>
        new(this, KeyOf(["files", .. paths.Select(System.IO.Path.GetFullPath).Order(StringComparer.Ordinal).Distinct()]), clock);

    /// <summary>What it remembers of the lists of an address.</summary>
    /// <exception cref="MaterialException">It cannot be read.</exception>
    internal WitnessedSource OfAddress(Uri address, TimeProvider clock) => new(this, KeyOf(["address", address.AbsoluteUri]), clock);

    /// <summary>Everything that it remembers.</summary>
    /// <exception cref="MaterialException">The file is missing or damaged, or others may write it.</exception>
    internal ImmutableSortedDictionary<string, ImmutableArray<WitnessedList>> Read()
    {
        var file = BoundedFile.Read(Path, WitnessBook.MaxBytes);
        if (file.Mode is { } mode && (mode & (UnixFileMode.GroupWrite | UnixFileMode.OtherWrite)) != 0)
        {
            throw new MaterialException(
                $"The witness {Path} is writable by others than its owner, who could then take away what revokes certificates. Look what they did, "
                    + $"and then: chmod go-w {Path}")
            { Problem = MaterialProblem.WritableByOthers };
        }

        try
        {
            return WitnessBook.Read(file.Bytes);
        }
        catch (FormatException problem)
        {
            throw new MaterialException(
                $"The witness {Path} is damaged: {problem.Message}. Restore it, or compare the lists with their authorities' by hand "
                    + "and create it again.",
                problem);
        }
    }

    /// <summary>Changes what it remembers, in one step, and after any other program.</summary>
    /// <exception cref="MaterialException">The file cannot be read or written, or there would be too much in it.</exception>
    internal void Write(
        Func<
            ImmutableSortedDictionary<string, ImmutableArray<WitnessedList>>,
            ImmutableSortedDictionary<string, ImmutableArray<WitnessedList>>> change) =>
        Locked(() =>
        {
            var before = Read();
            var content = WitnessBook.Write(change(before));
            if (content.Length > WitnessBook.MaxBytes)
            {
                throw new MaterialException(
                    $"The witness {Path} would have more than {WitnessBook.MaxBytes} bytes. Compare the lists with their authorities' by hand and "
                        + "create it again: it still has the lists of sources that are no longer used.");
            }

            if (!content.AsSpan().SequenceEqual(WitnessBook.Write(before)))
            {
                AtomicFile.Replace(Path, content, onStep: null);
            }
        });

    /// <summary>Has something written in the background, after what was to be written before.</summary>
    internal void Queue(Action write)
    {
        lock (_turn)
        {
            using (ExecutionContext.SuppressFlow())
            {
                _queue = _queue.ContinueWith(_ => write(), CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
            }
        }
    }

    /// <summary>Completes when everything that was to be written in the background by now is written, or has failed.</summary>
    internal Task WrittenAsync()
    {
        lock (_turn)
        {
            return _queue;
        }
    }

    private static string KeyOf(IEnumerable<string> parts) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(string.Join('\0', parts))));

    private void Locked(Action act)
    {
        try
        {
            using var held = FileLock.Acquire(Path + ".lock");
            act();
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new MaterialException($"The witness {Path} cannot be written: {exception.Message}", exception)
            { Problem = MaterialProblem.Unreadable };
        }
    }
}
