using System.Globalization;

namespace MutualAuth.Stress.Support;

/// <summary>The kernel's own list of sockets: what the library believes to have closed may stand in it.</summary>
internal static class TcpTable
{
    private const string Established = "01";
    private const string CloseWait = "08";

    /// <summary>How many sockets of a listener's port are open on our side: established, or closed by the peer alone.</summary>
    internal static int LeftOpen(int port)
    {
        var suffix = ":" + port.ToString("X4", CultureInfo.InvariantCulture);
        return Lines("/proc/self/net/tcp").Concat(Lines("/proc/self/net/tcp6")).Count(fields =>
            fields.Length > 3 && fields[1].EndsWith(suffix, StringComparison.Ordinal) && fields[3] is (Established or CloseWait));
    }

    /// <summary>The same, after a while in which the last may still be closed.</summary>
    internal static async Task<int> LeftOpenAsync(int port, TimeSpan patience)
    {
        var until = DateTime.UtcNow + patience;
        int left;
        while ((left = LeftOpen(port)) > 0 && DateTime.UtcNow < until)
        {
            await Task.Delay(20);
        }

        return left;
    }

    private static IEnumerable<string[]> Lines(string path) =>
        File.Exists(path) ? File.ReadLines(path).Skip(1).Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries)) : [];
}
