namespace MutualAuth.Stress;

/// <summary>One attack. It runs in a process of its own, so that a crash is counted and survived.</summary>
/// <param name="Name">What it is called on the command line.</param>
/// <param name="Attacks">What it attacks, in a line.</param>
/// <param name="RunAsync">Does it, until the time is over or enough was counted.</param>
internal sealed record Scenario(string Name, string Attacks, Func<Run, Task> RunAsync)
{
    /// <summary>How long it may take where nothing is said.</summary>
    internal double Seconds { get; init; } = 30;

    /// <summary>How much it does where nothing is said, however long that takes; null where time alone counts.</summary>
    internal int? Whole { get; init; }

    /// <summary>How much of the time of all it gets, against 1 of another.</summary>
    internal double Share { get; init; } = 1;

    /// <summary>Whether it is to be run again for the time that is left after a crash.</summary>
    internal bool GoesOnAfterCrash { get; init; } = true;
}
