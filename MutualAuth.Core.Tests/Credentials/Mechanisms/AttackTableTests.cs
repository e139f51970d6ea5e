using System.Buffers.Text;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using MutualAuth.Certificates;
using MutualAuth.Confirmation;
using MutualAuth.Credentials;
using MutualAuth.Testing;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Credentials;

/// <summary>
/// The attacks on logins that are known, over real connections: a hostile server against our client, a hostile client against our server. Each stands
/// beside the login that differs from it in one fact and succeeds. Who stands in between both is in <c>RelayTests</c>.
/// </summary>
[CancelAfter(60000)]
public sealed class AttackTableTests
{
    private const string Plus = "SCRAM-SHA-256-PLUS";
    private const string First = "p=tls-server-end-point,,n=alice,r=rOprNGfwEbeRWgbNEkqO";
    private const string Zeros = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";

    private World _world = null!;
    private MemoryCredentialStore _users = null!;

    [SetUp]
    public async Task SetUp()
    {
        _world = new World { CloseTimeout = World.Moment };
        _users = await TestUsers.CreateAsync();
    }

    [TearDown]
    public void TearDown() => _world.Dispose();

    // ---- A hostile server, whose certificate our client accepts, against our client ----

    [Test]
    [NonParallelizable] // it counts the key derivations of the process
    public async Task A_server_that_does_everything_right_is_believed()
    {
        var before = KeyDerivation.Unbounded.Calls;
        var (client, server) = await AgainstServerAsync((_, _) => null);

        client.Accepted.IsConfirmed.Should().BeTrue();
        server.Heard.Select(frame => frame.Type).Should().Equal(FrameType.Login, FrameType.Start, FrameType.Response, FrameType.Verdict);
        (KeyDerivation.Unbounded.Calls - before).Should().Be(1);
    }

