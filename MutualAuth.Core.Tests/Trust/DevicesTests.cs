using Microsoft.Extensions.Logging.Testing;
using MutualAuth.Evidence;
using MutualAuth.Names;
using MutualAuth.Paths;
using MutualAuth.Testing;
using MutualAuth.Tests.Support;
using MutualAuth.Trust;
using MutualAuth.Validation;
using GeneralName = MutualAuth.Testing.GeneralName;

namespace MutualAuth.Tests.Trust;

/// <summary>Several devices of one person, mail addresses as names, and keys that people have compared.</summary>
public sealed class DevicesTests
{
    private static readonly DateTimeOffset s_now = DateTimeOffset.UtcNow;
    private static readonly DateTimeOffset s_compared = new(2026, 2, 1, 12, 0, 0, TimeSpan.Zero);

    private string _directory = null!;
    private string _path = null!;

    [SetUp]
    public void SetUp()
    {
        _directory = Directory.CreateTempSubdirectory("devices").FullName;
        _path = Path.Combine(_directory, "known-peers");
    }

    [TearDown]
    public void TearDown() => Directory.Delete(_directory, recursive: true);

    [Test]
    public async Task Each_device_of_a_person_is_the_person_and_no_other_key_is([Values] bool inFile)
    {
        using var phone = SelfSigned.Issue("alice");
        using var laptop = SelfSigned.Issue("alice");
        using var stranger = SelfSigned.Issue("alice");
        var store = Store(inFile);
        await store.AddAsync(SelfSigned.Known("alice", phone));
        Reason(store, laptop).Should().Be(RejectionReason.PeerKeyChanged, "a device is never added by itself");

        (await store.AddDeviceAsync(SelfSigned.Known("alice", laptop) with { Device = "laptop" })).Should().BeTrue();

        Reason(store, phone).Should().BeNull();
        Reason(store, laptop).Should().BeNull();
        Reason(store, stranger).Should().Be(RejectionReason.PeerKeyChanged);
        store.DevicesOf("alice").Select(device => device.Device).Should().Equal(null, "laptop");
        store.Peers["alice"].Key.Should().Be(KeyOf(phone));
    }

    [Test]
    public async Task A_device_that_is_removed_is_nobody_and_the_others_stay([Values] bool inFile, [Values] bool first)
    {
        using var phone = SelfSigned.Issue("alice");
        using var laptop = SelfSigned.Issue("alice");
        var store = Store(inFile);
        await store.AddAsync(SelfSigned.Known("alice", phone));
        await store.AddDeviceAsync(SelfSigned.Known("alice", laptop) with { Device = "laptop" });
        var lost = 0;
        KnownPeers.Only(store).Replaced += (_, _) => lost++;

        (await store.RemoveDeviceAsync("alice", KeyOf(first ? phone : laptop))).Should().BeTrue();

        lost.Should().Be(1);
        var trust = KnownPeers.TrustOnFirstUse(inFile ? KnownPeersFile.Open(_path) : store);
        ReasonAgain(trust, phone).Should().Be(first ? RejectionReason.PeerKeyChanged : null);
        ReasonAgain(trust, laptop).Should().Be(first ? null : RejectionReason.PeerKeyChanged);
        (await store.RemoveDeviceAsync("alice", KeyOf(first ? phone : laptop))).Should().BeFalse();
    }

