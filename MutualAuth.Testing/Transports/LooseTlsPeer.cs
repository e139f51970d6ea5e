using System.Collections.Immutable;
using MutualAuth.Testing.Building;
using Org.BouncyCastle.Tls;

namespace MutualAuth.Testing.Transports;

/// <summary>
/// A TLS 1.2 and 1.3 peer that presents any certificate whatever, as it stands: malformed, of Ed25519 or ML-DSA, with any companions. It accepts
/// whatever the far end presents, malformed, too many and too large included, and gives the octets back as they were sent.
/// </summary>
/// <remarks>
/// It uses BouncyCastle's TLS. For tests only: it verifies no certificate and no signature of the far end. The far end's signature must be by an
/// algorithm that BouncyCastle offers, and each message must fit the length field of the protocol (16 MiB).
/// </remarks>
public sealed class LooseTlsPeer : IDisposable
{
    private readonly TlsProtocol _protocol;
    private readonly Stream _transport;

    private LooseTlsPeer(TlsProtocol protocol, Stream transport, LooseTlsRecord record)
    {
        _protocol = protocol;
        _transport = transport;
        PeerCertificates = record.PeerCertificates;
        ApplicationProtocol = record.ApplicationProtocol;
        IsTls13 = record.IsTls13;
    }

    /// <summary>What is sent and received inside TLS. Its asynchronous calls hold a thread while they wait.</summary>
    public Stream Stream => _protocol.Stream;

    /// <summary>The octets that the far end presented, its own certificate first; empty when it presented nothing.</summary>
    public ImmutableArray<ReadOnlyMemory<byte>> PeerCertificates { get; }

    /// <summary>The application protocol that was agreed; null for none.</summary>
    public string? ApplicationProtocol { get; }

    /// <summary>Whether the two sides speak TLS 1.3; otherwise 1.2.</summary>
    public bool IsTls13 { get; }

    /// <summary>Shakes hands as a client.</summary>
    /// <param name="transport">The connected transport, owned from here on.</param>
    /// <param name="certificate">What to present when asked; null answers with an empty list. Not owned.</param>
    /// <param name="options">How to speak; null for the defaults.</param>
    /// <param name="cancellationToken">Gives up, and closes the transport.</param>
    /// <exception cref="ArgumentNullException"><paramref name="transport"/> is null.</exception>
    /// <exception cref="ArgumentException"><see cref="LooseTlsOptions.Protocols"/> is neither TLS 1.2, TLS 1.3 nor both.</exception>
    /// <exception cref="LooseTlsException">
    /// The far end refused, or went away. Under TLS 1.3 a client hears of a refusal only when it reads.
    /// </exception>
    public static Task<LooseTlsPeer> ConnectAsync(
        Stream transport, TestCertificate? certificate, LooseTlsOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(transport);
        return ConnectAsync(transport, certificate, options ?? new LooseTlsOptions(), new LooseTlsRecord(), cancellationToken);
    }

    internal static Task<LooseTlsPeer> ConnectAsync(
        Stream transport, TestCertificate? certificate, LooseTlsOptions options, LooseTlsRecord record, CancellationToken cancellationToken)
    {
        LooseTls.Check(options);
        var protocol = new TlsClientProtocol(transport);
        var client = new LooseTlsClient(certificate, options, record);
        return RunAsync(protocol, transport, record, () => protocol.Connect(client), cancellationToken);
    }

    /// <summary>Shakes hands as a server.</summary>
    /// <param name="transport">The connected transport, owned from here on.</param>
    /// <param name="certificate">What to present. Not owned.</param>
    /// <param name="options">How to speak; null for the defaults.</param>
    /// <param name="cancellationToken">Gives up, and closes the transport.</param>
    /// <exception cref="ArgumentNullException"><paramref name="transport"/> or <paramref name="certificate"/> is null.</exception>
    /// <exception cref="ArgumentException"><see cref="LooseTlsOptions.Protocols"/> is neither TLS 1.2, TLS 1.3 nor both.</exception>
    /// <exception cref="LooseTlsException">The far end refused, or went away.</exception>
    public static Task<LooseTlsPeer> AcceptAsync(
        Stream transport, TestCertificate certificate, LooseTlsOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(transport);
        ArgumentNullException.ThrowIfNull(certificate);
        return AcceptAsync(transport, certificate, options ?? new LooseTlsOptions(), new LooseTlsRecord(), cancellationToken);
    }

    internal static Task<LooseTlsPeer> AcceptAsync(
        Stream transport, TestCertificate certificate, LooseTlsOptions options, LooseTlsRecord record, CancellationToken cancellationToken)
    {
        LooseTls.Check(options);
        var protocol = new TlsServerProtocol(transport);
        var server = new LooseTlsServer(certificate, options, record);
        return RunAsync(protocol, transport, record, () => protocol.Accept(server), cancellationToken);
    }

    /// <summary>Says goodbye and closes the transport.</summary>
    public void Dispose()
    {
        try
        {
            _protocol.Close();
        }
        catch (IOException)
        {
            // The far end has gone first.
        }

        _transport.Dispose();
    }

    /// <summary>An alert's name and number, such as <c>bad_certificate(42)</c>.</summary>
    internal static string NameOf(int alert) => AlertDescription.GetText((short)alert);

    private static async Task<LooseTlsPeer> RunAsync(
        TlsProtocol protocol, Stream transport, LooseTlsRecord record, Action handshake, CancellationToken cancellationToken)
    {
        using var cancellation = cancellationToken.Register(transport.Dispose);
        try
        {
            // BouncyCastle's streams block; the thread is lent for the time of the handshake.
            await Task.Factory.StartNew(handshake, cancellationToken, TaskCreationOptions.LongRunning, TaskScheduler.Default).ConfigureAwait(false);
            return new LooseTlsPeer(protocol, transport, record);
        }
        catch (Exception exception) when (exception is IOException or ObjectDisposedException or InvalidOperationException or ArgumentException)
        {
            await transport.DisposeAsync().ConfigureAwait(false);
            cancellationToken.ThrowIfCancellationRequested();
            var alert = (exception as TlsFatalAlertReceived)?.AlertDescription;
            throw new LooseTlsException(
                alert is { } code
                    ? $"The far end refused with the alert {NameOf(code)}."
                    : $"The handshake failed: {record.Obstacle ?? exception.Message}",
                alert,
                exception);
        }
    }
}
