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
