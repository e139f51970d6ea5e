using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.Time.Testing;
using MutualAuth.Callbacks;
using MutualAuth.Names;
using MutualAuth.Revocation;
using MutualAuth.Testing;
using MutualAuth.Testing.Transports;
using MutualAuth.Tests.Support;
using MutualAuth.Validation;

namespace MutualAuth.Tests.Callbacks;

/// <summary>
/// A server and a client, issued by an authority beneath a root, that talk by plain <see cref="SslStream"/>s. Tests change one fact.
/// </summary>
internal sealed class CallbackWorld : IDisposable
{
    internal CallbackWorld()
    {
        Clock = new FakeTimeProvider(new DateTimeOffset(2030, 6, 1, 12, 0, 0, TimeSpan.Zero));
        Root = new TestAuthority("Root", timeProvider: Clock);
        Issuing = Root.IssueIntermediate("Issuing");
        Foreign = new TestAuthority("Foreign", timeProvider: Clock);
        Server = Issuing.IssueServer("server.test");
        Client = Issuing.IssueClient("client.test");
    }

    internal FakeTimeProvider Clock { get; }

    internal TestAuthority Root { get; }

    internal TestAuthority Issuing { get; }

    /// <summary>An authority that no one trusts.</summary>
    internal TestAuthority Foreign { get; }

    internal TestCertificate Server { get; }

    internal TestCertificate Client { get; }

    internal EventLog Log { get; } = new();

    /// <summary>The last judgement; null while there was none.</summary>
    internal CallbackJudgement? Judged { get; private set; }

    internal CertificateStageOptions OnServers =>
        new() { Trust = Root.ToTrustAnchors(), Authorization = Authorize.ServerName, LoggerFactory = Log };

    internal CertificateStageOptions OnClients => OnServers with { Authorization = Authorize.Dns("client.test") };

    internal ValidationCallbackOptions Options => new() { Name = "orders database", TimeProvider = Clock, OnJudged = judged => Judged = judged };

    internal ValidationCallbacks Callbacks(CertificateStageOptions stage) => new(new CertificateStage(stage), Options);

    internal RevocationPolicy Lists() => new() { Lists = RevocationLists.FromDer(Root.IssueCrl().Raw, Issuing.IssueCrl().Raw) };

    internal static SpkiPin PinOf(TestCertificate certificate) =>
        SpkiPin.OfSubjectPublicKeyInfo(certificate.Certificate.PublicKey.ExportSubjectPublicKeyInfo());

    /// <summary>As the platform hands it over: what the peer sent beside its own certificate is in the extra store.</summary>
    internal static X509Chain ChainOf(TestCertificate certificate)
    {
        var chain = new X509Chain();
        chain.ChainPolicy.ExtraStore.AddRange(certificate.Chain);
        return chain;
    }

    /// <summary>Whether TLS comes about when the client has this callback.</summary>
    internal Task<bool> DialAsync(RemoteCertificateValidationCallback callback, TestCertificate? server = null, string targetHost = "server.test") =>
        HandshakeAsync(
            server ?? Server, new SslClientAuthenticationOptions { TargetHost = targetHost, RemoteCertificateValidationCallback = callback });

    /// <summary>Whether TLS comes about when the server has this callback.</summary>
    internal Task<bool> AcceptAsync(RemoteCertificateValidationCallback callback, TestCertificate? client) => HandshakeAsync(
        Server,
        new SslClientAuthenticationOptions
        {
            TargetHost = "server.test",
            ClientCertificateContext = client?.ToSslContext(),
            RemoteCertificateValidationCallback = (_, _, _, _) => true,
        },
        callback);

    private static async Task<bool> HandshakeAsync(
        TestCertificate certificate, SslClientAuthenticationOptions dialling, RemoteCertificateValidationCallback? ofServer = null)
    {
        await using var wire = new DuplexPair();
        await using var server = new SslStream(wire.Server);
        await using var client = new SslStream(wire.Client);
        var accepting = Task.Run(async () =>
        {
            try
            {
                await server.AuthenticateAsServerAsync(new SslServerAuthenticationOptions
                {
                    ServerCertificateContext = certificate.ToSslContext(),
                    ClientCertificateRequired = ofServer is not null,
                    RemoteCertificateValidationCallback = ofServer,
                });
                return true;
            }
            catch (Exception exception) when (exception is AuthenticationException or IOException)
            {
                wire.Reset();
                return false;
            }
        });
        try
        {
            await client.AuthenticateAsClientAsync(dialling).WaitAsync(ConnectedPair.Deadline);
        }
        catch (Exception exception) when (exception is AuthenticationException or IOException)
        {
            wire.Reset();
            await accepting.WaitAsync(ConnectedPair.Deadline);
            return false;
        }

        return await accepting.WaitAsync(ConnectedPair.Deadline);
    }

    public void Dispose()
    {
        Server.Dispose();
        Client.Dispose();
        Issuing.Dispose();
        Root.Dispose();
        Foreign.Dispose();
        Log.Dispose();
    }
}
