using System.Collections.Immutable;
using Microsoft.Extensions.Logging.Testing;
using MutualAuth.Credentials;
using MutualAuth.Factors;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Factors;

/// <summary>Passkeys: a right assertion, and its neighbours that differ in one fact.</summary>
[CancelAfter(30000)]
public sealed class PasskeyTests
{
    private const string Bank = "bank.test";
    private static readonly PasskeyOptions s_options = new() { RelyingParty = Bank };
    private static readonly Factor.End s_proven =
        Factor.End.Proven(PeerProofs.Passkey | PeerProofs.ChannelBinding | PeerProofs.UserVerification);

    private MemoryCredentialStore _store = null!;
    private SoftwareAuthenticator _authenticator = null!;

    [SetUp]
    public async Task SetUpAsync()
    {
        _store = new MemoryCredentialStore();
        _authenticator = new SoftwareAuthenticator();
        (await RegisterAsync(_store, _authenticator)).Should().BeNull();
    }

    [TearDown]
    public void TearDown() => _authenticator.Dispose();

    [TestCase(PasskeyOptions.Es256)]
    [TestCase(PasskeyOptions.Rs256)]
    public async Task A_passkey_logs_its_user_in_again_and_again(int algorithm)
    {
        var options = s_options with { Algorithms = [algorithm] };
        using var authenticator = new SoftwareAuthenticator();
        (await RegisterAsync(_store, authenticator, options: options)).Should().BeNull();

        (await LogInAsync(authenticator, options)).Should().Be(s_proven);
        (await LogInAsync(authenticator, options)).Should().Be(s_proven);
    }

    [Test]
    public async Task An_assertion_that_was_made_for_another_servers_channel_is_refused() =>
        (await LogInAsync(_authenticator, clientBinding: Factor.Elsewhere)).Should().Be(
            Factor.End.Refused(RejectionReason.PasskeyChallengeMismatch), "the man in the middle has another certificate");

    [Test]
    public async Task An_assertion_that_was_made_for_a_login_is_none_for_a_step_up() =>
        (await LogInAsync(_authenticator, clientBinding: Factor.Here with { Type = "mutualauth-step-up" })).Server
            .Should().Be(RejectionReason.PasskeyChallengeMismatch);

    [Test]
    public async Task A_replayed_assertion_is_refused()
    {
        ReadOnlyMemory<byte> heard = default;
        (await LogInAsync(_authenticator, onTheWay: message => heard = message)).Should().Be(s_proven);

        (await LogInAsync(_authenticator, onTheWay: message => message.Length > 1 ? heard : message)).Should().Be(
            Factor.End.Refused(RejectionReason.PasskeyChallengeMismatch));
    }

    [Test]
    public async Task A_cloned_authenticator_is_found_by_its_counter_and_the_original_still_works()
    {
        var log = new FakeLoggerProvider();
        using var loggers = Microsoft.Extensions.Logging.LoggerFactory.Create(builder => Microsoft.Extensions.Logging.LoggingBuilderExtensions
            .AddProvider(builder, log));
        var options = s_options with { LoggerFactory = loggers };
        (await LogInAsync(_authenticator, options)).Should().Be(s_proven);
        (await LogInAsync(_authenticator, options)).Should().Be(s_proven);
        var clone = await CounterAsync(3);

        (await LogInAsync(_authenticator, options, store: clone)).Should().Be(Factor.End.Refused(RejectionReason.PasskeyCounterNotRisen), "3 again");
        (await LogInAsync(_authenticator, options, store: clone)).Should().Be(s_proven, "4");
        log.Collector.GetSnapshot().Select(record => record.Id.Id).Should().Equal(1320);
    }

    [Test]
    public async Task A_passkey_that_seems_copied_is_locked_where_the_server_wants_that()
    {
        var options = s_options with { LocksCopiedPasskeys = true };
        var store = await CounterAsync(1);

        (await LogInAsync(_authenticator, options, store: store)).Server.Should().Be(RejectionReason.PasskeyCounterNotRisen, "1 again");
        (await LogInAsync(_authenticator, options, store: store)).Server.Should().Be(RejectionReason.PasskeyCounterNotRisen, "it is locked");
        (await LogInAsync(_authenticator, options)).Should().Be(s_proven, "in the other store it is not");
    }

