using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using System.Text;
using Microsoft.Win32.SafeHandles;
using MutualAuth.Reloading;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Reloading;

/// <summary>A file that takes the place of another one can be read and written by the same users as before.</summary>
[UnsupportedOSPlatform("windows")]
public sealed class FileRightsTests
{
    private const string OfFile = "system.posix_acl_access";
    private const string OfNewFiles = "system.posix_acl_default";

    private TemporaryFolder _folder = null!;

    [SetUp]
    public void SetUp()
    {
        Assume.That(OperatingSystem.IsLinux(), "Linux has access lists in this form.");
        _folder = new TemporaryFolder();
    }

    [TearDown]
    public void TearDown() => _folder?.Dispose();

    [Test]
    public void An_access_list_is_kept()
    {
        var path = _folder.Write("users", "old");
        var list = List(user: 4321, mask: 6);
        Assume.That(Set(path, OfFile, list), "The file system has access lists.");

        AtomicFile.Replace(path, "new"u8, onStep: null);

        Get(path, OfFile).Should().Equal(list);
        File.ReadAllText(path).Should().Be("new");
    }

    [Test]
    public void The_list_that_the_directory_gives_to_new_files_opens_no_replaced_one()
    {
        Directory.CreateDirectory(_folder["sub"]);
        var path = _folder.Write("sub/users", "old");
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead);
        Assume.That(Set(_folder["sub"], OfNewFiles, List(user: 4321, mask: 6)), "The file system has access lists.");

        AtomicFile.Replace(path, "new"u8, onStep: null);

        Get(path, OfFile).Should().BeEmpty("the old file had none");
        File.GetUnixFileMode(path).Should().Be(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead);
    }

    [Test]
    public void A_file_is_ours_when_this_process_owns_it()
    {
        using (var ours = File.OpenHandle(_folder.Write("ours", "x")))
        {
            FileRights.IsOurs(ours).Should().BeTrue();
        }

        Assume.That(Environment.UserName == "root", "Only root gives files away.");
        Native.Chown(Octets(_folder["ours"]), 65534, uint.MaxValue).Should().Be(0);
        using var theirs = File.OpenHandle(_folder["ours"]);
        FileRights.IsOurs(theirs).Should().BeFalse();
    }

    [Test]
    public void Where_the_system_does_not_say_a_file_is_not_ours()
    {
        using var none = new SafeFileHandle(12_345_678, ownsHandle: false);

        FileRights.IsOurs(none).Should().BeFalse();
    }

    /// <summary>The form in which the kernel keeps an access list: a version, and a kind, rights and an id for each entry.</summary>
    private static byte[] List(uint user, ushort mask)
    {
        const uint Nobody = uint.MaxValue;
        (ushort Kind, ushort Rights, uint Id)[] entries = [(1, 6, Nobody), (2, 6, user), (4, 4, Nobody), (0x10, mask, Nobody), (0x20, 0, Nobody)];
        return
        [
            .. BitConverter.GetBytes(2),
            .. entries.SelectMany(entry => (byte[])
            [.. BitConverter.GetBytes(entry.Kind), .. BitConverter.GetBytes(entry.Rights), .. BitConverter.GetBytes(entry.Id)]),
        ];
    }

    private static bool Set(string path, string name, byte[] value) => Native.SetAttribute(Octets(path), Octets(name), value, value.Length, 0) == 0;

    private static byte[] Get(string path, string name)
    {
        var value = new byte[256];
        var length = (int)Native.GetAttribute(Octets(path), Octets(name), value, value.Length);
        return length < 0 ? [] : value[..length];
    }

    private static byte[] Octets(string text) => Encoding.UTF8.GetBytes(text + '\0');

    private static class Native
    {
        [DllImport("libc", EntryPoint = "chown", SetLastError = true)]
        [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
        internal static extern int Chown(byte[] path, uint owner, uint group);

        [DllImport("libc", EntryPoint = "setxattr", SetLastError = true)]
        [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
        internal static extern int SetAttribute(byte[] path, byte[] name, byte[] value, nint size, int flags);

        [DllImport("libc", EntryPoint = "getxattr", SetLastError = true)]
        [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
        internal static extern nint GetAttribute(byte[] path, byte[] name, [Out] byte[] value, nint size);
    }
}
