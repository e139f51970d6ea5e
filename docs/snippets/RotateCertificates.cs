namespace MutualAuth.Snippets;

/// <summary>docs/how-to/rotate-certificates.md</summary>
internal static class RotateCertificates
{
    internal static async Task Follow(ILoggerFactory loggers)
    {
        // snippet
        var watch = new WatchOptions { LoggerFactory = loggers };
        using var trust = new TrustAnchorFiles(["authority.pem"], watch);
        using var identity = IdentityFiles.FromPem(
            "tls.crt", "tls.key", check: new IdentityCheck { Role = PeerRole.Server, Trust = trust, Names = ["server.example"] }, options: watch);
        using var lists = new RevocationListFiles(["authority.crl"], watch);
        using var allowed = new AuthorizationFile("allowed.txt", watch);

        await using var listener = MutualTlsListener.Start(new MutualTlsListenerOptions
        {
            EndPoint = new IPEndPoint(IPAddress.IPv6Any, 8443),
            Server = new MutualTlsServer(new MutualTlsServerOptions
            {
                Identity = identity,
                Trust = trust,
                Revocation = new RevocationPolicy { Lists = lists },
                Authorization = Authorize.From(allowed),
            }),
        });
        // end
    }

    internal static void Hear(IdentityFiles identity)
    {
        // snippet
        identity.Replaced += (_, _) => Console.WriteLine($"now {identity.Current}");
        identity.Refused += (_, refused) => Console.WriteLine($"kept the last good one: {refused.Problem.Message}");
        // end
    }

    internal static void Foresee(IdentityFiles identity, RevocationListFiles lists, ILoggerFactory loggers)
    {
        // snippet
        var foresight = new ExpiryWatchOptions { LoggerFactory = loggers };
        using var ofIdentity = new ExpiryWatch(identity, foresight);
        using var ofLists = new ExpiryWatch(lists, foresight);
        ofIdentity.Expiring += (_, end) => Console.WriteLine($"{end.Name} ends in {end.Left.TotalDays:0} days");
        // end
    }

    internal static void Replace(MutualTlsServerOptions serverOptions, Identity first, Identity next)
    {
        // snippet
        var identity = new ReplaceableIdentity(first);
        var server = new MutualTlsServer(serverOptions with { Identity = identity });
        identity.Replace(next);   // from a vault, when it is time
        // end
    }

    internal static void Several(MutualTlsServerOptions serverOptions, MutualTlsClientOptions clientOptions, Identity blue, Identity green)
    {
        // snippet
        var serving = serverOptions with { Identity = new ServerIdentities(blue, green), SendAcceptableIssuers = true };
        var byServer = clientOptions with { Identity = ClientIdentity.ByServer(name => name == "green.example" ? green : blue) };
        var byIssuers = clientOptions with { Identity = ClientIdentity.ByAcceptableIssuers(blue, green) };
        // end
    }
}
