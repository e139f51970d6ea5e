using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;

namespace MutualAuth.Testing.Tests.Support;

/// <summary>
/// For as long as it lives, this process can open nothing more: who accepts a connection is told that there are too many. A connection is made
/// beforehand. Not for tests beside others.
/// </summary>
[SupportedOSPlatform("linux")]
internal sealed class NoFreeDescriptor : IDisposable
{
    private const int OpenFiles = 7;

    private readonly Limit _before;
    private readonly TaskCompletionSource _refused = new(TaskCreationOptions.RunContinuationsAsynchronously);

    internal NoFreeDescriptor()
    {
        AppDomain.CurrentDomain.FirstChanceException += (_, thrown) =>
        {
            if (thrown.Exception is SocketException { SocketErrorCode: SocketError.TooManyOpenSockets })
            {
                _refused.TrySetResult();
            }
        };
        NativeMethods.Get(OpenFiles, out _before).Should().Be(0);
        using var lowest = new Socket(SocketType.Stream, ProtocolType.Tcp);
        var limit = _before with { Soft = (nuint)lowest.Handle };
        lowest.Dispose();
        NativeMethods.Set(OpenFiles, limit).Should().Be(0);
    }

    /// <summary>Ends when somebody has been told.</summary>
    internal Task Refused => _refused.Task;

    public void Dispose() => NativeMethods.Set(OpenFiles, _before).Should().Be(0);

    [StructLayout(LayoutKind.Sequential)]
    private record struct Limit(nuint Soft, nuint Hard);

    private static class NativeMethods
    {
        [DllImport("libc", EntryPoint = "getrlimit")]
        [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
        internal static extern int Get(int resource, out Limit limit);

        [DllImport("libc", EntryPoint = "setrlimit")]
        [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
        internal static extern int Set(int resource, in Limit limit);
    }
}