    /// <summary>Over sockets: the connection of the device that is removed ends, and that of the other one goes on.</summary>
    [Test]
    [CancelAfter(60_000)]
    public async Task Removing_a_device_ends_its_connections_and_no_others(CancellationToken cancellationToken)
    {
        using var phone = SelfSigned.Issue("alice");
        using var laptop = SelfSigned.Issue("alice");
        using var bob = SelfSigned.Issue("bob");
        var store = new KnownPeersInMemory();
        await store.AddAsync(SelfSigned.Known("alice", phone), cancellationToken);
        await store.AddDeviceAsync(SelfSigned.Known("alice", laptop) with { Device = "laptop" }, cancellationToken);
        var server = new MutualTlsServer(Options(bob, KnownPeers.Only(store)));
        await using var byPhone = await DialAsync(phone, bob, server);
        await using var byLaptop = await DialAsync(laptop, bob, server);

        await store.RemoveDeviceAsync("alice", KeyOf(phone), cancellationToken);

        var ended = new TaskCompletionSource();
        await using var registration = byPhone.Server.Accepted.NoLongerValid.Register(() => ended.TrySetResult());
        await ended.Task.WaitAsync(ConnectedPair.Deadline, cancellationToken);
        byPhone.Server.Accepted.Invalidation!.Rejection.Reason.Should().Be(RejectionReason.PeerKeyChanged);
        byLaptop.Server.Accepted.NoLongerValid.IsCancellationRequested.Should().BeFalse();
        await byLaptop.Client.Accepted.Stream.WriteAsync(new byte[] { 7 }, cancellationToken);
        await byLaptop.Server.Accepted.Stream.ReadExactlyAsync(new byte[1], cancellationToken);
    }

    [Test]
    public async Task A_device_needs_a_person_a_label_and_a_key_of_its_own([Values] bool inFile)
    {
        using var phone = SelfSigned.Issue("alice");
        using var laptop = SelfSigned.Issue("alice");
        var store = Store(inFile);
        var device = SelfSigned.Known("alice", laptop) with { Device = "laptop" };

        (await store.AddDeviceAsync(device)).Should().BeFalse("nobody is known by that name");
        await store.AddAsync(SelfSigned.Known("alice", phone));
        (await store.AddDeviceAsync(SelfSigned.Known("alice", phone) with { Device = "tablet" })).Should().BeFalse("the key is there");
        (await store.AddDeviceAsync(device)).Should().BeTrue();
        (await store.AddDeviceAsync(device)).Should().BeFalse();
        await store.Awaiting(it => it.AddDeviceAsync(SelfSigned.Known("alice", laptop)).AsTask()).Should().ThrowAsync<ArgumentException>();
        await store.Awaiting(it => it.AddAsync(device).AsTask()).Should().ThrowAsync<ArgumentException>();
        device.Invoking(it => it with { Device = "two words" }).Should().Throw<FormatException>();
        device.Invoking(it => it with { Device = string.Empty }).Should().Throw<FormatException>();
    }

    [Test]
    public async Task Devices_count_towards_the_bound()
    {
        using var phone = SelfSigned.Issue("alice");
        using var laptop = SelfSigned.Issue("alice");
        var store = new KnownPeersInMemory(maxPeers: 1);
        await store.AddAsync(SelfSigned.Known("alice", phone));

        await store.Awaiting(it => it.AddDeviceAsync(SelfSigned.Known("alice", laptop) with { Device = "laptop" }).AsTask())
            .Should().ThrowAsync<MaterialException>();
    }

    [Test]
    public async Task Keys_of_devices_and_what_was_compared_survive_a_restart()
    {
        using var phone = SelfSigned.Issue("alice");
        using var laptop = SelfSigned.Issue("alice");
        var store = KnownPeersFile.OpenOrCreate(_path);
        await store.AddAsync(SelfSigned.Known("alice", phone));
        await store.AddDeviceAsync(SelfSigned.Known("alice", laptop) with { Device = "laptop" });
        await store.VerifyAsync("alice", PeerFingerprint.Of(KeyOf(laptop)), s_compared);

        var devices = KnownPeersFile.Open(_path).DevicesOf("alice");

        devices.Select(device => (device.Device, device.VerifiedAt)).Should().Equal((null, null), ("laptop", s_compared));
        File.ReadAllText(_path).Should().Contain("verified=2026-02-01T12:00:00Z device=laptop").And.Contain("# revision 3\n");
    }

