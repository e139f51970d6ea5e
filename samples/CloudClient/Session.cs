using MutualAuth.Credentials;

namespace MutualAuth.Samples;

/// <summary>A workload's connection at the service: answers requests, and asks for a fresh token in between, before the old one expires.</summary>
internal sealed class Session(MutualTlsConnection connection, Action<string> tell)
{
    private readonly SemaphoreSlim _turn = new(1, 1); // one writer at a time
    private StepUpVerifier? _again;

    internal async Task ServeAsync()
    {
        await using var owned = connection;
        var peer = connection.Peer;
        string[] scopes = [.. peer.User!.Claims.Where(claim => claim.Type == "scope").Select(claim => claim.Value)];
        tell($"{peer.SpiffeId} may {string.Join(' ', scopes)}; proven: {peer.Proofs}");
        try
        {
            while (await Message.ReadAsync(connection.Stream) is { } message)
            {
                await InTurnAsync(() => message.Word switch
                {
                    StepUps.Word => RenewAsync(message),
                    "read" when scopes.Contains("invoices:read") => new Message("read", "3 invoices").WriteAsync(connection.Stream),
                    _ => new Message("refused", "nothing for you").WriteAsync(connection.Stream),
                });
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

    /// <summary>The token will expire soon. What is asked here is answered among the requests.</summary>
    internal async Task AskAgainAsync()
    {
        try
        {
            await InTurnAsync(() =>
            {
                _again = connection.BeginReauthentication();
                return Message.Of(StepUps.Word, _again.FirstMessage).WriteAsync(connection.Stream);
            });
        }
        catch (IOException)
        {
            // The workload has left.
        }
    }

    private async Task RenewAsync(Message message)
    {
        if (_again is not { IsOver: false } again)
        {
            throw new FormatException("Nothing was asked.");
        }

        if (await again.AnswerAsync(message.ToOctets()) is { } reply)
        {
            await Message.Of(StepUps.Word, reply).WriteAsync(connection.Stream);
        }

        if (again.IsOver)
        {
            tell(again.User is null ? $"not renewed, {again.Rejection}" : $"{again.User} has shown its token again, by {again.User.Mechanism}");
            await again.DisposeAsync();
        }
    }

    private async Task InTurnAsync(Func<Task> actAsync)
    {
        await _turn.WaitAsync();
        try
        {
            await actAsync();
        }
        finally
        {
            _turn.Release();
        }
    }
}
