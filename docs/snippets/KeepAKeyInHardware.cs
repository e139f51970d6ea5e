using System.Security.Cryptography;

namespace MutualAuth.Snippets;

/// <summary>docs/how-to/keep-a-key-in-hardware.md</summary>
internal static class KeepAKeyInHardware
{
    internal static void Engine()
    {
        if (OperatingSystem.IsLinux())
        {
            // snippet
            var identity = Identity.FromOpenSslEngine("server.pem", "pkcs11", "pkcs11:token=server;object=tls;type=private?pin-source=file:/run/secrets/pin");
            // end
            // snippet
            var tpm = Identity.FromOpenSslProvider("server.pem", "tpm2", "handle:0x81000007");
            // end
        }
    }

    internal static void Renew()
    {
        if (OperatingSystem.IsLinux())
        {
            // snippet
            using var key = new ECDsaOpenSsl(SafeEvpPKeyHandle.OpenPrivateKeyFromEngine("pkcs11", "pkcs11:token=server;object=tls;type=private"));
            using var identity = IdentityFiles.FromPem("server.pem", key, new IdentityCheck { Role = PeerRole.Server });
            // end
        }
    }

    internal static void Store()
    {
        // snippet
        var identity = Identity.FromStore(StoreName.My, StoreLocation.CurrentUser, "00112233445566778899AABBCCDDEEFF00112233445566778899AABBCCDDEEFF");
        // end
    }
}
