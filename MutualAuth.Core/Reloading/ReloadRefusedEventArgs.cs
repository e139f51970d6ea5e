namespace MutualAuth.Reloading;

/// <summary>New material was found and not taken up; what was there before stays in force.</summary>
public sealed class ReloadRefusedEventArgs : EventArgs
{
    internal ReloadRefusedEventArgs(MaterialException problem) => Problem = problem;

    /// <summary>What is wrong with it, and what to do.</summary>
    public MaterialException Problem { get; }
}
