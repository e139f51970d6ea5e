using MutualAuth.Testing.Transports;

namespace MutualAuth.Snippets;

/// <summary>docs/reference/wires.md.</summary>
public static class Wires
{
    /// <summary>A far end that closes.</summary>
    public static async Task CloseAsync()
    {
        // snippet
        await using var wire = new DuplexPair();
        await wire.Server.WriteAsync("bye"u8.ToArray());
        await wire.Server.DisposeAsync();                                // as if the far end of a socket had closed
        var buffer = new byte[9];
        Console.WriteLine(await wire.Client.ReadAsync(buffer));          // 3
        Console.WriteLine(await wire.Client.ReadAsync(buffer));          // 0, the end
        await wire.Client.WriteAsync(buffer);                            // succeeds: no answer has come that says otherwise
        await wire.Client.WriteAsync(buffer);                            // throws an IOException, as the first has been answered by a reset
        // end
    }
}