    [TestCase("device=laptop verified=2026-02-01T12:00:00Z")]
    [TestCase("verified=yes")]
    [TestCase("verified=2026-02-01T12:00:00Z verified=2026-02-01T12:00:00Z")]
    [TestCase("device=")]
    [TestCase("device=a/b")]
    [TestCase("trusted")]
    public void What_is_not_known_behind_a_key_is_an_error(string more)
    {
        using var phone = SelfSigned.Issue("alice");
        Write($"{SelfSigned.Known("alice", phone)} {more}\n");

        FluentActions.Invoking(() => KnownPeersFile.Open(_path)).Should().Throw<MaterialException>().WithMessage("Line 1*");
    }

    [TestCase(null, null, false)]
    [TestCase(null, "a", true)]
    [TestCase("a", null, false)]
    [TestCase("a", "a", false)]
    [TestCase("a", "b", true)]
    public void A_second_line_of_a_name_is_a_device_only_with_a_label_of_its_own(string? first, string? second, bool isRead)
    {
        using var phone = SelfSigned.Issue("alice");
        using var laptop = SelfSigned.Issue("alice");
        Write($"{SelfSigned.Known("alice", phone) with { Device = first }}\n{SelfSigned.Known("alice", laptop) with { Device = second }}\n");

        var open = FluentActions.Invoking(() => KnownPeersFile.Open(_path));

        _ = isRead ? (object)open.Should().NotThrow() : open.Should().Throw<MaterialException>();
    }

    [Test]
    public async Task A_key_is_verified_by_the_digits_of_its_own([Values] bool inFile, [Values] bool ofBoth)
    {
        using var phone = SelfSigned.Issue("alice");
        using var impostor = SelfSigned.Issue("alice");
        using var bob = SelfSigned.Issue("bob");
        var store = Store(inFile);
        await store.AddAsync(SelfSigned.Known("alice", phone));
        var peer = Peer(store, phone);
        PeerFingerprint Read(TestCertificate theirs) =>
            ofBoth ? PeerFingerprint.OfBoth(KeyOf(bob), KeyOf(theirs)) : PeerFingerprint.Of(KeyOf(theirs));

        (await store.VerifyAsync("alice", Read(impostor), s_compared, KeyOf(bob))).Should().BeFalse();
        (await store.VerifyAsync("bob", Read(phone), s_compared, KeyOf(bob))).Should().BeFalse();
        (await store.VerifyAsync("alice", Read(phone), s_compared)).Should().Be(!ofBoth, "of both keys says nothing without our own");
        peer.IsKeyVerified.Should().Be(!ofBoth);
        (await store.VerifyAsync("alice", Read(phone), s_compared, KeyOf(bob))).Should().BeTrue();

        peer.IsKeyVerified.Should().BeTrue("the answer is that of the moment");
        store.Peers["alice"].VerifiedAt.Should().Be(s_compared);
        (await store.VerifyAsync("alice", Read(phone), s_now, KeyOf(bob))).Should().BeTrue();
        store.Peers["alice"].VerifiedAt.Should().Be(s_compared, "the first time counts");
    }

    [Test]
    public async Task A_rule_may_demand_a_key_that_was_compared()
    {
        using var phone = SelfSigned.Issue("alice");
        using var laptop = SelfSigned.Issue("alice");
        var store = new KnownPeersInMemory();
        Reason(store, phone, Authorize.VerifiedKey).Should().Be(RejectionReason.PeerNotVerified, "at a first meeting nothing was compared");
        await store.AddAsync(SelfSigned.Known("alice", phone));
        await store.AddDeviceAsync(SelfSigned.Known("alice", laptop) with { Device = "laptop" });
        Reason(store, phone, Authorize.VerifiedKey).Should().Be(RejectionReason.PeerNotVerified);
        var connected = Peer(store, phone);
        Authorize.VerifiedKey.Examine(connected, s_now)!.Reason.Should().Be(RejectionReason.PeerNotVerified);

        await store.VerifyAsync("alice", PeerFingerprint.Of(KeyOf(phone)), s_compared);

        Reason(store, phone, Authorize.VerifiedKey).Should().BeNull();
        Authorize.VerifiedKey.Examine(connected, s_now).Should().BeNull();
        Reason(store, laptop, Authorize.VerifiedKey).Should().Be(RejectionReason.PeerNotVerified, "each device is compared by itself");
    }

