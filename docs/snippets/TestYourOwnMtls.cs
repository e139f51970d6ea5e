using DotNet.Testcontainers.Builders;
using MutualAuth.Testing.Assertions;
using MutualAuth.Testing.Responders;
using MutualAuth.Testing.Rotation;
using MutualAuth.Testing.Transports;

namespace MutualAuth.Snippets;

/// <summary>docs/how-to/test-your-own-mtls.md; SnippetTests runs what needs nothing from outside.</summary>
public static class TestYourOwnMtls
{
    /// <summary>A pair that connects.</summary>
    public static async Task ConnectAsync()
    {
        // snippet
        using var authority = new TestAuthority();
        using var pair = authority.CreatePair();                  // options for a client and a server that accept each other
        await using var outcome = await pair.ConnectAsync();      // both ends, over a wire in memory

        outcome.ShouldBeConnected();
        outcome.Server!.ShouldBeTo("client.test");
        // end
    }

    /// <summary>A pair in which one fact is changed.</summary>
    public static async Task BendAsync()
    {
        // snippet
        using var authority = new TestAuthority();
        using var pair = authority.CreatePair();
        using var expired = authority.Issue(spec => spec with { DnsNames = ["client.test"], NotBefore = spec.NotBefore.AddDays(-9), NotAfter = spec.NotBefore });

        var bent = pair with { Client = pair.Client with { Identity = expired.ToIdentity() } };
        await using var outcome = await bent.ConnectAsync();

        outcome.ServerFailure.ShouldReject(RejectionReason.CertificateExpired);       // the reason, where it was decided
        outcome.ClientFailure.ShouldBeRefusal(PublicReason.CertificateExpired);       // and what the other end was told
        // end
    }

    /// <summary>The gallery against any server.</summary>
    public static async Task RunGalleryAsync(EndPoint serverEndPoint)
    {
        // snippet
        using var authority = new TestAuthority();                     // the root that your server is told to trust
        var report = await GalleryRun.AgainstServerAsync(authority, serverEndPoint);
        report.ShouldBeClean();                                        // or the message says which peer was accepted, and why that is wrong
        // end
    }

    /// <summary>What the run is told of a server.</summary>
    public static GalleryRunOptions Describe(int serverProcessId)
    {
        // snippet
        var options = new GalleryRunOptions
        {
            Probe = GalleryProbe.Http("/health"),                      // 2xx is service, 4xx a refusal, all else unclear
            Demands = [RequiredCheck.Nothing, RequiredCheck.StrictProfile],
            Processes = () => [serverProcessId],                       // processor time of each peer, and a crash that looks like a refusal
            PublishedHost = "host.docker.internal",                    // when the server runs in a container
        };
        // end
        return options;
    }

    /// <summary>The gallery against a client of HTTP.</summary>
    public static async Task RunGalleryAgainstHttpClientAsync()
    {
        // snippet
        using var authority = new TestAuthority();
        var policy = new X509ChainPolicy
        {
            TrustMode = X509ChainTrustMode.CustomRootTrust,
            RevocationMode = X509RevocationMode.NoCheck,
            DisableCertificateDownloads = true,
        };
        policy.CustomTrustStore.AddRange(authority.ToCertificateCollection());
        var report = await GalleryRun.AgainstClientAsync(authority, async (endPoint, name, token) =>
        {
            using var handler = new SocketsHttpHandler
            {
                SslOptions = new SslClientAuthenticationOptions { CertificateChainPolicy = policy },
                ConnectCallback = async (_, cancel) =>                 // the name is not in the DNS
                {
                    var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
                    await socket.ConnectAsync(endPoint, cancel);
                    return new NetworkStream(socket, ownsSocket: true);
                },
            };
            using var client = new HttpClient(handler);
            using var answer = await client.GetAsync($"https://{name}/", token);
        });
        Console.WriteLine(report);
        // end
    }

    /// <summary>From one certificate to a bridge.</summary>
    public static void Climb()
    {
        // snippet
        using var authority = new TestAuthority();                                    // 1. a root, which is also what to trust
        using var server = authority.IssueServer("server.test", "127.0.0.1");         // 2. a leaf: names are read for what they look like
        using var workload = authority.IssueClient("spiffe://example.org/payments");  // 3. a SPIFFE ID is a name like any other
        using var intermediate = authority.IssueIntermediate("Issuing");              // 4. an authority below; its leaves carry it along
        using var below = intermediate.IssueClient("client.test");
        using var partner = new TestAuthority("Partner");                             // 5. another company's root,
        using var bridge = authority.CrossSign(partner);                              //    certified by ours: what it issues leads to us
        using var theirs = bridge.IssueClient("client.partner.test");
        authority.Revoke(server);                                                     // 6. a revocation,
        var list = authority.IssueCrl();                                              //    and the list that says so
        // end
    }

    /// <summary>Files for other programs.</summary>
    public static void Export()
    {
        // snippet
        using var authority = new TestAuthority();
        using var server = authority.IssueServer("server.test");
        authority.WriteTo("certificates");                  // authority.pem: what openssl's -CAfile, Go's CertPool and curl's --cacert want
        server.WriteTo("certificates", "server");           // server.pem with its chain, server.key in PKCS#8
        File.WriteAllBytes("certificates/server.p12", server.ToPkcs12("changeit"));   // Java's keytool, Windows
        // end
    }

