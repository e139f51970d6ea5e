using MutualAuth.Trust.Revocation;

namespace MutualAuth.Snippets;

/// <summary>docs/how-to/check-revocation.md</summary>
internal static class CheckRevocation
{
    internal static void Options(MutualTlsServerOptions serverOptions)
    {
        // snippet
        var checking = serverOptions with
        {
            Revocation = new RevocationPolicy { Lists = RevocationLists.FromFiles("root.crl", "issuing.crl") },
            DenyList = DenyList.FromFile("denied.txt"),
        };
        // end
    }

    internal static void Ask(MutualTlsServerOptions serverOptions)
    {
        // snippet
        using var ocsp = new OcspValidator(new OcspOptions
        {
            Responders =
            [
                new OcspEndpoint(new Uri("http://ocsp.example/")),                                                    // every issuer
                new OcspEndpoint(new Uri("http://root.example/ocsp"), DistinguishedName.Parse("CN=Root,O=Example")),  // but this one
            ],
        });
        var asking = serverOptions with { AsyncValidators = [ocsp] };
        // end
    }

    // snippet
    public sealed class ListsFromFiles(params string[] paths) : IRevocationListSource
    {
        private volatile RevocationLists _current = RevocationLists.FromFiles(paths);

        public RevocationLists Current => _current;

        // Called by a timer of yours. What cannot be read leaves the last good lists, which stop counting at their next update.
        public void Reload() => _current = RevocationLists.FromFiles(paths);
    }
    // end
}
