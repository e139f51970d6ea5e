using System.Security.Cryptography;

namespace MutualAuth.Snippets;

/// <summary>The examples of the XML documentation; ExamplesTests compares both.</summary>
internal static class Examples
{
    internal static async Task Client(
        MutualTlsClient client, MutualTlsClientOptions clientOptions,
        Socket socket, Stream stream, CancellationToken cancellationToken)
    {
        {
            var mutualTls = new MutualTlsClient(new MutualTlsClientOptions
            {
                Identity = Identity.FromPemFiles("client.pem", "client.key"),
                Trust = TrustAnchors.FromPemFiles("authority.pem"),
                Authorization = Authorize.ServerName,
            });
        }

        {
            await using var connection = await client.ConnectAsync("server.example", 8443, cancellationToken);
        }

        {
            await using var connection = await client.WithApplicationProtocols(["h2"]).ConnectAsync("server.example", 8443);
        }

        {
            var endPoint = new IPEndPoint(IPAddress.Loopback, 8443);
            await using var connection = await client.ConnectAsync(endPoint, "server.example", cancellationToken);
        }

        {
            await using var connection = await client.UpgradeAsync(socket, "server.example", cancellationToken);
        }

        {
            Console.WriteLine($"{client.Connections.Length} connections");
        }

        {
            var count = client.EndWhere(peer => peer.User?.Name == "alice", "laptop stolen");
        }

        {
            await using var connection = await client.UpgradeAsync(stream, "server.example", cancellationToken);
        }
    }

    internal static void ClientOptions(MutualTlsClientOptions clientOptions, Password password)
    {
        {
            var withoutCertificate = clientOptions with { Identity = ClientIdentity.None };
        }

        {
            var withLogin = clientOptions with { Credentials = Login.WithPassword("alice", password) };
        }

        {
            var atMostADay = clientOptions with { Revalidation = new RevalidationPolicy { MaximumAge = TimeSpan.FromDays(1) } };
        }

        {
            var discreet = clientOptions with { JudgeServerBeforeShowingIdentity = true };
        }

        {
            var lenient = clientOptions with { DangerousAllowServersThatAskForNoCertificate = true };
        }

        {
            var impatient = clientOptions with { ConnectTimeout = TimeSpan.FromSeconds(3) };
        }
    }

    internal static async Task Server(
        MutualTlsServer server, Socket socket,
        Stream stream, EndPoint clientEndPoint, CancellationToken cancellationToken)
    {
        {
            var mutualTls = new MutualTlsServer(new MutualTlsServerOptions
            {
                Identity = Identity.FromPemFiles("server.pem", "server.key"),
                Trust = TrustAnchors.FromPemFiles("authority.pem"),
                Authorization = Authorize.Dns("client.example"),
            });
        }

        {
            Console.WriteLine($"{server.Connections.Length} connections");
        }

        {
            var count = server.EndWhere(peer => peer.User?.Name == "alice", "laptop stolen");
        }

        {
            await using var connection = await server.AcceptAsync(socket, cancellationToken);
        }

        {
            await using var connection = await server.AcceptAsync(stream, cancellationToken);
        }

        {
            await using var connection = await server.AcceptAsync(stream, clientEndPoint, cancellationToken);
        }
    }

    internal static void ServerOptions(MutualTlsServerOptions serverOptions, MutualTlsServer special, ICredentialStore store)
    {
        {
            var following = serverOptions with { Identity = IdentityFiles.FromPem("server.pem", "server.key") };
        }

        {
            var alsoAUser = serverOptions with { Credentials = Require.CertificateAndUser(SaslServer.Scram(store)) };
        }

        {
            var naming = serverOptions with { SendAcceptableIssuers = true };
        }

        {
            var generous = serverOptions with { SendAcceptableIssuers = true, MaxAcceptableIssuerBytes = 65_535 };
        }

        {
            var strict = serverOptions with { Revalidation = new RevalidationPolicy { OnUnauthorized = InvalidationAction.Abort } };
        }

        {
            var three = serverOptions with { SessionLimits = new SessionLimits { MaxPerUser = 3 } };
        }

        {
            var selecting = serverOptions with
            {
                SelectServer = (hello, front, _) =>
                    ValueTask.FromResult<MutualTlsServer?>(hello.ServerName == "special.example" ? special : front),
            };
        }
    }