    [Test]
    public async Task A_counter_that_falls_back_to_nothing_is_refused() =>
        (await LogInAsync(new Odd(_authenticator) { Data = data => [.. data[..33], 0, 0, 0, 0] }, store: await CounterAsync(1)))
            .Server.Should().Be(RejectionReason.PasskeyCounterNotRisen, "WebAuthn Level 2 §7.2 step 21");

    [Test]
    public async Task Of_one_assertion_at_two_servers_one_counts()
    {
        ReadOnlyMemory<byte> nonce = default;
        using var first = Server().Begin("PASSKEY-PLUS", Factor.ServerContext());
        var challenge = ((SaslServerStep.Challenged)await first.StepAsync(PasskeyWire.Hello, default)).Message;
        nonce = PasskeyWire.ReadChallenge(challenge)!.Nonce;
        var assertion = await _authenticator.AssertAsync(new PasskeyAssertionRequest
        {
            RelyingParty = Bank,
            Challenge = PasskeyWire.ChallengeOf(Factor.Here, Bank, nonce.Span),
            AllowedCredentials = PasskeyWire.ReadChallenge(challenge)!.Credentials,
        });
        var message = PasskeyWire.Write(assertion!);

        var one = await first.StepAsync(message, default);
        var two = await first.StepAsync(message, default);

        one.Should().BeOfType<SaslServerStep.Succeeded>();
        ((SaslServerStep.Failed)two).Rejection.Reason.Should().Be(RejectionReason.PasskeyCounterNotRisen);
    }

    [TestCaseSource(nameof(OddAnswers))]
    public async Task What_is_wrong_in_one_way_is_refused(Func<SoftwareAuthenticator, IPasskeyAuthenticator> make, RejectionReason reason)
    {
        (await LogInAsync(make(_authenticator))).Should().Be(Factor.End.Refused(reason));

        (await LogInAsync(_authenticator)).Should().Be(s_proven);
    }

    [TestCase(true, true, null, PeerProofs.Passkey | PeerProofs.ChannelBinding | PeerProofs.UserVerification)]
    [TestCase(false, true, null, PeerProofs.Passkey | PeerProofs.ChannelBinding | PeerProofs.UserVerification)]
    [TestCase(false, false, null, PeerProofs.Passkey | PeerProofs.ChannelBinding)]
    [TestCase(true, false, RejectionReason.PasskeyUserNotVerified, PeerProofs.None)]
    public async Task Whether_the_person_was_verified_is_demanded_and_told(
        bool isRequired, bool isVerified, RejectionReason? reason, PeerProofs proofs)
    {
        var options = s_options with { RequiresUserVerification = isRequired };
        using var authenticator = new SoftwareAuthenticator { VerifiesUser = isVerified };
        (await RegisterAsync(_store, authenticator, options: s_options with { RequiresUserVerification = false })).Should().BeNull();

        var end = await LogInAsync(new Odd(authenticator) { ForgetsVerification = true }, options);

        (end.Server, end.Proofs).Should().Be((reason, proofs));
    }

    [Test]
    public async Task The_passkey_of_another_user_is_none_of_this_users()
    {
        using var others = new SoftwareAuthenticator();
        (await RegisterAsync(_store, others, "bob")).Should().BeNull();
        var theirs = PasskeyIdOf((await _store.FindFactorsAsync("bob")).Single());

        (await LogInAsync(new Odd(others) { Allowed = [theirs] })).Should().Be(Factor.End.Refused(RejectionReason.PasskeyInvalid));
        (await LogInAsync(others, user: "bob")).Should().Be(s_proven);
    }

