using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using MutualAuth.Testing.BadPeers;

namespace MutualAuth.Testing.Tests.BadPeers;

/// <summary>The one-call run: our own two sides come out clean, and sloppy ones are found out.</summary>
[CancelAfter(180000)]
public sealed class GalleryRunTests
{
    [Test]
    public async Task Our_own_server_turns_all_of_them_away(
        [Values(
            RequiredCheck.Nothing, RequiredCheck.DnsName, RequiredCheck.SpiffeId, RequiredCheck.ExplicitPurpose, RequiredCheck.PlatformLimit,
            RequiredCheck.Bounds, RequiredCheck.StrictEncoding, RequiredCheck.StrictProfile, RequiredCheck.Policies,
            RequiredCheck.StrongAlgorithms)] RequiredCheck demand,
        CancellationToken token)
    {
        using var authority = new TestAuthority();
        using var identity = authority.IssueServer("server.test");
        await using var listener = MutualTlsListener.Start(new MutualTlsListenerOptions
        {
            EndPoint = new IPEndPoint(IPAddress.Loopback, 0),
            Server = new MutualTlsServer(new MutualTlsServerOptions
            {
                Identity = Identity.From(identity.Certificate),
                Trust = TrustAnchors.From(authority.Certificate),
                Authorization = demand switch
                {
                    RequiredCheck.DnsName => Authorize.Dns("client.test"),
                    RequiredCheck.SpiffeId => Authorize.MemberOf("gallery.test"),
                    _ => Authorize.AnyTrustedPeer,
                },
            }),
        });
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(token);
        var serving = EchoAllAsync(listener, stop.Token);

        var report = await GalleryRun.AgainstServerAsync(authority, listener.LocalEndPoint, new GalleryRunOptions { Demands = [demand] }, token);

        report.IsClean.Should().BeTrue(report.ToString());
        report.Results.Should().HaveCount(Gallery.As(MutualAuth.PeerRole.Client).Count(peer => peer.RequiredCheck == demand));
        await stop.CancelAsync();
        await serving;
    }

    [TestCase("a-service-with-a-very-long-name.of-a-namespace-with-a-long-name.cluster-7.example.test")]
    [TestCase("bücher.test")]
    public async Task A_run_holds_under_names_of_other_kinds(string name, CancellationToken token)
    {
        using var authority = new TestAuthority();
        using var identity = authority.IssueClient("client.test");
        var client = new MutualTlsClient(new MutualTlsClientOptions
        {
            Identity = identity.ToIdentity(),
            Trust = authority.ToTrustAnchors(),
            Authorization = Authorize.ServerName,
        });

        var report = await GalleryRun.AgainstClientAsync(
            authority,
            async (endPoint, dialled, cancel) =>
            {
                await using var connection = await client.ConnectAsync(endPoint, dialled, cancel);
            },
            new GalleryRunOptions { Demands = [RequiredCheck.ServerName], Names = new GalleryNames { Server = name } },
            token);

        report.IsClean.Should().BeTrue(report.ToString());
        report.Results.Should().HaveCountGreaterThan(10);
    }

    [Test]
    public async Task Our_own_client_turns_all_of_them_away(CancellationToken token)
    {
        using var authority = new TestAuthority();
        using var identity = authority.IssueClient("client.test");
        var client = new MutualTlsClient(new MutualTlsClientOptions
        {
            Identity = Identity.From(identity.Certificate),
            Trust = TrustAnchors.From(authority.Certificate),
            Authorization = Authorize.ServerName,
        });

        var report = await GalleryRun.AgainstClientAsync(
            authority,
            async (endPoint, name, cancel) =>
            {
                await using var connection = await client.ConnectAsync(endPoint, name, cancel);
            },
            new GalleryRunOptions
            {
                Demands =
                [
                    .. Enum.GetValues<RequiredCheck>().Except(
                        [RequiredCheck.DnsName, RequiredCheck.SpiffeId, RequiredCheck.Pins, RequiredCheck.Revocation]),
                ],
            },
            token);

        report.IsClean.Should().BeTrue(report.ToString());
        report.Results.Should().HaveCountGreaterThan(60);
    }

    [Test]
    public async Task A_server_that_leaves_it_to_the_platform_is_found_out(CancellationToken token)
    {
        using var authority = new TestAuthority();

        var report = await RunAgainstSslStreamAsync(
            authority, callback: null, token, demands: [RequiredCheck.Nothing, RequiredCheck.StrictProfile, RequiredCheck.ExplicitPurpose]);

        report.IsClean.Should().BeFalse();
        report.WronglyLetIn.Select(result => result.Peer)
            .Should().Contain([Gallery.NoExtendedKeyUsage, Gallery.RootAsLeaf])
            .And.NotContain(Gallery.ExpiredLeaf);
        report.WithoutControl.Should().BeEmpty(report.ToString());
        report.ToString().Should().Contain("LET IN     RootAsLeaf");
    }