    internal static async Task Listener(
        MutualTlsListener listener,
        MutualTlsListenerOptions listenerOptions, CancellationToken cancellationToken)
    {
        {
            Console.WriteLine($"{listener.Connections.Length} connections");
        }

        {
            var count = listener.EndWhere(peer => peer.User?.Name == "alice", "laptop stolen");
        }

        {
            Console.WriteLine($"listening on {listener.LocalEndPoint}");
        }

        {
            await using var started = MutualTlsListener.Start(listenerOptions);
        }

        {
            await using var connection = await listener.AcceptAsync(cancellationToken);
        }

        {
            await foreach (var connection in listener.AcceptAllAsync(cancellationToken))
            {
                Console.WriteLine(connection.Peer.Name);
                await connection.DisposeAsync();
            }
        }

        {
            await listener.StopAsync(TimeSpan.FromSeconds(20), cancellationToken);
        }

        {
            await listener.DisposeAsync();
        }
    }

    internal static void ListenerOptions(MutualTlsListenerOptions listenerOptions, MutualTlsServerOptions serverOptions)
    {
        {
            var serving = listenerOptions with { Server = new MutualTlsServer(serverOptions) };
        }

        {
            var local = listenerOptions with { EndPoint = new IPEndPoint(IPAddress.Loopback, 0) };
        }

        {
            // systemd passes the first socket as descriptor 3.
            var activated = listenerOptions with { EndPoint = null, BoundSocket = new Socket(new SafeSocketHandle(3, ownsHandle: true)) };
        }

        {
            var proxied = listenerOptions with
            {
                ProxyProtocol = new ProxyProtocol { TrustedProxies = [IPNetwork.Parse("10.1.2.0/24")] },
            };
        }

        {
            var shortQueue = listenerOptions with { Backlog = 128 };
        }

        {
            var onUnixSocket = listenerOptions with
            {
                EndPoint = new UnixDomainSocketEndPoint("service.sock"),
                TakesOverStaleUnixSocket = true,
            };
        }

        {
            var fewSilentSockets = listenerOptions with { MaxPendingHellos = 1024 };
        }

        {
            var behindAProxy = listenerOptions with { MaxPendingHellosPerAddress = 1024 };
        }

        {
            var fewWaiting = listenerOptions with { MaxWaitingHandshakes = 1024 };
        }

        {
            var manyWaitingPerAddress = listenerOptions with { MaxWaitingHandshakesPerAddress = 1024 };
        }

        {
            var keysInHardware = listenerOptions with { MaxConcurrentHandshakes = 32 };
        }

        {
            var longQueue = listenerOptions with { MaxQueuedHandshakes = 4096 };
        }

        {
            var fewCloses = listenerOptions with { MaxLingeringCloses = 64 };
        }

        {
            var fewReady = listenerOptions with { MaxReadyConnections = 16 };
        }

        {
            var reporting = listenerOptions with { OnHandshakeFailed = failure => Console.WriteLine(failure.Message) };
        }
    }

    internal static async Task Connection(
        MutualTlsConnection connection, ClientCredentials credentials, byte[] transaction,
        Func<CancellationToken, ValueTask<string>> currentToken, byte[] buffer, ReconnectCredentials reconnects, CancellationToken cancellationToken)
    {
        static Task SendAsync(ReadOnlyMemory<byte> message) => Task.CompletedTask;
        static Task<byte[]> ReceiveAsync() => throw new NotSupportedException();

        {
            await connection.Stream.WriteAsync("hello"u8.ToArray(), cancellationToken);
        }

        {
            Console.WriteLine($"connection {connection.Id}");
        }

        {
            Console.WriteLine($"open since {connection.OpenedAt:O}");
        }

        {
            Console.WriteLine($"until {connection.ValidUntil:O}");
        }

        {
            Console.WriteLine($"connected with {connection.Peer.Name}");
        }

        {
            Console.WriteLine(connection.Session);
        }

        {
            Console.WriteLine(connection.IsConfirmed ? "the peer has accepted us" : "no confirmation: as with plain TLS");
        }

        {
            Console.WriteLine($"from {connection.RemoteEndPoint}");
        }

        {
            var read = await connection.Stream.ReadAsync(buffer, connection.DrainRequested);
        }

        {
            using var registration = connection.NoLongerValid.Register(
                () => Console.WriteLine($"no longer valid: {connection.Invalidation?.Rejection}"));
        }

        {
            if (connection.Invalidation is { } invalidation)
            {
                Console.WriteLine($"{invalidation.Action}: {invalidation.Rejection}");
            }
        }

        {
            if (await connection.Stream.ReadAsync(buffer, cancellationToken) == 0 && connection.EndedCleanly != true)
            {
                throw new IOException("The stream may have been truncated.");
            }
        }

        {
            await connection.CompleteWritesAsync(cancellationToken);
        }

        {
            try
            {
                await connection.Stream.ReadExactlyAsync(buffer, cancellationToken);
            }
            catch (IOException exception) when (connection.TryGetRefusal(exception, out var refusal))
            {
                Console.WriteLine($"refused: {refusal.PeerReason}");
            }
        }

        {
            await using var stepUp = connection.BeginStepUp(transaction);
            await SendAsync(stepUp.FirstMessage);
            while (!stepUp.IsOver && await stepUp.AnswerAsync(await ReceiveAsync()) is { } reply)
            {
                await SendAsync(reply);
            }
        }

        {
            await using var again = connection.BeginReauthentication();
        }

        {
            using var responder = connection.AnswerStepUp(credentials, transaction);
            while (!responder.IsOver && await responder.AnswerAsync(await ReceiveAsync()) is { } reply)
            {
                await SendAsync(reply);
            }

            Console.WriteLine(responder.IsConfirmed);
        }

        {
            using var responder = connection.AnswerReauthentication(Login.WithToken(currentToken));
        }

        {
            var issue = await connection.IssueReconnectCredentialAsync(reconnects, cancellationToken);
        }

        {
            var binding = connection.DeriveBinding("example.org/chat/1")
                ?? throw new NotSupportedException("This connection cannot be told from another one.");
        }

        {
            if (!connection.RecordUserActivity())
            {
                Console.WriteLine("The user was away for too long.");
            }
        }

        {
            Console.WriteLine(connection.ToString());
        }

        {
            connection.Abort();
        }

        {
            await connection.DisposeAsync();
        }
    }

