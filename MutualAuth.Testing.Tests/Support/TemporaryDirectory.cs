namespace MutualAuth.Testing.Tests.Support;

internal sealed class TemporaryDirectory : IDisposable
{
    internal string Path { get; } = Directory.CreateTempSubdirectory("mutualauth-").FullName;

    internal string Write(string name, string text)
    {
        var path = System.IO.Path.Combine(Path, name);
        File.WriteAllText(path, text);
        return path;
    }

    internal string Write(string name, byte[] octets)
    {
        var path = System.IO.Path.Combine(Path, name);
        File.WriteAllBytes(path, octets);
        return path;
    }

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
