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

    internal static async Task VerifyAsync(KnownPeersFile known, MutualTlsConnection connection, SpkiPin own, string typed)
    {
        // snippet
        var isSame = await known.VerifyAsync(connection.Peer.Name, PeerFingerprint.Parse(typed), TimeProvider.System.GetUtcNow(), own);
        Console.WriteLine(isSame ? "compared" : "AN IMPOSTOR MAY BE AT THE OTHER END");
        var mayReadFiles = Authorize.VerifiedKey.Examine(connection.Peer, TimeProvider.System.GetUtcNow()) is null;
        // end
        Console.WriteLine(mayReadFiles);
    }

    internal static async Task AddDeviceAsync(KnownPeersFile known, SpkiPin laptopKey)
    {
        // snippet
        var laptop = new KnownPeer("email:alice@example.org", laptopKey, TimeProvider.System.GetUtcNow()) { Device = "laptop" };
        await known.AddDeviceAsync(laptop);
        await known.RemoveDeviceAsync("email:alice@example.org", laptopKey);       // the laptop's connections end, the telephone's stay
        // end
    }

    internal static KnownPeersFile Witness()
    {
        // snippet
        var witness = RevisionFile.Open("/mnt/other/known-peers.revision");        // RevisionFile.Create, once
        var witnessed = KnownPeersFile.Open("known-peers", witness: witness);
        // end
        return witnessed;
    }

    internal static byte[] Bind(MutualTlsConnection connection)
    {
        // snippet
        var channel = connection.DeriveBinding("example.org/messages/1")
            ?? throw new NotSupportedException("This connection cannot be told from another one.");
        // end
        return [.. channel.Data];
    }

    internal static async Task ForgetAsync(KnownPeersFile known)
    {
        // snippet
        await known.ForgetAsync("alice");
        // end
    }
}
