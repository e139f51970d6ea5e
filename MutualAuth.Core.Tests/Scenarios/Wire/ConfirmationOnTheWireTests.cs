using System.Buffers.Binary;
using Microsoft.Extensions.Time.Testing;
using MutualAuth.Testing;
using MutualAuth.Testing.Transports;
using MutualAuth.Tests.Support;
using MutualAuth.Validation;

namespace MutualAuth.Tests.Scenarios;

/// <summary>
/// A peer that speaks TLS properly and the confirmation protocol not: every way ends in a typed outcome, and no byte of the application's is lost.
/// </summary>
[CancelAfter(120000)]
public sealed class ConfirmationOnTheWireTests
{

    private static readonly byte[] s_accepted = [1, 0, 2, 0, 0];
    private static readonly byte[] s_accessDenied = [1, 0, 2, 0, 49];

    private World _world = null!;
    private FakeTimeProvider _clock = null!;
    private TestCertificate _serverCertificate = null!;
    private TestCertificate _clientCertificate = null!;

    [SetUp]
    public void SetUp()
    {
        _world = new World { CloseTimeout = World.Moment };
        _clock = new FakeTimeProvider(DateTimeOffset.UtcNow);
        _serverCertificate = _world.Authority.IssueServer("server.test");
        _clientCertificate = _world.Authority.IssueClient("client.test");
    }

    [TearDown]
    public void TearDown()
    {
        _serverCertificate.Dispose();
        _clientCertificate.Dispose();
        _world.Dispose();
    }

    private static IEnumerable<TestCaseData> Sayings()
    {
        static TestCaseData Case(string name, byte[] says, bool thenEnds, RejectionReason reason, HandshakeFailure failure) =>
            new TestCaseData(says, thenEnds, reason, failure).SetArgDisplayNames(name);

        for (var length = 0; length < s_accepted.Length; length++)
        {
            yield return Case(
                $"{length} bytes of a verdict and the end",
                s_accepted[..length],
                true,
                RejectionReason.ConfirmationTruncated,
                HandshakeFailure.TransportLost);
            yield return Case(
                $"{length} bytes of a verdict and silence",
                s_accepted[..length],
                false,
                RejectionReason.HandshakeTimedOut,
                HandshakeFailure.TimedOut);
        }

        yield return Case("an unknown type", [9, 0, 2, 0, 0], false, RejectionReason.ConfirmationMalformed, HandshakeFailure.PeerMisbehaved);
        yield return Case("an oversized frame", [1, 0xff, 0xff, 0, 0], false, RejectionReason.ConfirmationMalformed, HandshakeFailure.PeerMisbehaved);
        yield return Case(
            "a frame of the credential stage", [2, 0, 2, 0, 0], false, RejectionReason.ConfirmationMalformed, HandshakeFailure.PeerMisbehaved);
        yield return Case(
            "application data before the verdict",
            "GET / HTTP/1.1"u8.ToArray(),
            false,
            RejectionReason.ConfirmationMalformed,
            HandshakeFailure.PeerMisbehaved);
        yield return Case("a refusal", s_accessDenied, false, RejectionReason.RefusedByPeer, HandshakeFailure.RefusedByPeer);
        yield return Case(
            "a refusal that nobody has registered", [1, 0, 2, 0x12, 0x34], false, RejectionReason.RefusedByPeer, HandshakeFailure.RefusedByPeer);
    }

    [TestCaseSource(nameof(Sayings))]
    public async Task A_server_says_what_a_client_did(byte[] says, bool thenEnds, RejectionReason reason, HandshakeFailure failure)
    {
        await using var wire = new DuplexPair();
        var us = new HungryStream(wire.Server);
        var ours = End.OfAsync(new MutualTlsServer(_world.ServerOptions with { TimeProvider = _clock }).AcceptAsync(us));
        await using var peer = await ScriptedTlsPeer.AsClientAsync(wire.Client, _clientCertificate);

        await SayAsync(peer, says, thenEnds);
        await RunOutAsync(failure, us, wire.ClientToServer);

        var refusal = (await ours).Refusal;
        (refusal.Failure, refusal.Reason).Should().Be((failure, reason), refusal.Message);
    }

