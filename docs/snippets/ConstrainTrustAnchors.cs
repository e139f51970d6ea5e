namespace MutualAuth.Snippets;

/// <summary>docs/how-to/constrain-trust-anchors.md</summary>
internal static class ConstrainTrustAnchors
{
    internal static void Names(MutualTlsServerOptions serverOptions)
    {
        // snippet
        var own = TrustAnchors.FromPemFiles("authority.pem");
        var partner = TrustAnchors.FromPemFiles("partner.pem").WithConstraints(new AnchorConstraints
        {
            PermittedSubtrees = [GeneralSubtree.Parse("dns partner.example"), GeneralSubtree.Parse("uri partner.example")],
            MaximumIntermediates = 1,
        });
        var trusting = serverOptions with { Trust = TrustAnchors.Together(own, partner) };
        // end
    }

    internal static void Policies(TrustAnchors own, MutualTlsConnection connection)
    {
        // snippet
        var assured = own.WithConstraints(new AnchorConstraints { RequiredPolicies = ["1.3.6.1.4.1.99999.1"], InhibitAnyPolicy = true });
        var rule = Authorize.AllOf(Authorize.Dns("client.example"), Authorize.Policy("1.3.6.1.4.1.99999.1"));
        var policies = connection.Peer.Policies;    // 1.3.6.1.4.1.99999.1
        // end
    }
}
