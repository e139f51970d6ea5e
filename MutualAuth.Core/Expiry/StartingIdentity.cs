using MutualAuth.Certificates;
using MutualAuth.Paths;
using MutualAuth.Trust;

namespace MutualAuth.Expiry;

/// <summary>What peers are likely to reject in the identities with which a server or client starts.</summary>
internal static class StartingIdentity
{
    /// <summary>A sentence for each; empty when there is nothing to say. Never throws.</summary>
    /// <param name="sources">Our own kinds of sources, which have their identity at hand.</param>
    /// <param name="role">The part that we play with them.</param>
    /// <param name="trust">What we trust ourselves, which in a system of one authority is what peers trust; null when that is not known.</param>
    /// <param name="time">The clock.</param>
    internal static IEnumerable<string> ProblemsOf(
        IEnumerable<IIdentitySource> sources, PeerRole role, ITrustAnchorSource? trust, TimeProvider time)
    {
        var problems = new List<string>();
        try
        {
            var at = time.GetUtcNow();
            foreach (var identity in sources.Select(source => source.Current).Distinct())
            {
                // A trust of the application's own is not asked: that might block, or throw.
                var known = trust is TrustAnchors or TrustAnchorFiles or ReplaceableTrustAnchors ? trust : null;
                if (ProblemOf(identity, role, known, at) is { } problem)
                {
                    problems.Add(problem);
                }
            }
        }
        catch (Exception)
        {
            // A clock of the application's that throws: handshakes say so.
        }

        return problems;
    }

    private static string? ProblemOf(Identity identity, PeerRole role, ITrustAnchorSource? trust, DateTimeOffset at) =>
        (new IdentityCheck { Role = role }.Examine(identity, at)
            ?? (trust is null ? null : new IdentityCheck { Role = role, Trust = trust }.Examine(identity, at)))?.Message
        ?? (role == PeerRole.Server ? NamelessServer(identity.Certificate) : null);

    private static string? NamelessServer(Certificate certificate) =>
        certificate.DnsNames.IsEmpty && certificate.IPAddresses.IsEmpty && certificate.Uris.IsEmpty
            ? $"The certificate {certificate} has no subject alternative name with a DNS name, IP address or URI: no client finds in it the name "
                + "that it dialled. Have it issued again with the names under which the server is dialled."
            : null;
}
