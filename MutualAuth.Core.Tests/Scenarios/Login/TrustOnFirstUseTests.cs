using MutualAuth.Testing;
using MutualAuth.Tests.Support;
using MutualAuth.Trust;
using MutualAuth.Validation;

namespace MutualAuth.Tests.Scenarios;

/// <summary>
/// Equal peers that no authority vouches for: each keeps the other's key at the first meeting, and both ends know when it is another one later.
/// </summary>
[CancelAfter(60000)]
public sealed class TrustOnFirstUseTests
{
    private KnownPeersInMemory _alices = null!;
    private KnownPeersInMemory _bobs = null!;
    private TestCertificate _alice = null!;
    private TestCertificate _bob = null!;

    [SetUp]
    public void SetUp()
    {
        (_alices, _bobs) = (new KnownPeersInMemory(), new KnownPeersInMemory());
        (_alice, _bob) = (SelfSigned.Issue("alice"), SelfSigned.Issue("bob"));
    }

    [TearDown]
    public void TearDown()
    {
        _alice.Dispose();
        _bob.Dispose();
    }

    [Test]
    public async Task Two_strangers_meet_and_know_each_other_from_then_on()
    {
        await using (var ends = await MeetAsync(_alice, _bob))
        {
            ends.Client.Accepted.Peer.Name.Should().Be("bob");
            ends.Server.Accepted.Peer.Name.Should().Be("alice");
        }

        _alices.Peers["bob"].Key.Should().Be(SelfSigned.Known("bob", _bob).Key);
        _bobs.Peers["alice"].Key.Should().Be(SelfSigned.Known("alice", _alice).Key);
        await using var again = await MeetAsync(_alice, _bob, KnownPeers.Only(_alices), KnownPeers.Only(_bobs));
        again.Client.Accepted.IsConfirmed.Should().BeTrue();
    }

    [Test]
    public async Task Who_is_forgotten_loses_the_live_connection_and_a_newcomer_takes_nobodys([Values] bool isForgotten)
    {
        await using var ends = await MeetAsync(_alice, _bob);
        using var carol = SelfSigned.Issue("carol");
        await using var others = await MeetAsync(carol, _bob);

        (await _bobs.ForgetAsync(isForgotten ? "alice" : "carol")).Should().BeTrue();

        var (loses, stays) = isForgotten ? (ends, others) : (others, ends);
        await loses.Server.Accepted.NoLongerValid.WaitHandleAsync();
        loses.Server.Accepted.Invalidation!.Rejection.Reason.Should().Be(RejectionReason.UnknownAuthority);
        stays.Server.Accepted.Invalidation.Should().BeNull();
    }

    [Test]
    public async Task A_client_with_a_new_key_is_rejected_and_both_ends_know()
    {
        await (await MeetAsync(_alice, _bob)).DisposeAsync();
        using var other = SelfSigned.Issue("alice");

        await using var ends = await MeetAsync(other, _bob);

        ends.Server.Refusal.Reason.Should().Be(RejectionReason.PeerKeyChanged);
        ends.Client.Refusal.Failure.Should().Be(HandshakeFailure.RefusedByPeer);
        ends.Client.Refusal.PeerReason.Should().Be(PublicReason.CertificateUnknown);
        _bobs.Peers["alice"].Key.Should().Be(SelfSigned.Known("alice", _alice).Key);
    }

    [Test]
    public async Task A_server_with_a_new_key_is_rejected_and_both_ends_know()
    {
        await (await MeetAsync(_alice, _bob)).DisposeAsync();
        using var other = SelfSigned.Issue("bob");

        await using var ends = await MeetAsync(_alice, other);

        ends.Client.Refusal.Reason.Should().Be(RejectionReason.PeerKeyChanged);
        ends.Server.Refusal.Failure.Should().Be(HandshakeFailure.RefusedByPeer);
        ends.Server.Refusal.PeerReason.Should().Be(PublicReason.Refused);
    }

    [Test]
    public async Task Whom_an_asynchronous_validator_turns_away_is_not_kept()
    {
        await using var ends = await MeetAsync(_alice, _bob, server: options => options with { AsyncValidators = [new SaysNo()] });

        ends.Server.Refusal.Reason.Should().Be(RejectionReason.ValidatorRefused);
        _bobs.Peers.Should().BeEmpty();
    }

    [Test]
    public async Task Whom_the_authorization_rule_turns_away_is_not_kept()
    {
        await using var ends = await MeetAsync(_alice, _bob, server: options => options with { Authorization = Authorize.Dns("carol") });

        ends.Server.Refusal.Reason.Should().Be(RejectionReason.NotAuthorized);
        _bobs.Peers.Should().BeEmpty();
    }