    public static IEnumerable<TestCaseData> ServerAttacks()
    {
        // Pitfall 28.
        yield return InChallenge(
            "CVE-2026-42198: an iteration count of 2^31-1 is never derived",
            RejectionReason.IterationCountOutOfRange,
            text => Count(text, "2147483647"));
        yield return InChallenge(
            "CVE-2026-42198: an iteration count just above the ceiling is never derived",
            RejectionReason.IterationCountOutOfRange,
            text => Count(text, "1000001"));
        yield return InChallenge(
            "RFC 7677 §4: too few iterations, which would make the proof cheap to try passwords against",
            RejectionReason.IterationCountOutOfRange,
            text => Count(text, "4095"));
        yield return InChallenge("RFC 7677 §4: one iteration", RejectionReason.IterationCountOutOfRange, text => Count(text, "1"));
        yield return InChallenge(
            "RFC 5802 §5.1: an iteration count that is no number", RejectionReason.IterationCountOutOfRange, text => Count(text, "0x1000"));
        yield return InChallenge(
            "RFC 5802 §5.1: a nonce that does not continue ours",
            RejectionReason.CredentialProtocolViolated,
            text => Nonce(text, _ => "someOtherNonceThatIsLongEnough"));
        yield return InChallenge(
            "RFC 5802 §5.1: our own nonce, reflected", RejectionReason.CredentialProtocolViolated, text => Nonce(text, nonce => nonce[..24]));
        yield return InChallenge(
            "RFC 5802 §5.1: our nonce, continued by too little to be fresh",
            RejectionReason.CredentialProtocolViolated,
            text => Nonce(text, nonce => nonce[..31]));
        yield return InChallenge(
            "RFC 5802 §5.1: the challenge of an earlier login, replayed",
            RejectionReason.CredentialProtocolViolated,
            _ => $"r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s={Sasl.Salt},i=4096");
        yield return InChallenge("RFC 5802 §5.1: m= in front of the challenge", RejectionReason.CredentialProtocolViolated, text => "m=ext," + text);
        yield return InChallenge("RFC 5802 §5.1: m= behind the challenge", RejectionReason.CredentialProtocolViolated, text => text + ",m=ext");
        yield return InChallenge(
            "RFC 5802 §7: a second iteration count as an extension", RejectionReason.CredentialProtocolViolated, text => text + ",i=4096");
        yield return InChallenge(
            "RFC 4648 §4: a salt in broken base64",
            RejectionReason.CredentialProtocolViolated,
            text => text.Replace("s=", "s=%", StringComparison.Ordinal));
        yield return InChallenge(
            "RFC 4648 §4: a salt without its padding",
            RejectionReason.CredentialProtocolViolated,
            text => text.Replace("==,", ",", StringComparison.Ordinal));
        yield return InChallenge(
            "RFC 5802 §7: no salt", RejectionReason.CredentialProtocolViolated, text => $"{text.Split(',')[0]},s=,{text.Split(',')[2]}");
        yield return InChallenge(
            "RFC 5802 §7: a challenge of more than 2,048 octets",
            RejectionReason.CredentialProtocolViolated,
            text => $"{text},x={new string('x', 2048)}");
        yield return InChallenge("RFC 5802 §7: an empty challenge", RejectionReason.CredentialProtocolViolated, _ => string.Empty);

        yield return InOutcome("RFC 5802 §3: a wrong server signature", RejectionReason.ServerSignatureWrong, _ => $"v={Zeros}");
        yield return InOutcome("RFC 5802 §3: no server signature", RejectionReason.ServerSignatureWrong, _ => null);
        yield return InOutcome("RFC 5802 §3: an error in place of the server signature", RejectionReason.ServerSignatureWrong, _ => "e=other-error");
        yield return InOutcome("RFC 5802 §3: half of the server signature", RejectionReason.ServerSignatureWrong, text => text[..24]);
        yield return InOutcome("RFC 5802 §5.1: the right server signature behind m=", RejectionReason.ServerSignatureWrong, text => text + ",m=x");

        yield return Attack(
            "RFC 5802 §3: a server that says yes at once, without having been shown anything", RejectionReason.ServerSignatureWrong, (type, _) =>
                type == FrameType.Challenge
                    ? Frame.Encode(FrameType.Outcome, LoginChannel.OutcomePayload(Verdict.Accepted, Encoding.UTF8.GetBytes($"v={Zeros}")))
                    : null);
        yield return Attack("docs/protocol.md §12: an outcome in place of the mechanisms", RejectionReason.CredentialProtocolViolated, (type, _) =>
            type == FrameType.Mechanisms ? Frame.Encode(FrameType.Outcome, 0, 0, 0) : null);
        yield return Attack("docs/protocol.md §12: a yes in place of the mechanisms", RejectionReason.CredentialsNotAsked, (type, _) =>
            type == FrameType.Mechanisms ? Frame.Encode(Verdict.Accepted) : null);
        yield return Attack("docs/protocol.md §12: a verdict in place of the outcome", RejectionReason.CredentialProtocolViolated, (type, _) =>
            type == FrameType.Challenge ? Frame.Encode(Verdict.Accepted) : null);
        yield return Attack("docs/protocol.md §12: the same challenge twice", RejectionReason.CredentialProtocolViolated, (type, payload) =>
            type == FrameType.Challenge ? [.. Frame.Encode(type, payload), .. Frame.Encode(type, payload)] : null);
        yield return Attack("docs/protocol.md §12: an outcome that cannot be read", RejectionReason.CredentialProtocolViolated, (type, _) =>
            type == FrameType.Outcome ? Frame.Encode(type, 0, 0, 2) : null);

        // Pitfall 27.
        yield return Mechanisms("CVE-2025-49146: PLUS taken out of the list", RejectionReason.ChannelBindingUnavailable, "SCRAM-SHA-256");
        yield return Mechanisms(
            "RFC 4616: nothing but PLAIN offered to a client that has a password for SCRAM", RejectionReason.MechanismUnavailable, "PLAIN");
        yield return Mechanisms("RFC 4422 §3.1: a name that is none", RejectionReason.CredentialProtocolViolated, "SCRAM-SHA-256-PLUS scram");
        yield return Mechanisms(
            "RFC 4422 §3.1: more than 32 names",
            RejectionReason.CredentialProtocolViolated,
            string.Join(' ', Enumerable.Range(0, 33).Select(number => $"M{number}").Append(Plus)));

        static TestCaseData InChallenge(string name, RejectionReason reason, Func<string, string> change) =>
            Attack(
                name,
                reason,
                (type, payload) => type == FrameType.Challenge
                    ? Frame.Encode(type, Encoding.UTF8.GetBytes(change(Encoding.UTF8.GetString(payload))))
                    : null);

        static TestCaseData InOutcome(string name, RejectionReason reason, Func<string, string?> change) => Attack(name, reason, (type, payload) =>
            type == FrameType.Outcome
                ? Frame.Encode(
                    type,
                    LoginChannel.OutcomePayload(
                        Verdict.Accepted, change(Encoding.UTF8.GetString(payload.AsSpan(3))) is { } text ? Encoding.UTF8.GetBytes(text) : null))
                : null);

        static TestCaseData Mechanisms(string name, RejectionReason reason, string offered) =>
            Attack(name, reason, (type, _) => type == FrameType.Mechanisms ? Frame.Encode(type, Encoding.ASCII.GetBytes(offered)) : null);

        static TestCaseData Attack(string name, RejectionReason reason, Func<FrameType, byte[], byte[]?> tamper) =>
            new TestCaseData(tamper, reason).SetName(name + ", by a server");

        static string Count(string challenge, string count) => challenge[..(challenge.LastIndexOf('=') + 1)] + count;

        static string Nonce(string challenge, Func<string, string> change) =>
            $"r={change(challenge.Split(',')[0][2..])}{challenge[challenge.IndexOf(',', StringComparison.Ordinal)..]}";
    }

    [Test]
    [NonParallelizable] // it counts the key derivations of the process
    public async Task No_key_is_derived_for_any_count_out_of_range()
    {
        var attacks = ServerAttacks().Where(attack => attack.Arguments[1] is RejectionReason.IterationCountOutOfRange).ToArray();
        attacks.Should().HaveCount(5);
        var before = KeyDerivation.Unbounded.Calls;

        foreach (var attack in attacks)
        {
            await A_hostile_server_is_refused(attack.Arguments[0]!, RejectionReason.IterationCountOutOfRange);
        }

        (KeyDerivation.Unbounded.Calls - before).Should().Be(0);
    }

