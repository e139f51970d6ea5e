// A VPN gateway: a company's device *and* the user that it was given to, by password and one-time code. Each alone is rejected, and so is another
// user's device; and who loses the device loses the tunnel. Who changes networks comes back for some hours without typing anything, on the same
// device. In the first thirteen chapters a tunnel is a connection that carries lines. The last one makes a real one, with packets, where that is
// possible: on Linux, with the command ip and the rights of root.
// Run it:  dotnet run --project samples/VpnGateway
// Expect:  two users with their addresses in the tunnel; then peers that lack one part, mix them up, use a code twice or a lost laptop: all rejected;
//          Alice from another network, with neither password nor code, until her reconnect credential is revoked;
//          a tunnel that goes down while it is up, because its laptop was taken away; and a datagram through a TUN device, or why there is none.
using System.Net;
using System.Net.Sockets;
using System.Text;
using MutualAuth;
using MutualAuth.Credentials;
using MutualAuth.Factors;
using MutualAuth.Revocation;
using MutualAuth.Samples;
using MutualAuth.Testing;

using var company = new TestAuthority("Device Authority");
using var gatewayCertificate = company.IssueServer("vpn.test");
using var laptopOfAlice = company.IssueClient("laptop-1.vpn.test");
using var laptopOfBob = company.IssueClient("laptop-2.vpn.test");
using var lostLaptop = company.IssueClient("laptop-1.vpn.test"); // Alice's old one
using var elsewhere = new TestAuthority("Another Company");
using var laptopFromElsewhere = elsewhere.IssueClient("laptop-1.vpn.test");
company.Revoke(lostLaptop);

// Each user has a telephone that makes codes; the gateway keeps the same secret, and the last code that was used.
var clock = new StoryClock();
var users = new MemoryCredentialStore();
var phones = new Dictionary<string, OneTimeCodeSecret>();
foreach (var (name, password) in new[] { ("alice", "correct horse"), ("bob", "battery staple"), ("carol", "has left") })
{
    await users.SetAsync(name, ScramVerifier.Create(Password.From(password)));
    await users.SetFactorAsync(name, (phones[name] = OneTimeCodeSecret.Create()).ToFactor("phone"));
}

await users.SetDisabledAsync("carol", isDisabled: true);

var devices = new ReplaceableUserRule(UserRules.OfDevice(new Dictionary<PeerName, IEnumerable<string>>
{
    [PeerName.Dns("laptop-1.vpn.test")] = ["alice", "carol"],
    [PeerName.Dns("laptop-2.vpn.test")] = ["bob"],
}));

// It stands for both, password and code, as far as they were shown at the full login, and for eight hours.
using var reconnects = new ReconnectCredentials(new ReconnectCredentialsOptions
{
    Server = "vpn.test",
    Store = users,
    StandsFor = PeerProofs.Password | PeerProofs.OneTimeCode,
});

using var hasSpoken = new SemaphoreSlim(0); // each story ends on both sides before the next begins
var server = new MutualTlsServer(new MutualTlsServerOptions
{
    Identity = gatewayCertificate.ToIdentity(),
    Trust = company.ToTrustAnchors(),
    Authorization = Authorize.AnyTrustedPeer, // this authority certifies only the company's devices
    Revocation = new RevocationPolicy { Lists = RevocationLists.FromPem(company.IssueCrl().Pem) },
    Credentials = Require.CertificateAndUser(SaslServer.Scram(users), reconnects.Mechanism) with
    {
        Users = UserRules.From(devices),
        SecondFactors = [SecondFactors.OneTimeCodes(users, new OneTimeCodeOptions { TimeProvider = clock })],
        LoginFactors = FactorRequirement.Proofs(PeerProofs.Password | PeerProofs.OneTimeCode),
    },
});
await using var listener = MutualTlsListener.Start(new MutualTlsListenerOptions
{
    EndPoint = new IPEndPoint(IPAddress.Loopback, 0),
    Server = server,
    OnHandshakeFailed = failure => Tell(failure.Message),
});
_ = ServeAsync();

