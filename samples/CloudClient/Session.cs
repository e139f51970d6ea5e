using MutualAuth.Connections;

namespace MutualAuth.Samples;

/// <summary>A workload's connection at the service: answers requests, and carries what the library asks before the token expires.</summary>
internal sealed class Session(MutualTlsConnection connection, Action<string> tell)
{
    private readonly SemaphoreSlim _turn = new(1, 1); // one writer at a time

    internal async Task ServeAsync(ReauthenticationServer reauthentication)
    {
        await using var owned = connection;
        var peer = connection.Peer;
        string[] scopes = [.. peer.User!.Claims.Where(claim => claim.Type == "scope").Select(claim => claim.Value)];
        tell($"{peer.SpiffeId} may {string.Join(' ', scopes)}; proven: {peer.Proofs}");
        try
        {
            await using var again = reauthentication.Serve(connection, (asked, _) => new(WriteAsync(Message.Of(StepUps.Word, asked))));
            while (await Message.ReadAsync(connection.Stream) is { } message)
            {
                if (message.Word == StepUps.Word)
                {
                    var renewals = again.Renewals;
                    await again.ReceiveAsync(message.ToOctets());
                    tell($"{peer.SpiffeId} {(again.Renewals > renewals ? "has shown its token again" : $"not renewed, {again.Rejection}")}");
                }
                else
                {
                    var mayRead = message.Word == "read" && scopes.Contains("invoices:read");
                    await WriteAsync(mayRead ? new Message("read", "3 invoices") : new Message("refused", "nothing for you"));
                }
            }
        }
        catch (Exception exception) when (exception is IOException or FormatException)
        {
            // The workload has left, or breaks the protocol; or the library has ended the connection.
        }

        if (connection.Invalidation is { } lost)
        {
            tell($"{peer.SpiffeId} is out: {lost.Rejection.Reason.ToCode()}");
        }
    }

    private async Task WriteAsync(Message message)
    {
        await _turn.WaitAsync();
        try
        {
            await message.WriteAsync(connection.Stream);
        }
        finally
        {
            _turn.Release();
        }
    }
}