    [Test]
    public async Task A_server_that_lets_everybody_in_lets_everybody_in(CancellationToken token)
    {
        using var authority = new TestAuthority();

        var report = await RunAgainstSslStreamAsync(authority, (_, _, _, _) => true, token);

        report.WronglyLetIn.Select(result => result.Peer).Should().Contain(
            [Gallery.ExpiredLeaf, Gallery.UnknownAuthority, Gallery.CorruptSignature, Gallery.NoCertificate, Gallery.LeafIssuedByLeaf]);
        report.WithoutControl.Should().BeEmpty(report.ToString());
    }

    [Test]
    public async Task A_server_that_nobody_is_let_into_has_no_control(CancellationToken token)
    {
        using var authority = new TestAuthority();
        using var other = new TestAuthority();

        var report = await RunAgainstSslStreamAsync(other, callback: null, token, authority);

        report.WithoutControl.Should().HaveCount(report.Results.Count);
        report.Stopped.Should().Contain("two good peers in a row were not served");
        report.IsClean.Should().BeFalse();
    }

    [Test]
    public async Task A_client_that_does_not_look_at_names_is_found_out(CancellationToken token)
    {
        using var authority = new TestAuthority();

        var report = await GalleryRun.AgainstClientAsync(
            authority,
            async (endPoint, _, cancel) =>
            {
                using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
                await socket.ConnectAsync(endPoint, cancel);
                await using var tls = new SslStream(new NetworkStream(socket));
                await tls.AuthenticateAsClientAsync(
                    new SslClientAuthenticationOptions
                    {
                        TargetHost = string.Empty,
                        CertificateChainPolicy = PolicyOf(authority),
                        RemoteCertificateValidationCallback =
                            (_, _, _, errors) => (errors & ~SslPolicyErrors.RemoteCertificateNameMismatch) == SslPolicyErrors.None,
                    },
                    cancel);
            },
            cancellationToken: token);

        report.WronglyLetIn.Select(result => result.Peer)
            .Should().Contain([Gallery.WrongServerName, Gallery.CommonNameOnly])
            .And.NotContain(Gallery.UnknownAuthority);
    }

    private static async Task<GalleryReport> RunAgainstSslStreamAsync(
        TestAuthority trusted,
        RemoteCertificateValidationCallback? callback,
        CancellationToken token,
        TestAuthority? issuing = null,
        RequiredCheck[]? demands = null)
    {
        using var identity = trusted.IssueServer("server.test");
        using var listener = new Socket(SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen(100);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(token);
        var context = identity.ToSslContext();
        var serving = Task.Run(
            async () =>
            {
                try
                {
                    while (true)
                    {
                        _ = ServeAsync(await listener.AcceptAsync(stop.Token));
                    }
                }
                catch (OperationCanceledException)
                {
                    // The run is over.
                }
            },
            token);

        async Task ServeAsync(Socket socket)
        {
            try
            {
                await using var tls = new SslStream(new NetworkStream(socket, ownsSocket: true));
                await tls.AuthenticateAsServerAsync(
                    new SslServerAuthenticationOptions
                    {
                        ServerCertificateContext = context,
                        ClientCertificateRequired = true,
                        CertificateChainPolicy = PolicyOf(trusted),
                        RemoteCertificateValidationCallback = callback,
                    },
                    stop.Token);
                await tls.CopyToAsync(tls, stop.Token);
            }
            catch (Exception)
            {
                // A refusal, or the end of the run: either is told by the closed connection.
            }
        }

        // Each exchange needs the quick answers of a busy server; the default patience is for people's machines.
        var options = new GalleryRunOptions { Patience = TimeSpan.FromSeconds(20), Demands = demands };
        var report = await GalleryRun.AgainstServerAsync(issuing ?? trusted, listener.LocalEndPoint!, options, token);
        await stop.CancelAsync();
        await serving;
        return report;
    }

    private static async Task EchoAllAsync(MutualTlsListener listener, CancellationToken token)
    {
        try
        {
            await foreach (var connection in listener.AcceptAllAsync(token))
            {
                _ = EchoAsync(connection);
            }
        }
        catch (OperationCanceledException)
        {
            // The run is over.
        }

        async Task EchoAsync(MutualTlsConnection connection)
        {
            await using (connection)
            {
                try
                {
                    await connection.Stream.CopyToAsync(connection.Stream, token);
                }
                catch (Exception exception) when (exception is IOException or OperationCanceledException)
                {
                    // The peer has gone.
                }
            }
        }
    }

    private static X509ChainPolicy PolicyOf(TestAuthority authority)
    {
        var policy = new X509ChainPolicy
        {
            TrustMode = X509ChainTrustMode.CustomRootTrust,
            RevocationMode = X509RevocationMode.NoCheck,
            DisableCertificateDownloads = true,
        };
        policy.CustomTrustStore.AddRange(authority.ToCertificateCollection());
        return policy;
    }
}
