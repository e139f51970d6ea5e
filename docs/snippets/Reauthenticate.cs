using MutualAuth.Connections;
using MutualAuth.Credentials;

namespace MutualAuth.Snippets;

/// <summary>docs/how-to/reauthenticate.md</summary>
internal static class Reauthenticate
{
    internal static async Task Server(MutualTlsServerOptions serverOptions, MutualTlsConnection connection)
    {
        // snippet
        var reauthentication = new ReauthenticationServer();                       // one for the server
        var options = serverOptions with
        {
            Revalidation = new RevalidationPolicy
            {
                MaximumAge = TimeSpan.FromHours(12),
                ReauthenticationLead = TimeSpan.FromMinutes(5),
                OnReauthenticationDue = reauthentication.WhenDue,
            },
        };
        // end

        // snippet
        await using var served = reauthentication.Serve(connection, (message, token) => SendAsync(Kind.Login, message, token));
        while (await ReceiveAsync() is var (kind, message))
        {
            if (kind == Kind.Login)
            {
                await served.ReceiveAsync(message);
                continue;
            }

            await HandleAsync(kind, message);
        }
        // end

        static ValueTask SendAsync(Kind kind, ReadOnlyMemory<byte> message, CancellationToken cancellationToken) => default;
        static Task<(Kind Kind, byte[] Message)?> ReceiveAsync() => throw new NotSupportedException();
        static Task HandleAsync(Kind kind, byte[] message) => Task.CompletedTask;
        _ = options;
    }

    internal static async Task Client(
        MutualTlsConnection connection, Func<CancellationToken, ValueTask<string>> currentToken, Kind kind, byte[] message)
    {
        // snippet
        using var answers = new ReauthenticationClient(connection, Login.WithToken(currentToken));
        if (kind == Kind.Login && await answers.AnswerAsync(message) is { } reply) // for each message of this kind
        {
            await SendAsync(Kind.Login, reply);
        }
        // end

        static Task SendAsync(Kind kind, ReadOnlyMemory<byte> message) => Task.CompletedTask;
    }

    internal static async Task Now(MutualTlsConnection connection)
    {
        // snippet
        await using var again = connection.BeginReauthentication();
        await SendAsync(again.FirstMessage);
        while (!again.IsOver && await again.AnswerAsync(await ReceiveAsync()) is { } reply)
        {
            await SendAsync(reply);
        }

        if (again.Rejection is { } rejection)
        {
            Console.WriteLine($"still the user of the login: {rejection}");
        }
        // end

        static Task SendAsync(ReadOnlyMemory<byte> message) => Task.CompletedTask;
        static Task<byte[]> ReceiveAsync() => throw new NotSupportedException();
    }

    /// <summary>The application's kinds of messages.</summary>
    internal enum Kind
    {
        Login = 1,
        Other = 2,
    }
}
