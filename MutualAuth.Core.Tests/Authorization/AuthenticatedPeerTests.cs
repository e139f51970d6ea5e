using System.Security.Claims;
using MutualAuth.Evidence;
using MutualAuth.Tests.Credentials;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Authorization;

/// <summary>One peer with all that it has proven, and the same as the framework's principal.</summary>
public sealed class AuthenticatedPeerTests
{
    private static readonly AuthenticatedPeer s_device =
        Sasl.PeerOf(new TestPeer { Dns = ["device.test", "alias.test"], Uris = ["https://d.test/1"], Emails = ["d@d.test"] });

    [Test]
    public void A_certificate_alone_is_one_identity()
    {
        var principal = s_device.ToClaimsPrincipal();

        var identity = principal.Identities.Should().ContainSingle().Subject;
        (identity.AuthenticationType, identity.Name, identity.IsAuthenticated).Should().Be(("X509", "device.test", true));
        identity.FindAll(ClaimTypes.Dns).Select(claim => claim.Value).Should().Equal("device.test", "alias.test");
        identity.FindFirst(ClaimTypes.Uri)!.Value.Should().Be("https://d.test/1");
        identity.FindFirst(ClaimTypes.Email)!.Value.Should().Be("d@d.test");
        identity.FindFirst(ClaimTypes.Thumbprint)!.Value.Should().Be(s_device.Certificate!.Thumbprint);
        (s_device.Proofs, s_device.User).Should().Be((PeerProofs.Certificate, null));
    }

    [Test]
    public void A_user_alone_is_one_identity_and_its_name_cannot_be_mistaken_for_that_of_a_certificate()
    {
        var peer = AuthenticatedPeer.WithUser(null, new PeerEvidence(PeerRole.Client, []), User("device.test", null, PeerProofs.Password));

        var identity = peer.ToClaimsPrincipal().Identities.Should().ContainSingle().Subject;
        (identity.AuthenticationType, identity.Name).Should().Be(("SCRAM-SHA-256-PLUS", "device.test"));
        identity.FindAll(ClaimTypes.Dns).Should().BeEmpty();
        (peer.Name, peer.Certificate, peer.Proofs).Should().Be(("user:device.test", null, PeerProofs.Password));
    }

    [Test]
    public void A_user_on_a_device_is_two_identities_and_the_user_comes_first()
    {
        var peer = AuthenticatedPeer.WithUser(s_device, s_device.Evidence, User("alice", "boss", PeerProofs.Password | PeerProofs.ChannelBinding));

        var principal = peer.ToClaimsPrincipal();

        principal.Identity!.Name.Should().Be("boss");
        principal.FindFirst(ClaimTypes.NameIdentifier)!.Value.Should().Be("alice");
        principal.Identities.Select(identity => identity.AuthenticationType).Should().Equal("SCRAM-SHA-256-PLUS", "X509");
        (peer.Name, peer.Proofs).Should().Be(("device.test", PeerProofs.Certificate | PeerProofs.Password | PeerProofs.ChannelBinding));
    }

    [Test]
    public void Claims_of_a_token_stand_beside_who_it_is_and_cannot_say_otherwise()
    {
        Claim[] claims =
            [new("scope", "read"), new(ClaimTypes.Name, "root"), new(
                ClaimTypes.NameIdentifier, "root"), new(ClaimTypes.AuthenticationMethod, "none")];
        var peer = AuthenticatedPeer.WithUser(
            s_device, s_device.Evidence, new AuthenticatedUser("alice", null, "OAUTHBEARER", PeerProofs.Token, [.. claims]));

        var principal = peer.ToClaimsPrincipal();

        principal.FindFirst("scope")!.Value.Should().Be("read");
        principal.Claims.Select(claim => claim.Value).Should().NotContain(["root", "none"]);
    }

    [Test]
    public void Names_with_characters_of_their_own_stay_one_safe_token()
    {
        var peer = AuthenticatedPeer.WithUser(null, new PeerEvidence(PeerRole.Client, []), User("péncil a%b", null, PeerProofs.Password));

        peer.Name.Should().Be("user:péncil%20a%25b");
    }

    private static AuthenticatedUser User(string name, string? actsAs, PeerProofs proofs) => new(name, actsAs, "SCRAM-SHA-256-PLUS", proofs, default);
}
