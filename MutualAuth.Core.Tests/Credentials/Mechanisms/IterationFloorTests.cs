using System.Collections.Immutable;
using MutualAuth.Credentials;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Credentials;

/// <summary>The fewest iterations for which a client gives its proof away: its own floor, and what that server has shown before.</summary>
public sealed class IterationFloorTests
{
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(20);

    [TestCase(4999, RejectionReason.IterationCountOutOfRange)]
    [TestCase(5000, null)]
    public async Task Fewer_than_the_callers_floor_are_refused_before_anything_is_derived(int iterations, RejectionReason? reason)
    {
        var derivation = new KeyDerivation(1, 1, 1);
        var credentials = Login.WithPassword("alice", Password.From("correct horse"), minIterations: 5000);

        var objection = await OfferAsync(credentials, iterations, derivation: derivation);

        (objection?.Reason, derivation.Calls).Should().Be((reason, reason is null ? 1 : 0));
    }

    [TestCase(4095)]
    [TestCase(1_000_001)]
    public void A_floor_that_no_verifier_can_meet_or_that_is_none_is_refused(int floor)
    {
        var make = () => Login.WithPassword("alice", Password.From("correct horse"), minIterations: floor);

        make.Should().Throw<ArgumentOutOfRangeException>();
    }

    [TestCase(9_999, RejectionReason.IterationCountLowered)]
    [TestCase(4_096, RejectionReason.IterationCountLowered)]
    [TestCase(10_000, null)]
    [TestCase(10_001, null)]
    public async Task Fewer_than_the_same_server_has_shown_before_are_refused_before_anything_is_derived(int then, RejectionReason? reason)
    {
        var credentials = Credentials();
        (await LogInAsync(credentials, 10_000)).Should().BeNull();
        var derivation = new KeyDerivation(1, 1, 1);

        var objection = await OfferAsync(credentials, then, derivation: derivation);

        (objection?.Reason, derivation.Calls).Should().Be((reason, reason is null ? 1 : 0));
        if (reason is not null)
        {
            objection!.Expected.Should().Contain("10000");
            objection.Presented.Should().Contain($"{then}");
            objection.Hint.Should().NotBeEmpty();
        }
    }

    [Test]
    public async Task The_floor_rises_with_what_is_shown_and_never_falls()
    {
        var credentials = Credentials();
        foreach (var iterations in new[] { 5_000, 10_000, 10_000 })
        {
            (await LogInAsync(credentials, iterations)).Should().BeNull();
        }

        (await LogInAsync(credentials, 9_999))!.Reason.Should().Be(RejectionReason.IterationCountLowered);
        (await LogInAsync(credentials, 5_000))!.Reason.Should().Be(RejectionReason.IterationCountLowered);
        (await LogInAsync(credentials, 10_000)).Should().BeNull();
    }

    [Test]
    public async Task What_a_server_shows_that_does_not_prove_itself_raises_nothing()
    {
        // Else an impostor that shows a million once would keep the user from the honest server.
        var credentials = Credentials();
        (await OfferAsync(credentials, 20_000)).Should().BeNull();
        (await LogInAsync(credentials, 20_000, password: "another")).Should().BeNull("the server says no, and the client does not object");

        (await LogInAsync(credentials, 4_096)).Should().BeNull();
    }

    [TestCase("bank.test", RejectionReason.IterationCountLowered)]
    [TestCase("other.test", null)]
    public async Task Each_server_has_a_floor_of_its_own(string then, RejectionReason? reason)
    {
        var credentials = Credentials();
        await LogInAsync(credentials, 10_000, server: "bank.test");

        (await OfferAsync(credentials, 4_096, server: then))?.Reason.Should().Be(reason);
        (await OfferAsync(credentials, 4_096, server: then) is null).Should().Be(reason is null);
    }

    [Test]
    public async Task Each_login_object_remembers_for_itself()
    {
        var credentials = Credentials();
        await LogInAsync(credentials, 10_000);

        (await OfferAsync(Credentials(), 4_096)).Should().BeNull();
        var only = credentials with { OnlyMechanism = "SCRAM-SHA-256-PLUS" };
        (await OfferAsync(only, 4_096))!.Reason.Should().Be(RejectionReason.IterationCountLowered);
    }

    // An impostor chooses the hash as well: it offers the one that the server has not shown. What costs as much as before is let pass.
    // The figures are a tenth of the defaults, whose relation to each other is what counts here.
    [TestCase("SHA-512", 22_000, "SHA-256", 4_096, RejectionReason.IterationCountLowered)]
    [TestCase("SHA-512", 22_000, "SHA-256", 21_999, RejectionReason.IterationCountLowered)]
    [TestCase("SHA-512", 22_000, "SHA-256", 22_000, null)]
    [TestCase("SHA-512", 22_000, "SHA-256", 60_000, null)]
    [TestCase("SHA-256", 60_000, "SHA-512", 21_999, RejectionReason.IterationCountLowered)]
    [TestCase("SHA-256", 60_000, "SHA-512", 22_000, null)]
    [TestCase("SHA-256", 10_000, "SHA-512", 4_096, null)]
    public async Task Another_hash_is_no_way_round(string before, int shown, string then, int iterations, RejectionReason? reason)
    {
        var credentials = Credentials();
        (await LogInAsync(credentials, shown, HashOf(before))).Should().BeNull();

        (await OfferAsync(credentials, iterations, HashOf(then)))?.Reason.Should().Be(reason);
        (await OfferAsync(credentials, iterations, HashOf(then)) is null).Should().Be(reason is null);
    }

