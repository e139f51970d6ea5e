using System.Net.Security;
using MutualAuth.Evidence;

namespace MutualAuth.Tool;

/// <summary>Which versions, suites and groups a server takes: one short connection for each question, bounded in number and time.</summary>
internal sealed class Survey(ProbeTarget target)
{
    internal const int MaxConnections = 48;

    private static readonly TimeSpan s_maxTime = TimeSpan.FromSeconds(20);

    private static readonly (int Version, string Name)[] s_versions =
        [(ProbeHello.Tls13, "1.3"), (ProbeHello.Tls12, "1.2"), (ProbeHello.Tls11, "1.1"), (ProbeHello.Tls10, "1.0")];

    private static readonly int[] s_suites13 = [0x1301, 0x1302, 0x1303, 0x1304, 0x1305];

    private static readonly int[] s_suites12 =
    [
        0xc02b, 0xc02f, 0xc02c, 0xc030, 0xcca9, 0xcca8, 0x009e, 0x009f, 0xccaa, 0xc023, 0xc027, 0xc009, 0xc013, 0xc00a, 0xc014, 0x009c, 0x009d,
            0x002f,
        0x0035,
    ];

    // Hybrids first, as clients offer them.
    private static readonly int[] s_groups =
    [
        (int)KeyExchangeGroup.X25519MLKem768, (int)KeyExchangeGroup.SecP256r1MLKem768, (int)KeyExchangeGroup.SecP384r1MLKem1024,
        (int)KeyExchangeGroup.MLKem1024, 0x001d, 0x0017, 0x0018, 0x0019, 0x001e, 0x0100,
    ];

    private readonly long _started = TimeProvider.System.GetTimestamp();
    private int _connections;

    /// <summary>What was found.</summary>
    /// <param name="Versions">The versions, the newest first.</param>
    /// <param name="Suites">The suites, in the order of the server's choice.</param>
    /// <param name="Groups">The groups, in the order of the server's choice.</param>
    /// <param name="Connections">How many connections it took.</param>
    /// <param name="IsComplete">False where a bound was reached first.</param>
    internal sealed record Findings(
        IReadOnlyList<string> Versions, IReadOnlyList<string> Suites, IReadOnlyList<string> Groups, int Connections, bool IsComplete);

    internal static ProbeHello FirstHello(ProbeTarget target, int version) => new(
        version, version == ProbeHello.Tls13 ? s_suites13 : s_suites12, version == ProbeHello.Tls13 ? s_groups : OldGroups, target.NameInHello,
            target.ProtocolsInHello);

    private static int[] OldGroups => [.. s_groups.Where(group => group is < 0x0100)];

    internal async Task<Findings> RunAsync(CancellationToken stop)
    {
        var versions = new List<string>();
        var suites = new List<string>();
        var groups = new List<string>();
        ProbeHello? newest = null;
        foreach (var (version, name) in s_versions)
        {
            var hello = FirstHello(target, version);
            if (await AskAsync(hello, stop) is not { } chosen || chosen.Version != version)
            {
                continue;
            }

            versions.Add(name);
            newest ??= hello;
            if (version < ProbeHello.Tls12)
            {
                continue;
            }

            // What it chose is left out the next time, until it finds nothing to choose.
            var left = hello.Suites.ToList();
            for (ServerAnswer.Chose? next = chosen; next is not null && left.Remove(next.Suite);)
            {
                suites.Add(((TlsCipherSuite)next.Suite).ToString());
                next = left.Count == 0 ? null : await AskAsync(hello with { Suites = [.. left] }, stop);
            }
        }

        if (newest is not null)
        {
            // With a suite of ephemeral keys alone: others use no group.
            var hello = newest with
            {
                Suites = [.. newest.Suites.Where(
                suite => ((TlsCipherSuite)suite).ToString() is var name
                    && (newest.Version == ProbeHello.Tls13 || name.StartsWith("TLS_ECDHE", StringComparison.Ordinal)))]
            };
            var left = hello.Groups.ToList();
            var taken = new List<int>();
            while (left.Count > 0 && await AskAsync(hello with { Groups = [.. left] }, stop) is { Group: { } group } && left.Remove(group))
            {
                groups.Add(NameOf(group));
                taken.Add(group);
            }

            // Before TLS 1.3 the curve of the server's certificate must be among them: what is left is asked for in front of those.
            foreach (var group in newest.Version == ProbeHello.Tls13 ? [] : left)
            {
                if (await AskAsync(hello with { Groups = [group, .. taken] }, stop) is { Group: { } chosen } && chosen == group)
                {
                    groups.Add(NameOf(group));
                }
            }
        }

        return new Findings(versions, suites, groups, _connections, !IsExhausted);
    }

    private static string NameOf(int group) =>
        Enum.IsDefined((KeyExchangeGroup)group) ? ((KeyExchangeGroup)group).ToText() : group == 0x0100 ? "ffdhe2048" : $"0x{group:x4}";

    private bool IsExhausted => _connections >= MaxConnections || TimeProvider.System.GetElapsedTime(_started) > s_maxTime;

    private async Task<ServerAnswer.Chose?> AskAsync(ProbeHello hello, CancellationToken stop)
    {
        if (IsExhausted)
        {
            return null;
        }

        _connections++;
        try
        {
            await using var stream = await target.ConnectAsync(stop);
            return await ServerAnswer.ToAsync(stream, hello.ToRecord(), target.Timeout, stop) as ServerAnswer.Chose;
        }
        catch (ProbeException)
        {
            return null; // one connection of many that did not come about
        }
    }
}
