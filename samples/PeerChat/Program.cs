// Chat between equal peers, with no authority: each one's key is its identity, kept at the first meeting, like SSH.
//   dotnet run --project samples/PeerChat -- --name alice --home /tmp/alice --listen 127.0.0.1:7001
//   dotnet run --project samples/PeerChat -- --name bob   --home /tmp/bob   --listen 127.0.0.1:7002 --connect 127.0.0.1:7001
// What you type goes to everybody. A peer that comes back with another key is turned away, loudly.
using System.CommandLine;
using MutualAuth;
using MutualAuth.Confirmation;
using MutualAuth.Errors;
using MutualAuth.Samples;
using MutualAuth.Trust;
using MutualAuth.Validation;

var name = new Option<string>("--name") { HelpName = "NAME", Required = true, Description = "What we are called: a DNS name in lower case, such as alice." };
var home = new Option<string>("--home") { HelpName = "DIRECTORY", Required = true, Description = "Where our key and the known peers are kept." };
var listen = new Option<string>("--listen") { HelpName = "ADDRESS:PORT", Required = true, Description = "Where others reach us; port 0 takes any." };
var connect = new Option<string[]>("--connect") { HelpName = "HOST:PORT", DefaultValueFactory = _ => [], Description = "A peer to dial. Repeatable." };
var knownOnly = new Option<bool>("--known-only") { Description = "Turn strangers away instead of keeping their keys." };
var command = new RootCommand("Chat between peers who know each other by their keys.") { name, home, listen, connect, knownOnly };
command.SetAction(ChatAsync);
return await CommandLine.RunAsync(command, args);

async Task<int> ChatAsync(ParseResult arguments, CancellationToken stop)
{
    var own = OwnKey.LoadOrCreate(arguments.GetRequiredValue(home), arguments.GetRequiredValue(name));
    var known = KnownPeersFile.OpenOrCreate(Path.Combine(arguments.GetRequiredValue(home), "known-peers"));
    var trust = arguments.GetValue(knownOnly) ? KnownPeers.Only(known) : KnownPeers.TrustOnFirstUse(known);
    var chat = new Chat(own, known);

    // Both parts of an equal peer say the same: our key, the keys we know, whoever holds one of them, and both must know that they are let in.
    var server = new MutualTlsServer(new MutualTlsServerOptions
    {
        Identity = own,
        Trust = trust,
        Authorization = Authorize.AnyTrustedPeer,
        Confirmation = ConfirmationPolicy.Required,
        ApplicationProtocols = ["peerchat"],
    });
    var client = new MutualTlsClient(new MutualTlsClientOptions
    {
        Identity = own,
        Trust = trust,
        Authorization = Authorize.AnyTrustedPeer,
        Confirmation = ConfirmationPolicy.Required,
        ApplicationProtocols = ["peerchat"],
    });

    await using var listener = MutualTlsListener.Start(new MutualTlsListenerOptions
    {
        EndPoint = CommandLine.ToEndPoint("--listen", arguments.GetRequiredValue(listen)),
        Server = server,
        OnHandshakeFailed = Report,
    });
    Console.WriteLine($"listening on {listener.LocalEndPoint}");
    var accepting = AcceptAsync(listener, chat);
    foreach (var address in arguments.GetRequiredValue(connect))
    {
        try
        {
            _ = chat.JoinAsync(await client.ConnectAsync(CommandLine.ToEndPoint("--connect", address), serverName: null, stop));
        }
        catch (HandshakeException failure)
        {
            Report(failure);
        }
    }

    await TypeAsync(chat, stop);
    await chat.LeaveAsync();
    await listener.StopAsync(TimeSpan.FromSeconds(2));
    await accepting;
    return 0;
}

static async Task AcceptAsync(MutualTlsListener listener, Chat chat)
{
    await foreach (var connection in listener.AcceptAllAsync())
    {
        _ = chat.JoinAsync(connection);
    }
}

static async Task TypeAsync(Chat chat, CancellationToken stop)
{
    try
    {
        while (await Console.In.ReadLineAsync(stop).AsTask().WaitAsync(stop) is { } line)
        {
            await chat.SayAsync(line);
        }
    }
    catch (OperationCanceledException)
    {
        // A signal: leave.
    }
}

static void Report(HandshakeException failure) => Console.WriteLine(
    failure.Failure == HandshakeFailure.RefusedByPeer
        ? $"refused-by-peer code={(failure.PeerReason ?? PublicReason.Refused).ToCode()}"
        : $"rejected reason={failure.Reason.ToCode()} name={failure.PeerName ?? "-"}\n  {failure.Message}");