    [Test]
    public void Each_hash_that_was_shown_has_a_floor_of_its_own()
    {
        var floors = new IterationFloor();
        var server = PeerName.Dns("bank.test");
        floors.Remember(server, ScramHash.Sha512, 22_000);
        floors.Remember(server, ScramHash.Sha256, 10_000);

        (floors.FloorOf(server, ScramHash.Sha256), floors.FloorOf(server, ScramHash.Sha512)).Should().Be((10_000, 22_000));
    }

    [Test]
    public async Task The_memory_is_bounded_and_keeps_those_that_were_seen_last()
    {
        var floors = new IterationFloor();
        var first = PeerOf("first.test").ProvenName;
        floors.Remember(first, ScramHash.Sha256, 10_000);
        foreach (var index in Enumerable.Range(0, IterationFloor.MaxServers - 1))
        {
            floors.Remember(PeerName.Dns($"s{index}.test"), ScramHash.Sha256, 5_000);
        }

        floors.Remember(first, ScramHash.Sha256, 4_096);
        floors.Remember(PeerName.Dns("one-more.test"), ScramHash.Sha256, 5_000);

        floors.Count.Should().Be(IterationFloor.MaxServers);
        floors.FloorOf(first, ScramHash.Sha256).Should().Be(10_000);
        floors.FloorOf(PeerName.Dns("s0.test"), ScramHash.Sha256).Should().Be(0);

        // From many threads at once, the highest stays.
        await Task.WhenAll(Enumerable.Range(1, 64).Select(index => Task.Run(() => floors.Remember(first, ScramHash.Sha256, 10_000 + index))))
            .WaitAsync(s_limit);
        floors.FloorOf(first, ScramHash.Sha256).Should().Be(10_064);
    }

    private static ScramHash HashOf(string name) => name == "SHA-256" ? ScramHash.Sha256 : ScramHash.Sha512;

    private static ClientCredentials Credentials() => Login.WithPassword("alice", Password.From("correct horse"));

    private static AuthenticatedPeer PeerOf(string name) => Sasl.PeerOf(new TestPeer { Dns = [name] });

    /// <summary>A server that shows a count and goes away.</summary>
    private static async Task<Rejection?> OfferAsync(
        ClientCredentials credentials, int iterations, ScramHash? hash = null, string server = "bank.test", KeyDerivation? derivation = null)
    {
        using var session = Begin(credentials, hash ?? ScramHash.Sha256, server, derivation);
        await session.StartAsync(default).AsTask().WaitAsync(s_limit);
        return (await session.StepAsync(Sasl.Utf8($"r=mineabcdefgh,s={Sasl.Salt},i={iterations}"), default).AsTask().WaitAsync(s_limit)).Objection;
    }

    /// <summary>A whole login at a server of ours whose user has that many.</summary>
    private static async Task<Rejection?> LogInAsync(
        ClientCredentials credentials, int iterations, ScramHash? hash = null, string server = "bank.test", string password = "correct horse")
    {
        var chosen = hash ?? ScramHash.Sha256;
        var store = new MemoryCredentialStore();
        await store.SetAsync("alice", Sasl.Verifier(password, chosen, iterations));
        var serverSession = Sasl.Server(Sasl.Policy(SaslServer.Scram(store, chosen)), Sasl.Binding);
        using var client = Begin(credentials, chosen, server, derivation: null);
        var step = await serverSession.StartAsync(client.Mechanism, await client.StartAsync(default), default).AsTask().WaitAsync(s_limit);
        while (step is SaslServerStep.Challenged challenge)
        {
            var answer = await client.StepAsync(challenge.Message, default).AsTask().WaitAsync(s_limit);
            if (answer.Objection is { } objection)
            {
                return objection;
            }

            step = await serverSession.ContinueAsync(answer.Message, default).AsTask().WaitAsync(s_limit);
        }

        return step is SaslServerStep.Succeeded success ? client.Complete(success.AdditionalData).Objection : null;
    }

    private static SaslClientSession Begin(ClientCredentials credentials, ScramHash hash, string server, KeyDerivation? derivation)
    {
        ImmutableArray<string> offered = [hash.Mechanism + "-PLUS"];
        var context = new SaslClientContext(PeerOf(server), Sasl.Binding, offered)
        {
            Nonce = () => "mine",
            KeyDerivation = derivation ?? KeyDerivation.Unbounded,
        };
        return SaslClientSession.Begin(credentials, context).Session!;
    }
}
