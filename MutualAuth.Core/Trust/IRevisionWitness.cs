namespace MutualAuth.Trust;

/// <summary>
/// Remembers the highest revision of a file of known peers in a place of its own, so that an older copy of the file is noticed also after a restart.
/// </summary>
/// <remarks>
/// It protects as far as its place does: who can put back the file and the witness together goes unnoticed. A counter of a hardware module, or of
/// another machine, is the best place; <see cref="RevisionFile"/> is a file on another volume. Called by one thread at a time for one file of peers.
/// </remarks>
public interface IRevisionWitness
{
    /// <summary>The highest revision that was ever advanced to; 0 before the first.</summary>
    /// <exception cref="MaterialException">It cannot be read. A witness that is lost must not say 0.</exception>
    long Highest { get; }

    /// <summary>Remembers a revision. A lower one than the highest changes nothing.</summary>
    /// <exception cref="MaterialException">It cannot be kept.</exception>
    void Advance(long revision);
}
