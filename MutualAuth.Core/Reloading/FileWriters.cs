using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace MutualAuth.Reloading;

/// <summary>
/// Whether a process has a file open for writing. Linux reveals it, by refusing a read lease, to the file's owner and to privileged
/// processes.
/// </summary>
internal static class FileWriters
{
    private const int SetSignal = 10;
    private const int SetLease = 1024;
    private const int ReadLease = 0;
    private const int NoLease = 2;
    private const int HarmlessSignal = 23; // SIGURG, which is ignored by default
    private const int TryAgain = 11;

    /// <param name="file">The file, opened for reading only.</param>
    /// <returns>False also when the system does not say.</returns>
    internal static bool Has(SafeFileHandle file)
    {
        if (!OperatingSystem.IsLinux() || RuntimeInformation.ProcessArchitecture is not (Architecture.X64 or Architecture.Arm64))
        {
            return false;
        }

        // A process that opens the file for writing while we hold the lease waits for the few instructions until it is released, and the
        // kernel sends us a signal. The default signal would end the process.
        if (FileControl(file, SetSignal, HarmlessSignal) != 0)
        {
            return false;
        }

        if (FileControl(file, SetLease, ReadLease) == 0)
        {
            _ = FileControl(file, SetLease, NoLease);
            return false;
        }

        return Marshal.GetLastPInvokeError() == TryAgain;
    }

    [DllImport("libc", EntryPoint = "fcntl", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int FileControl(SafeFileHandle file, int command, int argument);
}
