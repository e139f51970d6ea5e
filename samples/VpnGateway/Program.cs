// A VPN gateway: a company's device *and* the user that it was given to, by password and one-time code. Each alone is rejected, and so is another
// user's device; and who loses the device loses the tunnel.
// Run it:  dotnet run --project samples/VpnGateway
// Expect:  two users with their addresses in the tunnel; then peers that lack one part, mix them up, use a code twice or a lost laptop: all rejected;
//          and a tunnel that goes down while it is up, because its laptop was taken away.
using System.Net;
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
        Credentials = Require.CertificateAndUser(SaslServer.Scram(users)) with
        {
            Users = UserRules.From(devices),
            SecondFactors = [SecondFactors.OneTimeCodes(users, new OneTimeCodeOptions { TimeProvider = clock })],
            LoginFactors = FactorRequirement.Proofs(PeerProofs.Password | PeerProofs.OneTimeCode),
        },
    }),
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

Console.WriteLine("12. Alice's laptop is taken away from her while her tunnel is up, and Bob's is not.");
await using (var alice = await ConnectAsync("alice", laptopOfAlice, User("alice", "correct horse")))
await using (var bob = await ConnectAsync("bob", laptopOfBob, User("bob", "battery staple")))
{
    devices.Replace(UserRules.OfDevice(new Dictionary<PeerName, IEnumerable<string>> { [PeerName.Dns("laptop-2.vpn.test")] = ["bob"] }));
    Console.WriteLine($"   alice: {await SayAsync(alice!, untilItEnds: true)}");
    await hasSpoken.WaitAsync(TimeSpan.FromSeconds(5));
    Console.WriteLine($"   bob: {await SayAsync(bob!, untilItEnds: false)}");
}

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
    var client = new MutualTlsClient(new MutualTlsClientOptions
    {
        Identity = device is null ? ClientIdentity.None : device.ToIdentity(),
        Trust = company.ToTrustAnchors(),
        Authorization = Authorize.ServerName,
        Revocation = new RevocationPolicy { Lists = RevocationLists.FromPem(company.IssueCrl().Pem) },
        Credentials = user,
    });
    MutualTlsConnection? connection = null;
    try
    {
        connection = await client.ConnectAsync(listener.LocalEndPoint, "vpn.test");
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

async Task CarryAsync(MutualTlsConnection connection, int address)
{
    await using var owned = connection;
    var peer = connection.Peer;
    Tell($"{peer.User} on {peer.Name} gets 10.8.0.{address}; proven: {peer.Proofs}");
    try
    {
        await connection.Stream.WriteAsync(Encoding.ASCII.GetBytes($"the tunnel is up, and we are 10.8.0.{address}\n"));
        await connection.Stream.CopyToAsync(connection.Stream);
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
