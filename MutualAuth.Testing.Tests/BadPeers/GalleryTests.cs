using System.Collections.Immutable;
using System.Reflection;
using MutualAuth.Evidence;
using MutualAuth.Names;
using MutualAuth.Pinning;
using MutualAuth.Revocation;
using MutualAuth.Testing.BadPeers;
using MutualAuth.Validation;

namespace MutualAuth.Testing.Tests.BadPeers;

/// <summary>The library's own certificate stage before the whole gallery, in both roles.</summary>
public sealed class GalleryTests
{
    private static readonly TestAuthority s_authority = new("Gallery Root");

    public static IEnumerable<TestCaseData> Cases() =>
        from peer in Gallery.All
        from role in new[] { PeerRole.Client, PeerRole.Server }
        where peer.Plays(role)
        select new TestCaseData(peer, role).SetArgDisplayNames(peer.Name, role.ToString());

    [TestCaseSource(nameof(Cases))]
    public void A_bad_peer_is_rejected_for_its_reason_and_its_good_neighbour_is_let_in(BadPeer peer, PeerRole role)
    {
        using var exhibit = peer.Make(s_authority, role);

        ShouldBeJudgedRightly(exhibit, role, s_authority, "client.test");
    }

    internal static void ShouldBeJudgedRightly(BadPeerCase exhibit, PeerRole role, TestAuthority authority, string client)
    {
        var good = Judge(exhibit, exhibit.Good, role, authority, client);
        var bad = Judge(exhibit, exhibit.Bad, role, authority, client);

        good.Should().BeOfType<CertificateVerdict.Accepted>((good as CertificateVerdict.Rejected)?.Rejection.ToString());
        var rejected = bad.Should().BeOfType<CertificateVerdict.Rejected>().Subject;
        rejected.Rejection.Reason.Should().Be(exhibit.Peer.Reason, rejected.Rejection.ToString());
    }

    [Test]
    public void There_are_at_least_sixty_and_each_is_told_in_full()
    {
        Gallery.All.Should().HaveCountGreaterThanOrEqualTo(60);
        Gallery.All.Select(peer => peer.Name).Should().OnlyHaveUniqueItems();
        Gallery.All.Should().OnlyContain(peer => peer.Story.Length > 20 && peer.Rule.Length > 3);
    }

    [Test]
    public void Every_property_of_the_gallery_is_in_its_list() =>
        Gallery.All.Should().BeEquivalentTo(
            typeof(Gallery).GetProperties(BindingFlags.Static | BindingFlags.Public)
                .Where(property => property.PropertyType == typeof(BadPeer))
                .Select(property => property.GetValue(null)));

    [Test]
    public void A_peer_of_one_role_is_not_made_for_the_other() =>
        FluentActions.Invoking(() => Gallery.NoCertificate.Make(s_authority, PeerRole.Server)).Should().Throw<ArgumentException>();

    private static CertificateVerdict Judge(BadPeerCase exhibit, TestCertificate? shown, PeerRole role, TestAuthority authority, string client)
    {
        var stage = new CertificateStage(new CertificateStageOptions
        {
            Trust = TrustAnchors.From(authority.Certificate),
            Authorization = exhibit.Peer.RequiredCheck switch
            {
                RequiredCheck.ServerName => Authorize.ServerName,
                RequiredCheck.DnsName => Authorize.Dns(client),
                RequiredCheck.SpiffeId => Authorize.MemberOf("gallery.test"),
                _ => Authorize.AnyTrustedPeer,
            },
            Revocation = exhibit.Peer.RequiredCheck == RequiredCheck.Revocation
                ? new RevocationPolicy { Lists = RevocationLists.FromDer(exhibit.Crls.Select(crl => crl.Raw)) }
                : null,
            Pins = exhibit.Peer.RequiredCheck == RequiredCheck.Pins ? PinSet.DangerouslyWithoutBackup(SpkiPin.Parse(exhibit.Pins.Single())) : null,
        });
        ImmutableArray<ReadOnlyMemory<byte>> presented = shown is null ? [] : [shown.RawCertificate, .. shown.RawChain];
        var evidence = new PeerEvidence(role, presented) { DialledName = role == PeerRole.Server ? ServerName.Parse(exhibit.DialledName) : null };
        return stage.Judge(evidence, DateTimeOffset.UtcNow);
    }
}