    [TestCaseSource(nameof(Sayings))]
    public async Task A_client_says_what_a_server_did(byte[] says, bool thenEnds, RejectionReason reason, HandshakeFailure failure)
    {
        await using var wire = new DuplexPair();
        var us = new HungryStream(wire.Client);
        var ours = End.OfAsync(new MutualTlsClient(_world.ClientOptions with { TimeProvider = _clock }).UpgradeAsync(us, "server.test"));
        await using var peer = await ScriptedTlsPeer.AsServerAsync(wire.Server, _serverCertificate);

        await SayAsync(peer, says, thenEnds);
        await RunOutAsync(failure, us, wire.ServerToClient);

        var refusal = (await ours).Refusal;
        (refusal.Failure, refusal.Reason).Should().Be((failure, reason), refusal.Message);
    }

    [Test]
    public async Task What_a_client_glues_to_its_verdict_reaches_the_application([Values] TlsVersion version, [Values(1, 4096)] int readSize)
    {
        await using var wire = new DuplexPair();
        wire.ClientToServer.MaxReadSize = readSize;
        var ours = End.OfAsync(new MutualTlsServer(_world.ServerOptions).AcceptAsync(wire.Server));
        await using var peer = await ScriptedTlsPeer.AsClientAsync(wire.Client, _clientCertificate, version);

        await peer.SayAsync([.. s_accepted, .. "hello"u8]);
        await peer.SayAsync(", server"u8.ToArray());
        await peer.EndAsync();

        await using var connection = (await ours).Accepted;
        (await ReadToEndAsync(connection)).Should().Be("hello, server");
    }

    [Test]
    public async Task What_a_server_glues_to_its_verdict_reaches_the_application([Values] TlsVersion version, [Values(1, 4096)] int readSize)
    {
        await using var wire = new DuplexPair();
        wire.ServerToClient.MaxReadSize = readSize;
        var ours = End.OfAsync(new MutualTlsClient(_world.ClientOptions).UpgradeAsync(wire.Client, "server.test"));
        await using var peer = await ScriptedTlsPeer.AsServerAsync(wire.Server, _serverCertificate, version);

        await peer.SayAsync([.. s_accepted, .. "hello"u8]);
        await peer.SayAsync(", client"u8.ToArray());
        await peer.EndAsync();

        await using var connection = (await ours).Accepted;
        (await ReadToEndAsync(connection)).Should().Be("hello, client");
    }

    [Test]
    public async Task Neither_side_hears_more_than_the_verdict_before_the_application_speaks([Values] bool weAreServer)
    {
        await using var wire = new DuplexPair();
        var ours = weAreServer
            ? End.OfAsync(new MutualTlsServer(_world.ServerOptions).AcceptAsync(wire.Server))
            : End.OfAsync(new MutualTlsClient(_world.ClientOptions).UpgradeAsync(wire.Client, "server.test"));
        await using var peer = weAreServer
            ? await ScriptedTlsPeer.AsClientAsync(wire.Client, _clientCertificate)
            : await ScriptedTlsPeer.AsServerAsync(wire.Server, _serverCertificate);
        await peer.SayAsync(s_accepted);
        await using var connection = (await ours).Accepted;

        await connection.Stream.WriteAsync("first"u8.ToArray());

        (await peer.HearAsync(10)).Should().Equal([.. s_accepted, .. "first"u8]);
    }

    [Test]
    public async Task A_refused_client_hears_the_reason_and_then_the_end_and_no_reset([Values] TlsVersion version)
    {
        var (client, server) = await ConnectedPair.SocketPairAsync();
        var ours = End.OfAsync(new MutualTlsServer(_world.ServerOptions with { Authorization = Authorize.Dns("other.test") }).AcceptAsync(server));
        await using var peer = await ScriptedTlsPeer.AsClientAsync(
            new System.Net.Sockets.NetworkStream(client, ownsSocket: true), _clientCertificate, version);

        // An eager client: what it sends early would make a careless close answer with a reset, which erases the reason at the other end.
        await peer.SayAsync([.. s_accepted, .. new byte[20000]]);

        (await peer.HearAsync(5)).Should().Equal(s_accessDenied);
        (await peer.Stream.ReadAsync(new byte[1]).AsTask().WaitAsync(ConnectedPair.Deadline)).Should().Be(0);
        await peer.EndAsync();
        (await ours).Refusal.Reason.Should().Be(RejectionReason.NotAuthorized);
    }