Console.WriteLine("1. Alice and Bob, each on the own laptop.");
await VisitAsync("alice", laptopOfAlice, User("alice", "correct horse"));
await VisitAsync("bob", laptopOfBob, User("bob", "battery staple"));

Console.WriteLine("2. The device alone: a laptop that somebody found unlocked.");
await VisitAsync("finder", laptopOfAlice, null);

Console.WriteLine("3. The user alone: a password that somebody saw being typed, and a telephone.");
await VisitAsync("onlooker", null, User("alice", "correct horse"));

Console.WriteLine("4. Both, and not of each other.");
await VisitAsync("alice", laptopOfBob, User("alice", "correct horse"));

Console.WriteLine("5. A guess.");
await VisitAsync("finder", laptopOfAlice, User("alice", "password"));

Console.WriteLine("6. Carol has left the company; she may not learn more than the guesser does.");
await VisitAsync("carol", laptopOfAlice, User("carol", "has left"));

Console.WriteLine("7. A laptop that was reported lost: the right password and code do not help.");
await VisitAsync("thief", lostLaptop, User("alice", "correct horse"));

Console.WriteLine("8. The right name on a certificate of another company's.");
await VisitAsync("stranger", laptopFromElsewhere, User("alice", "correct horse"));

Console.WriteLine("9. A laptop and its password, without the telephone.");
await VisitAsync("thief", laptopOfAlice, Login.WithPassword("alice", "correct horse"));

Console.WriteLine("10. A guessed code.");
await VisitAsync("thief", laptopOfAlice, Login.WithPassword("alice", "correct horse").Then(SecondFactor.OneTimeCode(_ => new("000000"))));

Console.WriteLine("11. A code that somebody read over Alice's shoulder, while it still counts.");
clock.NextCode();
var seen = phones["alice"].CodeAt(clock.GetUtcNow());
await VisitAsync("alice", laptopOfAlice, Login.WithPassword("alice", "correct horse").Then(SecondFactor.OneTimeCode(_ => new(seen))));
await VisitAsync("onlooker", laptopOfAlice, Login.WithPassword("alice", "correct horse").Then(SecondFactor.OneTimeCode(_ => new(seen))));

Console.WriteLine("12. Alice changes networks. She logs in once, and comes back with what the gateway gave her, until that is revoked.");
using (var held = new HeldReconnectCredential())
{
    await using (var alice = await ConnectAsync("alice", laptopOfAlice, User("alice", "correct horse").Reconnecting(held)))
    {
        await alice!.Stream.WriteAsync("reconnect\n"u8.ToArray());
        held.Receive(alice.Peer, Convert.FromBase64String((await ReadLineAsync(alice))!));
    }

    var roaming = Login.WithPassword("alice", "not typed again").Reconnecting(held);
    await VisitAsync("alice", laptopOfAlice, roaming);
    await VisitAsync("thief", laptopOfBob, roaming); // not shown on another device: what is left is a wrong password
    await reconnects.RevokeAsync("alice");
    await VisitAsync("alice", laptopOfAlice, roaming);
}

Console.WriteLine("13. Alice's laptop is taken away from her while her tunnel is up, and Bob's is not.");
await using (var alice = await ConnectAsync("alice", laptopOfAlice, User("alice", "correct horse")))
await using (var bob = await ConnectAsync("bob", laptopOfBob, User("bob", "battery staple")))
{
    devices.Replace(UserRules.OfDevice(new Dictionary<PeerName, IEnumerable<string>> { [PeerName.Dns("laptop-2.vpn.test")] = ["bob"] }));
    Console.WriteLine($"   alice: {await SayAsync(alice!, untilItEnds: true)}");
    await hasSpoken.WaitAsync(TimeSpan.FromSeconds(5));
    Console.WriteLine($"   bob: {await SayAsync(bob!, untilItEnds: false)}");
}