    [Test]
    public async Task Who_has_no_passkey_is_told_apart_in_our_log_alone()
    {
        using var empty = new SoftwareAuthenticator();

        (await LogInAsync(_authenticator, user: "carol")).Server.Should().Be(RejectionReason.SecondFactorMissing);
        (await LogInAsync(empty)).Client.Should().Be(RejectionReason.SecondFactorUnavailable, "the client leaves");
        (await LogInAsync(_authenticator, user: null)).Server.Should().Be(RejectionReason.CredentialProtocolViolated);
    }

    [Test]
    public async Task A_server_of_another_relying_party_gets_no_assertion()
    {
        var end = await LogInAsync(_authenticator, relyingParty: "test");

        (end.Server, end.Client).Should().Be((null, RejectionReason.PasskeyInvalid));
    }

    [Test]
    public void Without_a_channel_binding_it_is_not_offered()
    {
        var policy = Require.User(SaslServer.Scram(_store));
        var context = new SaslServerContext(policy, new LoginServices(policy, TimeProvider.System), null, null, null);

        Server().NamesFor(context).Should().BeEmpty();
        Server().NamesFor(Factor.ServerContext()).Should().Equal("PASSKEY-PLUS");
        SecondFactor.Passkey(_authenticator, Bank).NamesFor(new SaslClientContext(null!, null, [])).Should().BeEmpty();
    }

    [Test]
    public async Task An_algorithm_that_is_not_accepted_any_more_is_refused()
    {
        (await LogInAsync(_authenticator, s_options with { Algorithms = [PasskeyOptions.Rs256] })).Server.Should().Be(RejectionReason.PasskeyInvalid);
        (await LogInAsync(_authenticator)).Should().Be(s_proven);
    }

    [Test]
    public async Task Other_origins_count_where_the_server_says_so()
    {
        var android = s_options with { Origins = ["android:apk-key-hash:abc"] };
        var phone = new Odd(_authenticator) { Origin = "android:apk-key-hash:abc" };

        (await LogInAsync(phone, android)).Should().Be(s_proven);
        (await LogInAsync(phone)).Should().Be(Factor.End.Refused(RejectionReason.PasskeyInvalid));
        (await LogInAsync(_authenticator, android)).Should().Be(Factor.End.Refused(RejectionReason.PasskeyInvalid));
    }

    [TestCaseSource(nameof(OddCreations))]
    public async Task A_registration_that_is_wrong_in_one_way_is_refused(Func<SoftwareAuthenticator, IPasskeyAuthenticator> make)
    {
        using var fresh = new SoftwareAuthenticator();

        (await RegisterAsync(_store, make(fresh), "dave"))!.Reason.Should().Be(RejectionReason.PasskeyInvalid);

        (await _store.FindFactorsAsync("dave")).Should().BeEmpty();
        (await RegisterAsync(_store, fresh, "dave")).Should().BeNull();
    }

    [Test]
    public async Task A_registration_over_another_challenge_or_without_verification_is_refused()
    {
        using var fresh = new SoftwareAuthenticator();
        using var careless = new SoftwareAuthenticator { VerifiesUser = false };

        (await RegisterAsync(_store, new Odd(fresh) { Challenge = new byte[32] }, "dave"))!.Reason
            .Should().Be(RejectionReason.PasskeyChallengeMismatch);
        (await RegisterAsync(_store, careless, "dave"))!.Reason.Should().Be(RejectionReason.PasskeyUserNotVerified);
    }

    [Test]
    public async Task A_challenge_of_a_registration_is_answered_once()
    {
        using var fresh = new SoftwareAuthenticator();
        var registration = await PasskeyRegistration.BeginAsync(_store, s_options, "dave");
        var creation = (await fresh.CreateAsync(registration.Request))!;

        (await registration.CompleteAsync(creation)).Should().BeNull();

        registration.Factor!.Kind.Should().Be("passkey");
        await registration.Awaiting(each => each.CompleteAsync(creation).AsTask()).Should().ThrowAsync<InvalidOperationException>();
    }