    [Test]
    public async Task A_peer_that_resets_is_no_truncated_verdict_and_one_that_ends_is(
        [Values] bool weAreServer, [Values] TlsVersion version, [Values] bool resets)
    {
        // We are held between TLS and our verdict, so that the reset is there before we write.
        var gate = new HeldValidator();
        var (client, server) = await ConnectedPair.SocketPairAsync();
        var theirs = weAreServer ? client : server;
        var ours = End.OfAsync(weAreServer
            ? new MutualTlsServer(_world.ServerOptions with { AsyncValidators = [gate] }).AcceptAsync(server)
            : new MutualTlsClient(_world.ClientOptions with { AsyncValidators = [gate] }).UpgradeAsync(client, "server.test"));
        var transport = new System.Net.Sockets.NetworkStream(theirs, ownsSocket: true);
        await using var peer = weAreServer
            ? await ScriptedTlsPeer.AsClientAsync(transport, _clientCertificate, version)
            : await ScriptedTlsPeer.AsServerAsync(transport, _serverCertificate, version);
        await gate.Entered.WaitAsync(ConnectedPair.Deadline);

        if (resets)
        {
            theirs.LingerState = new System.Net.Sockets.LingerOption(true, 0);
            theirs.Close();
        }
        else
        {
            await peer.EndAsync();
        }

        gate.Open();

        var refusal = (await ours).Refusal;
        (refusal.Failure, refusal.Reason).Should().Be(
            (HandshakeFailure.TransportLost, resets ? RejectionReason.TransportFailed : RejectionReason.ConfirmationTruncated), refusal.Message);
    }

    [Test]
    public async Task Every_byte_of_the_record_that_carries_the_verdict_may_be_broken_or_missing(
        [Values] TlsVersion version, [Values(Direction.ClientToServer, Direction.ServerToClient)] Direction direction, [Values] bool cut)
    {
        // The position behind the record is the neighbour: nothing is broken, and both ends are content.
        var recordLength = MangledVerdict.RecordLength(version);
        for (var position = 0; position <= recordLength; position++)
        {
            // A clock of its own: whoever still looks when the ends have come out would move on the clock of the next position's handshake.
            var clock = new FakeTimeProvider(DateTimeOffset.UtcNow);
            await using var wire = new DuplexPair();
            var mangled = new MangledVerdict(direction == Direction.ClientToServer ? wire.Client : wire.Server, version, position, cut);
            var client = new MutualTlsClient(
                _world.ClientOptions with { MinimumTlsVersion = version, MaximumTlsVersion = version, TimeProvider = clock });
            var server = new MutualTlsServer(_world.ServerOptions with { TimeProvider = clock });
            var ourClient = new HungryStream(direction == Direction.ClientToServer ? mangled : wire.Client);
            var ourServer = new HungryStream(direction == Direction.ServerToClient ? mangled : wire.Server);

            // A broken length makes the platform wait for octets that never come: the deadline ends that.
            Task<MutualTlsConnection>? connecting = null;
            Task<MutualTlsConnection>? accepting = null;
            void RunOutWhereNothingMoves()
            {
                if (mangled.IsOnTheWire && !cut
                    && (connecting?.IsCompleted == true || ourClient.WaitsBehind(wire.ServerToClient.Written))
                    && (accepting?.IsCompleted == true || ourServer.WaitsBehind(wire.ClientToServer.Written)))
                {
                    clock.Advance(TimeSpan.FromSeconds(10));
                }
            }

            mangled.Mangled += RunOutWhereNothingMoves;
            ourClient.ReadBegins += RunOutWhereNothingMoves;
            ourServer.ReadBegins += RunOutWhereNothingMoves;
            connecting = client.UpgradeAsync(ourClient, "server.test");
            accepting = server.AcceptAsync(ourServer);
            _ = Task.WhenAny(connecting, accepting).ContinueWith(_ => RunOutWhereNothingMoves(), TaskScheduler.Default);
            await using var ends = await ConnectedPair.ShakeAsync(connecting, accepting);

            var receiver = direction == Direction.ClientToServer ? ends.Server : ends.Client;
            mangled.Done.Should().Be(position < recordLength, $"byte {position}: {receiver.Failure}");
            if (mangled.Done)
            {
                receiver.Failure.Should().BeOfType<HandshakeException>($"byte {position}");
            }
            else
            {
                receiver.Failure.Should().BeNull($"byte {position}");
            }
        }
    }

