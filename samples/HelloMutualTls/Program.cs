// The smallest mutual TLS conversation: one process, both ends, certificates made on the spot.
// Run it:  dotnet run --project samples/HelloMutualTls
// Expect:  what each side learned about the other; then a stranger that is rejected, with the reason on both sides.
// Two namespaces are enough: MutualAuth is the library, MutualAuth.Testing makes the throwaway certificates.
using System.Net;
using MutualAuth;
using MutualAuth.Testing;

using var authority = new TestAuthority();
var trust = authority.ToTrustAnchors();

await using var listener = MutualTlsListener.Start(new MutualTlsListenerOptions
{
    EndPoint = new IPEndPoint(IPAddress.Loopback, 0),
    Server = new MutualTlsServer(new MutualTlsServerOptions
    {
        Identity = authority.IssueServer("server.test").ToIdentity(), // who we are
        Trust = trust, // which authorities we trust to say who others are
        Authorization = Authorize.Dns("client.test"), // which of those peers we accept
    }),
    OnHandshakeFailed = failure => Console.WriteLine($"server: {failure.Message}"),
});

// A client that belongs here. When the call returns, the server has confirmed that it accepted the client.
await using (var connection = await ConnectAsync(authority.IssueClient("client.test").ToIdentity()))
await using (var accepted = await listener.AcceptAsync())
{
    Console.WriteLine($"client: I am talking to {connection.Peer.Name}, and it has accepted me: {connection.IsConfirmed}");
    Console.WriteLine($"server: I am talking to {accepted.Peer.Name}, and it has accepted me: {accepted.IsConfirmed}");
}

// A stranger with the right name, certified by an authority that the server does not trust.
using var elsewhere = new TestAuthority("Elsewhere");
try
{
    await using var connection = await ConnectAsync(elsewhere.IssueClient("client.test").ToIdentity());
}
catch (HandshakeException failure)
{
    Console.WriteLine($"stranger: {failure.Message}");
}

await listener.StopAsync(drainTimeout: TimeSpan.FromSeconds(5));

Task<MutualTlsConnection> ConnectAsync(Identity identity) =>
    new MutualTlsClient(new MutualTlsClientOptions { Identity = identity, Trust = trust, Authorization = Authorize.ServerName })
        .ConnectAsync(listener.LocalEndPoint, "server.test");
