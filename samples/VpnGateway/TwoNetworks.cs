using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace MutualAuth.Samples;

/// <summary>
/// Two network namespaces, as two computers would be, with one cable between them: the user's at 192.0.2.2, the gateway's at 192.0.2.1. Each has
/// a TUN device, 10.8.0.2 and 10.8.0.1. They take Linux, the command ip and the rights of root, and are gone when this is disposed of.
/// </summary>
internal sealed partial class TwoNetworks : IDisposable
{
    private const string Device = "tun0";

    private readonly string _user = $"mutualauth-user-{Environment.ProcessId}";
    private readonly string _gateway = $"mutualauth-gate-{Environment.ProcessId}";

    private TwoNetworks()
    {
    }

    /// <summary>The user's end of the tunnel: a packet that is read is on its way to the gateway.</summary>
    internal Stream UserDevice { get; private set; } = Stream.Null;

    internal Stream GatewayDevice { get; private set; } = Stream.Null;

    /// <summary>Makes them, or says why that is not possible here.</summary>
    internal static TwoNetworks? TryMake(out string why)
    {
        why = OperatingSystem.IsLinux() ? string.Empty : "that takes Linux";
        if (why.Length > 0)
        {
            return null;
        }

        var networks = new TwoNetworks();
        try
        {
            networks.Make();
            return networks;
        }
        catch (Exception exception)
        {
            why = exception.Message;
            networks.Dispose();
            return null;
        }
    }

    /// <summary>A socket that lives in the user's network, wherever it is used.</summary>
    internal Socket UserSocket(Func<Socket> make) => Within(_user, make);

    internal Socket GatewaySocket(Func<Socket> make) => Within(_gateway, make);

    public void Dispose()
    {
        // Without the devices those who read from them are told.
        foreach (var network in new[] { _user, _gateway })
        {
            TryRun("-n", network, "link", "del", Device);
            TryRun("netns", "del", network);
        }

        UserDevice.Dispose();
        GatewayDevice.Dispose();
    }

    private void Make()
    {
        var (userWire, gatewayWire) = ($"mu{Environment.ProcessId}", $"mg{Environment.ProcessId}");
        Run("netns", "add", _user);
        Run("netns", "add", _gateway);
        Run("link", "add", userWire, "netns", _user, "type", "veth", "peer", "name", gatewayWire, "netns", _gateway);
        UserDevice = MakeEnd(_user, userWire, "192.0.2.2/24", "10.8.0.2/24");
        GatewayDevice = MakeEnd(_gateway, gatewayWire, "192.0.2.1/24", "10.8.0.1/24");
    }

    private static FileStream MakeEnd(string network, string wire, string address, string addressInTunnel)
    {
        Run("-n", network, "addr", "add", address, "dev", wire);
        Run("-n", network, "link", "set", wire, "up");
        var device = Within(network, OpenDevice);
        Run("-n", network, "addr", "add", addressInTunnel, "dev", Device);
        Run("-n", network, "link", "set", Device, "mtu", "1280", "up");
        return new FileStream(device, FileAccess.ReadWrite, bufferSize: 0);
    }

    /// <summary>Runs on a thread that has entered the network and ends with it; what it opens stays there.</summary>
    private static T Within<T>(string network, Func<T> make)
    {
        T? made = default;
        Exception? fault = null;
        var thread = new Thread(() =>
        {
            try
            {
                using var handle = File.OpenHandle($"/run/netns/{network}");
                Check(EnterNetwork(handle, NetworkKind));
                made = make();
            }
            catch (Exception exception)
            {
                fault = exception;
            }
        });
        thread.Start();
        thread.Join();
        return fault is null ? made! : throw fault;
    }

    private static SafeFileHandle OpenDevice()
    {
        const int MakeDevice = 0x400454ca; // TUNSETIFF
        const short PacketsWithoutHeader = 0x0001 | 0x1000; // IFF_TUN, IFF_NO_PI
        var request = new byte[40];
        System.Text.Encoding.ASCII.GetBytes(Device, request);
        BitConverter.TryWriteBytes(request.AsSpan(16), PacketsWithoutHeader);
        var device = File.OpenHandle("/dev/net/tun", FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);
        Check(Control(device, MakeDevice, request));
        return device;
    }

    private static void TryRun(params string[] arguments)
    {
        try
        {
            Run(arguments);
        }
        catch (Exception)
        {
            // It is not there, which is what was wanted.
        }
    }

    private static void Run(params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo("ip", arguments) { RedirectStandardError = true })!;
        var words = process.StandardError.ReadToEnd();
        process.WaitForExit();
        if (process.ExitCode != 0)
        {
            throw new IOException(words.Trim());
        }
    }

    private const int NetworkKind = 0x40000000; // CLONE_NEWNET

    private static void Check(int result)
    {
        if (result < 0)
        {
            throw new IOException(Marshal.GetLastPInvokeErrorMessage());
        }
    }

    [LibraryImport("libc", EntryPoint = "setns", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int EnterNetwork(SafeFileHandle network, int kind);

    [LibraryImport("libc", EntryPoint = "ioctl", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Control(SafeFileHandle device, nint request, byte[] argument);
}
