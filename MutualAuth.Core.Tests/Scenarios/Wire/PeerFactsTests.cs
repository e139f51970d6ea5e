using MutualAuth.Authorization;
using MutualAuth.Callbacks;
using MutualAuth.Credentials;
using MutualAuth.Evidence;
using MutualAuth.Names;
using MutualAuth.Tests.Credentials;
using MutualAuth.Tests.Support;
using MutualAuth.Trust;
using MutualAuth.Validation;

namespace MutualAuth.Tests.Scenarios;

/// <summary>What outside services say of a peer, over real sockets: it shows on the peer, and rules ask for it.</summary>
[CancelAfter(60000)]
public sealed class PeerFactsTests
{
    private const string Gold = "1.3.6.1.4.1.55555.10";
    private const string Silver = "1.3.6.1.4.1.55555.20";

    private static readonly PeerFact s_compliant = new("compliant", "true");

    private World _world = null!;

    [SetUp]
    public void SetUp() => _world = new World();

    [TearDown]
    public void TearDown() => _world.Dispose();

    [TestCase("true", null)]
    [TestCase("false", RejectionReason.NotAuthorized)]
    public async Task A_rule_asks_for_a_fact_and_the_peer_shows_it(string value, RejectionReason? reason)
    {
        var server = _world.ServerOptions with
        {
            AsyncValidators = [Says(new PeerFact("compliant", value))],
            Authorization = Authorize.AllOf(Authorize.Dns("client.test"), Authorize.Fact("posture", "compliant", "true", "yes")),
        };

        await using var ends = await ConnectedPair.ShakeAsync(_world.ClientOptions, server);

        if (reason is null)
        {
            var fact = ends.Server.Accepted.Peer.Facts.Single();
            (fact.Source, fact.Name, fact.Value).Should().Be(("posture", "compliant", "true"));
            ends.Server.Accepted.Peer.Name.Should().Be("client.test");
            ends.Client.Accepted.Peer.Facts.Should().BeEmpty("they are the server's");
        }
        else
        {
            ends.Server.Refusal.Reason.Should().Be(reason);
            ends.Client.Refusal.PeerReason.Should().Be(PublicReason.AccessDenied);
        }
    }

    [TestCase("posture", "compliant", null)]
    [TestCase("location", "compliant", RejectionReason.NotAuthorized)]
    [TestCase("posture", "Compliant", RejectionReason.NotAuthorized)]
    public async Task A_fact_of_another_source_or_name_is_another_fact(string source, string name, RejectionReason? reason)
    {
        var server = _world.ServerOptions with
        {
            AsyncValidators = [Says(s_compliant), Says(new PeerFact("country", "NO"), "location")],
            Authorization = Authorize.Fact(source, name, "true"),
        };

        await using var ends = await ConnectedPair.ShakeAsync(_world.ClientOptions, server);

        (ends.Server.Failure as HandshakeException)?.Reason.Should().Be(reason);
        (ends.Server.Connection is not null).Should().Be(reason is null);
    }

    /// <summary>
    /// Before the facts are known neither part of the alternative is decided, and afterwards the name is that of the part that holds.
    /// </summary>
    [TestCase("true", "other.test", null, "client.test")]
    [TestCase("false", "client.test", null, "client.test")]
    [TestCase("false", "other.test", RejectionReason.NotAuthorized, null)]
    public async Task An_alternative_with_a_fact_in_it_is_decided_when_the_fact_is_known(
        string value, string name, RejectionReason? reason, string? acceptedAs)
    {
        var server = _world.ServerOptions with
        {
            AsyncValidators = [Says(new PeerFact("compliant", value))],
            Authorization = Authorize.AnyOf(Authorize.Fact("posture", "compliant", "true"), Authorize.Dns(name)),
        };

        await using var ends = await ConnectedPair.ShakeAsync(_world.ClientOptions, server);

        (ends.Server.Failure as HandshakeException)?.Reason.Should().Be(reason);
        ends.Server.Connection?.Peer.Name.Should().Be(acceptedAs);
    }

