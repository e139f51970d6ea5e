using MutualAuth.Credentials;
using MutualAuth.Tests.Support;
using MutualAuth.Validation;

namespace MutualAuth.Tests.Scenarios;

/// <summary>Each policy, and who comes with what.</summary>
[CancelAfter(60000)]
public sealed class CredentialPolicyTests
{
    private World _world = null!;
    private MemoryCredentialStore _users = null!;

    [SetUp]
    public async Task SetUp()
    {
        _world = new World();
        _users = await TestUsers.CreateAsync();
    }

    [TearDown]
    public void TearDown() => _world.Dispose();

    [TestCase("certificate", false, false, RejectionReason.NoCertificate)]
    [TestCase("certificate", true, false, null)]
    [TestCase("certificate", false, true, RejectionReason.NoCertificate)]
    [TestCase("certificate", true, true, RejectionReason.CredentialsNotAsked)]
    [TestCase("both", false, false, RejectionReason.NoCertificate)]
    [TestCase("both", true, false, RejectionReason.CredentialsRequired)]
    [TestCase("both", false, true, RejectionReason.NoCertificate)]
    [TestCase("both", true, true, null)]
    [TestCase("user", false, false, RejectionReason.CredentialsRequired)]
    [TestCase("user", true, false, RejectionReason.CredentialsRequired)]
    [TestCase("user", false, true, null)]
    [TestCase("user", true, true, null)]
    [TestCase("either", false, false, RejectionReason.CredentialsRequired)]
    [TestCase("either", true, false, null)]
    [TestCase("either", false, true, null)]
    [TestCase("either", true, true, null)]
    public async Task Who_comes_with_what(string policy, bool certificate, bool user, RejectionReason? reason)
    {
        await using var ends = await ShakeAsync(Client(certificate, user), Policy(policy));

        if (reason is null)
        {
            var peer = ends.Server.Accepted.Peer;
            (peer.Certificate is not null).Should().Be(certificate && policy != "user");
            (peer.User?.Name).Should().Be(user ? "alice" : null);
            var proofs = (certificate && policy != "user" ? PeerProofs.Certificate : PeerProofs.None)
                | (user ? PeerProofs.Password | PeerProofs.ChannelBinding : PeerProofs.None);
            peer.Proofs.Should().Be(proofs);
            ends.Client.Accepted.Peer.Proofs.Should().Be(
                PeerProofs.Certificate | (user ? PeerProofs.Password | PeerProofs.ChannelBinding : PeerProofs.None));
        }
        else
        {
            (reason == RejectionReason.CredentialsNotAsked ? ends.Client : ends.Server).Refusal.Reason.Should().Be(reason);
            ends.Client.Connection.Should().BeNull();
            ends.Server.Connection.Should().BeNull();
        }
    }

    [TestCase("both")]
    [TestCase("either")]
    public async Task No_password_makes_up_for_a_certificate_that_is_not_accepted(string policy)
    {
        using var foreign = _world.Foreign.IssueClient("client.test");
        var client = Client(certificate: true, user: true) with { Identity = World.ToIdentity(foreign) };

        await using var ends = await ShakeAsync(client, Policy(policy));

        ends.Server.Refusal.Reason.Should().Be(RejectionReason.UnknownAuthority);
        ends.Client.Refusal.PeerReason.Should().Be(PublicReason.UnknownCa);
    }

    [TestCase("client.test", true)]
    [TestCase("other.test", false)]
    public async Task The_certificate_stages_own_rule_holds_beside_the_user(string allowed, bool comesIn)
    {
        var server = _world.ServerOptions with { Authorization = Authorize.Dns(allowed), Credentials = Policy("both") };

        await using var ends = await ConnectedPair.ShakeAsync(Client(certificate: true, user: true), server);

        (ends.Server.Failure as HandshakeException)?.Reason.Should().Be(RejectionReason.NotAuthorized);
        (ends.Server.Connection is not null).Should().Be(comesIn);
    }

    [TestCase("client.test", true)]
    [TestCase("laptop.test", false)]
    public async Task A_user_may_be_tied_to_a_device(string device, bool comesIn)
    {
        using var certificate = _world.Authority.IssueClient(device);
        var users = UserRules.OfDevice(
            new Dictionary<PeerName, IEnumerable<string>> { [PeerName.Dns("client.test")] = ["alice"], [PeerName.Dns("laptop.test")] = ["bob"] });

        await using var ends = await ShakeAsync(
            Client(true, true) with { Identity = World.ToIdentity(certificate) }, Policy("both") with { Users = users });

        (ends.Server.Failure as HandshakeException)?.Reason.Should().Be(RejectionReason.UserNotAllowed);
        (ends.Client.Failure as HandshakeException)?.PeerReason.Should().Be(PublicReason.CredentialsWrong);
        (ends.Server.Connection is not null).Should().Be(comesIn);
    }

    [TestCase("alice", true)]
    [TestCase("bob", false)]
    public async Task An_asynchronous_validator_sees_the_user_and_has_the_last_word(string allowed, bool comesIn)
    {
        var server = _world.ServerOptions with { Credentials = Policy("both"), AsyncValidators = [new OnlyUser(allowed)] };

        await using var ends = await ConnectedPair.ShakeAsync(Client(true, true), server);

        (ends.Server.Failure as HandshakeException)?.Reason.Should().Be(RejectionReason.ValidatorRefused);
        (ends.Server.Connection is not null).Should().Be(comesIn);
    }

    [TestCase(ConfirmationPolicy.Never, true)]
    [TestCase(ConfirmationPolicy.Preferred, false)]
    public void Logging_in_without_the_confirmation_protocol_is_a_contradiction_that_construction_reports(
        ConfirmationPolicy confirmation, bool isContradiction)
    {
        var construct = () => new MutualTlsServer(_world.ServerOptions with { Credentials = Policy("user"), Confirmation = confirmation });

        if (isContradiction)
        {
            construct.Should().Throw<ArgumentException>().WithMessage("*Confirmation*");
        }
        else
        {
            construct.Should().NotThrow();
        }
    }

    private CredentialPolicy Policy(string policy) => policy switch
    {
        "certificate" => Require.Certificate,
        "both" => Require.CertificateAndUser(SaslServer.Scram(_users)),
        "user" => Require.User(SaslServer.Scram(_users)),
        _ => Require.CertificateOrUser(SaslServer.Scram(_users)),
    };

    private MutualTlsClientOptions Client(bool certificate, bool user) => _world.ClientOptions with
    {
        Identity = certificate ? _world.ClientIdentity : ClientIdentity.None,
        Credentials = user ? Login.WithPassword("alice", "right") : null,
    };

    private Task<ConnectedPair> ShakeAsync(MutualTlsClientOptions client, CredentialPolicy policy) =>
        ConnectedPair.ShakeAsync(client, _world.ServerOptions with { Credentials = policy });

    private sealed class OnlyUser(string name) : IAsyncPeerValidator
    {
        public ValueTask<Rejection?> ExamineAsync(AuthenticatedPeer peer, CancellationToken cancellationToken) =>
            ValueTask.FromResult(peer.User?.Name == name ? null : new Rejection(RejectionReason.ValidatorRefused, name, "another"));
    }
}