    [Test]
    public void A_peer_of_an_authority_has_no_key_that_was_compared()
    {
        using var authority = new TestAuthority("Ours");
        using var client = authority.IssueClient("client.test");
        CertificateVerdict Judged(AuthorizationRule rule) =>
            new CertificateStage(new CertificateStageOptions { Trust = authority.ToTrustAnchors(), Authorization = rule })
                .Judge(new PeerEvidence(PeerRole.Client, [client.RawCertificate]), s_now);

        Judged(Authorize.AnyTrustedPeer).Should().BeOfType<CertificateVerdict.Accepted>().Which.Peer.IsKeyVerified.Should().BeNull();
        Judged(Authorize.VerifiedKey).Should().BeOfType<CertificateVerdict.Rejected>()
            .Which.Rejection.Reason.Should().Be(RejectionReason.PeerNotVerified);
    }

    [Test]
    public async Task A_connection_loses_its_ground_when_its_key_no_longer_counts_as_compared()
    {
        using var phone = SelfSigned.Issue("alice");
        var store = KnownPeersFile.OpenOrCreate(_path);
        await store.AddAsync(SelfSigned.Known("alice", phone));
        await store.VerifyAsync("alice", PeerFingerprint.Of(KeyOf(phone)), s_compared);
        var lost = 0;
        KnownPeers.Only(store).Replaced += (_, _) => lost++;

        Write(File.ReadAllText(_path).Replace(" verified=2026-02-01T12:00:00Z", string.Empty, StringComparison.Ordinal));
        await store.RefreshAsync(new FakeLogger(), default);

        lost.Should().Be(1);
        Peer(store, phone).IsKeyVerified.Should().BeFalse();
    }

    private static readonly object[][] s_mailboxes =
    [
        Mailbox("email:alice@example.org", GeneralName.Email("alice@example.org"), "CN=alice@example.org"),
        Mailbox("email:Alice@example.org", GeneralName.Email("Alice@example.org"), "CN=Alice@example.org"),
        Mailbox("email:älice@example.org", GeneralName.SmtpUtf8Mailbox("älice@example.org"), "CN=älice@example.org"),
        Mailbox(null, GeneralName.Email("alice@EXAMPLE.org"), "CN=alice@example.org"),
        Mailbox(null, GeneralName.Email("alice@example.org"), "CN=alice"),
        Mailbox(null, GeneralName.Email("alice@example.org"), "CN=Alice@example.org"),
        Mailbox(null, GeneralName.Email("alice"), "CN=alice"),
        Mailbox(null, GeneralName.SmtpUtf8Mailbox("alice@example.org"), "CN=alice@example.org"),
    ];

    [TestCaseSource(nameof(s_mailboxes))]
    public async Task A_mail_address_is_a_name_in_one_spelling(string? name, GeneralName presented, string subject)
    {
        using var alice = SelfSigned.Issue(
            "alice", spec => spec with { Subject = subject, Issuer = subject, DnsNames = [], OtherNames = [presented] });
        var store = new KnownPeersInMemory();

        var verdict = Judge(KnownPeers.TrustOnFirstUse(store), alice, Authorize.AnyTrustedPeer);

        (verdict as CertificateVerdict.Accepted)?.Peer.Name.Should().Be(name);
        (verdict is CertificateVerdict.Rejected { Rejection.Reason: RejectionReason.ProfileViolated }).Should().Be(name is null);
        if (name is not null)
        {
            await store.AddAsync(SelfSigned.Known(name, alice));
            Judge(KnownPeers.Only(store), alice, Authorize.AnyTrustedPeer).Should().BeOfType<CertificateVerdict.Accepted>();
        }
    }

