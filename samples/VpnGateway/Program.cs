// A VPN gateway: a company's device *and* the user that it was given to. Each alone is rejected, and so is another user's device.
// Run it:  dotnet run --project samples/VpnGateway
// Expect:  two users with their addresses in the tunnel; then peers that lack one half, mix them up, or use a lost laptop: all rejected.
using System.Net;
using System.Text;
using MutualAuth;
using MutualAuth.Credentials;
using MutualAuth.Revocation;
using MutualAuth.Testing;

using var company = new TestAuthority("Device Authority");
using var gatewayCertificate = company.IssueServer("vpn.test");
using var laptopOfAlice = company.IssueClient("laptop-1.vpn.test");
using var laptopOfBob = company.IssueClient("laptop-2.vpn.test");
using var lostLaptop = company.IssueClient("laptop-1.vpn.test"); // Alice's old one
using var elsewhere = new TestAuthority("Another Company");
using var laptopFromElsewhere = elsewhere.IssueClient("laptop-1.vpn.test");
company.Revoke(lostLaptop);

var users = new MemoryCredentialStore();
await users.SetAsync("alice", ScramVerifier.Create(Password.From("correct horse")));
await users.SetAsync("bob", ScramVerifier.Create(Password.From("battery staple")));
await users.SetAsync("carol", ScramVerifier.Create(Password.From("has left")));
await users.SetDisabledAsync("carol", isDisabled: true);

var usersOfDevices = new Dictionary<PeerName, IEnumerable<string>>
{
    [PeerName.Dns("laptop-1.vpn.test")] = ["alice", "carol"],
    [PeerName.Dns("laptop-2.vpn.test")] = ["bob"],
};

using var hasSpoken = new SemaphoreSlim(0); // each story ends on both sides before the next begins
await using var listener = MutualTlsListener.Start(new MutualTlsListenerOptions
{
    EndPoint = new IPEndPoint(IPAddress.Loopback, 0),
    Server = new MutualTlsServer(new MutualTlsServerOptions
    {
        Identity = gatewayCertificate.ToIdentity(),
        Trust = company.ToTrustAnchors(),
        Authorization = Authorize.AnyTrustedPeer, // this authority certifies only the company's devices
        Revocation = new RevocationPolicy { Lists = RevocationLists.FromPem(company.IssueCrl().Pem) },
        Credentials = Require.CertificateAndUser(SaslServer.Scram(users)) with { Users = UserRules.OfDevice(usersOfDevices) },
    }),
    OnHandshakeFailed = failure => Tell(failure.Message),
});
_ = ServeAsync();

Console.WriteLine("1. Alice and Bob, each on the own laptop.");
await ConnectAsync("alice", laptopOfAlice, Login.WithPassword("alice", "correct horse"));
await ConnectAsync("bob", laptopOfBob, Login.WithPassword("bob", "battery staple"));

Console.WriteLine("2. The device alone: a laptop that somebody found unlocked.");
await ConnectAsync("finder", laptopOfAlice, null);

Console.WriteLine("3. The user alone: a password that somebody saw being typed.");
await ConnectAsync("onlooker", null, Login.WithPassword("alice", "correct horse"));

Console.WriteLine("4. Both, and not of each other.");
await ConnectAsync("alice", laptopOfBob, Login.WithPassword("alice", "correct horse"));

Console.WriteLine("5. A guess.");
await ConnectAsync("finder", laptopOfAlice, Login.WithPassword("alice", "password"));

Console.WriteLine("6. Carol has left the company; she may not learn more than the guesser does.");
await ConnectAsync("carol", laptopOfAlice, Login.WithPassword("carol", "has left"));

Console.WriteLine("7. A laptop that was reported lost: the right password does not help.");
await ConnectAsync("thief", lostLaptop, Login.WithPassword("alice", "correct horse"));

Console.WriteLine("8. The right name on a certificate of another company's.");
await ConnectAsync("stranger", laptopFromElsewhere, Login.WithPassword("alice", "correct horse"));

async Task ConnectAsync(string who, TestCertificate? device, ClientCredentials? user)
{
    var client = new MutualTlsClient(new MutualTlsClientOptions
    {
        Identity = device is null ? ClientIdentity.None : device.ToIdentity(),
        Trust = company.ToTrustAnchors(),
        Authorization = Authorize.ServerName,
        Revocation = new RevocationPolicy { Lists = RevocationLists.FromPem(company.IssueCrl().Pem) },
        Credentials = user,
    });
    try
    {
        await using var connection = await client.ConnectAsync(listener.LocalEndPoint, "vpn.test");
        using var reader = new StreamReader(connection.Stream, Encoding.ASCII);
        Console.WriteLine($"   {who}: {await reader.ReadLineAsync()}");
    }
    catch (HandshakeException failure)
    {
        Console.WriteLine($"   {who}: {failure.Message}");
    }

    await hasSpoken.WaitAsync(TimeSpan.FromSeconds(5));
}

void Tell(string text)
{
    Console.WriteLine($"   gateway: {text}");
    hasSpoken.Release();
}

async Task ServeAsync()
{
    var address = 1;
    await foreach (var connection in listener.AcceptAllAsync())
    {
        _ = WelcomeAsync(connection, ++address);
    }
}

async Task WelcomeAsync(MutualTlsConnection connection, int address)
{
    await using var owned = connection;
    var peer = connection.Peer;
    Tell($"{peer.User} on {peer.Name} gets 10.8.0.{address}; proven: {peer.Proofs}");
    await connection.Stream.WriteAsync(Encoding.ASCII.GetBytes($"the tunnel is up, and we are 10.8.0.{address}\n"));
}