    /// <summary>What the certificate stage has found out is not forgotten when the rule is asked once more.</summary>
    [TestCase(Gold, "true", null)]
    [TestCase(Silver, "true", RejectionReason.NotAuthorized)]
    [TestCase(Gold, "false", RejectionReason.NotAuthorized)]
    public async Task A_rule_asks_for_a_certificate_policy_and_for_a_fact(string policy, string value, RejectionReason? reason)
    {
        using var client = _world.Authority.Issue(spec => spec with { DnsNames = ["client.test"], Policies = [policy] });
        var server = _world.ServerOptions with
        {
            AsyncValidators = [Says(new PeerFact("compliant", value))],
            Authorization = Authorize.AllOf(Authorize.Policy(Gold), Authorize.Fact("posture", "compliant", "true")),
        };

        await using var ends = await ConnectedPair.ShakeAsync(_world.ClientOptions with { Identity = World.ToIdentity(client) }, server);

        (ends.Server.Failure as HandshakeException)?.Reason.Should().Be(reason);
        ends.Server.Connection?.Peer.Policies.Should().Equal(Gold);
        (ends.Server.Connection is not null).Should().Be(reason is null);
    }

    [TestCase(true, null)]
    [TestCase(false, RejectionReason.PeerNotVerified)]
    public async Task A_rule_asks_for_a_key_that_was_compared_and_for_a_fact(bool isCompared, RejectionReason? reason)
    {
        using var alice = SelfSigned.Issue("alice");
        var known = SelfSigned.Known("alice", alice);
        var store = new KnownPeersInMemory();
        await store.AddAsync(known);
        if (isCompared)
        {
            await store.VerifyAsync("alice", PeerFingerprint.Of(known.Key), TimeProvider.System.GetUtcNow());
        }

        var server = _world.ServerOptions with
        {
            Trust = KnownPeers.Only(store),
            AsyncValidators = [Says(s_compliant)],
            Authorization = Authorize.AllOf(Authorize.VerifiedKey, Authorize.Fact("posture", "compliant", "true")),
        };

        await using var ends = await ConnectedPair.ShakeAsync(_world.ClientOptions with { Identity = World.ToIdentity(alice) }, server);

        (ends.Server.Failure as HandshakeException)?.Reason.Should().Be(reason);
        (ends.Server.Connection?.Peer.IsKeyVerified).Should().Be(isCompared ? true : null);
    }

    [Test]
    public async Task A_condition_over_all_facts_that_throws_lets_nobody_in()
    {
        var server = _world.ServerOptions with
        {
            AsyncValidators = [Says(s_compliant)],
            Authorization = Authorize.WhereFacts("it has two facts", facts => facts[1].Value == "true"),
        };

        await using var ends = await ConnectedPair.ShakeAsync(_world.ClientOptions, server);

        ends.Server.Refusal.Reason.Should().Be(RejectionReason.ValidatorFaulted);
    }

    [TestCase("no")]
    [TestCase("throws")]
    [TestCase("null")]
    public async Task Whatever_is_no_yes_is_a_no(string what)
    {
        var posture = new ScriptedFacts
        {
            Always = what switch
            {
                "no" => _ => PeerFactVerdict.Refused("a compliant device", "another"),
                "throws" => _ => throw new InvalidOperationException(),
                _ => _ => null!,
            },
        };

        await using var ends = await ConnectedPair.ShakeAsync(_world.ClientOptions, _world.ServerOptions with { AsyncValidators = [posture] });

        ends.Server.Refusal.Reason.Should().Be(what == "no" ? RejectionReason.ValidatorRefused : RejectionReason.ValidatorFaulted);
    }

    [Test]
    public async Task A_yes_that_is_over_before_the_others_have_answered_is_none()
    {
        var clock = new Microsoft.Extensions.Time.Testing.FakeTimeProvider(TimeProvider.System.GetUtcNow());
        var second = new ScriptedFacts("location");
        var server = _world.ServerOptions with
        {
            AsyncValidators = [new ScriptedFacts { Always = _ => PeerFactVerdict.Holds(PeerFactVerdict.MinLifetime) }, second],
            AsyncValidatorTimeout = TimeSpan.FromMinutes(1),
            HandshakeTimeout = TimeSpan.FromMinutes(2),
            TimeProvider = clock,
        };
        var pair = ConnectedPair.ShakeAsync(_world.ClientOptions, server);
        var question = await second.AskedAsync();
        clock.Advance(PeerFactVerdict.MinLifetime);
        question.Yes(TimeSpan.FromHours(1));

        await using var ends = await pair;

        ends.Server.Refusal.Reason.Should().Be(RejectionReason.FactsExpired);
        ends.Client.Refusal.PeerReason.Should().Be(PublicReason.TryAgainLater);
    }

