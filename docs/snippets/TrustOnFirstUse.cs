namespace MutualAuth.Snippets;

/// <summary>docs/how-to/trust-on-first-use.md.</summary>
internal static class TrustOnFirstUse
{
    internal static MutualTlsServerOptions Configure(Identity identity)
    {
        // snippet
        var known = KnownPeersFile.OpenOrCreate("known-peers");
        var server = new MutualTlsServerOptions
        {
            Identity = identity,
            Trust = KnownPeers.TrustOnFirstUse(known),
            Authorization = Authorize.AnyTrustedPeer,
            Confirmation = ConfirmationPolicy.Required,
        };
        // end
        return server;
    }

    internal static void Show(Identity identity, MutualTlsConnection connection)
    {
        // snippet
        var own = SpkiPin.OfSubjectPublicKeyInfo(identity.Certificate.SubjectPublicKeyInfo.Span);
        var theirs = SpkiPin.OfSubjectPublicKeyInfo(connection.Peer.Certificate!.SubjectPublicKeyInfo.Span);
        Console.WriteLine(PeerFingerprint.OfBoth(own, theirs));    // the same fourteen groups of five digits at both ends
        // end
    }

    internal static async Task ForgetAsync(KnownPeersFile known)
    {
        // snippet
        await known.ForgetAsync("alice");
        // end
    }
}
