namespace MutualAuth.Snippets;

/// <summary>The pages of docs/how-to, and what follows from them.</summary>
internal static class HowTo
{
    internal static void AnotherRule()
    {
        // snippet
        var rule = Authorize.AnyOf(Authorize.Dns("alice.test"), Authorize.Dns("mallory.test"));
        // end
    }

    internal static void SpiffeServer()
    {
        // snippet
        var backend = new MutualTlsServer(new MutualTlsServerOptions
        {
            Identity = Identity.FromPemFiles("svid.pem", "svid.key"),
            Trust = TrustAnchors.FromPemFiles("bundle.pem"),
            Authorization = Authorize.AnyOf(
                Authorize.SpiffeId("spiffe://example.org/frontend"),
                Authorize.AllOf(
                    Authorize.MemberOf("example.org"),
                    Authorize.Where("its path begins with /batch/", peer => peer.Certificate.Uris[0].StartsWith("spiffe://example.org/batch/", StringComparison.Ordinal)))),
        });
        // end
    }

    internal static async Task SpiffeClientAsync(CancellationToken cancellationToken)
    {
        // snippet
        var workload = new MutualTlsClient(new MutualTlsClientOptions
        {
            Identity = Identity.FromPemFiles("svid.pem", "svid.key"),
            Trust = TrustAnchors.FromPemFiles("bundle.pem"),
            Authorization = Authorize.SpiffeId("spiffe://example.org/backend"),   // no DNS name is asked for
        });
        await using var toBackend = await workload.ConnectAsync("10.0.0.7", 8443, cancellationToken);
        Console.WriteLine(toBackend.Peer.SpiffeId);
        // end
    }

    internal static void Revocation(MutualTlsServerOptions serverOptions)
    {
        // snippet
        var checking = serverOptions with
        {
            Revocation = new RevocationPolicy { Lists = RevocationLists.FromFiles("root.crl", "issuing.crl") },
            DenyList = DenyList.FromFile("denied.txt"),
        };
        // end
    }

    // snippet
    public sealed class ListsFromFiles(params string[] paths) : IRevocationListSource
    {
        private volatile RevocationLists _current = RevocationLists.FromFiles(paths);

        public RevocationLists Current => _current;

        // Called by a timer of yours. What cannot be read leaves the last good lists, which stop counting at their next update.
        public void Reload() => _current = RevocationLists.FromFiles(paths);
    }
    // end

    internal static async Task ByNameAsync(MutualTlsServer blue, MutualTlsServer green, MutualTlsServerOptions serverOptions)
    {
        // snippet
        var byName = new Dictionary<string, MutualTlsServer> { ["blue.example"] = blue, ["green.example"] = green };
        var front = new MutualTlsServer(serverOptions with
        {
            SelectServer = (hello, self, cancellation) => ValueTask.FromResult(
                hello.ServerName is { } name ? byName.GetValueOrDefault(name) : null),   // null: unrecognized_name
        });
        await using var shared = MutualTlsListener.Start(new MutualTlsListenerOptions { Server = front, EndPoint = new IPEndPoint(IPAddress.IPv6Any, 8443) });
        // end
    }

    internal static void ByTenant(MutualTlsServerOptions serverOptions)
    {
        // snippet
        var tenants = new MutualTlsServer(serverOptions with
        {
            SelectServer = async (hello, self, cancellation) =>
                hello.ServerName is { } tenant ? await FindAsync(tenant, cancellation) : self,
        });

        static async Task<MutualTlsServer?> FindAsync(string tenant, CancellationToken cancellation)
        {
            await Task.Delay(1, cancellation);   // your directory
            return null;                         // a tenant that it does not know
        }
        // end
    }

    internal static async Task DiagnoseAsync(MutualTlsClient client, CancellationToken cancellationToken)
    {
        // snippet
        try
        {
            await using var tried = await client.ConnectAsync("server.example", 8443, cancellationToken);
        }
        catch (HandshakeException problem)
        {
            Console.Error.WriteLine($"{problem.Failure}: {problem.Reason.ToCode()}");
            Console.Error.WriteLine($"  expected  {problem.Rejection.Expected}");
            Console.Error.WriteLine($"  presented {problem.Rejection.Presented}");
            Console.Error.WriteLine($"  at        {problem.Rejection.Element ?? "the peer as a whole"}, {problem.Rejection.Rule ?? "no published rule"}");
            Console.Error.WriteLine($"  do        {problem.Rejection.Hint ?? "see docs/reference/rejections.md"}");
            Console.Error.WriteLine($"  they said {problem.PeerReason?.ToCode() ?? "nothing"}");
        }
        // end
    }

