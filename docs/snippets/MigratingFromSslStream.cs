namespace MutualAuth.Snippets;

/// <summary>docs/migrating-from-sslstream.md</summary>
internal static class MigratingFromSslStream
{
    internal static async Task BeforeAsync()
    {
        // snippet
        var authorityFile = X509CertificateLoader.LoadCertificateFromFile("authority.pem");
        var listening = new TcpListener(IPAddress.Any, 8443);
        listening.Start();
        while (true)
        {
            var tcp = await listening.AcceptTcpClientAsync();
            var tls = new SslStream(tcp.GetStream(), false, (_, peer, chain, errors) =>
            {
                if (peer is null)
                {
                    return false;
                }

                chain!.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
                chain.ChainPolicy.CustomTrustStore.Add(authorityFile);
                chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
                return chain.Build((X509Certificate2)peer) && peer.Subject.Contains("CN=client");
            });
            await tls.AuthenticateAsServerAsync(X509CertificateLoader.LoadPkcs12FromFile("server.p12", "secret"), clientCertificateRequired: true, checkCertificateRevocation: false);
            _ = Task.Run(() => tls.CopyToAsync(tls));
        }
        // end
    }

    internal static async Task AfterAsync(CancellationToken cancellationToken)
    {
        // snippet
        await using var started = MutualTlsListener.Start(new MutualTlsListenerOptions
        {
            EndPoint = new IPEndPoint(IPAddress.IPv6Any, 8443),
            Server = new MutualTlsServer(new MutualTlsServerOptions
            {
                Identity = Identity.FromPkcs12File("server.p12", "secret"),
                Trust = TrustAnchors.FromPemFiles("authority.pem"),
                Authorization = Authorize.Dns("client.example"),
            }),
            OnHandshakeFailed = failed => Console.Error.WriteLine(failed.Message),
        });
        await foreach (var accepted in started.AcceptAllAsync(cancellationToken))
        {
            _ = EchoAsync(accepted);
        }

        static async Task EchoAsync(MutualTlsConnection accepted)
        {
            await using (accepted)
            {
                await accepted.Stream.CopyToAsync(accepted.Stream);
            }
        }
        // end
    }
}