    [TestCase("email:alice@EXAMPLE.org")]
    [TestCase("alice@example.org")]
    [TestCase("email:alice")]
    [TestCase("uri:urn:x")]
    [TestCase("EMAIL:alice@example.org")]
    public void Another_spelling_is_no_name(string name)
    {
        using var alice = SelfSigned.Issue("alice");

        FluentActions.Invoking(() => SelfSigned.Known(name, alice)).Should().Throw<FormatException>();
    }

    [Test]
    public async Task An_older_copy_of_the_file_is_refused_while_the_process_runs()
    {
        using var phone = SelfSigned.Issue("alice");
        using var laptop = SelfSigned.Issue("alice");
        var store = KnownPeersFile.OpenOrCreate(_path);
        await store.AddAsync(SelfSigned.Known("alice", phone));
        await store.AddDeviceAsync(SelfSigned.Known("alice", laptop) with { Device = "laptop" });
        var older = File.ReadAllText(_path);
        await store.RemoveDeviceAsync("alice", KeyOf(laptop));
        var log = new FakeLogger();

        Write(older);
        await store.RefreshAsync(log, default);

        store.DevicesOf("alice").Should().ContainSingle("the last good list stays in force");
        log.Collector.GetSnapshot().Should().ContainSingle(entry => entry.Message.Contains("older copy", StringComparison.Ordinal));
        await store.Awaiting(it => it.AddAsync(SelfSigned.Known("carol", laptop)).AsTask()).Should().ThrowAsync<MaterialException>();
    }

    [Test]
    public async Task An_older_copy_of_the_file_is_refused_after_a_restart_where_there_is_a_witness([Values] bool hasWitness)
    {
        using var phone = SelfSigned.Issue("alice");
        using var laptop = SelfSigned.Issue("alice");
        var witness = RevisionFile.Create(Path.Combine(_directory, "revision"));
        var store = KnownPeersFile.OpenOrCreate(_path, witness: witness);
        await store.AddAsync(SelfSigned.Known("alice", phone));
        await store.AddDeviceAsync(SelfSigned.Known("alice", laptop) with { Device = "laptop" });
        var older = File.ReadAllText(_path);
        await store.RemoveDeviceAsync("alice", KeyOf(laptop));
        witness.Highest.Should().Be(3);
        Write(older);

        var open = FluentActions.Invoking(() => KnownPeersFile.Open(
            _path, witness: hasWitness ? RevisionFile.Open(Path.Combine(_directory, "revision")) : null));

        _ = hasWitness ? (object)open.Should().Throw<MaterialException>().WithMessage("*older copy*") : open.Should().NotThrow();
    }

    [Test]
    public async Task A_witness_that_is_behind_follows_and_one_that_fails_is_a_failure()
    {
        using var phone = SelfSigned.Issue("alice");
        await KnownPeersFile.OpenOrCreate(_path).AddAsync(SelfSigned.Known("alice", phone));
        var behind = RevisionFile.Create(Path.Combine(_directory, "revision"));

        KnownPeersFile.Open(_path, witness: behind);

        behind.Highest.Should().Be(1);
        var store = KnownPeersFile.Open(_path, witness: behind);
        File.Delete(Path.Combine(_directory, "revision"));
        await store.Awaiting(it => it.ForgetAsync("alice").AsTask()).Should().ThrowAsync<MaterialException>();
        store.Peers.Should().ContainKey("alice");
    }