    [Test]
    public async Task A_user_has_eight_passkeys_at_most_and_an_authenticator_one_for_each_user()
    {
        (await FluentActions.Awaiting(() => RegisterAsync(_store, _authenticator)).Should().ThrowAsync<InvalidOperationException>())
            .Which.Message.Should().Contain("nothing");
        for (var number = 1; number < 8; number++)
        {
            using var fresh = new SoftwareAuthenticator();
            (await RegisterAsync(_store, fresh)).Should().BeNull();
        }

        await FluentActions.Awaiting(() => PasskeyRegistration.BeginAsync(_store, s_options, "alice").AsTask())
            .Should().ThrowAsync<InvalidOperationException>();
        (await LogInAsync(_authenticator)).Should().Be(s_proven);
    }

    [Test]
    public async Task An_authenticator_in_a_file_goes_on_where_it_was()
    {
        var path = Path.Combine(Directory.CreateTempSubdirectory("mutualauth-passkey-").FullName, "passkeys");
        using (var first = SoftwareAuthenticator.Open(path))
        {
            (await RegisterAsync(_store, first)).Should().BeNull();
            (await LogInAsync(first)).Should().Be(s_proven);
        }

        using var second = SoftwareAuthenticator.Open(path);
        (await LogInAsync(second)).Should().Be(s_proven);
        second.Count.Should().Be(1);
        if (!OperatingSystem.IsWindows())
        {
            File.GetUnixFileMode(path).Should().Be(UnixFileMode.UserRead | UnixFileMode.UserWrite);
        }

        await File.WriteAllTextAsync(path, "{\"passkeys\":[{}]}");
        FluentActions.Invoking(() => SoftwareAuthenticator.Open(path)).Should().Throw<MaterialException>();
        Directory.Delete(Path.GetDirectoryName(path)!, recursive: true);
    }

    [TestCase("bank.test", true)]
    [TestCase("Bank.test", false)]
    [TestCase("", false)]
    [TestCase("https://bank.test", false)]
    [TestCase("bank..test", false)]
    public void A_relying_party_is_a_name_in_lower_case(string name, bool isTaken)
    {
        var server = () => SecondFactors.Passkeys(_store, s_options with { RelyingParty = name });
        var client = () => SecondFactor.Passkey(_authenticator, name);

        if (isTaken)
        {
            server.Should().NotThrow();
            client.Should().NotThrow();
        }
        else
        {
            server.Should().Throw<ArgumentException>().Which.Message.Should().Contain("RelyingParty");
            client.Should().Throw<ArgumentException>();
        }
    }

    [Test]
    public void Every_problem_of_the_options_is_told_at_once() =>
        FluentActions.Invoking(() => SecondFactors.Passkeys(
            _store, new PasskeyOptions { RelyingParty = "!", Origins = ["no URI"], Algorithms = [-65535] }))
            .Should().Throw<ArgumentException>().Which.Message.Should().ContainAll("RelyingParty", "Origins", "Algorithms");