    [TestCaseSource(nameof(ServerAttacks))]
    public async Task A_hostile_server_is_refused(object tamper, RejectionReason reason)
    {
        var (client, server) = await AgainstServerAsync((Func<FrameType, byte[], byte[]?>)tamper);

        (client.Refusal.Failure, client.Refusal.Reason).Should().Be((HandshakeFailure.PeerRejected, reason));
        if (reason == RejectionReason.IterationCountOutOfRange)
        {
            server.Heard.Select(frame => frame.Type).Should().NotContain(FrameType.Response);
        }

        // Whatever was wrong, it is told no more than no.
        server.Heard.Where(frame => frame.Type == FrameType.Verdict).Should().AllSatisfy(frame => frame.Payload.Should().Equal(0, 40));
        if (reason is RejectionReason.ChannelBindingUnavailable or RejectionReason.MechanismUnavailable)
        {
            server.Heard.Select(frame => frame.Type).Should().Equal(FrameType.Login, FrameType.Verdict);
        }
    }

    [TestCase((byte)FrameType.Mechanisms, (byte)FrameType.Outcome, TestName = "A server that refuses in place of the mechanisms is heard")]
    [TestCase((byte)FrameType.Mechanisms, (byte)FrameType.Verdict, TestName = "A server that leaves in place of the mechanisms is heard")]
    [TestCase((byte)FrameType.Challenge, (byte)FrameType.Outcome, TestName = "A server that refuses in place of the challenge is heard")]
    [TestCase((byte)FrameType.Challenge, (byte)FrameType.Verdict, TestName = "A server that leaves in place of the challenge is heard")]
    public async Task A_refusal_is_heard_at_every_step(byte at, byte by)
    {
        byte[] refusal = (FrameType)by == FrameType.Outcome
            ? Frame.Encode(FrameType.Outcome, LoginChannel.OutcomePayload(Verdict.Refused(PublicReason.AccessDenied), null))
            : Frame.Encode(Verdict.Refused(PublicReason.AccessDenied));

        var (client, server) = await AgainstServerAsync((type, _) => type == (FrameType)at ? refusal : null);

        (client.Refusal.Failure, client.Refusal.PeerReason).Should().Be((HandshakeFailure.RefusedByPeer, PublicReason.AccessDenied));
        server.Heard.Should().NotContain(frame => frame.Type == FrameType.Verdict, "there is nothing more to say");
    }

    [TestCase((byte)FrameType.Challenge, 16_385, TestName = "docs/protocol.md §12: a challenge of more than 16,384 octets is not read, by a server")]
    [TestCase((byte)FrameType.Outcome, 16_388, TestName = "docs/protocol.md §12: an outcome of more than 16,387 octets is not read, by a server")]
    [TestCase((byte)FrameType.Mechanisms, 1_025, TestName = "docs/protocol.md §12: a list of more than 1,024 octets is not read, by a server")]
    [TestCase((byte)FrameType.Start, 3, TestName = "docs/protocol.md §12: a frame of the client's own, by a server")]
    public async Task A_frame_beyond_the_bounds_ends_the_login(byte frame, int length)
    {
        var (client, _) = await AgainstServerAsync((type, _) =>
            type == ((FrameType)frame == FrameType.Mechanisms ? FrameType.Mechanisms : FrameType.Challenge)
                ? Frame.Encode((FrameType)frame, new byte[length])
                : null);

        (client.Refusal.Failure, client.Refusal.Reason).Should().Be((HandshakeFailure.PeerMisbehaved, RejectionReason.ConfirmationMalformed));
    }

    [TestCase("ours", "server.test", true)]
    [TestCase("foreign", "server.test", false)]
    [TestCase("ours", "other.test", false)]
    public async Task RFC_4616_PLAIN_to_a_server_that_is_not_verified_is_impossible(string issuer, string name, bool isSent)
    {
        using var certificate = (issuer == "ours" ? _world.Authority : _world.Foreign).IssueServer(name);
        var credentials = Login.DangerouslyWithPasswordInPlain("alice", Password.From("right"));
        var policy = Require.User(SaslServer.PasswordsInPlain(_users)) with { DecoyIterations = ScramVerifier.MinIterations };

        var (client, server) = await AgainstServerAsync((_, _) => null, credentials, policy, certificate);

        server.Heard.Any(frame => Encoding.UTF8.GetString(frame.Payload).Contains("right", StringComparison.Ordinal)).Should().Be(isSent);
        (client.Connection is not null).Should().Be(isSent);
        if (!isSent)
        {
            server.Heard.Select(frame => frame.Type).Should().Equal(FrameType.Verdict);
        }
    }

    // ---- A hostile client against our server ----

