// Both ends in one natively compiled process: a client that is let in, and one that is not; a request over HTTP; and gRPC, with no agent to talk
// to. Exit 0 when both went as they must.
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using MutualAuth;
using MutualAuth.AotProbe;
using MutualAuth.Http;
using MutualAuth.Spiffe;

const string ServerAuth = "1.3.6.1.5.5.7.3.1";
const string ClientAuth = "1.3.6.1.5.5.7.3.2";

using var authorityKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
using var authority = IssueAuthority(authorityKey);
var trust = TrustAnchors.From(authority);

await using var listener = MutualTlsListener.Start(new MutualTlsListenerOptions
{
    EndPoint = new IPEndPoint(IPAddress.Loopback, 0),
    Server = new MutualTlsServer(new MutualTlsServerOptions
    {
        Identity = Identity.From(IssueLeaf("server.test", ServerAuth)),
        Trust = trust,
        Authorization = Authorize.Dns("client.test"),
    }),
});

await using (var client = await ConnectAsync("client.test"))
await using (var server = await listener.AcceptAsync())
{
    await client.Stream.WriteAsync("hello"u8.ToArray());
    var echo = new byte[5];
    await server.Stream.ReadExactlyAsync(echo);
    Console.WriteLine($"accepted {server.Peer.Name}, confirmed {client.IsConfirmed}, {client.Session.TlsVersion}");
    if (!echo.AsSpan().SequenceEqual("hello"u8) || !client.IsConfirmed || server.Peer.Name != "client.test")
    {
        return 1;
    }
}

if (!await Hosted.EchoesAsync(authority, IssueLeaf("server.test", ServerAuth), IssueLeaf("client.test", ClientAuth)))
{
    return 1;
}

using (var http = new HttpClient(new MutualTlsHttpHandler(
    new MutualTlsClient(OptionsOf("client.test")),
    new MutualTlsHttpOptions { Target = _ => new MutualTlsHttpTarget { EndPoint = listener.LocalEndPoint } })))
{
    var getting = http.GetStringAsync("https://server.test/");
    await using var server = await listener.AcceptAsync();
    await server.Stream.ReadAtLeastAsync(new byte[1024], 1);
    await server.Stream.WriteAsync("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"u8.ToArray());
    if (await getting != "hello")
    {
        return 1;
    }
}

try
{
    var nowhere = WorkloadApiAddress.Parse($"unix://{Path.Combine(Path.GetTempPath(), Path.GetRandomFileName())}");
    await using var source = await X509Source.ConnectAsync(new X509SourceOptions { Address = nowhere, FirstUpdateTimeout = TimeSpan.FromSeconds(2) });
    return 1;
}
catch (WorkloadApiException failure) when (failure.Failure == WorkloadApiFailure.Unreachable)
{
    Console.WriteLine($"no identity: {failure.Message}");
}

try
{
    await using var stranger = await ConnectAsync("stranger.test");
    return 1;
}
catch (HandshakeException failure)
{
    Console.WriteLine($"refused: {failure.Message}");
    return failure is { Failure: HandshakeFailure.RefusedByPeer, PeerReason: PublicReason.AccessDenied } ? 0 : 1;
}

Task<MutualAuth.MutualTlsConnection> ConnectAsync(string name) =>
    new MutualTlsClient(OptionsOf(name)).ConnectAsync(listener.LocalEndPoint, "server.test");

MutualTlsClientOptions OptionsOf(string name) => new()
{
    Identity = Identity.From(IssueLeaf(name, ClientAuth)),
    Trust = trust,
    Authorization = Authorize.ServerName,
};

static X509Certificate2 IssueAuthority(ECDsa key)
{
    var request = new CertificateRequest("CN=Probe Authority", key, HashAlgorithmName.SHA256);
    request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: true, false, 0, critical: true));
    request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign, critical: true));
    request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, critical: false));
    return request.CreateSelfSigned(DateTimeOffset.UtcNow.AddHours(-1), DateTimeOffset.UtcNow.AddDays(1));
}

X509Certificate2 IssueLeaf(string name, string usage)
{
    using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
    var names = new SubjectAlternativeNameBuilder();
    names.AddDnsName(name);
    request.CertificateExtensions.Add(names.Build());
    request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, critical: true));
    request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, critical: true));
    request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid(usage)], critical: false));
    request.CertificateExtensions.Add(X509AuthorityKeyIdentifierExtension.CreateFromCertificate(authority, true, false));
    using var certificate = request.Create(
        authority, DateTimeOffset.UtcNow.AddMinutes(-30), DateTimeOffset.UtcNow.AddHours(12), RandomNumberGenerator.GetBytes(15));
    return certificate.CopyWithPrivateKey(key);
}
