using System.Runtime.InteropServices;
using Microsoft.Extensions.Time.Testing;
using MutualAuth.Reloading;
using MutualAuth.Testing;

namespace MutualAuth.Tests.Support;

/// <summary>A directory of files that something follows, and the clock by which it does. Tests change files, let time pass and look.</summary>
internal sealed class TemporaryFolder : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("mutualauth-").FullName;

    internal FakeTimeProvider Clock { get; } = new(TimeProvider.System.GetUtcNow());

    internal WatchOptions Options => new() { TimeProvider = Clock };

    internal string this[string name] => Path.Combine(_directory, name);

    internal string Write(string name, string text)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(this[name])!);
        File.WriteAllText(this[name], text);
        return this[name];
    }

    /// <summary>Writes beside the file and renames over it.</summary>
    internal void Rename(string name, string text) => File.Move(Write(name + ".new", text), this[name], overwrite: true);

    internal (string Chain, string Key) Write(TestCertificate certificate, string folder = "") =>
        (Write(Path.Combine(folder, "tls.crt"), certificate.ChainPem), Write(Path.Combine(folder, "tls.key"), certificate.PrivateKeyPem));

    /// <summary>Points a link at another directory in one step, as Kubernetes does it.</summary>
    internal void Swap(string link, string target)
    {
        File.CreateSymbolicLink(this[link + ".tmp"], target);
        NativeRename(this[link + ".tmp"], this[link]).Should().Be(0);
    }

    /// <summary>Long enough for a change that is there now to be seen, to stand still and to be taken up.</summary>
    internal void Settle()
    {
        for (var step = 0; step < 10; step++)
        {
            Clock.Advance(TimeSpan.FromMilliseconds(50));
        }
    }

    // File.Move follows a link to a directory.
    [DllImport("libc", EntryPoint = "rename", CharSet = CharSet.Ansi, BestFitMapping = false, ThrowOnUnmappableChar = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int NativeRename(string from, string to);

    public void Dispose() => Directory.Delete(_directory, recursive: true);
}

/// <summary>What a source of files said of itself.</summary>
internal sealed class Heard
{
    internal Heard(IFileSource files)
    {
        files.Replaced += (_, _) => Replaced++;
        files.Refused += (_, refused) => Refused.Add(refused.Problem);
    }

    internal int Replaced { get; private set; }

    internal List<MaterialException> Refused { get; } = [];
}