    [Test]
    public async Task A_witness_that_throws_leaves_the_last_good_list_and_takes_no_key()
    {
        using var phone = SelfSigned.Issue("alice");
        using var carol = SelfSigned.Issue("carol");
        var witness = new FaultyWitness();
        var store = KnownPeersFile.OpenOrCreate(_path, witness: witness);
        await store.AddAsync(SelfSigned.Known("alice", phone));
        witness.Fails = true;
        var log = new FakeLogger();

        Write(File.ReadAllText(_path) + "# touched\n");
        await store.RefreshAsync(log, default);
        await store.Awaiting(it => it.AddAsync(SelfSigned.Known("carol", carol)).AsTask()).Should().ThrowAsync<MaterialException>();

        store.Peers.Keys.Should().Equal("alice");
        log.Collector.GetSnapshot().Should().ContainSingle();
        FluentActions.Invoking(() => KnownPeersFile.Open(_path, witness: witness)).Should().Throw<MaterialException>();
    }

    /// <summary>
    /// Two stores on one file, as two processes have them: every device is kept, each label once, and the revision counts each change.
    /// </summary>
    [Test]
    public async Task Devices_that_are_added_at_once_are_all_kept_and_each_label_once()
    {
        const int Devices = 12;
        using var phone = SelfSigned.Issue("alice");
        KnownPeersFile[] stores = [KnownPeersFile.OpenOrCreate(_path), KnownPeersFile.Open(_path)];
        await stores[0].AddAsync(SelfSigned.Known("alice", phone));

        // Each label is tried with two keys, through either store.
        var added = await Task.WhenAll(Enumerable.Range(0, 2 * Devices).Select(i => stores[i % 2].AddDeviceAsync(
            new KnownPeer("alice", SpkiPin.OfSubjectPublicKeyInfo([(byte)i]), s_now) { Device = $"device-{i / 2}" }).AsTask()))
            .WaitAsync(ConnectedPair.Deadline);

        added.Count(was => was).Should().Be(Devices);
        KnownPeersFile.Open(_path).DevicesOf("alice").Should().HaveCount(1 + Devices)
            .And.OnlyHaveUniqueItems(device => device.Device).And.OnlyHaveUniqueItems(device => device.Key);
        File.ReadAllText(_path).Should().Contain($"# revision {1 + Devices}\n");
    }

    [TestCase("")]
    [TestCase("3")]
    [TestCase("-3\n")]
    [TestCase("three\n")]
    [TestCase("3\n3\n")]
    [TestCase("99999999999999999999\n")]
    public void A_damaged_witness_says_nothing(string text)
    {
        var path = Path.Combine(_directory, "revision");
        File.WriteAllText(path, text);

        FluentActions.Invoking(() => RevisionFile.Open(path)).Should().Throw<MaterialException>();
        FluentActions.Invoking(() => RevisionFile.Create(path)).Should().Throw<MaterialException>();
    }

    [Test]
    public void A_witness_never_goes_back()
    {
        var witness = RevisionFile.Create(Path.Combine(_directory, "revision"));
        witness.Advance(7);
        witness.Advance(3);

        RevisionFile.Open(Path.Combine(_directory, "revision")).Highest.Should().Be(7);
    }

    [TestCase("# revision 1\n# revision 2\n")]
    [TestCase("revision 1\n")]
    public void A_malformed_revision_is_an_error(string text)
    {
        Write(text);

        FluentActions.Invoking(() => KnownPeersFile.Open(_path)).Should().Throw<MaterialException>();
    }

    [TestCase("# revision x\n")]
    [TestCase("# revision\n")]
    [TestCase("# revision -1\n")]
    [TestCase("# revision 1 2\n")]
    [TestCase("# revision 9223372036854775807\n")]
    public void A_comment_that_is_no_revision_counts_nothing_so_that_a_witness_refuses_it(string text)
    {
        Write(text);
        var witness = RevisionFile.Create(Path.Combine(_directory, "revision"));
        KnownPeersFile.Open(_path, witness: witness);
        witness.Advance(1);

        FluentActions.Invoking(() => KnownPeersFile.Open(_path, witness: witness)).Should().Throw<MaterialException>().WithMessage("*older copy*");
    }

