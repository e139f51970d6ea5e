using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;

namespace MutualAuth.Testing.Tests.Support;

/// <summary>A server on a free loopback port that deals with each connection as a test says, right or wrong.</summary>
internal sealed class SocketServer : IAsyncDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly Socket _listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly Func<Socket, int, CancellationToken, Task> _serve;
    private readonly Task _accepting;

    /// <param name="serve">Owns the connection, whose number counts from 1.</param>
    internal SocketServer(Func<Socket, int, CancellationToken, Task> serve)
    {
        _serve = serve;
        _listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _listener.Listen(100);
        _accepting = AcceptAsync();
    }

    internal EndPoint EndPoint => _listener.LocalEndPoint!;

    /// <summary>A server of <see cref="SslStream"/> that sends back what it gets from whoever <paramref name="judge"/> lets in.</summary>
    internal static Func<Socket, int, CancellationToken, Task> Echo(TestCertificate identity, RemoteCertificateValidationCallback judge) =>
        Tls(identity, judge, (tls, token) => tls.CopyToAsync(tls, token));

    /// <summary>The same for whoever has a certificate that leads to <paramref name="trusted"/>.</summary>
    internal static Func<Socket, int, CancellationToken, Task> Echo(TestCertificate identity, TestAuthority trusted) =>
        Echo(identity, (_, certificate, chain, _) => IsTrusted(trusted, certificate, chain));

    /// <summary>A server of <see cref="SslStream"/> that does <paramref name="answer"/> after the handshake.</summary>
    internal static Func<Socket, int, CancellationToken, Task> Tls(
        TestCertificate identity,
        RemoteCertificateValidationCallback judge,
        Func<SslStream, CancellationToken, Task> answer,
        SslProtocols protocols = SslProtocols.None)
    {
        var context = identity.ToSslContext();
        return async (socket, _, token) =>
        {
            await using var tls = new SslStream(new NetworkStream(socket, ownsSocket: true));
            await tls.AuthenticateAsServerAsync(
                new SslServerAuthenticationOptions
                {
                    ServerCertificateContext = context,
                    ClientCertificateRequired = true,
                    RemoteCertificateValidationCallback = judge,
                    EnabledSslProtocols = protocols,
                },
                token);
            await answer(tls, token);
        };
    }

    /// <summary>One that finishes the handshake with everybody, and is told whether it would have been right when it answers.</summary>
    internal static Func<Socket, int, CancellationToken, Task> AnsweringAll(
        TestCertificate identity, TestAuthority trusted, Func<SslStream, bool, CancellationToken, Task> answer) => (socket, number, token) =>
    {
        var isTrusted = false;
        return Tls(
            identity,
            (_, certificate, chain, _) => (isTrusted = IsTrusted(trusted, certificate, chain)) || true,
            (tls, stop) => answer(tls, isTrusted, stop))(socket, number, token);
    };

    /// <summary>What the platform says of a client's chain to <paramref name="authority"/>, by an SslStream that lets everybody in.</summary>
    internal static bool IsTrusted(TestAuthority authority, X509Certificate? certificate, X509Chain? sent)
    {
        using var chain = new X509Chain { ChainPolicy = Trusting(authority) };
        chain.ChainPolicy.ExtraStore.AddRange(sent?.ChainPolicy.ExtraStore ?? []);
        using var own = certificate is null ? null : X509CertificateLoader.LoadCertificate(certificate.GetRawCertData());
        return own is not null && chain.Build(own);
    }

    internal static X509ChainPolicy Trusting(TestAuthority authority)
    {
        var policy = new X509ChainPolicy
        {
            TrustMode = X509ChainTrustMode.CustomRootTrust,
            RevocationMode = X509RevocationMode.NoCheck,
            DisableCertificateDownloads = true,
        };
        policy.CustomTrustStore.AddRange(authority.ToCertificateCollection());
        policy.ApplicationPolicy.Add(new System.Security.Cryptography.Oid(ExtendedKeyUsage.ClientAuth));
        return policy;
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _accepting;
        _listener.Dispose();
        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            for (var number = 1; ; number++)
            {
                _ = ServeAsync(await _listener.AcceptAsync(_stop.Token), number);
            }
        }
        catch (OperationCanceledException)
        {
            // The test is over.
        }
    }

    private async Task ServeAsync(Socket socket, int number)
    {
        using (socket)
        {
            try
            {
                await Task.Run(() => _serve(socket, number, _stop.Token));
            }
            catch (Exception)
            {
                // A refusal, or the end of the test: either is told by the closed connection.
            }
        }
    }
}
