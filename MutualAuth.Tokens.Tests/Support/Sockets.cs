using System.Net;
using MutualAuth.Credentials;
using MutualAuth.Testing;

namespace MutualAuth.Tests.Support;

/// <summary>A client with a token and a server with a validator, over loopback.</summary>
internal static class Sockets
{
    internal static readonly TimeSpan Deadline = TimeSpan.FromSeconds(30);

    internal static TestAuthority Authority { get; } = new("Workload Authority");

    internal static TestCertificate ClientCertificate { get; } = Authority.IssueClient("billing.test");

    private static TestCertificate ServerCertificate { get; } = Authority.IssueServer("server.test");

    internal static MutualTlsServerOptions Server(ITokenValidator validator, bool needsBinding = false) => new()
    {
        Identity = ServerCertificate.ToIdentity(),
        Trust = Authority.ToTrustAnchors(),
        Authorization = Authorize.AnyTrustedPeer,
        Credentials = Require.CertificateAndUser(
            needsBinding ? SaslServer.BoundTokens(validator) : SaslServer.DangerouslyUnboundTokens(validator)),
    };

    internal static MutualTlsClient Client(ClientCredentials credentials, TestCertificate? certificate = null) => new(new MutualTlsClientOptions
    {
        Identity = (certificate ?? ClientCertificate).ToIdentity(),
        Trust = Authority.ToTrustAnchors(),
        Authorization = Authorize.ServerName,
        Credentials = credentials,
    });

    internal static Task<Ends> ConnectAsync(ITokenValidator validator, string token, bool needsBinding = false) =>
        ConnectAsync(Server(validator, needsBinding), Client(Login.WithToken(_ => ValueTask.FromResult(token))));

    internal static async Task<Ends> ConnectAsync(MutualTlsServerOptions server, MutualTlsClient client)
    {
        using var listening = new System.Net.Sockets.TcpListener(IPAddress.Loopback, 0);
        listening.Start();
        var dial = client.ConnectAsync((IPEndPoint)listening.LocalEndpoint, "server.test");
        var accept = new MutualTlsServer(server).AcceptAsync(await listening.AcceptSocketAsync().WaitAsync(Deadline));
        var ends = await Task.WhenAll(End.OfAsync(dial.WaitAsync(Deadline)), End.OfAsync(accept.WaitAsync(Deadline)));
        return new Ends(ends[0], ends[1]);
    }

    /// <summary>The connection ends for a reason, which it has by then.</summary>
    internal static async Task NoLongerValidAsync(MutualTlsConnection connection)
    {
        var ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var registration = connection.NoLongerValid.Register(ended.SetResult);
        await ended.Task.WaitAsync(Deadline);
    }

    internal sealed record End(MutualTlsConnection? Connection, HandshakeException? Failure)
    {
        internal static async Task<End> OfAsync(Task<MutualTlsConnection> handshake)
        {
            try
            {
                return new End(await handshake, null);
            }
            catch (HandshakeException failure)
            {
                return new End(null, failure);
            }
        }
    }

    internal sealed record Ends(End Client, End Server) : IAsyncDisposable
    {
        public async ValueTask DisposeAsync()
        {
            Client.Connection?.Abort();
            Server.Connection?.Abort();
            await (Client.Connection?.DisposeAsync() ?? default);
            await (Server.Connection?.DisposeAsync() ?? default);
        }
    }
}