    public static IEnumerable<TestCaseData> FirstMessages()
    {
        yield return Attack("the first message as it should be", Plus, First, null);
        yield return Attack("RFC 5802 §7: unknown extensions are passed over", Plus, First + ",x=1,Z=2", null);
        yield return Attack(
            "RFC 5802 §6: the flag y, although PLUS was offered", "SCRAM-SHA-256", "y,,n=alice,r=abcdefgh", RejectionReason.ChannelBindingDowngraded);
        yield return Attack("RFC 5802 §6: the flag y with PLUS", Plus, "y,,n=alice,r=abcdefgh", RejectionReason.CredentialProtocolViolated);
        yield return Attack("RFC 5802 §6: the flag n with PLUS", Plus, "n,,n=alice,r=abcdefgh", RejectionReason.CredentialProtocolViolated);
        yield return Attack("RFC 5802 §6: the flag p without PLUS", "SCRAM-SHA-256", First, RejectionReason.CredentialProtocolViolated);
        yield return Attack(
            "RFC 5802 §6: a binding to another type", Plus, "p=tls-unique,,n=alice,r=abcdefgh", RejectionReason.ChannelBindingUnavailable);
        yield return Attack("RFC 5802 §6: a binding to nothing", Plus, "p=,,n=alice,r=abcdefgh", RejectionReason.CredentialProtocolViolated);
        yield return Attack(
            "RFC 5802 §5.1: m= in front", Plus, "p=tls-server-end-point,,m=x,n=alice,r=abcdefgh", RejectionReason.CredentialProtocolViolated);
        yield return Attack("RFC 5802 §5.1: m= behind", Plus, First + ",m=x", RejectionReason.CredentialProtocolViolated);
        yield return Attack("RFC 5802 §7: a second name as an extension", Plus, First + ",n=bob", RejectionReason.CredentialProtocolViolated);
        yield return Attack("RFC 5802 §7: an extension that is none", Plus, First + ",garbage", RejectionReason.CredentialProtocolViolated);
        yield return Attack(
            "RFC 5802 §7: a message of more than 2,048 octets",
            Plus,
            First + ",x=" + new string('x', 2048),
            RejectionReason.CredentialProtocolViolated);
        yield return Attack(
            "RFC 5802 §7: a nonce of more than 512 characters",
            Plus,
            "p=tls-server-end-point,,n=alice,r=" + new string('x', 513),
            RejectionReason.CredentialProtocolViolated);
        yield return Attack("RFC 4422 §3.1: a mechanism that was not offered", "PLAIN", "\0alice\0right", RejectionReason.MechanismUnavailable);
        yield return Attack("RFC 4422 §3.1: a mechanism in lower case", "scram-sha-256-plus", First, RejectionReason.CredentialProtocolViolated);

        static TestCaseData Attack(string name, string mechanism, string message, RejectionReason? reason) =>
            new TestCaseData(mechanism, message, reason).SetName(name + ", by a client");
    }

    [TestCaseSource(nameof(FirstMessages))]
    public async Task A_hostile_client_is_refused(string mechanism, string message, RejectionReason? reason)
    {
        await AgainstClientAsync(Policy() with { ChannelBinding = ChannelBindingPolicy.DangerouslyOptional }, reason, async peer =>
        {
            await peer.BeginLoginAsync();
            await peer.SayStartAsync(mechanism, message);
            if (reason is null)
            {
                await peer.HearFrameAsync(FrameType.Challenge);
                await peer.SayVerdictAsync(40);
            }
            else
            {
                (await peer.HearCodeAsync()).Should().Be((int)PublicReasonTable.ForClient(reason.Value));
            }
        });
    }

    [TestCase("right", null, TestName = "the last message as it should be, by a client")]
    [TestCase("zeros", RejectionReason.CredentialsWrong, TestName = "RFC 5802 §3: a proof of zeros, by a client")]
    [TestCase("stored key", RejectionReason.CredentialsWrong, TestName = "RFC 5802 §9: a proof made from the stored key alone, by a client")]
    [TestCase("nonce", RejectionReason.CredentialProtocolViolated, TestName = "RFC 5802 §5.1: another nonce, by a client")]
    [TestCase(
        "replay", RejectionReason.CredentialProtocolViolated, TestName = "RFC 5802 §9: the last message of an earlier login, replayed, by a client")]
    [TestCase("m", RejectionReason.CredentialProtocolViolated, TestName = "RFC 5802 §5.1: m= in the last message, by a client")]
    [TestCase("unbound", RejectionReason.ChannelBindingMismatch, TestName = "RFC 5802 §6: a binding to nothing in the last message, by a client")]
    [TestCase("bad base64", RejectionReason.CredentialProtocolViolated, TestName = "RFC 4648 §4: a proof in broken base64, by a client")]
    [TestCase("no proof", RejectionReason.CredentialProtocolViolated, TestName = "RFC 5802 §7: no proof, by a client")]
    public async Task A_hostile_last_message_is_refused(string attack, RejectionReason? reason)
    {
        var earlier = attack == "replay" ? await FinalOfAnEarlierLoginAsync() : null;
        await AgainstClientAsync(Policy(), reason, async peer =>
        {
            await peer.BeginLoginAsync();
            await peer.SayStartAsync(Plus, First);
            var challenge = Encoding.UTF8.GetString(await peer.HearFrameAsync(FrameType.Challenge));
            await peer.SayFrameAsync(FrameType.Response, earlier ?? Final(challenge, attack));
            (await peer.HearCodeAsync()).Should().Be(reason is null ? 0 : (int)PublicReasonTable.ForClient(reason.Value));
            await peer.SayVerdictAsync(reason is null ? (byte)40 : (byte)0);
        });
    }

