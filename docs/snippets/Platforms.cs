namespace MutualAuth.Snippets;

/// <summary>docs/platforms.md</summary>
internal static class Platforms
{
    internal static void Client()
    {
        // snippet
        // Nothing to configure: Linux, Windows and macOS take the same code.
        var client = new MutualTlsClient(new MutualTlsClientOptions
        {
            Identity = Identity.FromPemFiles("client.pem", "client.key"),
            Trust = TrustAnchors.FromPemFiles("authority.pem"),
            Authorization = Authorize.ServerName,
            JudgeServerBeforeShowingIdentity = true,   // the price is below
        });
        // end
    }
}