    [Test]
    public async Task A_no_while_connected_cuts_the_connection_where_the_policy_says_so()
    {
        var clock = new Microsoft.Extensions.Time.Testing.FakeTimeProvider(TimeProvider.System.GetUtcNow());
        var posture = new ScriptedFacts { Always = _ => PeerFactVerdict.Holds(TimeSpan.FromMinutes(4), s_compliant) };
        var server = _world.ServerOptions with
        {
            AsyncValidators = [posture],
            TimeProvider = clock,
            Revalidation = new RevalidationPolicy { OnUnauthorized = InvalidationAction.Abort },
        };
        await using var ends = await ConnectedPair.ShakeAsync(_world.ClientOptions, server);
        var connection = ends.Server.Accepted;
        var read = connection.Stream.ReadAsync(new byte[1]).AsTask();
        posture.Always = _ => PeerFactVerdict.Refused("a compliant device", "one that was jailbroken");

        clock.Advance(TimeSpan.FromMinutes(3));

        var ended = await read.WaitAsync(ConnectedPair.Deadline).ContinueWith(task => task.Exception!.InnerException, TaskScheduler.Default);
        ended.Should().BeOfType<ConnectionEndedException>();
        connection.Invalidation!.Rejection.Reason.Should().Be(RejectionReason.ValidatorRefused);
    }

    [Test]
    public async Task A_user_without_a_certificate_is_asked_about_too_and_shows_the_facts()
    {
        var users = await TestUsers.CreateAsync();
        var posture = Says(s_compliant);
        var server = _world.ServerOptions with
        {
            AsyncValidators = [posture],
            Authorization = Authorize.Nobody,
            Credentials = Require.User(SaslServer.Scram(users)),
        };
        var client = _world.ClientOptions with { Identity = ClientIdentity.None, Credentials = Login.WithPassword("alice", "right") };

        await using var ends = await ConnectedPair.ShakeAsync(client, server);

        var peer = ends.Server.Accepted.Peer;
        (peer.User!.Name, peer.Facts.Single().Name).Should().Be(("alice", "compliant"));
    }

    [Test]
    public async Task A_client_asks_about_its_server()
    {
        var client = _world.ClientOptions with
        {
            AsyncValidators = [Says(s_compliant, "attestation")],
            Authorization = Authorize.AllOf(Authorize.ServerName, Authorize.Fact("attestation", "compliant", "true")),
        };

        await using var ends = await ConnectedPair.ShakeAsync(client, _world.ServerOptions);

        ends.Client.Accepted.Peer.Facts.Single().Source.Should().Be("attestation");
    }

    [Test]
    public async Task A_rule_decides_about_one_more_thing_by_the_facts_of_now()
    {
        await using var ends = await ConnectedPair.ShakeAsync(
            _world.ClientOptions, _world.ServerOptions with { AsyncValidators = [Says(s_compliant)] });
        var peer = ends.Server.Accepted.Peer;

        Authorize.Fact("posture", "compliant", "true").Examine(peer, default).Should().BeNull();
        Authorize.Fact("posture", "encrypted", "true").Examine(peer, default)!.Reason.Should().Be(RejectionReason.NotAuthorized);
    }

    [Test]
    public void Nobody_makes_a_server_whose_rule_asks_for_facts_that_nobody_gives()
    {
        var options = _world.ServerOptions with { Authorization = Authorize.Fact("posture", "compliant", "true") };

        FluentActions.Invoking(() => new MutualTlsServer(options)).Should().Throw<ArgumentException>().WithMessage("*asks for facts of 'posture'*");
        FluentActions.Invoking(() => new MutualTlsServer(options with { AsyncValidators = [Says(s_compliant)] })).Should().NotThrow();
    }

