namespace MutualAuth.Snippets;

/// <summary>The pages of docs/reference.</summary>
internal static class Reference
{
    internal static void Options()
    {
        // snippet
        var server = new MutualTlsServer(new MutualTlsServerOptions
        {
            Identity = Identity.FromPemFiles("server.pem", "server.key"),   // required
            Trust = TrustAnchors.FromPemFiles("authority.pem"),             // required
            Authorization = Authorize.Dns("client.example"),                // required
            MinimumTlsVersion = TlsVersion.Tls13,
            HandshakeTimeout = TimeSpan.FromSeconds(5),
            CertificateLimits = new CertificateLimits { MaxCertificates = 4 },
        });
        // end
    }

    internal static async Task RejectionsAsync(MutualTlsClient client, CancellationToken cancellationToken)
    {
        // snippet
        try
        {
            await using var connection = await client.ConnectAsync("broker.example", 8883, cancellationToken);
        }
        catch (HandshakeException failure)
        {
            Console.Error.WriteLine($"{failure.Reason.ToCode()}: {failure.Message}");   // both sides' facts, on one line
            if (failure.PeerReason is { } theirs)
            {
                Console.Error.WriteLine($"the peer said {theirs.ToCode()}");
            }
        }
        // end
    }

    internal static void StrictServers(MutualTlsClientOptions clientOptions)
    {
        // snippet
        var plain = clientOptions with { Confirmation = ConfirmationPolicy.Never };         // the server speaks TLS and nothing of ours
        var http = clientOptions with { ApplicationProtocols = ["http/1.1"] };              // or name what it speaks
        // end
    }

    internal static void WithoutCbc(MutualTlsServerOptions serverOptions)
    {
        // snippet
        var withoutCbc = serverOptions with
        {
            CipherSuites =
            [
                TlsCipherSuite.TLS_AES_256_GCM_SHA384, TlsCipherSuite.TLS_CHACHA20_POLY1305_SHA256, TlsCipherSuite.TLS_AES_128_GCM_SHA256,
                TlsCipherSuite.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, TlsCipherSuite.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
                TlsCipherSuite.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, TlsCipherSuite.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
                TlsCipherSuite.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, TlsCipherSuite.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
            ],
        };
        // end
    }

    internal static void PublicCertificates(MutualTlsServerOptions serverOptions)
    {
        // snippet
        var partners = serverOptions with
        {
            Trust = TrustAnchors.FromPemFiles("public-authority.pem"),                      // the one that the partner uses, not all of them
            Authorization = Authorize.AnyOf(Authorize.Dns("as2.partner.example"), Authorize.Dns("as2.other.example")),
            Profile = ValidationProfile.WebPki with { Purpose = PurposeRule.DangerouslyServerAuthForClients },
        };
        // end
    }

    internal static void Names(MutualTlsConnection connection)
    {
        // snippet
        Console.WriteLine(connection.Peer.Name);                                        // email:alice@example.org
        var isAlice = connection.Peer.ProvenName.Equals(PeerName.Email("alice@example.org"));
        // end
        _ = isAlice;
    }

    internal static void Claims()
    {
        // snippet
        var bySpelling = PeerName.Parse("user:alice");                                  // a user of that name
        var byCertificate = PeerName.TryParse("USER:alice", out _);                     // false: no DNS name has a colon
        // end
        _ = (bySpelling, byCertificate);
    }

    internal static void Standards(MutualTlsConnection connection)
    {
        // snippet
        // RFC 9525 name, RFC 5280 path, RFC 8446 session, RFC 7301 protocol
        Console.WriteLine($"{connection.Peer.Name} over {connection.Session.TlsVersion}, {connection.Session.ApplicationProtocol ?? "no protocol"}");
        foreach (var certificate in connection.Peer.Path)
        {
            Console.WriteLine($"  {certificate.Subject} until {certificate.NotAfter:u}");
        }
        // end
    }

    internal static void Telemetry(MutualTlsServerOptions serverOptions)
    {
        // snippet
        using var loggers = LoggerFactory.Create(logging => logging.AddSimpleConsole());
        var observed = serverOptions with { LoggerFactory = loggers };

        using var meters = new MeterListener();
        meters.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Meter.Name == MutualAuthTelemetry.SourceName)
            {
                listener.EnableMeasurementEvents(instrument);
            }
        };
        meters.SetMeasurementEventCallback<double>((instrument, seconds, tags, _) =>
            Console.WriteLine($"{instrument.Name} {seconds:0.000} s {string.Join(' ', tags.ToArray())}"));
        meters.Start();
        // end
    }

    internal static void Wildcards()
    {
        // snippet
        var suffixes = PublicSuffixList.Parse(File.ReadAllText("public_suffix_list.dat"));
        var byList = Authorize.ServerNameBy(WildcardPolicy.Above(suffixes));
        var inFull = Authorize.ServerNameBy(WildcardPolicy.Refused);    // reason wildcard_refused
        // end
    }

    internal static async Task GalleryAsync(EndPoint serverEndPoint)
    {
        // snippet
        using var authority = new TestAuthority();                     // the root that your server is told to trust
        var report = await GalleryRun.AgainstServerAsync(authority, serverEndPoint);
        Console.WriteLine(report);                                     // which peer was wrongly accepted, and why that is wrong
        // end
    }
}
