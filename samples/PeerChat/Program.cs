// A chat between equals: every peer listens and dials, there is no authority, and each keeps the other's key at the first connection. Each pair is
// connected directly, and TLS protects that connection.
// One:    dotnet run --project samples/PeerChat -- --name alice --listen 127.0.0.1:7001
// Other:  dotnet run --project samples/PeerChat -- --name bob --listen 127.0.0.1:7002 --connect alice@127.0.0.1:7001
// Both print the same fourteen groups of digits: read them to each other by telephone, once. Until you have, the first connection may have been to
// a man in the middle. What you type goes to every peer that is connected to you; "/drop NAME" forgets the key of one, whose connection ends at once.
// If a known name ever comes with another key, there is no connection: one end says that the key has changed, and the other that it was refused.
// Delete ~/.peerchat/alice/identity.pem and start it again to see this.
// What it is not:
//  - A messenger with servers, and so with end-to-end encryption: no program passes on or keeps what others write. A line for a peer that is not
//    connected is not sent later, and two peers of one third do not read each other.
//  - A group: each pair is by itself, and nothing says that all have read the same.
//  - For several devices: a name has one key. A second device is refused as a changed key (KnownPeers has AddDeviceAsync for it).
//  - A record of whom you have called: it forgets that digits were compared (VerifyAsync and Authorize.VerifiedKey keep and demand it).
//  - A proof of who is behind a name: a name that is not taken yet is the first one's who comes with it. --only-known adds no one.
//  - A safe for the key, which lies in a file that only its owner can read.
// Exit codes: 0; 2 usage; 10 a peer came with another key and was rejected; 11 a peer refused us; 12 a dialled peer could not be reached for another
// reason.
using System.CommandLine;
using System.Net;
using System.Net.Sockets;
using MutualAuth;
using MutualAuth.Names;
using MutualAuth.Samples;
using MutualAuth.Trust;

var name = new Option<string>("--name")
{ HelpName = "NAME", Required = true, Description = "What others know us by: a DNS name in lower case, such as alice." };
var listen = new Option<string>("--listen") { HelpName = "HOST:PORT", Required = true, Description = "Where others find us; port 0 for any." };
var connect = new Option<string[]>("--connect")
{ HelpName = "[NAME@]HOST:PORT", Description = "A peer to dial, and who it must be. Repeatable.", DefaultValueFactory = _ => [] };
var home = new Option<string?>("--home")
{ HelpName = "DIRECTORY", Description = "Where our key and the known peers are kept. Default: ~/.peerchat/NAME" };
var onlyKnown = new Option<bool>("--only-known") { Description = "Talk to known peers only; add nobody." };
var command = new RootCommand("Chats with peers whose keys are known, or are kept at the first meeting.") { name, listen, connect, home, onlyKnown };
command.SetAction(ChatAsync);
return await CommandLine.RunAsync(command, args);

async Task<int> ChatAsync(ParseResult arguments, CancellationToken stop)
{
    var ownName = arguments.GetRequiredValue(name);
    if (!DnsName.TryParse(ownName, out var parsed) || parsed.ToString() != ownName)
    {
        throw new UsageException($"--name wants a DNS name in lower case, such as alice; '{ownName}' is none.");
    }

    var directory = arguments.GetValue(home) ?? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".peerchat", ownName);
    Directory.CreateDirectory(directory);
    var identity = StoredIdentity.LoadOrCreate(Path.Combine(directory, "identity.pem"), ownName);
    var known = KnownPeersFile.OpenOrCreate(Path.Combine(directory, "known-peers"));
    ITrustSource trust = arguments.GetValue(onlyKnown) ? KnownPeers.Only(known) : KnownPeers.TrustOnFirstUse(known);

    var room = new ChatRoom(known, identity);
    await using var listener = Start(new MutualTlsListenerOptions
    {
        EndPoint = CommandLine.ToEndPoint("--listen", arguments.GetRequiredValue(listen)) as IPEndPoint
            ?? throw new UsageException("--listen wants an address, such as 127.0.0.1:7001."),
        OnHandshakeFailed = failure => room.Report(failure),
        Server = new MutualTlsServer(new MutualTlsServerOptions
        {
            Identity = identity,
            Trust = trust,
            Authorization = Authorize.AnyTrustedPeer,
            Confirmation = ConfirmationPolicy.Required,
            ApplicationProtocols = [ChatRoom.Protocol],
        }),
    });
    Console.WriteLine($"listening on {listener.LocalEndPoint}");
    Console.WriteLine($"we are {ownName}, {room.OwnFingerprint}");

    var accepting = AcceptAsync();
    foreach (var peer in arguments.GetRequiredValue(connect))
    {
        await DialAsync(peer);
    }

    using var typed = new StreamReader(Console.OpenStandardInput());
    await room.SendLinesAsync(typed, stop);
    await listener.StopAsync(TimeSpan.Zero, CancellationToken.None);
    await accepting;
    return room.ExitCode;

    async Task AcceptAsync()
    {
        await foreach (var connection in listener.AcceptAllAsync(CancellationToken.None))
        {
            room.Join(connection);
        }
    }

    async Task DialAsync(string peer)
    {
        var at = peer.LastIndexOf('@');
        var client = new MutualTlsClient(new MutualTlsClientOptions
        {
            Identity = identity,
            Trust = trust,
            Authorization = at < 0 ? Authorize.AnyTrustedPeer : Authorize.Dns(peer[..at]),
            Confirmation = ConfirmationPolicy.Required,
            ApplicationProtocols = [ChatRoom.Protocol],
        });
        try
        {
            room.Join(await client.ConnectAsync(CommandLine.ToEndPoint("--connect", peer[(at + 1)..]), serverName: null, stop));
        }
        catch (HandshakeException failure)
        {
            room.Report(failure, dialled: true);
        }
    }
}

static MutualTlsListener Start(MutualTlsListenerOptions options)
{
    try
    {
        return MutualTlsListener.Start(options);
    }
    catch (SocketException exception)
    {
        throw new UsageException($"Cannot listen on {options.EndPoint}: {exception.Message}");
    }
}
