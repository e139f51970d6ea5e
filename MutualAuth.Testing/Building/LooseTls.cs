using System.Collections.Immutable;
using System.Security.Authentication;
using MutualAuth.Testing.Transports;
using Org.BouncyCastle.Asn1;
using Org.BouncyCastle.Math;
using Org.BouncyCastle.Tls;
using Org.BouncyCastle.Tls.Crypto;
using Org.BouncyCastle.Tls.Crypto.Impl.BC;

namespace MutualAuth.Testing.Building;

/// <summary>What a loose peer learns during its handshake.</summary>
internal sealed class LooseTlsRecord
{
    /// <summary>Why our side could not show its certificate; null where it could, or has not come to that.</summary>
    internal string? Obstacle { get; set; }

    internal ImmutableArray<ReadOnlyMemory<byte>> PeerCertificates { get; private set; } = [];

    internal string? ApplicationProtocol { get; private set; }

    internal bool IsTls13 { get; private set; }

    /// <summary>Whether our side has come to show its certificate, or to say that it has none.</summary>
    internal bool CertificateShown { get; set; }

    /// <summary>The fatal alert that the far end sent; null when it sent none.</summary>
    internal int? Alert { get; private set; }

    internal void NoteAlert(short level, short description)
    {
        if (level == AlertLevel.fatal)
        {
            Alert = description;
        }
    }

    internal void Note(SecurityParameters agreed)
    {
        ApplicationProtocol = agreed.ApplicationProtocol?.GetUtf8Decoding();
        IsTls13 = ProtocolVersion.TLSv13.Equals(agreed.NegotiatedVersion);
    }

    internal void Note(Certificate certificate) =>
        PeerCertificates = [.. certificate.GetCertificateList().Select(entry => new ReadOnlyMemory<byte>(entry.GetEncoded()))];
}

/// <summary>BouncyCastle's TLS client, without any judgement.</summary>
internal sealed class LooseTlsClient : DefaultTlsClient, TlsAuthentication
{
    private readonly TestCertificate? _certificate;
    private readonly LooseTlsOptions _options;
    private readonly LooseTlsRecord _record;

    internal LooseTlsClient(TestCertificate? certificate, LooseTlsOptions options, LooseTlsRecord record)
        : base(new LooseTlsCrypto()) => (_certificate, _options, _record) = (certificate, options, record);

    public override TlsAuthentication GetAuthentication() => this;

    public void NotifyServerCertificate(TlsServerCertificate serverCertificate) => _record.Note(serverCertificate.Certificate);

    public TlsCredentials? GetClientCredentials(CertificateRequest certificateRequest)
    {
        LooseTls.RefuseToShow(_certificate, m_context, _record);
        _record.CertificateShown = true;
        return _certificate is null
            ? null
            : LooseTls.Credentials(m_context, (BcTlsCrypto)Crypto, _certificate, certificateRequest.GetCertificateRequestContext());
    }

    public override int GetMaxCertificateChainLength() => LooseTls.NoLimit;

    public override int GetMaxHandshakeMessageSize() => LooseTls.NoLimit;

    public override void NotifyAlertReceived(short alertLevel, short alertDescription)
    {
        base.NotifyAlertReceived(alertLevel, alertDescription);
        _record.NoteAlert(alertLevel, alertDescription);
    }

    public override void NotifyHandshakeComplete()
    {
        base.NotifyHandshakeComplete();
        _record.Note(m_context.SecurityParameters);
    }

    protected override ProtocolVersion[] GetSupportedVersions() => LooseTls.Versions(_options);

    protected override IList<Org.BouncyCastle.Tls.ServerName>? GetSniServerNames() =>
        _options.ServerName is { } name && Uri.CheckHostName(name) == UriHostNameType.Dns
            ? [new Org.BouncyCastle.Tls.ServerName(NameType.host_name, System.Text.Encoding.ASCII.GetBytes(GeneralName.ToALabels(name)))]
            : null;

    protected override IList<ProtocolName>? GetProtocolNames() => LooseTls.Protocols(_options);
}

/// <summary>BouncyCastle's TLS server, without any judgement.</summary>
internal sealed class LooseTlsServer : DefaultTlsServer
{
    private readonly TestCertificate _certificate;
    private readonly LooseTlsOptions _options;
    private readonly LooseTlsRecord _record;

    internal LooseTlsServer(TestCertificate certificate, LooseTlsOptions options, LooseTlsRecord record)
        : base(new LooseTlsCrypto()) => (_certificate, _options, _record) = (certificate, options, record);

    public override TlsCredentials GetCredentials() => Credentials();

    public override CertificateRequest? GetCertificateRequest()
    {
        if (!_options.AskForClientCertificate)
        {
            return null;
        }

        var algorithms = TlsUtilities.GetDefaultSupportedSignatureAlgorithms(m_context);
        return TlsUtilities.IsTlsV13(m_context)
            ? new CertificateRequest(TlsUtilities.EmptyBytes, algorithms, null, null)
            : new CertificateRequest([ClientCertificateType.ecdsa_sign, ClientCertificateType.rsa_sign], algorithms, null);
    }

    public override void NotifyClientCertificate(Certificate clientCertificate) => _record.Note(clientCertificate);

    public override int GetMaxCertificateChainLength() => LooseTls.NoLimit;

    public override int GetMaxHandshakeMessageSize() => LooseTls.NoLimit;

