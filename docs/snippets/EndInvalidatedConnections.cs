namespace MutualAuth.Snippets;

/// <summary>docs/how-to/end-invalidated-connections.md</summary>
internal static class EndInvalidatedConnections
{
    internal static void Options(MutualTlsServerOptions serverOptions)
    {
        // snippet
        var live = new MutualTlsServer(serverOptions with
        {
            Trust = new TrustAnchorFiles(["authority.pem"]),
            Authorization = Authorize.From(new AuthorizationFile("allowed.txt")),
            Revocation = new RevocationPolicy { Lists = new RevocationListFiles(["issuing.crl"]) },
            Revalidation = new RevalidationPolicy
            {
                GracePeriod = TimeSpan.FromSeconds(10),
                MaximumAge = TimeSpan.FromHours(8),
                OnInvalidated = connection => Console.WriteLine($"{connection.Peer.Name}: {connection.Invalidation!.Rejection.Reason.ToCode()}"),
            },
        });
        // end
    }

    internal static async Task ServeAsync(MutualTlsConnection connection)
    {
        // snippet
        var request = new byte[1024];
        try
        {
            while (await connection.Stream.ReadAsync(request, connection.DrainRequested) is > 0 and var count)
            {
                await connection.Stream.WriteAsync(request.AsMemory(0, count), CancellationToken.None);   // finish what was begun
            }
        }
        catch (Exception exception) when (exception is IOException or OperationCanceledException)
        {
            // Drained while idle, aborted, or the peer went away: Invalidation is null in the last case.
        }

        await connection.DisposeAsync();
        // end
    }

    internal static async Task ServeOrdersAsync(MutualTlsServerOptions serverOptions, MutualTlsConnection connection, CancellationToken stopping)
    {
        // snippet
        var attended = serverOptions with
        {
            Revalidation = new RevalidationPolicy
            {
                UserInactivityTimeout = TimeSpan.FromMinutes(5),
                OnUserInactive = InvalidationAction.Abort,      // with Drain the grace period comes on top
            },
        };
        // end

        // snippet
        var order = new byte[1024];
        while (await connection.Stream.ReadAsync(order, stopping) is > 0 and var length)
        {
            var isPoll = order[0] == 0;                         // only your protocol knows what a person did
            if (!isPoll && !connection.RecordUserActivity())
            {
                break;                                          // too late: the user logs in again
            }

            await connection.Stream.WriteAsync(order.AsMemory(0, length), stopping);
        }
        // end

        _ = attended;
    }

    internal static void Clear()
    {
        // snippet
        var lists = new ReplaceableRevocationLists(RevocationLists.FromFiles("issuing.crl"));
        lists.Replace(RevocationLists.DangerouslyUnchecked);    // explicit; an empty file never does this
        lists.Replace(RevocationLists.FromFiles("issuing.crl"));
        // end
    }

    internal static void Devices(
        MemoryCredentialStore users,
        IReadOnlyDictionary<PeerName, IEnumerable<string>> assignments,
        IReadOnlyDictionary<PeerName, IEnumerable<string>> fewerAssignments)
    {
        // snippet
        var devices = new ReplaceableUserRule(UserRules.OfDevice(assignments));
        var policy = Require.CertificateAndUser(SaslServer.Scram(users)) with { Users = UserRules.From(devices) };
        devices.Replace(UserRules.OfDevice(fewerAssignments));   // the laptop is no longer hers: her connection from it ends
        // end
        _ = policy;
    }

    internal static void End(MutualTlsServer server)
    {
        // snippet
        var ended = server.EndWhere(peer => peer.User?.Name == "alice", "laptop reported stolen");
        Console.WriteLine($"{ended} ended, {server.Connections.Length} left");
        // end
    }
}
