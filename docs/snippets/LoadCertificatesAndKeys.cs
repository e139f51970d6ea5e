namespace MutualAuth.Snippets;

/// <summary>docs/how-to/load-certificates-and-keys.md</summary>
internal static class LoadCertificatesAndKeys
{
    internal static void Load(char[] password)
    {
        // snippet
        var identity = Identity.FromPemFiles("tls.crt", "tls.key", password);   // no password for a key in the clear
        var trust = TrustAnchors.FromPemFiles("/etc/ssl/certs/ca-certificates.crt", "our-authority.pem");
        foreach (var unreadable in trust.LeftOut)
        {
            Console.WriteLine($"not among the anchors: {unreadable}");
        }
        // end
    }

    internal static void Refuse()
    {
        // snippet
        var whole = TrustAnchors.FromPemFiles(UnreadableAnchors.Refuse, "our-authority.pem");
        using var followed = new TrustAnchorFiles(["our-authority.pem"], UnreadableAnchors.Refuse);
        // end
    }

    internal static void Choose(char[] password)
    {
        // snippet
        var chosen = Identity.FromPkcs12File("servers.p12", password, certificate => certificate.DnsNames.Contains("server.example"));
        // end
    }
}
