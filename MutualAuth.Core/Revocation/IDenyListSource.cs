namespace MutualAuth.Revocation;

/// <summary>A source of the deny list: fixed, or reloaded while the process runs.</summary>
/// <remarks>
/// Safe for concurrent use. A reload replaces <see cref="Current"/> as a whole; a failed reload leaves the last good list in force.
/// </remarks>
public interface IDenyListSource
{
    /// <summary>The list in force. Read it again for each decision.</summary>
    DenyList Current { get; }
}
