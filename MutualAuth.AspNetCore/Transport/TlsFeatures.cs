using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;

namespace MutualAuth.AspNetCore.Transport;

/// <summary>
/// What ASP.NET Core asks of a TLS connection. The application protocol is the one within the confirmation: <c>h2</c> where
/// <c>mutualauth/1+h2</c> was agreed on.
/// </summary>
internal sealed class TlsFeatures : ITlsConnectionFeature, ITlsHandshakeFeature, ITlsApplicationProtocolFeature, IDisposable
{
    private readonly AuthenticatedPeer _peer;
    private readonly SessionFacts _session;
    private readonly Lock _making = new();
    private X509Certificate2? _certificate;
    private X509Certificate2? _made;
    private bool _isMade;

    internal TlsFeatures(MutualTlsConnection connection)
    {
        _peer = connection.Peer;
        _session = connection.Session;
        ApplicationProtocol = Encoding.Latin1.GetBytes(_session.ApplicationProtocol ?? string.Empty);
        var stream = connection.Stream;
#pragma warning disable SYSLIB0058 // The feature's members are of these obsolete types, and applications that log them still read them.
        try
        {
            (CipherAlgorithm, CipherStrength) = (stream.CipherAlgorithm, stream.CipherStrength);
            (HashAlgorithm, HashStrength) = (stream.HashAlgorithm, stream.HashStrength);
            (KeyExchangeAlgorithm, KeyExchangeStrength) = (stream.KeyExchangeAlgorithm, stream.KeyExchangeStrength);
        }
        catch (Exception exception) when (exception is InvalidOperationException or IOException)
        {
            // The connection is over already; the session's facts say the same and more.
        }
#pragma warning restore SYSLIB0058
    }

    public ReadOnlyMemory<byte> ApplicationProtocol { get; }

    /// <summary>The peer's certificate, made when it is first asked for; null when the peer showed none and logged in instead.</summary>
    public X509Certificate2? ClientCertificate
    {
        get
        {
            lock (_making)
            {
                if (!_isMade)
                {
                    _isMade = true;
                    _certificate = _made = _peer.Certificate is { } shown ? X509CertificateLoader.LoadCertificate(shown.RawData.Span) : null;
                }

                return _certificate;
            }
        }

        set
        {
            lock (_making)
            {
                _isMade = true;
                _certificate = value;
            }
        }
    }

    public SslProtocols Protocol => _session.TlsVersion == TlsVersion.Tls13 ? SslProtocols.Tls13 : SslProtocols.Tls12;

    public TlsCipherSuite? NegotiatedCipherSuite => _session.CipherSuite;

    public string HostName => _session.ServerName ?? string.Empty;

#pragma warning disable SYSLIB0058 // as above
    public CipherAlgorithmType CipherAlgorithm { get; }

    public int CipherStrength { get; }

    public HashAlgorithmType HashAlgorithm { get; }

    public int HashStrength { get; }

    public ExchangeAlgorithmType KeyExchangeAlgorithm { get; }

    public int KeyExchangeStrength { get; }
#pragma warning restore SYSLIB0058

    public Task<X509Certificate2?> GetClientCertificateAsync(CancellationToken cancellationToken) => Task.FromResult(ClientCertificate);

    public void Dispose()
    {
        lock (_making)
        {
            _made?.Dispose();
        }
    }
}