    [TestCase(false, RejectionReason.AuthorizationIdentityRefused)]
    [TestCase(true, null)]
    public async Task RFC_4422_acting_as_another_needs_a_rule(bool isGranted, RejectionReason? reason)
    {
        var policy = Policy() with { MayActAs = isGranted ? (user, other) => (user, other) == ("alice", "bob") : null };

        await using var ends = await ConnectedPair.ShakeAsync(
            _world.ClientOptions with { Credentials = Login.WithPassword("alice", Password.From("right"), actAs: "bob") },
            _world.ServerOptions with { Credentials = policy });

        (ends.Server.Failure as HandshakeException)?.Reason.Should().Be(reason);
        ends.Server.Connection?.Peer.User!.ActsAs.Should().Be("bob");
        (ends.Server.Connection is not null).Should().Be(reason is null);
    }

    [TestCase("response first", RejectionReason.ConfirmationMalformed)]
    [TestCase("start twice", RejectionReason.ConfirmationMalformed)]
    [TestCase("verdict in the middle", RejectionReason.CredentialProtocolViolated)]
    [TestCase("login twice", RejectionReason.ConfirmationMalformed)]
    [TestCase("response too long", RejectionReason.ConfirmationMalformed)]
    [TestCase("start too long", RejectionReason.ConfirmationMalformed)]
    [TestCase("mechanism beyond the frame", RejectionReason.CredentialProtocolViolated)]
    public async Task The_order_and_the_size_of_frames_are_held_to(string attack, RejectionReason reason)
    {
        await AgainstClientAsync(Policy(), reason, async peer =>
        {
            await peer.BeginLoginAsync();
            switch (attack)
            {
                case "response first":
                    await peer.SayFrameAsync(FrameType.Response, First);
                    break;
                case "start twice":
                    await peer.SayStartAsync(Plus, First);
                    await peer.SayStartAsync(Plus, First);
                    break;
                case "verdict in the middle":
                    await peer.SayStartAsync(Plus, First);
                    await peer.SayVerdictAsync();
                    break;
                case "login twice":
                    await peer.SayFrameAsync(FrameType.Login);
                    break;
                case "response too long":
                    await peer.SayStartAsync(Plus, First);
                    await peer.SayFrameAsync(FrameType.Response, new byte[16_385]);
                    break;
                case "start too long":
                    await peer.SayFrameAsync(FrameType.Start, new byte[16_407]);
                    break;
                default:
                    await peer.SayFrameAsync(FrameType.Start, 20, (byte)'A', (byte)'B', 1);
                    break;
            }
        });
    }

    [Test]
    public async Task RFC_4422_an_exchange_has_a_last_round()
    {
        await AgainstClientAsync(Require.User(new Endless()), RejectionReason.CredentialProtocolViolated, async peer =>
        {
            await peer.BeginLoginAsync();
            await peer.SayStartAsync("ENDLESS", string.Empty);
            for (var round = 1; round < SaslLimits.MaxRounds; round++)
            {
                await peer.HearFrameAsync(FrameType.Challenge);
                await peer.SayFrameAsync(FrameType.Response, "more");
            }

            await peer.HearFrameAsync(FrameType.Challenge);
            await peer.SayFrameAsync(FrameType.Response, "one too many");
            (await peer.HearCodeAsync()).Should().Be((int)PublicReason.ProtocolError);
        });
    }

    [Test]
    public async Task What_a_client_sent_is_wiped_once_it_was_judged()
    {
        ReadOnlyMemory<byte> sent = default;
        var policy = Require.User(new ScriptedMechanism(["OWN"], message =>
        {
            sent = message;
            message.ToArray().Should().Equal("a password"u8.ToArray());
            return SaslServerStep.Fail(new Rejection(RejectionReason.CredentialsWrong, "a", "b"));
        }));
        await AgainstClientAsync(policy, RejectionReason.CredentialsWrong, async peer =>
        {
            await peer.BeginLoginAsync();
            await peer.SayStartAsync("OWN", "a password");
            (await peer.HearCodeAsync()).Should().Be((int)PublicReason.CredentialsWrong);
        });

        sent.ToArray().Should().HaveCount(10).And.OnlyContain(octet => octet == 0);
    }

