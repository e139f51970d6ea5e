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
    /// <param name="wire">The wire, with its faults, owned by the two connections from here on; null for a sound one.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> was cancelled.</exception>
    public async Task<PairOutcome> ConnectAsync(DuplexPair? wire = null, CancellationToken cancellationToken = default)
    {
        wire ??= new DuplexPair(Client.TimeProvider);
        var serving = TryAsync(() => new MutualTlsServer(Server).AcceptAsync(wire.Server, cancellationToken));
        var dialling = TryAsync(() => new MutualTlsClient(Client).UpgradeAsync(wire.Client, ServerName, cancellationToken));
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
}