    /// <summary>Where silence is the point: the deadline passes once we have taken in all that was said.</summary>
    private async Task RunOutAsync(HandshakeFailure failure, HungryStream us, DuplexDirection said)
    {
        if (failure == HandshakeFailure.TimedOut)
        {
            await us.HasTakenAsync(said.Written);
            _clock.Advance(TimeSpan.FromSeconds(10));
        }
    }

    private static async Task SayAsync(ScriptedTlsPeer peer, byte[] says, bool thenEnds)
    {
        if (says.Length > 0)
        {
            await peer.SayAsync(says);
        }

        if (thenEnds)
        {
            await peer.EndAsync();
        }
    }

    private static Task<string> ReadToEndAsync(MutualTlsConnection connection) =>
        new StreamReader(connection.Stream).ReadToEndAsync().WaitAsync(ConnectedPair.Deadline);

    /// <summary>Has no objection, once it is opened.</summary>
    private sealed class HeldValidator : IAsyncPeerValidator
    {
        private readonly TaskCompletionSource _entered = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly TaskCompletionSource _open = new(TaskCreationOptions.RunContinuationsAsynchronously);

        internal Task Entered => _entered.Task;

        internal void Open() => _open.SetResult();

        public async ValueTask<Rejection?> ExamineAsync(AuthenticatedPeer peer, CancellationToken cancellationToken)
        {
            _entered.SetResult();
            await _open.Task.WaitAsync(cancellationToken);
            return null;
        }
    }

    /// <summary>Breaks one byte of the record that carries the verdict, or cuts the stream there.</summary>
    private sealed class MangledVerdict(DuplexStream wire, TlsVersion version, int position, bool cut) : TamperedStream(wire)
    {
        private const byte ApplicationData = 23;

        private volatile bool _isOnTheWire;

        /// <summary>Raised when the broken record is on the wire.</summary>
        internal event Action? Mangled;

        /// <summary>Whether there was such a record, and that position in it.</summary>
        internal bool Done { get; private set; }

        internal bool IsOnTheWire => _isOnTheWire;

        /// <summary>
        /// How long the record is: header, five octets of the verdict, and of AES-GCM the tag, with the explicit part of the nonce in TLS 1.2
        /// (RFC 5288 §3) and the type in TLS 1.3 (RFC 8446 §5.2). No message of TLS 1.3's handshake gives a record as short.
        /// </summary>
        internal static int RecordLength(TlsVersion version) => 5 + s_accepted.Length + 16 + (version == TlsVersion.Tls12 ? 8 : 1);

        public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            // The verdict may travel behind the last handshake flight, in one write.
            if (!Done && position < RecordLength(version) && StartOfVerdict(buffer.Span) is { } start)
            {
                Done = true;
                var copy = buffer.ToArray();
                copy[start + position] ^= 0x41;
                await Inner.WriteAsync(cut ? copy.AsMemory(0, start + position) : copy, cancellationToken);
                if (cut)
                {
                    ((DuplexStream)Inner).ShutdownWrite();
                }

                _isOnTheWire = true;
                Mangled?.Invoke();
                return;
            }

            await Inner.WriteAsync(buffer, cancellationToken);
        }

        private int? StartOfVerdict(ReadOnlySpan<byte> records)
        {
            for (var start = 0; start + 5 <= records.Length;)
            {
                var length = 5 + BinaryPrimitives.ReadUInt16BigEndian(records[(start + 3)..]);
                if (records[start] == ApplicationData && length == RecordLength(version))
                {
                    return start;
                }

                start += length;
            }

            return null;
        }
    }
}
