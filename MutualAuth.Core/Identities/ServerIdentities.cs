using System.Collections.Immutable;
using MutualAuth.Names;
using MutualAuth.Reloading;

namespace MutualAuth.Identities;

/// <summary>
/// Several identities of one server: the client is shown the one whose certificate carries the name that it asks for (RFC 6066 §3).
/// </summary>
/// <remarks>
/// A name that a certificate carries as it is comes before one that a wildcard covers; among equals, what was given first. A client that asks
/// for no name, or for one that none carries, is shown the first identity, and decides for itself. Immutable; the sources may be replaced,
/// and are asked for each handshake.
/// </remarks>
public sealed class ServerIdentities : IIdentitySource, IReloadable, IHasFileRemarks
{
    private readonly ImmutableArray<IIdentitySource> _sources;

    /// <summary>Puts identities together.</summary>
    /// <param name="first">What is shown when nothing fits better.</param>
    /// <param name="others">The others; the caller keeps ownership of all of them.</param>
    /// <exception cref="ArgumentNullException"><paramref name="first"/> or <paramref name="others"/> is null.</exception>
    /// <exception cref="ArgumentException"><paramref name="others"/> holds a null.</exception>
    public ServerIdentities(IIdentitySource first, params IEnumerable<IIdentitySource> others)
    {
        ArgumentNullException.ThrowIfNull(first);
        ArgumentNullException.ThrowIfNull(others);
        _sources = [first, .. others];
        if (_sources.Contains(null!))
        {
            throw new ArgumentException("Expected identities, got a null among them.", nameof(others));
        }
    }

    /// <inheritdoc/>
    public event EventHandler? Replaced
    {
        add
        {
            foreach (var source in _sources.OfType<IReloadable>())
            {
                source.Replaced += value;
            }
        }

        remove
        {
            foreach (var source in _sources.OfType<IReloadable>())
            {
                source.Replaced -= value;
            }
        }
    }

    IReadOnlyCollection<FileRemark> IHasFileRemarks.Remarks =>
        [.. _sources.OfType<IHasFileRemarks>().SelectMany(source => source.Remarks)];

    /// <summary>What is shown to a client that asks for no name.</summary>
    public Identity Current => _sources[0].Current;

    /// <summary>Whether a source has its identity to hand: code of the application's may block, or throw.</summary>
    internal static bool IsAtHand(IIdentitySource source) => source is Identity or IdentityFiles or ReplaceableIdentity;

    /// <summary>The sources that make up another one and have their identity to hand.</summary>
    internal static IEnumerable<IIdentitySource> AtHand(IIdentitySource source) =>
        ((source as ServerIdentities)?._sources ?? [source]).Where(IsAtHand);

    /// <summary>What is shown to a client that asks for this name; null or text that is not a host name counts as none.</summary>
    public Identity For(string? serverName)
    {
        if (!DnsName.TryParse(serverName, out var name))
        {
            return Current;
        }

        var identities = _sources.Select(source => source.Current).ToArray();
        return Array.Find(identities, identity => identity.Certificate.DnsNames.Any(carried => DnsNameMatcher.MatchesExactly(carried, name)))
            ?? Array.Find(identities, identity => identity.Certificate.DnsNames.Any(carried => DnsNameMatcher.Matches(carried, name)))
            ?? identities[0];
    }
}
