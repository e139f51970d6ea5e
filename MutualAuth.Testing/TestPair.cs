using MutualAuth.Testing.Transports;

namespace MutualAuth.Testing;

/// <summary>
/// A client and a server of one authority that accept each other: options to start from, of which a test changes one with <c>with</c>.
/// </summary>
/// <remarks>
/// Immutable. The certificates belong to the pair that <see cref="TestAuthority.CreatePair"/> made; copies share them, so dispose of one.
/// </remarks>
public sealed record TestPair : IDisposable
{
    internal TestPair(TestAuthority authority, string clientName, string serverName)
    {
        // As certificates have them, and rules and dialled names are compared with those.
        clientName = GeneralName.ToALabels(clientName);
        serverName = GeneralName.ToALabels(serverName);
        ServerName = serverName;
        ClientCertificate = authority.IssueClient(clientName);
        ServerCertificate = authority.IssueServer(serverName);
        Client = new MutualTlsClientOptions
        {
            Identity = ClientCertificate.ToIdentity(),
            Trust = authority.ToTrustAnchors(),
            Authorization = Authorize.ServerName,
            TimeProvider = authority.Clock,
        };
        Server = new MutualTlsServerOptions
        {
            Identity = ServerCertificate.ToIdentity(),
            Trust = authority.ToTrustAnchors(),
            Authorization = Authorize.Dns(clientName),
            TimeProvider = authority.Clock,
        };
    }

    /// <summary>The client's options: it presents <see cref="ClientCertificate"/> and expects the server under <see cref="ServerName"/>.</summary>
    public MutualTlsClientOptions Client { get; init; }

    /// <summary>The server's options: it presents <see cref="ServerCertificate"/> and accepts the client by its DNS name.</summary>
    public MutualTlsServerOptions Server { get; init; }

    /// <summary>What the client presents in the options that the pair began with.</summary>
    public TestCertificate ClientCertificate { get; }

    /// <summary>What the server presents in the options that the pair began with.</summary>
    public TestCertificate ServerCertificate { get; }

    /// <summary>The name under which the client dials.</summary>
    public string ServerName { get; init; }

    /// <summary>Runs the handshake over a wire in memory, and waits until both sides have ended, with a connection or a failure.</summary>
    /// <remarks>
    /// What is not a failure of a handshake, such as a name or options that cannot be, is thrown: the wire is closed, the other side ends without a
    /// deadline, and a connection that it has is closed.
    /// </remarks>
    /// <param name="wire">The wire, with its faults, owned by the two connections from here on; null for a sound one.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="ArgumentException"><see cref="ServerName"/> is no name, or the options of a side have problems.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> was cancelled.</exception>
    public async Task<PairOutcome> ConnectAsync(DuplexPair? wire = null, CancellationToken cancellationToken = default)
    {
        wire ??= new DuplexPair(Client.TimeProvider);
        using var giveUp = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var serving = TryAsync(() => new MutualTlsServer(Server).AcceptAsync(wire.Server, giveUp.Token));
        var dialling = TryAsync(() => new MutualTlsClient(Client).UpgradeAsync(wire.Client, ServerName, giveUp.Token));

        // The side that ends first has the cause; what the other says may be what came of it.
        var first = await Task.WhenAny(serving, dialling).ConfigureAwait(false);
        var both = Task.WhenAll(first, first == serving ? dialling : serving);
        if (!first.IsCompletedSuccessfully)
        {
            await CloseAsync(wire, giveUp).ConfigureAwait(false);
        }

        await ((Task)both).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (!both.IsCompletedSuccessfully)
        {
            await CloseAsync(wire, giveUp, serving, dialling).ConfigureAwait(false);
        }

        if (both.IsCanceled)
        {
            cancellationToken.ThrowIfCancellationRequested();
        }

        await both.ConfigureAwait(false);
        var (server, serverFailure) = await serving.ConfigureAwait(false);
        var (client, clientFailure) = await dialling.ConfigureAwait(false);
        return new PairOutcome(client, clientFailure, server, serverFailure);
    }

    /// <summary>Disposes of the two certificates.</summary>
    public void Dispose()
    {
        ClientCertificate.Dispose();
        ServerCertificate.Dispose();
    }

    private static async Task<(MutualTlsConnection? Connection, HandshakeException? Failure)> TryAsync(Func<Task<MutualTlsConnection>> handshake)
    {
        try
        {
            return (await handshake().ConfigureAwait(false), null);
        }
        catch (HandshakeException failure)
        {
            return (null, failure);
        }
    }

    /// <summary>Ends the side that is still at it, and closes the connections that there are.</summary>
    private static async Task CloseAsync(
        DuplexPair wire, CancellationTokenSource giveUp, params Task<(MutualTlsConnection? Connection, HandshakeException? Failure)>[] sides)
    {
        await wire.DisposeAsync().ConfigureAwait(false);
        await giveUp.CancelAsync().ConfigureAwait(false);
        foreach (var side in sides.Where(side => side.IsCompletedSuccessfully))
        {
            if ((await side.ConfigureAwait(false)).Connection is { } connection)
            {
                await connection.DisposeAsync().ConfigureAwait(false);
            }
        }
    }
}