    [TestCase("posture", "posture", "*two validators have the name*")]
    [TestCase("posture", "", "*the name of a validator*")]
    [TestCase("posture", "a b", "*the name of a validator*")]
    public void Names_tell_validators_apart(string one, string other, string problem)
    {
        var options = _world.ServerOptions with { AsyncValidators = [new ScriptedFacts(one), new ScriptedFacts(other)] };

        FluentActions.Invoking(() => new MutualTlsServer(options)).Should().Throw<ArgumentException>().WithMessage(problem);
    }

    [Test]
    public async Task Where_nobody_gives_facts_a_rule_that_asks_for_them_accepts_nobody()
    {
        // A source whose rule is replaced while the server runs.
        var rule = new ReloadableRule(Authorize.AnyTrustedPeer);
        var server = new MutualTlsServer(_world.ServerOptions with { Authorization = Authorize.From(rule) });
        rule.Replace(Authorize.Fact("posture", "compliant", "true"));
        var (clientSocket, serverSocket) = await ConnectedPair.SocketPairAsync();

        await using var ends = await ConnectedPair.ShakeAsync(
            new MutualTlsClient(_world.ClientOptions).UpgradeAsync(clientSocket, "server.test"), server.AcceptAsync(serverSocket));

        ends.Server.Refusal.Reason.Should().Be(RejectionReason.NotAuthorized);
    }

    [Test]
    public async Task The_certificate_stage_alone_knows_no_facts_and_accepts_nobody_by_them()
    {
        var options = _world.ServerOptions with
        {
            AsyncValidators = [Says(s_compliant)],
            Authorization = Authorize.Fact("posture", "compliant", "true"),
        };
        await using var ends = await ConnectedPair.ShakeAsync(_world.ClientOptions, options);

        var verdict = new CertificateStage(options).Judge(ends.Server.Accepted.Peer.Evidence, TimeProvider.System.GetUtcNow());

        verdict.Should().BeOfType<CertificateVerdict.Rejected>().Which.Rejection.Reason.Should().Be(RejectionReason.NotAuthorized);
        FluentActions.Invoking(() => new ValidationCallbacks(
                new CertificateStage(new CertificateStageOptions { Trust = options.Trust, Authorization = options.Authorization })))
            .Should().Throw<ArgumentException>().WithMessage("*asks for facts*");
    }

    [Test]
    public void An_answer_is_bounded()
    {
        var fact = new PeerFact("a", new string('x', 1024));

        FluentActions.Invoking(() => PeerFactVerdict.Holds(TimeSpan.FromSeconds(9.999))).Should().Throw<ArgumentOutOfRangeException>();
        FluentActions.Invoking(() => PeerFactVerdict.Holds(TimeSpan.FromDays(7.001))).Should().Throw<ArgumentOutOfRangeException>();
        FluentActions.Invoking(() => PeerFactVerdict.Holds(TimeSpan.FromHours(1), Endless())).Should().Throw<ArgumentException>();
        FluentActions.Invoking(() => PeerFactVerdict.Holds(TimeSpan.FromHours(1), Enumerable.Repeat(fact, 8))).Should().Throw<ArgumentException>();
        FluentActions.Invoking(() => PeerFactVerdict.Holds(TimeSpan.FromHours(1), [null!])).Should().Throw<ArgumentException>();
        PeerFactVerdict.Holds(TimeSpan.FromHours(1), Enumerable.Repeat(fact, 7)).Facts.Should().HaveCount(7);
        FluentActions.Invoking(() => new PeerFact("a", new string('x', 1025))).Should().Throw<ArgumentException>();
        FluentActions.Invoking(() => new PeerFact("a\nb", "x")).Should().Throw<ArgumentException>();

        static IEnumerable<PeerFact> Endless()
        {
            while (true)
            {
                yield return s_compliant;
            }
        }
    }

    private static ScriptedFacts Says(PeerFact fact, string name = "posture") =>
        new(name) { Always = _ => PeerFactVerdict.Holds(TimeSpan.FromHours(1), fact) };
}