    [Test]
    public async Task A_file_that_counts_nothing_begins_to_count_where_there_is_a_witness([Values] bool hasWitness)
    {
        using var phone = SelfSigned.Issue("alice");
        Write("# mine\n");
        var store = KnownPeersFile.Open(_path, witness: hasWitness ? RevisionFile.Create(Path.Combine(_directory, "revision")) : null);

        await store.AddAsync(SelfSigned.Known("alice", phone));

        File.ReadAllText(_path).Should().StartWith(hasWitness ? "# revision 1\n# mine\n" : "# mine\nalice ");
    }

    private static object[] Mailbox(string? name, GeneralName presented, string subject) => [name!, presented, subject];

    private static SpkiPin KeyOf(TestCertificate certificate) => SpkiPin.OfSubjectPublicKeyInfo(certificate.Key.SubjectPublicKeyInfo.Span);

    private KnownPeerStore Store(bool inFile) => inFile ? KnownPeersFile.OpenOrCreate(_path) : new KnownPeersInMemory();

    private void Write(string text)
    {
        // Beside it and then over it, as an editor does: the change shows in the file's stamp.
        File.WriteAllText(_path + ".new", text);
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(_path + ".new", UnixFileMode.UserRead | UnixFileMode.UserWrite);
        }

        File.Move(_path + ".new", _path, overwrite: true);
    }

    private static RejectionReason? Reason(KnownPeerStore store, TestCertificate peer, AuthorizationRule? rule = null) =>
        (Judge(KnownPeers.TrustOnFirstUse(store), peer, rule ?? Authorize.AnyTrustedPeer) as CertificateVerdict.Rejected)?.Rejection.Reason;

    private static RejectionReason? ReasonAgain(KnownPeers trust, TestCertificate peer) =>
        new CertificateStage(new CertificateStageOptions { Trust = trust, Authorization = Authorize.AnyTrustedPeer })
            .Rejudge(Evidence(peer), [], s_now, s_now, out _)?.Reason;

    private static AuthenticatedPeer Peer(KnownPeerStore store, TestCertificate peer) =>
        Judge(KnownPeers.Only(store), peer, Authorize.AnyTrustedPeer).Should().BeOfType<CertificateVerdict.Accepted>().Subject.Peer;

    private static CertificateVerdict Judge(KnownPeers trust, TestCertificate peer, AuthorizationRule rule) =>
        new CertificateStage(new CertificateStageOptions { Trust = trust, Authorization = rule }).Judge(Evidence(peer), s_now);

    private static PeerEvidence Evidence(TestCertificate peer) => new(PeerRole.Client, [peer.RawCertificate]);

    private static MutualTlsServerOptions Options(TestCertificate own, KnownPeers trust) =>
        new() { Identity = own.ToIdentity(), Trust = trust, Authorization = Authorize.AnyTrustedPeer };

    private static async Task<ConnectedPair> DialAsync(TestCertificate own, TestCertificate bob, MutualTlsServer server)
    {
        var bobs = new KnownPeersInMemory();
        await bobs.AddAsync(SelfSigned.Known("bob", bob));
        var (clientSocket, serverSocket) = await ConnectedPair.SocketPairAsync();
        var client = new MutualTlsClient(
            new MutualTlsClientOptions { Identity = own.ToIdentity(), Trust = KnownPeers.Only(bobs), Authorization = Authorize.AnyTrustedPeer });
        return await ConnectedPair.ShakeAsync(client.UpgradeAsync(clientSocket, "bob"), server.AcceptAsync(serverSocket));
    }

    private sealed class FaultyWitness : IRevisionWitness
    {
        internal bool Fails { get; set; }

        public long Highest
        {
            get => Fails ? throw new TimeoutException("the counter does not answer") : field;
            private set;
        }

        public void Advance(long revision) => Highest = Fails ? throw new TimeoutException("the counter does not answer") : revision;
    }
}
