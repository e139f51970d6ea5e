namespace MutualAuth.Reloading;

/// <summary>New material was found and rejected; the previous material stays in force.</summary>
public sealed class ReloadRefusedEventArgs : EventArgs
{
    internal ReloadRefusedEventArgs(MaterialException problem) => Problem = problem;

    /// <summary>What is wrong with the new material, and what to do.</summary>
    public MaterialException Problem { get; }
}
