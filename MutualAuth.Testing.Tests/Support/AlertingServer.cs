using System.Net.Sockets;
using Org.BouncyCastle.Security;
using Org.BouncyCastle.Tls;
using Org.BouncyCastle.Tls.Crypto;
using Org.BouncyCastle.Tls.Crypto.Impl.BC;

namespace MutualAuth.Testing.Tests.Support;

/// <summary>A server of TLS 1.2 that ends with an alert for whoever shows a certificate. SslStream closes without one on some platforms.</summary>
internal sealed class AlertingServer : DefaultTlsServer
{
    private readonly TestCertificate _identity;
    private readonly short _alert;

    private AlertingServer(TestCertificate identity, short alert)
        : base(new BcTlsCrypto()) => (_identity, _alert) = (identity, alert);

    /// <summary>For <see cref="SocketServer"/>.</summary>
    internal static Func<Socket, int, CancellationToken, Task> Of(TestCertificate identity, short alert) => (socket, _, _) =>
    {
        using var transport = new NetworkStream(socket, ownsSocket: false);
        try
        {
            new TlsServerProtocol(transport).Accept(new AlertingServer(identity, alert));
        }
        catch (TlsFatalAlert)
        {
            // To close while the client still writes would reset the connection, and the alert could be lost.
            socket.Shutdown(SocketShutdown.Send);
            using var rest = new NetworkStream(socket, ownsSocket: false);
            rest.CopyTo(Stream.Null);
        }

        return Task.CompletedTask;
    };

    public override CertificateRequest GetCertificateRequest() => new(
        [ClientCertificateType.ecdsa_sign], TlsUtilities.GetDefaultSupportedSignatureAlgorithms(m_context), null);

    public override void NotifyClientCertificate(Certificate clientCertificate) => throw new TlsFatalAlert(_alert);

    protected override ProtocolVersion[] GetSupportedVersions() => ProtocolVersion.TLSv12.Only();

    protected override int[] GetSupportedCipherSuites() =>
        TlsUtilities.GetSupportedCipherSuites(Crypto, [CipherSuite.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256]);

    protected override TlsCredentialedSigner GetECDsaSignerCredentials() => new BcDefaultTlsCredentialedSigner(
        new TlsCryptoParameters(m_context),
        (BcTlsCrypto)Crypto,
        PrivateKeyFactory.CreateKey(_identity.Key.Pkcs8.ToArray()),
        new Certificate([Crypto.CreateCertificate(_identity.RawCertificate.ToArray())]),
        SignatureScheme.GetSignatureAndHashAlgorithm(SignatureScheme.ecdsa_secp256r1_sha256));
}
