using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using MutualAuth.Hello;
using MutualAuth.Telemetry;

namespace MutualAuth.Handshake;

/// <summary>
/// Whether the connections of a server may share one TLS context: only where no session of such a context can be resumed, because the process's
/// OpenSSL gives none. That is seen in a handshake with ourselves, not read from a setting: docs/decisions/0024.
/// </summary>
internal static class SharedContext
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(30);
    private static readonly Lazy<Task<bool>> s_finding = new(() => Task.Run(FindAsync));
    private static volatile bool s_givesNoSessions;

    /// <summary>Begins to find out, once for the process, and answers when that is done.</summary>
    internal static Task<bool> FindOut() => s_finding.Value;

    /// <summary>Begins to find out, and logs the answer when there is one. Until then each connection has a context of its own.</summary>
    internal static void Announce(ILogger logger) => _ = AnnounceAsync(logger);

    /// <summary>
    /// Whether this connection may take the shared context. A session of TLS 1.2 could be resumed by its identifier, so only a hello that leads to
    /// TLS 1.3 may. With suites of our own the platform makes a context for each connection anyway.
    /// </summary>
    internal static bool Suits(HandshakeOptions options, ClientHello hello) =>
        (s_givesNoSessions || options.SharesContextUnasked)
        && options.CipherSuites.IsEmpty
        && options.TlsVersions.Highest >= TlsVersion.Tls13
        && hello.Versions.Contains(ClientHello.Tls13);

    private static async Task AnnounceAsync(ILogger logger)
    {
        if (await FindOut().ConfigureAwait(false))
        {
            PlatformLog.ContextShared(logger);
        }
        else
        {
            PlatformLog.ContextPerConnection(logger);
        }
    }

    /// <summary>Never throws: whatever goes wrong, there is no shared context.</summary>
    private static async Task<bool> FindAsync()
    {
        if (!OperatingSystem.IsLinux())
        {
            return false; // measured there alone
        }

        try
        {
            using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
            var request = new CertificateRequest("CN=ourselves.invalid", key, HashAlgorithmName.SHA256);
            using var certificate = request.CreateSelfSigned(DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch.AddYears(100));
            var context = SslStreamCertificateContext.Create(certificate, null, offline: true);
            using var patience = new CancellationTokenSource(s_patience);

            // Twice: the second client would offer what the first was given.
            return s_givesNoSessions = await GivesNoSessionAsync(context, patience.Token).ConfigureAwait(false)
                && await GivesNoSessionAsync(context, patience.Token).ConfigureAwait(false);
        }
        catch (Exception)
        {
            return false;
        }
    }

    private static async Task<bool> GivesNoSessionAsync(SslStreamCertificateContext context, CancellationToken cancellationToken)
    {
        var fromClient = Channel.CreateUnbounded<byte[]>();
        var fromServer = Channel.CreateUnbounded<byte[]>();
        var serverWire = new Wire(fromClient.Reader, fromServer.Writer);
        var clientWire = new Wire(fromServer.Reader, fromClient.Writer);
        await using var server = new SslStream(serverWire);
        await using var client = new SslStream(clientWire);
        var accepting = server.AuthenticateAsServerAsync(
            new SslServerAuthenticationOptions { ServerCertificateContext = context, AllowTlsResume = true }, cancellationToken);
        var connecting = client.AuthenticateAsClientAsync(
            new SslClientAuthenticationOptions
            {
                TargetHost = "ourselves.invalid",
                AllowTlsResume = true,
                CertificateChainPolicy = PeerValidationCallback.EmptyPlatformPolicy,
                RemoteCertificateValidationCallback = (_, shown, _, _) => context.TargetCertificate.Equals(shown),
            },
            cancellationToken);
        await Task.WhenAll(accepting, connecting).ConfigureAwait(false);

        // The client has read the server's flight and no more: what the server wrote beyond are sessions.
        var beyond = serverWire.Written - clientWire.Taken;
        await server.WriteAsync(new byte[1], cancellationToken).ConfigureAwait(false);
        await client.ReadExactlyAsync(new byte[1], cancellationToken).ConfigureAwait(false);
        return server.SslProtocol == SslProtocols.Tls13 && beyond == 0 && serverWire.Flight is { IsComplete: true, TakesUpSession: false };
    }

    /// <summary>One end of a transport in memory.</summary>
    private sealed class Wire(ChannelReader<byte[]> from, ChannelWriter<byte[]> to) : Stream
    {
        private ReadOnlyMemory<byte> _rest;

        internal long Written { get; private set; }

        internal long Taken { get; private set; }

        /// <summary>What it says that was written here, where this is the server's end.</summary>
        internal ServerFlightReader Flight { get; } = new();

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => throw new NotSupportedException();
            set => throw new NotSupportedException();
        }

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            if (_rest.IsEmpty)
            {
                if (!await from.WaitToReadAsync(cancellationToken).ConfigureAwait(false) || !from.TryRead(out var next))
                {
                    return 0;
                }

                _rest = next;
            }

            var count = Math.Min(buffer.Length, _rest.Length);
            _rest[..count].CopyTo(buffer);
            _rest = _rest[count..];
            Taken += count;
            return count;
        }

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            Write(buffer.Span);
            return default;
        }

        public override void Write(ReadOnlySpan<byte> buffer)
        {
            Written += buffer.Length;
            Flight.Take(buffer);
            to.TryWrite(buffer.ToArray());
        }

        public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override void Flush()
        {
            // Nothing is kept back.
        }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        protected override void Dispose(bool disposing)
        {
            to.TryComplete();
            base.Dispose(disposing);
        }
    }
}