    internal static void Judge(MutualTlsClientOptions clientOptions, X509Certificate2 certificate)
    {
        // snippet
        var stage = new CertificateStage(clientOptions);
        var evidence = new PeerEvidence(PeerRole.Server, [certificate.RawDataMemory]) { DialledName = ServerName.Parse("server.example") };
        if (stage.Judge(evidence, DateTimeOffset.UtcNow) is CertificateVerdict.Rejected verdict)
        {
            Console.Error.WriteLine(verdict.Rejection);
        }
        // end
    }

    internal static async Task DrainAsync(MutualTlsListenerOptions listenerOptions)
    {
        // snippet
        await using var serving = MutualTlsListener.Start(listenerOptions);
        using var terminate = System.Runtime.InteropServices.PosixSignalRegistration.Create(System.Runtime.InteropServices.PosixSignal.SIGTERM, signal =>
        {
            signal.Cancel = true;
            _ = serving.StopAsync(TimeSpan.FromSeconds(20));
        });

        await foreach (var next in serving.AcceptAllAsync())     // ends by itself
        {
            _ = ServeOneAsync(next);
        }

        await serving.StopAsync(TimeSpan.FromSeconds(20));       // waits for the stop that is under way

        static async Task ServeOneAsync(MutualTlsConnection next)
        {
            await using (next)
            {
                var request = new byte[1024];
                while (!next.DrainRequested.IsCancellationRequested)
                {
                    int count;
                    try
                    {
                        count = await next.Stream.ReadAsync(request, next.DrainRequested);
                    }
                    catch (OperationCanceledException)
                    {
                        break;                                   // idle: nothing is lost
                    }

                    if (count == 0)
                    {
                        break;
                    }

                    await next.Stream.WriteAsync(request.AsMemory(0, count), CancellationToken.None);   // finish what was begun
                }
            }
        }
        // end
    }

    internal static void Pins(MutualTlsClientOptions clientOptions)
    {
        // snippet
        var pinned = clientOptions with
        {
            Pins = PinSet.Of(
                SpkiPin.Parse("sha256/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="),    // the key in use
                SpkiPin.Parse("sha256/AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE="))    // the key that comes next
                .ExpiringAt(new DateTimeOffset(2028, 1, 1, 0, 0, 0, TimeSpan.Zero))
                .ReportOnly(),                                                           // on trial: log, and let in
        };
        // end
    }

    internal static void PinOf(X509Certificate2 certificate)
    {
        // snippet
        Console.WriteLine(SpkiPin.Of(certificate));
        // end
    }

    internal static void Policies(MutualTlsServerOptions serverOptions)
    {
        // snippet
        var careful = serverOptions with { Confirmation = ConfirmationPolicy.Preferred };   // the default
        var strict = serverOptions with { Confirmation = ConfirmationPolicy.Required };     // the aim
        // end
    }

    internal static void NotConfirmed(MutualTlsConnection connection, ILogger logger)
    {
        // snippet
        if (!connection.IsConfirmed)
        {
            logger.LogWarning("Not confirmed yet: {Peer} at {RemoteEndPoint}", connection.Peer.Name, connection.RemoteEndPoint);
        }
        // end
    }

    internal static async Task RefusedLateAsync(MutualTlsConnection connection, byte[] buffer, CancellationToken cancellationToken)
    {
        // snippet
        try
        {
            await connection.Stream.ReadExactlyAsync(buffer, cancellationToken);
        }
        catch (IOException exception) when (connection.TryGetRefusal(exception, out var refusal))
        {
            Console.Error.WriteLine($"refused after all: {refusal!.PeerReason?.ToCode()}");
        }
        // end
    }

    internal static async Task StartTlsClientAsync(MutualTlsClient client, CancellationToken cancellationToken)
    {
        // snippet
        using var dialled = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await dialled.ConnectAsync("mail.example", 4190, cancellationToken);
        var plain = new NetworkStream(dialled, ownsSocket: true);

        await plain.WriteAsync("STARTTLS\r\n"u8.ToArray(), cancellationToken);
        if (await ReadLineAsync(plain, cancellationToken) != "OK")
        {
            await plain.DisposeAsync();
            return;                                           // never go on in plain text
        }

        await using var secured = await client.UpgradeAsync(plain, "mail.example", cancellationToken);

        // Octet by octet: what a buffer would read beyond the line belongs to TLS.
        static async Task<string> ReadLineAsync(Stream from, CancellationToken cancellation)
        {
            var line = new List<byte>();
            var octet = new byte[1];
            while (line.Count < 512 && await from.ReadAsync(octet, cancellation) == 1 && octet[0] != '\n')
            {
                line.Add(octet[0]);
            }

            return System.Text.Encoding.ASCII.GetString([.. line]).TrimEnd('\r');
        }
        // end
    }

    internal static async Task StartTlsServerAsync(MutualTlsServer server, Stream stream, CancellationToken cancellationToken)
    {
        // snippet
        await stream.WriteAsync("OK\r\n"u8.ToArray(), cancellationToken);
        await using var accepted = await server.AcceptAsync(stream, cancellationToken);
        // end
    }
}