Console.WriteLine("14. Bob again, with packets: two networks that reach each other's inside through the tunnel alone.");
using (var networks = TwoNetworks.TryMake(out var why))
{
    if (networks is null)
    {
        Console.WriteLine($"   There is no tunnel here, and no packet has gone through any: {why}.");
    }
    else
    {
        await CarryPacketsAsync(networks);
    }
}

async Task CarryPacketsAsync(TwoNetworks networks)
{
    var (gatewayOutside, gatewayInside) = (new IPEndPoint(IPAddress.Parse("192.0.2.1"), 8443), new IPEndPoint(IPAddress.Parse("10.8.0.1"), 7));
    await using var gateway = MutualTlsListener.Start(new MutualTlsListenerOptions
    {
        BoundSocket = networks.GatewaySocket(() => Bound(SocketType.Stream, ProtocolType.Tcp, gatewayOutside)),
        Server = server,
    });
    using var inside = networks.GatewaySocket(() => Bound(SocketType.Dgram, ProtocolType.Udp, gatewayInside));
    _ = AnswerAsync(inside);

    using var user = networks.UserSocket(() => new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp));
    await user.ConnectAsync(gatewayOutside);
    var accepting = gateway.AcceptAsync();
    await using var bob = await Client(laptopOfBob, User("bob", "battery staple")).UpgradeAsync(user, "vpn.test");
    await using var accepted = await accepting;
    Console.WriteLine($"   gateway: {accepted.Peer.User} on {accepted.Peer.Name} gets 10.8.0.2");
    var dropped = new TaskCompletionSource<IPAddress>();
    var carrying = new Tunnel(networks.GatewayDevice, accepted, IPAddress.Parse("10.8.0.2"), source => dropped.TrySetResult(source)).RunAsync();
    _ = new Tunnel(networks.UserDevice, bob, null, _ => { }).RunAsync();

    using var questions = networks.UserSocket(() => Bound(SocketType.Dgram, ProtocolType.Udp, new(IPAddress.Parse("10.8.0.2"), 0)));
    Console.WriteLine($"   bob: {await AskAsync(questions, gatewayInside, TimeSpan.FromSeconds(10))}");

    // A header with another user's address: 10.8.0.99.
    await bob.Stream.WriteAsync(Tunnel.Framed([0x45, 0, 0, 20, 0, 0, 0, 0, 64, 17, 0, 0, 10, 8, 0, 99, 10, 8, 0, 1]));
    Console.WriteLine($"   gateway: dropped a packet of Bob's that says it comes from {await dropped.Task.WaitAsync(TimeSpan.FromSeconds(10))}");

    devices.Replace(UserRules.OfDevice(new Dictionary<PeerName, IEnumerable<string>> { [PeerName.Dns("laptop-2.vpn.test")] = ["alice"] }));
    await carrying.WaitAsync(TimeSpan.FromSeconds(10));
    Console.WriteLine($"   gateway: the tunnel of {accepted.Peer.User} is down: {accepted.Invalidation?.Rejection.Reason.ToCode()}");
    Console.WriteLine($"   bob: {await AskAsync(questions, gatewayInside, TimeSpan.FromMilliseconds(500))}");
}

static Socket Bound(SocketType type, ProtocolType protocol, IPEndPoint address)
{
    var socket = new Socket(AddressFamily.InterNetwork, type, protocol);
    socket.Bind(address);
    return socket;
}

static async Task AnswerAsync(Socket inside)
{
    var buffer = new byte[64];
    try
    {
        while (true)
        {
            var question = await inside.ReceiveFromAsync(buffer, new IPEndPoint(IPAddress.Any, 0));
            await inside.SendToAsync(buffer.AsMemory(0, question.ReceivedBytes), question.RemoteEndPoint);
        }
    }
    catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
    {
        // The story is over.
    }
}

