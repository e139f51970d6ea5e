using Microsoft.Extensions.Time.Testing;
using MutualAuth.Spiffe;
using MutualAuth.Spiffe.Testing;
using MutualAuth.Testing.Transports;

namespace MutualAuth.Tests.Support;

/// <summary>One workload: its agent, its source, and a server and a client that are made once over that source.</summary>
internal sealed class Workload : IAsyncDisposable
{
    private readonly MutualTlsServer _server;
    private readonly MutualTlsClient _client;

    private Workload(FakeWorkloadApi api, X509Source source, EventLog log, AuthorizationRule peers, TimeProvider clock)
    {
        Api = api;
        Source = source;
        Log = log;
        _server = new MutualTlsServer(
            new MutualTlsServerOptions { Identity = source.Identity, Trust = source.Trust, Authorization = peers, TimeProvider = clock });
        _client = new MutualTlsClient(new MutualTlsClientOptions
        {
            Identity = ClientIdentity.From(source.Identity),
            Trust = source.Trust,
            Authorization = peers,
            TimeProvider = clock,
        });
    }

    internal FakeWorkloadApi Api { get; }

    internal X509Source Source { get; }

    internal EventLog Log { get; }

    /// <summary>Starts an agent that gives <paramref name="first"/>, and waits for it.</summary>
    internal static async Task<Workload> StartAsync(
        FakeTimeProvider clock, WorkloadUpdate first, AuthorizationRule? peers = null, Func<X509SourceOptions, X509SourceOptions>? change = null)
    {
        var api = await FakeWorkloadApi.StartAsync(first);
        var log = new EventLog();
        var options = new X509SourceOptions { Address = WorkloadApiAddress.Parse(api.Address), TimeProvider = clock, LoggerFactory = log };
        var source = await X509Source.ConnectAsync(change?.Invoke(options) ?? options).WaitAsync(TimeSpan.FromSeconds(20));
        return new Workload(api, source, log, peers ?? Authorize.AnyTrustedPeer, clock);
    }

    /// <summary>Sends an update, and waits until it was taken.</summary>
    internal async Task UpdateAsync(WorkloadUpdate update)
    {
        var taken = Log.Entries.Count(entry => entry.Name == "UpdateTaken");
        Api.Send(update);
        await Log.UntilAsync("UpdateTaken", taken + 1);
    }

    /// <summary>Sends an update, and waits until it was refused.</summary>
    internal async Task<UpdateRefusalReason> OfferAsync(WorkloadUpdate update)
    {
        var refused = Log.Entries.Count(entry => entry.Name == "UpdateRefused");
        Api.Send(update);
        return (UpdateRefusalReason)(await Log.UntilAsync("UpdateRefused", refused + 1)).Values["Reason"]!;
    }

    /// <summary>Has this workload call another, over a wire in memory.</summary>
    internal async Task<Meeting> CallAsync(Workload other)
    {
        await using var wire = new DuplexPair();
        var serving = TryAsync(other._server.AcceptAsync(wire.Server));
        var dialling = TryAsync(_client.UpgradeAsync(wire.Client, serverName: null));
        var (server, serverFailure) = await serving.WaitAsync(TimeSpan.FromSeconds(20));
        var (client, clientFailure) = await dialling.WaitAsync(TimeSpan.FromSeconds(20));
        var meeting = new Meeting(client?.Peer, clientFailure, server?.Peer, serverFailure);
        await Task.WhenAll(CloseAsync(client), CloseAsync(server)).WaitAsync(TimeSpan.FromSeconds(20));
        return meeting;
    }

    public async ValueTask DisposeAsync()
    {
        await Source.DisposeAsync();
        await Api.DisposeAsync();
        Log.Dispose();
    }

    private static Task CloseAsync(MutualTlsConnection? connection) => connection is null ? Task.CompletedTask : connection.DisposeAsync().AsTask();

    private static async Task<(MutualTlsConnection? Connection, HandshakeException? Failure)> TryAsync(Task<MutualTlsConnection> handshake)
    {
        try
        {
            return (await handshake, null);
        }
        catch (HandshakeException failure)
        {
            return (null, failure);
        }
    }
}

/// <summary>How a call went: whom each side met, or why it did not.</summary>
internal sealed record Meeting(
    AuthenticatedPeer? Server, HandshakeException? ClientFailure, AuthenticatedPeer? Client, HandshakeException? ServerFailure)
{
    /// <summary>Why the client rejected the server.</summary>
    internal RejectionReason? ByClient => ClientFailure?.Rejection?.Reason;

    /// <summary>Why the server rejected the client.</summary>
    internal RejectionReason? ByServer => ServerFailure?.Rejection?.Reason;
}
