using MutualAuth.Connections;

namespace MutualAuth.Samples;

/// <summary>
/// A workload's connection at the service: answers requests, carries what the library asks before the token expires, and tells the workload when
/// the connection is no longer valid.
/// </summary>
internal sealed class Session(MutualTlsConnection connection, Action<string> tell)
{
    /// <summary>The word of the message that says why the connection ends.</summary>
    internal const string Goodbye = "goodbye";

    private readonly SemaphoreSlim _turn = new(1, 1); // one writer at a time

    internal async Task ServeAsync(ReauthenticationServer reauthentication)
    {
        await using var owned = connection;
        var peer = connection.Peer;
        string[] scopes = [.. peer.User!.Claims.Where(claim => claim.Type == "scope").Select(claim => claim.Value)];
        tell($"{peer.SpiffeId} may {string.Join(' ', scopes)}; proven: {peer.Proofs}; certificate {peer.Certificate!.SerialNumber}");
        await using var ends = connection.NoLongerValid.Register(() => _ = SayGoodbyeAsync());
        try
        {
            await using var again = reauthentication.Serve(connection, (asked, _) => new(WriteAsync(Message.Of(StepUps.Word, asked))));
            while (await Message.ReadAsync(connection.Stream) is { } message)
            {
                if (message.Word == StepUps.Word)
                {
                    var renewals = again.Renewals;
                    await again.ReceiveAsync(message.ToOctets());
                    if (again.Renewals > renewals || again.Rejection is not null)
                    {
                        var outcome = again.Rejection is { } objection ? $"not renewed, {objection}" : "has shown its token again";
                        tell($"{peer.SpiffeId} {outcome}");
                    }
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
    }

    /// <summary>The library drains a connection whose token or certificate has expired, and leaves us the time to say so.</summary>
    private async Task SayGoodbyeAsync()
    {
        var reason = connection.Invalidation!.Rejection.Reason.ToCode();
        tell($"{connection.Peer.SpiffeId} is out: {reason}; certificate {connection.Peer.Certificate!.SerialNumber}");
        try
        {
            await WriteAsync(new Message(Goodbye, reason));
        }
        catch (Exception exception) when (exception is IOException or ObjectDisposedException)
        {
            // It has left by itself.
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