    /// <summary>Responders that misbehave.</summary>
    public static async Task AskAsync(Func<Task> connectToMyServer)
    {
        // snippet
        using var authority = new TestAuthority();
        await using var ocsp = new OcspResponder(authority);
        await using var trap = new AiaTrap();
        using var server = authority.Issue(spec => spec with { DnsNames = ["server.test"], OcspUris = [ocsp.Uri], IssuerUris = [trap.IssuerUri] });

        authority.Revoke(server);                                     // the next answer says so
        ocsp.Spec = spec => spec with { ResponderByKey = true };      // any part of an answer
        ocsp.Mode = ResponderMode.Truncated;                          // and how it is sent; from the next request on

        await connectToMyServer();                                    // your test
        ocsp.ShouldHaveNoProblems();                                  // or the message says what it refused and why, and what Spec threw
        trap.ShouldBeUntouched();                                     // or the message says what was asked
        // end
    }

    /// <summary>A server in a container, which reaches the responders.</summary>
    public static async Task ContainAsync()
    {
        // snippet
        const string host = "host.docker.internal";
        using var authority = new TestAuthority();
        await using var crl = new CrlResponder(authority, publishedHost: host);
        await using var trap = new AiaTrap(publishedHost: host);
        using var server = authority.Issue(spec => spec with { DnsNames = ["server.test"], CrlDistributionPoints = [crl.FullUri] });
        authority.WriteTo("certificates");
        server.WriteTo("certificates", "server");

        // With the package Testcontainers:
        await using var container = new ContainerBuilder("my-server:latest")
            .WithExtraHost(host, "host-gateway")                      // Docker Desktop has that name by itself, Linux has not
            .WithResourceMapping(new DirectoryInfo("certificates"), "/certificates")
            .WithPortBinding(8443, assignRandomHostPort: true)
            .WithWaitStrategy(Wait.ForUnixContainer().UntilInternalTcpPortIsAvailable(8443))
            .Build();
        await container.StartAsync();

        var endPoint = new DnsEndPoint(container.Hostname, container.GetMappedPublicPort(8443));
        var report = await GalleryRun.AgainstServerAsync(authority, endPoint, new GalleryRunOptions { PublishedHost = host });
        report.ShouldBeClean();
        crl.ShouldHaveNoProblems();
        trap.ShouldBeUntouched();
        // end
    }

    /// <summary>A peer that breaks the confirmation protocol.</summary>
    public static async Task BabbleAsync(Stream stream, TestCertificate certificate)
    {
        // snippet
        var options = new LooseTlsOptions { ApplicationProtocols = ["mutualauth/1"] };
        using var peer = await LooseTlsPeer.ConnectAsync(stream, certificate, options);
        await peer.Stream.WriteAsync(new byte[] { 1, 0, 9 });    // a verdict of nine bytes: docs/protocol.md knows only two
        // end
    }

    /// <summary>A wire that breaks.</summary>
    public static async Task BreakAsync(TestPair pair)
    {
        // snippet
        var wire = new DuplexPair();                        // two streams that are each other's far end
        wire.ServerToClient.ResetAt(500);                   // a reset, a stall or a broken byte at a place of your choice
        wire.ClientToServer.MaxReadSize = 1;                // every read gets one byte
        await using var outcome = await pair.ConnectAsync(wire);
        wire.Faults.ShouldHaveHappened();                   // or the reset came after the handshake, and the test shows nothing
        Console.WriteLine(outcome.ClientFailure!.Reason);  // TransportFailed
        // end
    }

    /// <summary>Files that are replaced, and torn.</summary>
    public static void Rotate()
    {
        // snippet
        using var authority = new TestAuthority();
        using var first = authority.IssueServer("server.test");
        using var next = authority.IssueServer("server.test");
        using var folder = new CertificateFolder(
            first, [authority], new CertificateFolderOptions { Layout = FolderLayout.KubernetesSecret });     // ..data, swapped in one step
        using var identity = IdentityFiles.FromPem(folder.CertificatePath, folder.KeyPath);                     // or the program under test

        var torn = folder.RotateTorn(next);            // as a careless program does it: in place, and one file after the other
        torn.ContinueTo(TornStep.FirstFileAlone);      // the new certificate lies beside the old key, for as long as you wait
        Console.WriteLine(identity.Reload());          // False: the last good pair stays in force
        torn.ContinueTo(TornStep.Complete);
        Console.WriteLine(identity.Reload());          // True
        folder.Rotate(first);                          // as it should be done
        // end
    }

    // snippet
    public class GreetingServer() : MutualTlsFixture(pair => pair with { Server = pair.Server with { Confirmation = ConfirmationPolicy.Required } })
    {
        protected override async Task ServeAsync(MutualTlsConnection connection, CancellationToken cancellationToken) =>
            await connection.Stream.WriteAsync("hello"u8.ToArray(), cancellationToken);
    }
    // end
}
