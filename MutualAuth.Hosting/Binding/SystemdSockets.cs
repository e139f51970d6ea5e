using System.Globalization;
using System.Net.Sockets;

namespace MutualAuth.Hosting.Binding;

/// <summary>The sockets that systemd has passed on to this process (<c>sd_listen_fds(3)</c>), each of which one listener takes.</summary>
/// <param name="variable">Reads a variable of the environment.</param>
internal sealed class SystemdSockets(Func<string, string?> variable)
{
    private const int FirstDescriptor = 3;
    private const int MaxSockets = 1024;

    private readonly Lock _taking = new();
    private List<(int Descriptor, string Name)>? _left;

    public SystemdSockets()
        : this(Environment.GetEnvironmentVariable)
    {
    }

    /// <summary>Takes the sockets of this name, or all that are left; empty when there is none.</summary>
    internal List<int> Take(string? name)
    {
        lock (_taking)
        {
            _left ??= Read();
            var taken = _left.Where(socket => name is null || socket.Name == name).ToList();
            _left.RemoveAll(taken.Contains);
            return taken.ConvertAll(socket => socket.Descriptor);
        }
    }

    internal static Socket Open(int descriptor) => new(new SafeSocketHandle(descriptor, ownsHandle: true));

    private List<(int Descriptor, string Name)> Read()
    {
        if (!int.TryParse(variable("LISTEN_PID"), NumberStyles.None, CultureInfo.InvariantCulture, out var process)
            || process != Environment.ProcessId
            || !int.TryParse(variable("LISTEN_FDS"), NumberStyles.None, CultureInfo.InvariantCulture, out var count))
        {
            return []; // meant for another process, or for none
        }

        var names = variable("LISTEN_FDNAMES")?.Split(':') ?? [];
        return
        [
            .. Enumerable.Range(0, Math.Min(count, MaxSockets))
                .Select(index => (FirstDescriptor + index, names.ElementAtOrDefault(index) ?? "unknown")),
        ];
    }
}
