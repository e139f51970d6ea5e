using System.Net.Http.Json;

namespace MutualAuth.Snippets;

/// <summary>docs/how-to/check-posture.md</summary>
internal static class Posture
{
    internal static void Options(MutualTlsServerOptions serverOptions, HttpClient inventory)
    {
        // snippet
        var gateway = new MutualTlsServer(serverOptions with
        {
            AsyncValidators = [new DevicePosture(inventory)],
            Authorization = Authorize.AllOf(Authorize.MemberOf("devices.example"), Authorize.Fact("posture", "compliant", "true")),
            Revalidation = new RevalidationPolicy { OnUnauthorized = InvalidationAction.Abort },
        });
        // end
    }

    internal static void Use(MutualTlsConnection connection)
    {
        // snippet
        var encrypted = connection.Peer.Facts.Any(fact => fact is { Source: "posture", Name: "disk-encrypted", Value: "true" });
        var mayReadSecrets = Authorize.Fact("posture", "disk-encrypted", "true").Examine(connection.Peer, TimeProvider.System.GetUtcNow()) is null;
        // end
        Console.WriteLine($"{encrypted} {mayReadSecrets}");
    }

    // snippet
    internal sealed class DevicePosture(HttpClient inventory) : IPeerFactValidator
    {
        public string Name => "posture";

        public async ValueTask<PeerFactVerdict> AskAsync(AuthenticatedPeer peer, CancellationToken cancellationToken)
        {
            var path = $"devices/{peer.Certificate!.Thumbprint}";                  // never an address that the peer supplies
            var report = await inventory.GetFromJsonAsync<Report>(path, cancellationToken);
            return report is null || report.IsStolen
                ? PeerFactVerdict.Refused("a device that its owner has", "one that was reported stolen")
                : PeerFactVerdict.Holds(
                    TimeSpan.FromMinutes(5),
                    new PeerFact("compliant", report.IsCompliant ? "true" : "false"),
                    new PeerFact("disk-encrypted", report.HasEncryptedDisk ? "true" : "false"));
        }
    }

    internal sealed record Report(bool IsCompliant, bool IsStolen, bool HasEncryptedDisk);
    // end
}