    [System.Runtime.Versioning.UnsupportedOSPlatform("android")]
    [System.Runtime.Versioning.UnsupportedOSPlatform("browser")]
    [System.Runtime.Versioning.UnsupportedOSPlatform("ios")]
    [System.Runtime.Versioning.UnsupportedOSPlatform("tvos")]
    [System.Runtime.Versioning.UnsupportedOSPlatform("windows")]
    internal static void Identities(
        Identity identity, SocketsHttpHandler handler, MLDsa mlDsaKey, X509Certificate2 certificate,
        X509Certificate2 intermediate, AsymmetricAlgorithm key, char[] password)
    {
        {
            Console.WriteLine($"expires at {identity.Certificate.NotAfter:u}");
        }

        {
            Console.WriteLine($"{identity.Intermediates.Length} intermediates are sent");
        }

        {
            handler.SslOptions.ClientCertificateContext = identity.TlsContext;
        }

        {
            var loaded = Identity.From(certificate, intermediate);
        }

        {
            var read = Identity.FromPem(File.ReadAllText("server.pem"), File.ReadAllText("server.key"), password);
        }

        {
            var fromFiles = Identity.FromPemFiles("server.pem", "server.key");
        }

        {
            var withOpenKey = Identity.FromPem(File.ReadAllText("server.pem"), key);
        }

        {
            var quantumSafe = Identity.FromPem(File.ReadAllText("server.pem"), mlDsaKey);
        }

        {
            var fromEngine = Identity.FromOpenSslEngine("server.pem", "pkcs11", "pkcs11:token=server;object=key;pin-source=file:/run/pin");
        }

        {
            var fromProvider = Identity.FromOpenSslProvider("server.pem", "tpm2", "handle:0x81000007");
        }

        {
            var fromStore = Identity.FromStore(StoreName.My, StoreLocation.CurrentUser, certificate.Thumbprint);
        }

        {
            var fromPkcs12 = Identity.FromPkcs12File("server.p12", password);
        }

        {
            var chosen = Identity.FromPkcs12File("servers.p12", password, certificate => certificate.DnsNames.Contains("server.example"));
        }

        {
            Console.WriteLine(identity.ToString());
        }
    }

    internal static void Anchors(TrustAnchors anchors, X509Certificate2 certificate, X509Certificate2 intermediate)
    {
        {
            var noCertificates = TrustAnchors.None;
        }

        {
            foreach (var anchor in anchors.Certificates)
            {
                Console.WriteLine($"{anchor} expires at {anchor.NotAfter:u}");
            }
        }

        {
            Console.WriteLine($"{anchors.Intermediates.Length} intermediates are known in advance");
        }

        {
            var fromText = TrustAnchors.FromPem(File.ReadAllText("authority.pem"));
        }

        {
            var wholeText = TrustAnchors.FromPem(File.ReadAllText("authority.pem"), UnreadableAnchors.Refuse);
        }

        {
            var wholeFiles = TrustAnchors.FromPemFiles(UnreadableAnchors.Refuse, "authority.pem");
        }

        {
            var allPublicAuthorities = TrustAnchors.MachineRoots(UnreadableAnchors.Refuse);
        }

        {
            foreach (var unreadable in anchors.LeftOut)
            {
                Console.WriteLine(unreadable);
            }
        }

        {
            var fromFiles = TrustAnchors.FromPemFiles("authority.pem", "partner.pem");
        }

        {
            var loaded = TrustAnchors.From(certificate);
        }

        {
            var fromDer = TrustAnchors.FromDer(File.ReadAllBytes("authority.cer"));
        }

        {
            var publicAuthorities = TrustAnchors.MachineRoots();
        }

        {
            var withIntermediate = anchors.WithIntermediates(intermediate);
        }

        {
            var withIntermediates = anchors.WithIntermediatesFromPem(File.ReadAllText("intermediates.pem"));
        }

        {
            var constrained = anchors.WithConstraints(new AnchorConstraints { PermittedSubtrees = [GeneralSubtree.Dns("corp.example")] });
        }

        {
            var partner = anchors;
            {
                var ownAndPartner = TrustAnchors.Together(anchors, partner);
            }
        }

        {
            Console.WriteLine(anchors.ToString());
        }
    }

