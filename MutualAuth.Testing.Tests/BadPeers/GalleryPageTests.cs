using System.Text;
using MutualAuth.Testing.BadPeers;
using MutualAuth.Testing.Tests.Support;

namespace MutualAuth.Testing.Tests.BadPeers;

/// <summary>docs/reference/gallery.md is the gallery, told to people: its table is what the code says, to the letter.</summary>
public sealed class GalleryPageTests
{
    private const string Page = "docs/reference/gallery.md";

    [Test]
    public void The_page_holds_exactly_the_gallery()
    {
        var rows = SourceTree.Read(Page).Split('\n').Where(line => line.StartsWith("| `", StringComparison.Ordinal)).ToList();
        var expected = Gallery.All.Select(Row).ToList();

        if (!rows.SequenceEqual(expected))
        {
            Assert.Fail($"The table of {Page} is not the gallery's. It must read:\n{Table()}");
        }
    }

    [Test]
    public void Every_reason_of_the_gallery_has_a_row_among_the_rejections()
    {
        var page = SourceTree.Read("docs/reference/rejections.md");

        Gallery.All.Select(peer => peer.Reason.ToCode()).Distinct().Should().OnlyContain(code => page.Contains($"`{code}`"));
    }

    private static string Table() => Gallery.All.Aggregate(new StringBuilder(), (text, peer) => text.Append(Row(peer)).Append('\n')).ToString();

    private static string Row(BadPeer peer) => string.Join(
        " | ",
        $"| `{peer.Name}`",
        peer.Story,
        peer.Rule,
        peer.Incident ?? "—",
        peer.OnlyAs?.ToString().ToLowerInvariant() ?? "both",
        peer.RequiredCheck == RequiredCheck.Nothing ? "—" : $"`{peer.RequiredCheck}`",
        $"`{ReasonOf(peer).ToCode()}` |");

    /// <summary>The page speaks of a platform that has ML-DSA.</summary>
    private static RejectionReason ReasonOf(BadPeer peer) => peer.Name switch
    {
        nameof(Gallery.ForgedMLDsaSignature) => RejectionReason.SignatureInvalid,
        nameof(Gallery.RevokedByMLDsaList) => RejectionReason.CertificateRevoked,
        _ => peer.Reason,
    };
}