static async Task<string> AskAsync(Socket questions, IPEndPoint gateway, TimeSpan patience)
{
    using var deadline = new CancellationTokenSource(patience);
    try
    {
        await questions.SendToAsync("ping"u8.ToArray(), gateway, deadline.Token);
        var answer = await questions.ReceiveFromAsync(new byte[64], new IPEndPoint(IPAddress.Any, 0), deadline.Token);
        return $"{answer.RemoteEndPoint} has answered through the tunnel";
    }
    catch (Exception exception) when (exception is SocketException or OperationCanceledException)
    {
        return "nothing answers through the tunnel";
    }
}

MutualTlsClient Client(TestCertificate? device, ClientCredentials? user) => new(new MutualTlsClientOptions
{
    Identity = device is null ? ClientIdentity.None : device.ToIdentity(),
    Trust = company.ToTrustAnchors(),
    Authorization = Authorize.ServerName,
    Revocation = new RevocationPolicy { Lists = RevocationLists.FromPem(company.IssueCrl().Pem) },
    Credentials = user,
});

ClientCredentials User(string name, string password)
{
    clock.NextCode();
    return Login.WithPassword(name, password).Then(SecondFactor.OneTimeCodeFrom(phones[name], clock));
}

async Task VisitAsync(string who, TestCertificate? device, ClientCredentials? user)
{
    await using var connection = await ConnectAsync(who, device, user);
}

async Task<MutualTlsConnection?> ConnectAsync(string who, TestCertificate? device, ClientCredentials? user)
{
    MutualTlsConnection? connection = null;
    try
    {
        connection = await Client(device, user).ConnectAsync(listener.LocalEndPoint, "vpn.test");
        Console.WriteLine($"   {who}: {await ReadLineAsync(connection)}");
    }
    catch (HandshakeException failure)
    {
        Console.WriteLine($"   {who}: {failure.Message}");
    }

    await hasSpoken.WaitAsync(TimeSpan.FromSeconds(5));
    return connection;
}

static async Task<string?> ReadLineAsync(MutualTlsConnection connection)
{
    using var reader = new StreamReader(connection.Stream, Encoding.ASCII, leaveOpen: true);
    return await reader.ReadLineAsync();
}

// What goes into the tunnel comes back, as long as it is up.
static async Task<string> SayAsync(MutualTlsConnection connection, bool untilItEnds)
{
    try
    {
        do
        {
            await connection.Stream.WriteAsync("ping\n"u8.ToArray());
            if (await ReadLineAsync(connection) is null)
            {
                return "the tunnel is down";
            }
        }
        while (untilItEnds);

        return "the tunnel is still up";
    }
    catch (IOException)
    {
        return "the tunnel is down";
    }
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
        _ = CarryAsync(connection, ++address);
    }
}

async Task<string> IssueAsync(MutualTlsConnection connection)
{
    var issue = await connection.IssueReconnectCredentialAsync(reconnects);
    return issue.Octets is { } octets ? Convert.ToBase64String(octets) : string.Empty;
}

async Task CarryAsync(MutualTlsConnection connection, int address)
{
    await using var owned = connection;
    var peer = connection.Peer;
    Tell($"{peer.User} on {peer.Name} gets 10.8.0.{address}; proven: {peer.Proofs}");
    try
    {
        await connection.Stream.WriteAsync(Encoding.ASCII.GetBytes($"the tunnel is up, and we are 10.8.0.{address}\n"));
        using var reader = new StreamReader(connection.Stream, Encoding.ASCII, leaveOpen: true);
        while (await reader.ReadLineAsync() is { } line)
        {
            var answer = line == "reconnect" ? await IssueAsync(connection) : line;
            await connection.Stream.WriteAsync(Encoding.ASCII.GetBytes($"{answer}\n"));
        }
    }
    catch (IOException)
    {
        // The user has disconnected, or the library has ended the connection.
    }

    if (connection.Invalidation is { } lost)
    {
        Tell($"the tunnel of {peer.User} is down: {lost.Rejection.Reason.ToCode()}");
    }
}