    public override void NotifyAlertReceived(short alertLevel, short alertDescription)
    {
        base.NotifyAlertReceived(alertLevel, alertDescription);
        _record.NoteAlert(alertLevel, alertDescription);
    }

    public override void NotifyHandshakeComplete()
    {
        base.NotifyHandshakeComplete();
        _record.Note(m_context.SecurityParameters);
    }

    protected override ProtocolVersion[] GetSupportedVersions() => LooseTls.Versions(_options);

    protected override IList<ProtocolName>? GetProtocolNames() => LooseTls.Protocols(_options);

    protected override int[] GetSupportedCipherSuites()
    {
        var isRsa = _certificate.Key.Algorithm is >= KeyAlgorithm.Rsa1024 and <= KeyAlgorithm.Rsa4096;
        int[] suites =
        [
            CipherSuite.TLS_AES_128_GCM_SHA256,
            CipherSuite.TLS_AES_256_GCM_SHA384,
            isRsa ? CipherSuite.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256 : CipherSuite.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
        ];
        return TlsUtilities.GetSupportedCipherSuites(Crypto, suites);
    }

    protected override TlsCredentialedSigner GetECDsaSignerCredentials() => Credentials();

    protected override TlsCredentialedSigner GetRsaSignerCredentials() => Credentials();

    private BcDefaultTlsCredentialedSigner Credentials()
    {
        LooseTls.RefuseToShow(_certificate, m_context, _record);
        _record.CertificateShown = true;
        return LooseTls.Credentials(
            m_context, (BcTlsCrypto)Crypto, _certificate, TlsUtilities.IsTlsV13(m_context) ? TlsUtilities.EmptyBytes : null);
    }
}

/// <summary>What both loose sides share.</summary>
internal static class LooseTls
{
    /// <summary>What the length field of a handshake message can say at most (RFC 8446 §4).</summary>
    internal const int NoLimit = (1 << 24) - 1;

    internal static ProtocolVersion[] Versions(LooseTlsOptions options) =>
        (options.Protocols.HasFlag(SslProtocols.Tls13), options.Protocols.HasFlag(SslProtocols.Tls12)) switch
        {
            (true, true) => ProtocolVersion.TLSv13.DownTo(ProtocolVersion.TLSv12),
            (true, false) => ProtocolVersion.TLSv13.Only(),
            (false, true) => ProtocolVersion.TLSv12.Only(),
            _ => throw new InvalidOperationException("The versions were not checked."),
        };

    internal static bool AreVersions(SslProtocols protocols) =>
        protocols != SslProtocols.None && (protocols & ~(SslProtocols.Tls12 | SslProtocols.Tls13)) == SslProtocols.None;

    /// <exception cref="ArgumentException">The versions are none that are spoken here.</exception>
    internal static void Check(LooseTlsOptions options)
    {
        if (!AreVersions(options.Protocols))
        {
            throw new ArgumentException($"{nameof(options.Protocols)} is {options.Protocols}, and must be Tls12, Tls13 or both.", nameof(options));
        }
    }

    internal static IList<ProtocolName>? Protocols(LooseTlsOptions options) =>
        options.ApplicationProtocols.Count == 0 ? null : [.. options.ApplicationProtocols.Select(ProtocolName.AsUtf8Encoding)];

    /// <exception cref="TlsFatalAlert">No signature of the key can be made in the version that was agreed.</exception>
    internal static void RefuseToShow(TestCertificate? certificate, TlsContext context, LooseTlsRecord record)
    {
        if (certificate?.Key.Algorithm is KeyAlgorithm.MLDsa44 or KeyAlgorithm.MLDsa65 or KeyAlgorithm.MLDsa87 && !TlsUtilities.IsTlsV13(context))
        {
            record.Obstacle = "a certificate with an ML-DSA key can be shown in TLS 1.3 alone, and the far end chose TLS 1.2";
            throw new TlsFatalAlert(AlertDescription.internal_error);
        }
    }

    internal static BcDefaultTlsCredentialedSigner Credentials(
        TlsContext context, BcTlsCrypto crypto, TestCertificate certificate, byte[]? requestContext)
    {
        CertificateEntry[] entries =
        [
            .. certificate.RawChain.Prepend(certificate.RawCertificate).Select(
                der => new CertificateEntry(new OctetsOnly(der.ToArray()), null)),
        ];
        return new BcDefaultTlsCredentialedSigner(
            new TlsCryptoParameters(context),
            crypto,
            certificate.Key.Private,
            new Certificate(requestContext, entries),
            SignatureScheme.GetSignatureAndHashAlgorithm(SchemeOf(certificate.Key.Algorithm)));
    }

    private static int SchemeOf(KeyAlgorithm key) => key switch
    {
        KeyAlgorithm.EcdsaP256 => SignatureScheme.ecdsa_secp256r1_sha256,
        KeyAlgorithm.EcdsaP384 => SignatureScheme.ecdsa_secp384r1_sha384,
        KeyAlgorithm.EcdsaP521 => SignatureScheme.ecdsa_secp521r1_sha512,
        KeyAlgorithm.Ed25519 => SignatureScheme.ed25519,
        KeyAlgorithm.MLDsa44 => SignatureScheme.mldsa44,
        KeyAlgorithm.MLDsa65 => SignatureScheme.mldsa65,
        KeyAlgorithm.MLDsa87 => SignatureScheme.mldsa87,
        _ => SignatureScheme.rsa_pss_rsae_sha256,
    };
}