    internal static void Rules()
    {
        {
            var dialled = Authorize.ServerName;
        }

        {
            var ofPolicy = Authorize.AllOf(Authorize.Dns("client.example"), Authorize.Policy("1.3.6.1.4.1.99999.1"));
        }

        {
            var dialledInFull = Authorize.ServerNameBy(WildcardPolicy.Refused);
        }

        {
            var everyPeer = Authorize.AnyTrustedPeer;
        }

        {
            var compared = Authorize.VerifiedKey;
        }

        {
            var mailService = Authorize.Service("_imaps.example.org");
        }

        {
            var service = Authorize.Service(ServiceName.Of("imaps", DnsName.Parse("example.org")));
        }

        {
            var organization = Authorize.OrganizationIdentifier("PSDGB-FCA-123456");
        }

        {
            var register = Authorize.OrganizationIdentifier(OrganizationIdentifier.Parse("NTRGB-01234567"));
        }

        {
            var qualified = Authorize.Qualified(QcType.Website);
        }

        {
            var accountInformation = Authorize.Psd2Role(Psd2Role.AccountInformation);
        }

        {
            var noPeer = Authorize.Nobody;
        }

        {
            var dns = Authorize.Dns("client.example");
        }

        {
            var dnsName = Authorize.Dns(DnsName.Parse("client.example"));
        }

        {
            var uri = Authorize.Uri("urn:example:client");
        }

        {
            var workload = Authorize.SpiffeId("spiffe://prod.example/billing");
        }

        {
            var workloadId = Authorize.SpiffeId(SpiffeId.Parse("spiffe://prod.example/billing"));
        }

        {
            var member = Authorize.MemberOf("prod.example");
        }

        {
            var domainMember = Authorize.MemberOf(TrustDomain.Parse("prod.example"));
        }

        {
            var email = Authorize.Email("alice@corp.example");
        }

        {
            var emailAddress = Authorize.Email(EmailAddress.Parse("alice@corp.example"));
        }

        {
            var principal = Authorize.UserPrincipalName("alice@corp.example");
        }

        {
            var jabber = Authorize.OtherName("1.3.6.1.5.5.7.8.5", "juliet@im.example");
        }

        {
            var address = Authorize.IPAddress("192.0.2.7");
        }

        {
            var loopback = Authorize.IPAddress(IPAddress.Loopback);
        }

        {
            var subject = Authorize.Subject("CN=client,O=Example");
        }

        {
            var subjectName = Authorize.Subject(DistinguishedName.Parse("CN=client,O=Example"));
        }

        {
            var issuer = Authorize.Issuer("CN=Clients CA,O=Example");
        }

        {
            var issuerName = Authorize.Issuer(DistinguishedName.Parse("CN=Clients CA,O=Example"));
        }

        {
            var department = Authorize.Where(
                "it has a name of the laboratory",
                context => context.Certificate.DnsNames.Any(name => name.EndsWith(".lab.example", StringComparison.Ordinal)));
        }

        {
            var compliant = Authorize.Fact("posture", "compliant", "true");
        }

        {
            var patched = Authorize.WhereFacts(
                "its system is of this year",
                facts => facts.Any(fact => fact.Source == "posture" && fact.Name == "os-year" && fact.Value == "2026"));
        }

        {
            var either = Authorize.AnyOf(Authorize.Dns("a.example"), Authorize.Dns("b.example"));
        }

        {
            var both = Authorize.AllOf(Authorize.Issuer("CN=Clients CA,O=Example"), Authorize.Dns("client.example"));
        }

        {
            var configured = Authorize.Parse(["dns client.example", "upn alice@corp.example"]);
        }

        {
            var following = Authorize.From(new AuthorizationFile("clients.txt"));
        }
    }
}
