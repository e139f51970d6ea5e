using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;

namespace MutualAuth.Benchmarks.TlsSession;

internal interface IServer
{
    /// <summary>One handshake in which the client shows a certificate, and one octet to it.</summary>
    Task ServeAsync(Socket socket);
}

/// <summary>The platform's stream, with a callback that says yes and a chain build that has nothing to build from.</summary>
internal sealed class StreamServer : IServer, IDisposable
{
    private readonly SslServerAuthenticationOptions _options;

    internal StreamServer(Material material)
    {
        _options = Options(material);
        _options.RemoteCertificateValidationCallback = (_, _, chain, _) =>
        {
            CertificatesSeen = 1 + chain!.ChainPolicy.ExtraStore.Count;
            return true;
        };
    }

    internal int CertificatesSeen { get; private set; }

    internal static SslServerAuthenticationOptions Options(Material material) => new()
    {
        ServerCertificateContext = SslStreamCertificateContext.Create(material.Leaf, [material.Issuer], offline: true),
        EnabledSslProtocols = SslProtocols.Tls13,
        ClientCertificateRequired = true,
        CertificateChainPolicy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, DisableCertificateDownloads = true },
        AllowTlsResume = false,
    };

    public async Task ServeAsync(Socket socket)
    {
        await using var stream = new SslStream(new NetworkStream(socket));
        await stream.AuthenticateAsServerAsync(_options);
        await stream.WriteAsync(new byte[1]);
    }

    public void Dispose()
    {
    }
}

/// <summary>The same with sessions of one context, which is made once.</summary>
internal sealed class SessionServer(Material material) : IServer, IDisposable
{
    private readonly TlsContext _context = TlsContext.CreateServer(StreamServer.Options(material));
    private readonly byte[] _received = new byte[32 * 1024];
    private readonly byte[] _sent = new byte[64 * 1024];

    internal int CertificatesSeen { get; private set; }

    internal bool AsksWhenComplete { get; private set; }

    public async Task ServeAsync(Socket socket)
    {
        using var session = new TlsBufferSession();
        session.SetContext(_context);
        var (start, end) = (0, 0);
        while (true)
        {
            var status = session.Handshake(_received.AsSpan(start, end - start), _sent, out var consumed, out var written);
            start += consumed;
            if (written > 0)
            {
                await socket.SendAsync(_sent.AsMemory(0, written));
            }

            switch (status)
            {
                case TlsOperationStatus.Complete:
                    await SayAsync(session, socket);
                    return;
                case TlsOperationStatus.NeedsCertificateValidation:
                    AsksWhenComplete = session.IsHandshakeComplete;
                    CertificatesSeen = session.GetRemoteCertificates()?.Count ?? (session.GetRemoteCertificate() is null ? 0 : 1);
                    session.SetRemoteCertificateValidationResult(SslPolicyErrors.None);
                    break;
                case TlsOperationStatus.NeedMoreData:
                    (start, end) = Compact(start, end);
                    var count = await socket.ReceiveAsync(_received.AsMemory(end));
                    end += count > 0 ? count : throw new IOException("The client ended.");
                    break;
                default:
                    throw new InvalidOperationException($"The session asked for {status}.");
            }
        }
    }

    public void Dispose() => _context.Dispose();

    private async Task SayAsync(TlsBufferSession session, Socket socket)
    {
        session.Write(new byte[1], _sent, out _, out var written);
        await socket.SendAsync(_sent.AsMemory(0, written));
        session.Shutdown(_sent, out written);
        await socket.SendAsync(_sent.AsMemory(0, written));
    }

    private (int Start, int End) Compact(int start, int end)
    {
        _received.AsSpan(start, end - start).CopyTo(_received);
        return (0, end - start);
    }
}