    /// <summary>A server must not count somebody in who has not said that he believes it.</summary>
    [Test]
    public async Task A_client_that_proves_itself_and_leaves_is_not_in()
    {
        var (server, socket) = await AcceptAsync(Policy());
        await using (var peer = await ScriptedTlsPeer.AsClientAsync(new NetworkStream(socket, ownsSocket: true), _world.ClientCertificate))
        {
            await peer.BeginLoginAsync();
            await peer.SayStartAsync(Plus, First);
            var challenge = Encoding.UTF8.GetString(await peer.HearFrameAsync(FrameType.Challenge));
            await peer.SayFrameAsync(FrameType.Response, Final(challenge, "right"));
            (await peer.HearCodeAsync()).Should().Be(0);
            await peer.EndAsync();
        }

        (await server).Refusal.Failure.Should().Be(HandshakeFailure.TransportLost);
    }

    [TestCase("SCRAM-SHA-256-PLUS", "alice", TestName = "Pitfall 28: an unknown user meets the same frames as one whose password is wrong, by SCRAM")]
    [TestCase("SCRAM-SHA-256-PLUS", "mute", TestName = "Pitfall 28: an unknown user meets the same frames as one that is disabled, by SCRAM")]
    [TestCase("PLAIN", "alice", TestName = "Pitfall 28: an unknown user meets the same frames as one whose password is wrong, by PLAIN")]
    [TestCase("PLAIN", "mute", TestName = "Pitfall 28: an unknown user meets the same frames as one that is disabled, by PLAIN")]
    public async Task Users_cannot_be_enumerated(string mechanism, string known)
    {
        await _users.SetAsync("mute", ScramVerifier.Create(Password.From("guess"), iterations: ScramVerifier.MinIterations));
        await _users.SetDisabledAsync("mute", true);

        var ofKnown = await FramesOfAsync(mechanism, known);
        var ofUnknown = await FramesOfAsync(mechanism, "nobdy".PadRight(known.Length, 'x')[..known.Length]);

        ofUnknown.Select(WithoutNonce).Should().Equal(ofKnown.Select(WithoutNonce));
        ofKnown.Should().NotBeEmpty();
    }

    /// <summary>The octets that are each connection's own, by which step-ups are bound to it.</summary>
    private static string WithoutNonce(string frame) => System.Text.RegularExpressions.Regex.Replace(frame, " N-[A-Z2-7]+", " N-nonce");

    [Test]
    public async Task Pitfall_28_an_unknown_users_salt_is_the_same_at_every_attempt_and_another_for_another()
    {
        var server = new MutualTlsServer(_world.ServerOptions with { Credentials = Policy() });

        var first = await ChallengeAsync(server, "nobody");
        var again = await ChallengeAsync(server, "nobody");
        var other = await ChallengeAsync(server, "nobudy");
        var known = await ChallengeAsync(server, "alice");

        again[1].Should().Be(first[1]).And.NotBe(other[1]);
        first[1].Length.Should().Be(known[1].Length);
        first[2].Should().Be(known[2]);
        first[0].Should().NotBe(again[0], "the nonce is fresh all the same");
    }

    [TestCase("alice")]
    [TestCase("nobody")]
    public async Task Users_cannot_be_enumerated_by_when_the_limiter_steps_in(string user)
    {
        var limiter = new BackoffAttemptLimiter(new Microsoft.Extensions.Time.Testing.FakeTimeProvider()) { FailuresBeforeWaitPerUserAndAddress = 2 };
        var server = new MutualTlsServer(_world.ServerOptions with { Credentials = Policy() with { AttemptLimiter = limiter } });
        var codes = new List<PublicReason?>();
        for (var attempt = 0; attempt < 5; attempt++)
        {
            var (clientSocket, serverSocket) = await ConnectedPair.SocketPairAsync();
            var client = new MutualTlsClient(_world.ClientOptions with { Credentials = Login.WithPassword(user, "guess") });
            await using var ends = await ConnectedPair.ShakeAsync(client.UpgradeAsync(clientSocket, "server.test"), server.AcceptAsync(serverSocket));
            codes.Add(ends.Client.Refusal.PeerReason);
        }

        codes.Should().Equal(
            PublicReason.CredentialsWrong,
            PublicReason.CredentialsWrong,
            PublicReason.CredentialsWrong,
            PublicReason.TryAgainLater,
            PublicReason.TryAgainLater);
    }

    // Pitfall 29.
    [TestCase("its own", null, TestName = "RFC 8705 §3: a bound token over the certificate that it is bound to, by a client")]
    [TestCase(
        "another",
        RejectionReason.TokenNotBoundToCertificate,
        TestName = "RFC 8705 §3: a bound token over another certificate of the same name, by a client")]
    [TestCase("none", RejectionReason.ChannelBindingUnavailable, TestName = "RFC 8705 §3: a bound token without a certificate, by a client")]
    [TestCase(
        "none, unbound accepted",
        RejectionReason.TokenNotBoundToCertificate,
        TestName = "RFC 8705 §3: a bound token used as a bearer token, by a client")]
    public async Task A_bound_token_counts_with_its_certificate_alone(string certificate, RejectionReason? reason)
    {
        using var other = _world.Authority.IssueClient("client.test");
        var thumbprint = Base64Url.EncodeToString(SHA256.HashData(_world.ClientCertificate.RawCertificate.Span));
        var validator = new FixedValidator(TokenVerdict.Valid("alice", $$"""{"x5t#S256":"{{thumbprint}}"}"""));
        var mechanism = certificate == "none, unbound accepted" ? SaslServer.DangerouslyUnboundTokens(validator) : SaslServer.BoundTokens(validator);
        var client = _world.ClientOptions with
        {
            Identity = certificate switch { "its own" => _world.ClientIdentity, "another" => World.ToIdentity(other), _ => ClientIdentity.None },
            Credentials = Login.WithToken("a.b.c"),
        };

        await using var ends = await ConnectedPair.ShakeAsync(
            client, _world.ServerOptions with { Credentials = Require.CertificateOrUser(mechanism) });

        (ends.Server.Failure as HandshakeException)?.Reason.Should().Be(reason);
        (ends.Client.Connection is not null).Should().Be(reason is null);
        (ends.Server.Connection is not null).Should().Be(reason is null);
    }

