namespace MutualAuth.Benchmarks.Compare;

/// <summary>One row of a table: a server, the client that dials it, and which of the two is looked at.</summary>
internal sealed record Candidate(string Name, string Server, string Client)
{
    internal bool Resumes { get; init; }

    /// <summary>Which of the two sides the table is about.</summary>
    internal bool IsClient { get; init; }
}
