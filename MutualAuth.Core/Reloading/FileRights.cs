using System.Buffers.Binary;
using System.ComponentModel;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using Microsoft.Win32.SafeHandles;

namespace MutualAuth.Reloading;

/// <summary>Owner, group, mode and access list of a file, which decide who may read and write it. On Unix.</summary>
[UnsupportedOSPlatform("windows")]
internal static class FileRights
{
    private const string AccessList = "system.posix_acl_access";
    private const int NotSupported = 95;
    private const int NoData = 61;

    /// <summary>Gives a new file, which only its creator can open so far, the owner, group, mode and access list of another file.</summary>
    /// <exception cref="IOException">
    /// The rights cannot be set: only root can change the owner, and only members of a group can assign that group.
    /// </exception>
    internal static void Copy(SafeFileHandle from, SafeFileHandle to)
    {
        var (wanted, made) = (OwnerOf(from), OwnerOf(to));
        if (wanted != made && Native.ChangeOwner(to, wanted.User, wanted.Group) != 0)
        {
            throw LastError($"The new file cannot be given to the owner and the group of the old one ({wanted.User}:{wanted.Group})");
        }

        // The access list before the mode: the mode must not activate the list that the directory gives to new files.
        if (OperatingSystem.IsLinux())
        {
            CopyAccessList(from, to);
        }

        File.SetUnixFileMode(to, File.GetUnixFileMode(from));
    }

    /// <summary>Whether this process is the owner of a file. False if the system does not say.</summary>
    internal static bool IsOurs(SafeFileHandle file)
    {
        try
        {
            return OwnerOf(file).User == Native.GetEffectiveUser();
        }
        catch (IOException)
        {
            return false;
        }
    }

    private static void CopyAccessList(SafeFileHandle from, SafeFileHandle to)
    {
        var buffer = new byte[4096];
        var length = (int)Native.GetAttribute(from, AccessList, buffer, buffer.Length);
        var failed = length < 0
            ? Marshal.GetLastPInvokeError() is not (NotSupported or NoData)
                || (Native.RemoveAttribute(to, AccessList) != 0 && Marshal.GetLastPInvokeError() is not (NotSupported or NoData))
            : Native.SetAttribute(to, AccessList, buffer, length, flags: 0) != 0;
        if (failed)
        {
            throw LastError("The new file cannot be given the access list of the old one");
        }
    }

    private static (uint User, uint Group) OwnerOf(SafeFileHandle file)
    {
        var status = new byte[256];
        if (OperatingSystem.IsLinux())
        {
            const int EmptyPath = 0x1000;
            const uint UserAndGroup = 0x18;
            try
            {
                return Native.StatX(file, string.Empty, EmptyPath, UserAndGroup, status) == 0
                    ? At(status, 20, 24)
                    : throw LastError("The owner of the old file cannot be determined");
            }
            catch (EntryPointNotFoundException exception)
            {
                throw new IOException("This C library cannot determine the owner of the old file.", exception);
            }
        }

        if (OperatingSystem.IsMacOS())
        {
            var result = RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? Native.StatMac(file, status) : Native.StatMac64(file, status);
            return result == 0 ? At(status, 16, 20) : throw LastError("The owner of the old file cannot be determined");
        }

        throw new IOException("This system cannot determine the owner of the old file.");
    }

    private static (uint User, uint Group) At(byte[] status, int user, int group) => BitConverter.IsLittleEndian
        ? (BinaryPrimitives.ReadUInt32LittleEndian(status.AsSpan(user)), BinaryPrimitives.ReadUInt32LittleEndian(status.AsSpan(group)))
        : (BinaryPrimitives.ReadUInt32BigEndian(status.AsSpan(user)), BinaryPrimitives.ReadUInt32BigEndian(status.AsSpan(group)));

    private static IOException LastError(string what) => new($"{what}: {new Win32Exception(Marshal.GetLastPInvokeError()).Message}");

    private static class Native
    {
        [DllImport("libc", EntryPoint = "geteuid")]
        [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
        internal static extern uint GetEffectiveUser();

        [DllImport("libc", EntryPoint = "fchown", SetLastError = true)]
        [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
        internal static extern int ChangeOwner(SafeFileHandle file, uint user, uint group);

        [DllImport("libc", EntryPoint = "statx", SetLastError = true)]
        [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
        internal static extern int StatX(
            SafeFileHandle file, [MarshalAs(UnmanagedType.LPUTF8Str)] string path, int flags, uint mask, [Out] byte[] status);

        [DllImport("libc", EntryPoint = "fstat", SetLastError = true)]
        [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
        internal static extern int StatMac(SafeFileHandle file, [Out] byte[] status);

        [DllImport("libc", EntryPoint = "fstat$INODE64", SetLastError = true)]
        [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
        internal static extern int StatMac64(SafeFileHandle file, [Out] byte[] status);

        [DllImport("libc", EntryPoint = "fgetxattr", SetLastError = true)]
        [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
        internal static extern nint GetAttribute(
            SafeFileHandle file, [MarshalAs(UnmanagedType.LPUTF8Str)] string name, [Out] byte[] value, nint size);

        [DllImport("libc", EntryPoint = "fsetxattr", SetLastError = true)]
        [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
        internal static extern int SetAttribute(
            SafeFileHandle file, [MarshalAs(UnmanagedType.LPUTF8Str)] string name, byte[] value, nint size, int flags);

        [DllImport("libc", EntryPoint = "fremovexattr", SetLastError = true)]
        [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
        internal static extern int RemoveAttribute(SafeFileHandle file, [MarshalAs(UnmanagedType.LPUTF8Str)] string name);
    }
}