    [Test]
    public async Task CVE_2026_54291_a_server_certificate_that_has_no_binding_and_PLUS_required_lets_nobody_in()
    {
        var identifier = Convert.FromHexString("300a06082a8648ce3d040301"); // ECDSA with SHA-224
        using var certificate = _world.Authority.Issue(spec => spec with
        {
            DnsNames = ["server.test"],
            ExtendedKeyUsages = [ExtendedKeyUsage.ServerAuth],
            RewriteTbs = tbs => DerEdit.Sequence(tbs, parts => parts[2] = identifier),
            RewriteCertificate = whole => DerEdit.Sequence(whole, parts => parts[1] = identifier),
        });
        var (clientSocket, serverSocket) = await ConnectedPair.SocketPairAsync();
        var policy = Policy() with { ChannelBinding = ChannelBindingPolicy.Required };
        var server = End.OfAsync(
            new MutualTlsServer(_world.ServerOptions with { Identity = World.ToIdentity(certificate), Credentials = policy })
                .AcceptAsync(serverSocket));
        await using var peer = await ScriptedTlsPeer.AsClientAsync(new NetworkStream(clientSocket, ownsSocket: true), _world.ClientCertificate);
        await peer.SayFrameAsync(FrameType.Login);

        (await peer.HearCodeAsync()).Should().Be((int)PublicReason.MechanismUnavailable);

        await LeaveAsync(peer);
        (await server).Refusal.Reason.Should().Be(RejectionReason.ChannelBindingUnavailable);
    }

    private CredentialPolicy Policy() => Require.User(SaslServer.Scram(_users)) with { DecoyIterations = ScramVerifier.MinIterations };

    private async Task<(End Client, TamperingServer Server)> AgainstServerAsync(
        Func<FrameType, byte[], byte[]?> tamper,
        ClientCredentials? credentials = null,
        CredentialPolicy? policy = null,
        TestCertificate? certificate = null)
    {
        var (clientSocket, serverSocket) = await ConnectedPair.SocketPairAsync();
        var server = new TamperingServer(_world, policy ?? Policy(), tamper);
        var serving = server.ServeAsync(new NetworkStream(serverSocket, ownsSocket: true), certificate);
        var client = await End.OfAsync(
            new MutualTlsClient(_world.ClientOptions with { Credentials = credentials ?? Login.WithPassword("alice", "right") }).UpgradeAsync(
                clientSocket, "server.test"));
        if (client.Connection is not null)
        {
            await client.Connection.DisposeAsync();
        }

        await serving.WaitAsync(ConnectedPair.Deadline);
        return (client, server);
    }

    private async Task<(Task<End> Server, Socket Client)> AcceptAsync(CredentialPolicy policy)
    {
        var (clientSocket, serverSocket) = await ConnectedPair.SocketPairAsync();
        return (End.OfAsync(new MutualTlsServer(_world.ServerOptions with { Credentials = policy }).AcceptAsync(serverSocket)), clientSocket);
    }

    /// <summary>Runs a script against a server. Without a reason the script itself leaves in the end.</summary>
    private async Task AgainstClientAsync(CredentialPolicy policy, RejectionReason? reason, Func<ScriptedTlsPeer, Task> script)
    {
        var (server, socket) = await AcceptAsync(policy);
        await using var peer = await ScriptedTlsPeer.AsClientAsync(new NetworkStream(socket, ownsSocket: true), _world.ClientCertificate);
        await script(peer);
        await LeaveAsync(peer);
        var end = await server;
        if (reason is null)
        {
            end.Refusal.Failure.Should().Be(HandshakeFailure.RefusedByPeer);
        }
        else
        {
            end.Refusal.Reason.Should().Be(reason);
        }
    }

    private static async Task LeaveAsync(ScriptedTlsPeer peer)
    {
        try
        {
            await peer.EndAsync();
        }
        catch (IOException)
        {
            // The server has hung up already.
        }
    }

