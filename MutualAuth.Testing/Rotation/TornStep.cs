namespace MutualAuth.Testing.Rotation;

/// <summary>How far a <see cref="TornRotation"/> is. Values are stable, and in the order of time.</summary>
public enum TornStep
{
    /// <summary>Nothing has been written.</summary>
    Untouched = 1,

    /// <summary>The first file is new, and its second half is missing.</summary>
    HalfOfFirstFile = 2,

    /// <summary>The first file is new and whole, and the second is the old one: a certificate beside the key of another.</summary>
    FirstFileAlone = 3,

    /// <summary>The second file is new too, and its second half is missing.</summary>
    HalfOfSecondFile = 4,

    /// <summary>Both are new and whole.</summary>
    Complete = 5,
}
