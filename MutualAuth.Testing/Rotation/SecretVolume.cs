using System.ComponentModel;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;

namespace MutualAuth.Testing.Rotation;

/// <summary>A folder as Kubernetes mounts a secret: everything in it is replaced in one step, by a link.</summary>
internal sealed class SecretVolume(string directory, TimeProvider clock)
{
    private const string Data = "..data";

    private int _written;

    internal void Replace(IEnumerable<FolderFile> files)
    {
        var before = new DirectoryInfo(Path.Combine(directory, Data)).LinkTarget;
        var folder = clock.GetUtcNow().UtcDateTime.ToString("'..'yyyy_MM_dd_HH_mm_ss'.'", CultureInfo.InvariantCulture)
            + (++_written).ToString("D9", CultureInfo.InvariantCulture);
        var path = Path.Combine(directory, folder);
        Directory.CreateDirectory(path);
        var names = new List<string>();
        foreach (var file in files)
        {
            file.WriteTo(path);
            names.Add(file.Name);
        }

        SetLink(Data, folder);
        foreach (var name in names)
        {
            var link = $"{Data}/{name}";
            if (new FileInfo(Path.Combine(directory, name)).LinkTarget != link)
            {
                SetLink(name, link);
            }
        }

        if (before is not null && before != folder)
        {
            Directory.Delete(Path.Combine(directory, before), recursive: true);
        }
    }

    // File.Move follows a link to a folder, and Directory.Move replaces nothing.
    private void SetLink(string name, string target)
    {
        var (temporary, link) = (Path.Combine(directory, name + "_tmp"), Path.Combine(directory, name));
        File.Delete(temporary);
        File.CreateSymbolicLink(temporary, target);
        if (Native.Rename(Encoding.UTF8.GetBytes(temporary + '\0'), Encoding.UTF8.GetBytes(link + '\0')) != 0)
        {
            throw new IOException($"The link {link} cannot be replaced: {new Win32Exception(Marshal.GetLastPInvokeError()).Message}");
        }
    }

    private static class Native
    {
        [DllImport("libc", EntryPoint = "rename", SetLastError = true)]
        [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
        internal static extern int Rename(byte[] from, byte[] to);
    }
}