    private async Task<string[]> ChallengeAsync(MutualTlsServer server, string user)
    {
        var (clientSocket, serverSocket) = await ConnectedPair.SocketPairAsync();
        var accepting = End.OfAsync(server.AcceptAsync(serverSocket));
        await using var peer = await ScriptedTlsPeer.AsClientAsync(new NetworkStream(clientSocket, ownsSocket: true), _world.ClientCertificate);
        await peer.BeginLoginAsync();
        await peer.SayStartAsync(Plus, $"p=tls-server-end-point,,n={user},r=rOprNGfwEbeRWgbNEkqO");
        var challenge = Encoding.UTF8.GetString(await peer.HearFrameAsync(FrameType.Challenge));
        await peer.SayVerdictAsync(40);
        await peer.EndAsync();
        await accepting;
        return challenge.Split(',');
    }

    /// <summary>Type, length and code of all that the server says to a wrong password, and how many keys it derived.</summary>
    private async Task<string[]> FramesOfAsync(string mechanism, string user)
    {
        var server = Require.User(SaslServer.Scram(_users), SaslServer.PasswordsInPlain(_users)) with
        { DecoyIterations = ScramVerifier.MinIterations };
        var (accepting, socket) = await AcceptAsync(server);
        await using var peer = await ScriptedTlsPeer.AsClientAsync(new NetworkStream(socket, ownsSocket: true), _world.ClientCertificate);
        var frames = new List<string> { await peer.BeginLoginAsync() };
        if (mechanism == "PLAIN")
        {
            await peer.SayStartAsync(mechanism, $"\0{user}\0guess");
        }
        else
        {
            await peer.SayStartAsync(mechanism, $"p=tls-server-end-point,,n={user},r=rOprNGfwEbeRWgbNEkqO");
            var challenge = await peer.HearFrameAsync(FrameType.Challenge);
            frames.Add($"challenge of {challenge.Length}");
            var nonce = Encoding.UTF8.GetString(challenge).Split(',')[0][2..];
            await peer.SayFrameAsync(FrameType.Response, $"c={BindingText()},r={nonce},p={Zeros}");
        }

        var (type, payload) = await peer.HearFrameAsync();
        frames.Add($"{type} {Convert.ToHexString(payload)}");
        await LeaveAsync(peer);
        (await accepting).Refusal.Reason.Should().Be(RejectionReason.CredentialsWrong);
        return [.. frames];
    }

    private async Task<string> FinalOfAnEarlierLoginAsync()
    {
        var (credentials, notes) = NotingMechanism.Around(Login.WithPassword("alice", "right"));
        await using var ends = await ConnectedPair.ShakeAsync(
            _world.ClientOptions with { Credentials = credentials }, _world.ServerOptions with { Credentials = Policy() });
        ends.Server.Accepted.Peer.User!.Name.Should().Be("alice");
        return notes.Said[2];
    }

    private string BindingText() =>
        Convert.ToBase64String(
            [
                .. Encoding.UTF8.GetBytes("p=tls-server-end-point,,"),
                .. ChannelBinding.OfServerCertificate(Certificate.Parse(_world.ServerCertificate.RawCertificate))!.Data,
            ]);

    /// <summary>client-final-message to a challenge, as it should be but for one fact.</summary>
    private string Final(string challenge, string attack)
    {
        var parts = challenge.Split(',');
        var (nonce, salt) = (parts[0][2..], Convert.FromBase64String(parts[1][2..]));
        var hash = ScramHash.Sha256;
        var salted = hash.Hi("right"u8, salt, ScramVerifier.MinIterations);
        var storedKey = hash.H(hash.ClientKey(salted));
        var binding = attack == "unbound" ? Convert.ToBase64String(Encoding.UTF8.GetBytes("p=tls-server-end-point,,")) : BindingText();
        var withoutProof = $"c={binding},r={(attack == "nonce" ? nonce + "x" : nonce)}{(attack == "m" ? ",m=x" : string.Empty)}";
        var signature = hash.Hmac(storedKey, Encoding.UTF8.GetBytes($"n=alice,r=rOprNGfwEbeRWgbNEkqO,{challenge},{withoutProof}"));
        var proof = attack == "stored key" ? storedKey : hash.ClientKey(salted);
        ScramHash.Xor(proof, signature);
        var text = attack switch { "zeros" => Zeros, "bad base64" => "*" + Convert.ToBase64String(proof)[1..], _ => Convert.ToBase64String(proof) };
        return attack == "no proof" ? withoutProof : $"{withoutProof},p={text}";
    }

    private sealed class FixedValidator(TokenVerdict verdict) : ITokenValidator
    {
        public ValueTask<TokenVerdict> ValidateAsync(string token, IPAddress? remoteAddress, CancellationToken cancellationToken) =>
            ValueTask.FromResult(verdict);
    }

    private sealed class Endless : ISaslServerMechanism, ISaslServerExchange
    {
        public IEnumerable<string> NamesFor(SaslServerContext context) => ["ENDLESS"];

        public ISaslServerExchange Begin(string name, SaslServerContext context) => this;

        public ValueTask<SaslServerStep> StepAsync(ReadOnlyMemory<byte> message, CancellationToken cancellationToken) =>
            ValueTask.FromResult(SaslServerStep.Continue(message));

        public void Dispose()
        {
        }
    }
}
