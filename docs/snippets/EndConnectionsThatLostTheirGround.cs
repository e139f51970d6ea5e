using MutualAuth.Authorization;
using MutualAuth.Connections;
using MutualAuth.Revocation;

namespace MutualAuth.Snippets;

/// <summary>docs/how-to/end-connections-that-lost-their-ground.md</summary>
internal static class EndConnectionsThatLostTheirGround
{
    internal static void Options(MutualTlsServerOptions serverOptions)
    {
        // snippet
        var live = new MutualTlsServer(serverOptions with
        {
            Trust = new TrustAnchorFiles(["authority.pem"]),
            Authorization = Authorize.From(new AuthorizationFile("allowed.txt")),
            Revocation = new RevocationPolicy { Lists = new RevocationListFiles(["issuing.crl"]) },
            LiveConnections = new LiveConnectionPolicy
            {
                GracePeriod = TimeSpan.FromSeconds(10),
                MaximumAge = TimeSpan.FromHours(8),
                OnGroundLost = connection => Console.WriteLine($"{connection.Peer.Name}: {connection.LostGround!.Rejection.Reason.ToCode()}"),
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
            // Drained while idle, aborted, or the peer went away: LostGround is null in the last case.
        }

        await connection.DisposeAsync();
        // end
    }

    internal static void Clear()
    {
        // snippet
        var lists = new ReplaceableRevocationLists(RevocationLists.FromFiles("issuing.crl"));
        lists.Replace(RevocationLists.DangerouslyUnchecked);    // said by name; an empty file never does this
        lists.Replace(RevocationLists.FromFiles("issuing.crl"));
        // end
    }
}
