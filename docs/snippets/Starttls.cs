namespace MutualAuth.Snippets;

/// <summary>docs/how-to/starttls.md</summary>
internal static class Starttls
{
    internal static async Task ClientAsync(MutualTlsClient client, CancellationToken cancellationToken)
    {
        // snippet
        using var dialled = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await dialled.ConnectAsync("mail.example", 4190, cancellationToken);
        var plain = new NetworkStream(dialled, ownsSocket: true);

        await plain.WriteAsync("STARTTLS\r\n"u8.ToArray(), cancellationToken);
        if (await ReadLineAsync(plain, cancellationToken) != "OK")
        {
            await plain.DisposeAsync();
            return;                                           // never go on in plain text
        }

        await using var secured = await client.UpgradeAsync(plain, "mail.example", cancellationToken);

        // Octet by octet: what a buffer would read beyond the line belongs to TLS.
        static async Task<string> ReadLineAsync(Stream from, CancellationToken cancellation)
        {
            var line = new List<byte>();
            var octet = new byte[1];
            while (line.Count < 512 && await from.ReadAsync(octet, cancellation) == 1 && octet[0] != '\n')
            {
                line.Add(octet[0]);
            }

            return System.Text.Encoding.ASCII.GetString([.. line]).TrimEnd('\r');
        }
        // end
    }

    internal static async Task ServerAsync(MutualTlsServer server, Stream stream, CancellationToken cancellationToken)
    {
        // snippet
        await stream.WriteAsync("OK\r\n"u8.ToArray(), cancellationToken);
        await using var accepted = await server.AcceptAsync(stream, cancellationToken);
        // end
    }
}
