namespace MutualAuth.Audit;

/// <summary>What is wrong with an audit trail.</summary>
public enum AuditProblem
{
    /// <summary>An entry is not what was written, or the key is that of another trail.</summary>
    Changed = 1,

    /// <summary>An entry has another number than its place: entries were removed, inserted or moved.</summary>
    OutOfOrder = 2,

    /// <summary>There are fewer entries than the state, or the auditor, knows of.</summary>
    CutShort = 3,

    /// <summary>The state is not the one that belongs to this trail at its count.</summary>
    StateChanged = 4,

    /// <summary>The trail is not sealed and its state is missing: entries may be missing at the end.</summary>
    EndNotProven = 5,

    /// <summary>The last entry is incomplete, and all before it is intact: a crash, or a cut within the entry.</summary>
    Torn = 6,

    /// <summary>A file is missing or cannot be read.</summary>
    Unreadable = 7,
}
