using MutualAuth.Testing.BadPeers;

namespace MutualAuth.Testing.Tests.Support;

/// <summary>Runs with a few peers of the gallery.</summary>
internal static class FewPeers
{
    internal static BadPeer[] Some { get; } = [Gallery.ExpiredLeaf, Gallery.UnknownAuthority, Gallery.CorruptSignature];

    internal static GalleryRunOptions Only(params BadPeer[] peers) => new()
    {
        Except = [.. Gallery.All.Except(peers)],
        Patience = TimeSpan.FromSeconds(10),
    };
}
