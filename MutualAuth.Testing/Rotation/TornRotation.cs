namespace MutualAuth.Testing.Rotation;

/// <summary>
/// A rotation as a careless program does it, one step at a time: files are written in place, so that a program that reads between two steps sees half
/// a file, or a certificate with the key of another. It pauses for as long as <see cref="Next"/> is not called.
/// </summary>
/// <remarks>Safe for concurrent use. It need not be carried to its end.</remarks>
public sealed class TornRotation
{
    private readonly CertificateFolder _folder;
    private readonly int _generation;
    private readonly (string Path, byte[] Content) _first;
    private readonly (string Path, byte[] Content) _second;

    internal TornRotation(CertificateFolder folder, int generation, (string Path, byte[] Content) first, (string Path, byte[] Content) second)
    {
        _folder = folder;
        _generation = generation;
        _first = first;
        _second = second;
    }

    /// <summary>How far it is.</summary>
    public TornStep Step { get; private set; } = TornStep.Untouched;

    /// <summary>Does the next step.</summary>
    /// <returns>How far it is now.</returns>
    /// <exception cref="InvalidOperationException">It is complete, or another rotation of the folder has begun since.</exception>
    /// <exception cref="ObjectDisposedException">The folder was disposed.</exception>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public TornStep Next()
    {
        lock (_folder.Sync)
        {
            _folder.ThrowIfOvertaken(_generation);
            switch (Step)
            {
                case TornStep.Untouched:
                    WriteHalf(_first);
                    break;
                case TornStep.HalfOfFirstFile:
                    WriteRest(_first);
                    break;
                case TornStep.FirstFileAlone:
                    WriteHalf(_second);
                    break;
                case TornStep.HalfOfSecondFile:
                    WriteRest(_second);
                    break;
                case TornStep.Complete:
                default:
                    throw new InvalidOperationException("This rotation is complete.");
            }

            return ++Step;
        }
    }

    /// <summary>Does every step up to this one.</summary>
    /// <exception cref="InvalidOperationException">It is past that step already, or another rotation of the folder has begun since.</exception>
    /// <exception cref="ObjectDisposedException">The folder was disposed.</exception>
    /// <exception cref="IOException">A file cannot be written.</exception>
    public void ContinueTo(TornStep step)
    {
        lock (_folder.Sync)
        {
            if (step < Step)
            {
                throw new InvalidOperationException($"This rotation is at {Step}, and does not go back to {step}.");
            }

            while (Step < step)
            {
                Next();
            }
        }
    }

    // The rights stay those of the file that is there: keys of a folder are their owner's from the beginning.
    private static void WriteHalf((string Path, byte[] Content) file)
    {
        using var stream = new FileStream(file.Path, FileMode.Truncate, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete);
        stream.Write(file.Content.AsSpan(0, file.Content.Length / 2));
    }

    private static void WriteRest((string Path, byte[] Content) file)
    {
        using var stream = new FileStream(file.Path, FileMode.Append, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete);
        stream.Write(file.Content.AsSpan(file.Content.Length / 2));
    }
}