    private static IEnumerable<TestCaseData> OddAnswers()
    {
        yield return Case("a signature with one bit changed", odd => odd.Signature = bytes => [.. bytes[..^1], (byte)(bytes[^1] ^ 1)]);
        yield return Case("an empty-looking signature", odd => odd.Signature = _ => [48, 0]);
        yield return Case("another origin", odd => odd.Origin = "https://evil.test");
        yield return Case("an origin with a port", odd => odd.Origin = "https://bank.test:444");
        yield return Case("no origin", odd => odd.Origin = string.Empty);
        yield return Case("an origin that is none", odd => odd.Origin = "bank");
        yield return Case("another relying party's hash", odd => odd.Data = data => [(byte)(data[0] ^ 1), .. data[1..]]);
        yield return Case("data without a person", odd => odd.Data = data => [.. data[..32], (byte)(data[32] & ~1), .. data[33..]]);
        yield return Case("data that are cut", odd => odd.Data = data => data[..36]);
        yield return Case("data with more behind them", odd => odd.Data = data => [.. data, 0]);
        yield return Case("the type of a registration", odd => odd.Type = "webauthn.create");
        yield return Case("client data that are no JSON", odd => odd.ClientData = _ => [1, 2, 3]);
        yield return Case("client data that are an array", odd => odd.ClientData = _ => "[]"u8.ToArray());
        yield return Case("client data of null", odd => odd.ClientData = _ => "null"u8.ToArray());
        yield return Case("client data with odd types", odd => odd.ClientData = _ => "{\"type\":1,\"challenge\":{},\"origin\":[]}"u8.ToArray());
        yield return Case("an identifier of nobody's", odd => odd.Id = id => [.. id, 1]);
        yield return Case("another user's handle", odd => odd.Handle = new byte[32]);
        yield return Case("another challenge", odd => odd.Challenge = new byte[32], RejectionReason.PasskeyChallengeMismatch);
        yield return Case("an empty challenge", odd => odd.Challenge = [], RejectionReason.PasskeyChallengeMismatch);
        yield return Case("an identifier that is too long", odd => odd.Id = _ => new byte[1024], RejectionReason.CredentialProtocolViolated);
        yield return Case("no signature at all", odd => odd.Signature = _ => [], RejectionReason.CredentialProtocolViolated);
        yield return Case("a long signature", odd => odd.Signature = _ => new byte[4097], RejectionReason.CredentialProtocolViolated);

        static TestCaseData Case(string name, Action<Odd> change, RejectionReason reason = RejectionReason.PasskeyInvalid) =>
            new TestCaseData((Func<SoftwareAuthenticator, IPasskeyAuthenticator>)(authenticator =>
            {
                var odd = new Odd(authenticator);
                change(odd);
                return odd;
            }), reason)
            { TestName = $"Passkey: {name}" };
    }

    private static IEnumerable<TestCaseData> OddCreations()
    {
        yield return Case("another origin", odd => odd.Origin = "https://evil.test");
        yield return Case("the type of an assertion", odd => odd.Type = "webauthn.get");
        yield return Case("another identifier", odd => odd.Id = id => [.. id, 1]);
        yield return Case("no identifier", odd => odd.Id = _ => []);
        yield return Case("no CBOR", odd => odd.Data = _ => [1, 2, 3]);
        yield return Case("an attestation", odd => odd.Data = data => Replace(data, "none"u8, "nonx"u8));
        yield return Case("another relying party", odd => odd.Party = "evil.test");

        static TestCaseData Case(string name, Action<Odd> change) =>
            new TestCaseData((Func<SoftwareAuthenticator, IPasskeyAuthenticator>)(authenticator =>
            {
                var odd = new Odd(authenticator);
                change(odd);
                return odd;
            }))
            { TestName = $"Passkey registration: {name}" };

        static byte[] Replace(byte[] data, ReadOnlySpan<byte> old, ReadOnlySpan<byte> fresh)
        {
            var at = data.AsSpan().IndexOf(old);
            fresh.CopyTo(data.AsSpan(at));
            return data;
        }
    }

    private static byte[] PasskeyIdOf(StoredFactor factor) => StoredPasskey.Read(factor).CredentialId;

    private static async Task<Rejection?> RegisterAsync(
        ISecondFactorStore store, IPasskeyAuthenticator authenticator, string user = "alice", PasskeyOptions? options = null)
    {
        var registration = await PasskeyRegistration.BeginAsync(store, options ?? s_options, user);
        var creation = await authenticator.CreateAsync(registration.Request) ?? throw new InvalidOperationException("It makes nothing.");
        return await registration.CompleteAsync(creation);
    }

    private ISaslServerMechanism Server() => SecondFactors.Passkeys(_store, s_options);

    /// <summary>A copy of the store in which the counter of alice's passkey stands at this.</summary>
    private async Task<MemoryCredentialStore> CounterAsync(uint counter)
    {
        var copy = new MemoryCredentialStore();
        var passkey = StoredPasskey.Read((await _store.FindFactorsAsync("alice")).Single());
        await copy.SetFactorAsync("alice", (passkey with { Counter = counter }).ToFactor());
        return copy;
    }

