namespace MutualAuth.Revocation;

/// <summary>A source of revocation lists: fixed, or reloaded while the process runs.</summary>
/// <remarks>
/// Safe for concurrent use. A reload replaces <see cref="Current"/> as a whole; a failed reload leaves the last good set in force, whose
/// lists expire at their next update.
/// </remarks>
public interface IRevocationListSource
{
    /// <summary>The lists in force. Read them again for each decision.</summary>
    RevocationLists Current { get; }
}
