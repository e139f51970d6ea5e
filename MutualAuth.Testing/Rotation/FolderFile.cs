using MutualAuth.Testing.Building;

namespace MutualAuth.Testing.Rotation;

/// <summary>One file that is to lie in a folder.</summary>
internal sealed record FolderFile(string Name, byte[] Content, bool IsSecret)
{
    /// <summary>Writes it whole, in the place of what lies there.</summary>
    internal void WriteTo(string directory)
    {
        var path = Path.Combine(directory, Name);
        if (IsSecret)
        {
            WholeFile.WriteSecret(path, Content);
        }
        else
        {
            WholeFile.Write(path, Content);
        }
    }
}