    [Test]
    public async Task A_peer_that_cannot_confirm_where_that_is_required_is_not_kept()
    {
        await using var ends = await MeetAsync(
            _alice,
            _bob,
            client: options => options with { Confirmation = ConfirmationPolicy.Required },
            server: options => options with { Confirmation = ConfirmationPolicy.Never });

        ends.Client.Refusal.Failure.Should().Be(HandshakeFailure.NoAgreement);
        _alices.Peers.Should().BeEmpty();
    }

    [Test]
    public async Task A_peer_whose_key_cannot_be_kept_is_rejected_and_told_to_come_back()
    {
        await using var ends = await MeetAsync(_alice, _bob, bobs: KnownPeers.TrustOnFirstUse(await FullAsync()));

        ends.Server.Refusal.Reason.Should().Be(RejectionReason.PeerNotRemembered);
        ends.Client.Refusal.PeerReason.Should().Be(PublicReason.InternalError);
    }

    [Test]
    public async Task Of_two_first_uses_at_once_with_two_keys_exactly_one_is_accepted()
    {
        using var other = SelfSigned.Issue("alice");
        var gate = new Gate(2);
        MutualTlsServerOptions Gated(MutualTlsServerOptions options) => options with { AsyncValidators = [gate] };

        // Both have passed the certificate stage, where nobody was known yet, before either goes on.
        var both = await Task.WhenAll(MeetAsync(_alice, _bob, server: Gated), MeetAsync(other, _bob, server: Gated));

        both.Count(ends => ends.Server.Connection is not null).Should().Be(1);
        both.Count(ends => ends.Client.Connection is not null).Should().Be(1);
        both.Single(ends => ends.Server.Connection is null).Server.Refusal.Reason.Should().Be(RejectionReason.PeerKeyChanged);
        foreach (var ends in both)
        {
            await ends.DisposeAsync();
        }
    }

    [Test]
    public async Task Whom_another_process_has_added_or_forgotten_in_the_file_counts_at_the_next_handshake()
    {
        using var folder = new TemporaryFolder();
        var ours = KnownPeersFile.OpenOrCreate(folder["known"]);
        var theirs = KnownPeersFile.OpenOrCreate(folder["known"]);
        await theirs.AddAsync(SelfSigned.Known("alice", _alice));

        await using (var ends = await MeetAsync(_alice, _bob, bobs: KnownPeers.Only(ours)))
        {
            ends.Server.Accepted.Peer.Name.Should().Be("alice");
        }

        await theirs.ForgetAsync("alice");
        await using var again = await MeetAsync(_alice, _bob, bobs: KnownPeers.Only(ours));
        again.Server.Refusal.Reason.Should().Be(RejectionReason.UnknownAuthority);
    }

    private Task<ConnectedPair> MeetAsync(
        TestCertificate alice,
        TestCertificate bob,
        ITrustSource? alices = null,
        ITrustSource? bobs = null,
        Func<MutualTlsClientOptions, MutualTlsClientOptions>? client = null,
        Func<MutualTlsServerOptions, MutualTlsServerOptions>? server = null)
    {
        var clientOptions = new MutualTlsClientOptions
        { Identity = World.ToIdentity(alice), Trust = alices ?? KnownPeers.TrustOnFirstUse(_alices), Authorization = Authorize.AnyTrustedPeer };
        var serverOptions = new MutualTlsServerOptions
        { Identity = World.ToIdentity(bob), Trust = bobs ?? KnownPeers.TrustOnFirstUse(_bobs), Authorization = Authorize.AnyTrustedPeer };
        return ConnectedPair.ShakeAsync(client?.Invoke(clientOptions) ?? clientOptions, server?.Invoke(serverOptions) ?? serverOptions, "bob");
    }

    private static async Task<KnownPeerStore> FullAsync()
    {
        var store = new KnownPeersInMemory(maxPeers: 1);
        using var carol = SelfSigned.Issue("carol");
        await store.AddAsync(SelfSigned.Known("carol", carol));
        return store;
    }

    private sealed class SaysNo : IAsyncPeerValidator
    {
        public ValueTask<Rejection?> ExamineAsync(AuthenticatedPeer peer, CancellationToken cancellationToken) =>
            new(new Rejection(RejectionReason.ValidatorRefused, "somebody else", peer.Name));
    }

    private sealed class Gate(int awaited) : IAsyncPeerValidator
    {
        private readonly TaskCompletionSource _open = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private int _missing = awaited;

        public async ValueTask<Rejection?> ExamineAsync(AuthenticatedPeer peer, CancellationToken cancellationToken)
        {
            if (Interlocked.Decrement(ref _missing) == 0)
            {
                _open.SetResult();
            }

            await _open.Task.WaitAsync(cancellationToken);
            return null;
        }
    }
}