    private Task<Factor.End> LogInAsync(
        IPasskeyAuthenticator authenticator,
        PasskeyOptions? options = null,
        string? user = "alice",
        ChannelBinding? clientBinding = null,
        string relyingParty = Bank,
        ISecondFactorStore? store = null,
        Func<ReadOnlyMemory<byte>, ReadOnlyMemory<byte>>? onTheWay = null) =>
        Factor.RunAsync(
            SecondFactors.Passkeys(store ?? _store, options ?? s_options),
            SecondFactor.Passkey(authenticator, relyingParty),
            user,
            clientBinding,
            onTheWay);

    /// <summary>Changes one thing of what an authenticator says. Changed data are signed, so that nothing else is wrong.</summary>
    private sealed class Odd(SoftwareAuthenticator inner) : IPasskeyAuthenticator
    {
        internal Func<byte[], byte[]>? Signature { get; set; }

        internal Func<byte[], byte[]>? Data { get; set; }

        internal Func<byte[], byte[]>? ClientData { get; set; }

        internal Func<byte[], byte[]>? Id { get; set; }

        internal byte[]? Handle { get; set; }

        internal byte[]? Challenge { get; set; }

        internal string? Origin { get; set; }

        internal string? Type { get; set; }

        internal string? Party { get; set; }

        internal ImmutableArray<ReadOnlyMemory<byte>>? Allowed { get; init; }

        internal bool ForgetsVerification { get; init; }

        public async ValueTask<PasskeyCreation?> CreateAsync(PasskeyCreationRequest request, CancellationToken cancellationToken = default)
        {
            var creation = (await inner.CreateAsync(
                new PasskeyCreationRequest
                {
                    RelyingParty = Party ?? request.RelyingParty,
                    Challenge = Challenge ?? request.Challenge,
                    UserHandle = request.UserHandle,
                    UserName = request.UserName,
                    Algorithms = request.Algorithms,
                },
                cancellationToken))!;
            return new PasskeyCreation
            {
                CredentialId = Id?.Invoke(creation.CredentialId.ToArray()) ?? creation.CredentialId,
                ClientDataJson = PasskeyClientData.Write(
                    Type ?? "webauthn.create", (Challenge ?? request.Challenge).Span, Origin ?? $"https://{request.RelyingParty}"),
                AttestationObject = Data?.Invoke(creation.AttestationObject.ToArray()) ?? creation.AttestationObject,
            };
        }

        public async ValueTask<PasskeyAssertion?> AssertAsync(PasskeyAssertionRequest request, CancellationToken cancellationToken = default)
        {
            inner.ChangesData = Data ?? (static data => data);
            inner.ChangesClientData = client => ClientData?.Invoke(client) ?? (Type is null && Origin is null
                ? client
                : PasskeyClientData.Write(
                    Type ?? "webauthn.get", (Challenge ?? request.Challenge).Span, Origin ?? $"https://{request.RelyingParty}"));
            var assertion = (await inner.AssertAsync(
                new PasskeyAssertionRequest
                {
                    RelyingParty = request.RelyingParty,
                    Challenge = Challenge ?? request.Challenge,
                    AllowedCredentials = Allowed ?? request.AllowedCredentials,
                    RequiresUserVerification = !ForgetsVerification && request.RequiresUserVerification,
                },
                cancellationToken))!;
            inner.ChangesData = static data => data;
            inner.ChangesClientData = static data => data;
            return new PasskeyAssertion
            {
                CredentialId = Id?.Invoke(assertion.CredentialId.ToArray()) ?? assertion.CredentialId,
                AuthenticatorData = assertion.AuthenticatorData,
                ClientDataJson = assertion.ClientDataJson,
                Signature = Signature?.Invoke(assertion.Signature.ToArray()) ?? assertion.Signature,
                UserHandle = Handle ?? assertion.UserHandle,
            };
        }
    }
}
