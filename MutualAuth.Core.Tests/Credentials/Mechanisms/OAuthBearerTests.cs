using System.Buffers.Text;
using System.Net;
using System.Security.Claims;
using System.Security.Cryptography;
using MutualAuth.Credentials;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Credentials;

/// <summary>OAUTHBEARER (RFC 7628) with tokens that are bound to the client's certificate (RFC 8705 §3).</summary>
public sealed class OAuthBearerTests
{
    private const string Token = "eyJhbGciOiJub25lIn0.payload.sig-_~+/==";

    private static readonly AuthenticatedPeer s_other = Sasl.PeerOf(new() { Dns = ["device.test"] });
    private static readonly string s_thumbprint = ThumbprintOf(Sasl.Peer);
    private static readonly string s_bound = Cnf(s_thumbprint);

    [Test]
    public async Task A_token_that_is_bound_to_the_clients_certificate_logs_in()
    {
        await using var server = Server(s_bound, claims: new Claim("scope", "read"));

        var (outcome, client) = await Sasl.RunAsync(Login.WithToken(Token), server, null);

        client.Should().BeNull();
        var user = server.ToUser(outcome.Should().BeOfType<SaslServerStep.Succeeded>().Subject);
        (user.Name, user.Mechanism, user.Proofs).Should().Be(("alice", "OAUTHBEARER", PeerProofs.Token | PeerProofs.ChannelBinding));
        user.Claims.Should().ContainSingle(claim => claim.Type == "scope" && claim.Value == "read");
    }

    [TestCase(0, RejectionReason.AttemptsLimited, 0)]
    [TestCase(1, null, 1)]
    public async Task Nobody_is_asked_about_a_token_of_an_attempt_that_the_limiter_does_not_admit(int refusesFrom, RejectionReason? reason, int asked)
    {
        var validator = new Validator(TokenVerdict.Valid("alice", s_bound));
        var policy = Sasl.Policy(SaslServer.BoundTokens(validator)) with { AttemptLimiter = new NotingLimiter { RefusesFrom = refusesFrom } };
        await using var server = Sasl.Server(policy, peer: Sasl.Peer);

        var (outcome, _) = await Sasl.RunAsync(Login.WithToken(Token), server, null);

        (outcome as SaslServerStep.Failed)?.Rejection.Reason.Should().Be(reason);
        (outcome is SaslServerStep.Succeeded).Should().Be(reason is null);
        validator.Calls.Should().Be(asked);
    }

    [Test]
    public async Task The_same_token_over_another_certificate_of_the_same_name_is_refused()
    {
        await using var server = Server(s_bound, peer: s_other);

        (await Sasl.RunAsync(Login.WithToken(Token), server, null)).Server.Reason().Should().Be(RejectionReason.TokenNotBoundToCertificate);
    }

    [TestCase(false, RejectionReason.TokenNotBoundToCertificate)]
    [TestCase(true, null)]
    public async Task A_token_without_a_binding_needs_a_server_that_takes_such(bool acceptsUnbound, RejectionReason? reason)
    {
        await using var server = Server(confirmation: null, acceptsUnbound: acceptsUnbound);

        var (outcome, _) = await Sasl.RunAsync(Login.WithToken(Token), server, null);

        (outcome as SaslServerStep.Failed)?.Rejection.Reason.Should().Be(reason);
        (outcome as SaslServerStep.Succeeded)?.ToUser("OAUTHBEARER").Proofs.Should().Be(PeerProofs.Token);
        (outcome is SaslServerStep.Succeeded).Should().Be(reason is null);
    }

    [Test]
    public async Task A_bound_token_without_any_certificate_is_refused_also_where_unbound_ones_are_taken()
    {
        await using var server = Server(s_bound, hasCertificate: false, acceptsUnbound: true);

        (await Sasl.RunAsync(Login.WithToken(Token), server, null)).Server.Reason().Should().Be(RejectionReason.TokenNotBoundToCertificate);
    }

    [Test]
    public async Task Where_tokens_must_be_bound_the_mechanism_is_not_offered_to_who_has_no_certificate()
    {
        await using var without = Server(s_bound, hasCertificate: false);
        await using var with = Server(s_bound);

        without.Offered.Should().BeEmpty();
        with.Offered.Should().Equal("OAUTHBEARER");
    }

    public static IEnumerable<TestCaseData> BrokenBindings()
    {
        var thumbprint = s_thumbprint;
        yield return Case("empty", string.Empty);
        yield return Case("not JSON", "x5t#S256");
        yield return Case("null", "null");
        yield return Case("a text", "\"x5t#S256\"");
        yield return Case("cut behind the thumbprint", Cnf(thumbprint)[..^1]);
        yield return Case("cut behind the method", """{"x5t#S256":""");
        yield return Case("cut behind the brace", "{");
        yield return Case("of 43 characters with a space in them", Cnf(thumbprint[..20] + " " + thumbprint[21..]));
        yield return Case("an empty object", "{}");
        yield return Case("an empty thumbprint", Cnf(string.Empty));
        yield return Case("an array of thumbprints", $$"""{"x5t#S256":["{{thumbprint}}"]}""");
        yield return Case("an array of claims", $"[{Cnf(thumbprint)}]");
        yield return Case("a null thumbprint", """{"x5t#S256":null}""");
        yield return Case("a number", """{"x5t#S256":1}""");
        yield return Case("a second method beside it", $$"""{"x5t#S256":"{{thumbprint}}","jkt":"x"}""");
        yield return Case("the thumbprint twice", $$"""{"x5t#S256":"{{thumbprint}}","x5t#S256":"{{thumbprint}}"}""");
        yield return Case("another method", $$"""{"jkt":"{{thumbprint}}"}""");
        yield return Case("the SHA-1 thumbprint", $$"""{"x5t":"{{thumbprint}}"}""");
        yield return Case("another case", $$"""{"X5T#S256":"{{thumbprint}}"}""");
        yield return Case("padding", Cnf(thumbprint + "="));
        yield return Case("white space", Cnf(" " + thumbprint[1..]));
        yield return Case("standard base64", Cnf("+/" + thumbprint[2..]));
        yield return Case("half of it", Cnf(thumbprint[..21]));
        yield return Case("more behind it", Cnf(thumbprint) + "{}");
        yield return Case("in hexadecimal", Cnf(Convert.ToHexStringLower(SHA256.HashData(Sasl.Peer.Certificate!.RawData.Span))));
        yield return Case("another certificate's", Cnf(ThumbprintOf(s_other)));
        yield return Case("too long", Cnf(thumbprint) + new string(' ', 1024));

        static TestCaseData Case(string name, string claim) =>
            new TestCaseData(claim).SetName($"RFC 8705 §3.1: a cnf claim that is {name} confirms nobody");
    }

    [TestCase(1024, true)]
    [TestCase(1025, false)]
    public void A_claim_has_1024_characters_at_most(int length, bool confirms) =>
        (TokenBinding.Examine(s_bound.PadRight(length), Sasl.Peer.Certificate, acceptsUnbound: true) is null).Should().Be(confirms);

    [TestCaseSource(nameof(BrokenBindings))]
    public void A_claim_that_confirms_nobody(string claim)
    {
        TokenBinding.Examine(claim, Sasl.Peer.Certificate, acceptsUnbound: true)!.Reason.Should().Be(RejectionReason.TokenNotBoundToCertificate);
        TokenBinding.Examine(s_bound, Sasl.Peer.Certificate, acceptsUnbound: true).Should().BeNull();
    }

    [Test]
    public async Task A_token_that_is_not_valid_gets_the_error_of_the_RFC_and_then_the_refusal()
    {
        await using var server = Server(TokenVerdict.Invalid("a token in force", "an expired one"));

        var error = await server.StartAsync("OAUTHBEARER", Message(), default);
        error.Text().Should().Be("""{"status":"invalid_token"}""");
        (await server.ContinueAsync(new byte[] { 1 }, default)).Reason().Should().Be(RejectionReason.TokenInvalid);
    }

    [Test]
    public async Task Whoever_leaves_before_acknowledging_the_error_has_failed_all_the_same()
    {
        var limiter = new NotingLimiter();
        var policy = Sasl.Policy(SaslServer.DangerouslyUnboundTokens(new Validator(TokenVerdict.Invalid("a", "b")))) with
        { AttemptLimiter = limiter };
        await using (var server = Sasl.Server(policy, peer: Sasl.Peer))
        {
            (await server.StartAsync("OAUTHBEARER", Message(), default)).Text().Should().Contain("invalid_token");
        }

        limiter.Outcomes.Single().Outcome.Should().Be(AttemptOutcome.Failed);
        limiter.Attempts.Single().Mechanism.Should().Be("OAUTHBEARER");
        limiter.Attempts.Single().Certificate.Should().BeSameAs(Sasl.Peer.Certificate);
    }

    [TestCase("n,,\u0001auth=Bearer t\u0001\u0001", null, TestName = "OAUTHBEARER: well-formed")]
    [TestCase("n,,\u0001auth=bearer t\u0001\u0001", null, TestName = "OAUTHBEARER: the scheme in another case")]
    [TestCase("y,,\u0001auth=Bearer t\u0001\u0001", null, TestName = "OAUTHBEARER: the flag y")]
    [TestCase("n,,\u0001host=h\u0001auth=Bearer t\u0001\u0001", null, TestName = "OAUTHBEARER: another key beside it")]
    [TestCase("n,a=alice,\u0001auth=Bearer t\u0001\u0001", null, TestName = "OAUTHBEARER: acting as oneself")]
    [TestCase("n,a=bob,\u0001auth=Bearer t\u0001\u0001", RejectionReason.AuthorizationIdentityRefused, TestName = "OAUTHBEARER: acting as another")]
    [TestCase(
        "p=tls-server-end-point,,\u0001auth=Bearer t\u0001\u0001", RejectionReason.CredentialProtocolViolated, TestName = "OAUTHBEARER: the flag p")]
    [TestCase("n,,\u0001auth=Basic t\u0001\u0001", RejectionReason.CredentialProtocolViolated, TestName = "OAUTHBEARER: another scheme")]
    [TestCase("n,,\u0001auth=Bearer \u0001\u0001", RejectionReason.CredentialProtocolViolated, TestName = "OAUTHBEARER: no token")]
    [TestCase("n,,\u0001auth=Bearer t t\u0001\u0001", RejectionReason.CredentialProtocolViolated, TestName = "OAUTHBEARER: a token with a space")]
    [TestCase(
        "n,,\u0001auth=Bearer t\u0001auth=Bearer t\u0001\u0001", RejectionReason.CredentialProtocolViolated, TestName = "OAUTHBEARER: two tokens")]
    [TestCase("n,,\u0001auth=Bearer t\u0001", RejectionReason.CredentialProtocolViolated, TestName = "OAUTHBEARER: no end")]
    [TestCase("n,,auth=Bearer t\u0001\u0001", RejectionReason.CredentialProtocolViolated, TestName = "OAUTHBEARER: no separator")]
    [TestCase("n,,\u0001auth=Bearer \u00fc\u0001\u0001", RejectionReason.CredentialProtocolViolated, TestName = "OAUTHBEARER: not ASCII")]
    [TestCase("", RejectionReason.CredentialProtocolViolated, TestName = "OAUTHBEARER: nothing")]
    public async Task A_message_is_judged(string message, RejectionReason? reason)
    {
        await using var server = Server(s_bound);

        var step = await server.StartAsync("OAUTHBEARER", Sasl.Utf8(message), default);

        (step as SaslServerStep.Failed)?.Rejection.Reason.Should().Be(reason);
        (step is SaslServerStep.Succeeded).Should().Be(reason is null);
    }

    [Test]
    public async Task A_validator_that_throws_refuses_and_its_words_go_nowhere()
    {
        await using var server = Sasl.Server(Sasl.Policy(SaslServer.BoundTokens(new Validator(null))), peer: Sasl.Peer);

        var step = await server.StartAsync("OAUTHBEARER", Message(), default);

        step.Reason().Should().Be(RejectionReason.CredentialCheckFaulted);
        ((SaslServerStep.Failed)step).Rejection.ToString().Should().NotContain(Token);
    }

    [Test]
    public async Task The_validator_gets_the_token_and_the_address_and_nothing_else()
    {
        var validator = new Validator(TokenVerdict.Valid("alice", s_bound));
        await using var server = Sasl.Server(Sasl.Policy(SaslServer.BoundTokens(validator)), peer: Sasl.Peer);

        await server.StartAsync("OAUTHBEARER", Message(), default);

        validator.Asked.Should().Be((Token, IPAddress.Parse("192.0.2.1")));
    }

    [TestCase(16_384, true)]
    [TestCase(16_385, false)]
    public async Task No_validator_is_asked_about_more_octets_than_a_message_may_have(int length, bool isAsked)
    {
        var validator = new Validator(TokenVerdict.Valid("alice", s_bound));
        await using var server = Sasl.Server(Sasl.Policy(SaslServer.BoundTokens(validator)), peer: Sasl.Peer);
        var frame = Sasl.Utf8("n,,\u0001auth=Bearer \u0001\u0001").Length;

        var step = await server.StartAsync("OAUTHBEARER", Sasl.Utf8($"n,,\u0001auth=Bearer {new string('t', length - frame)}\u0001\u0001"), default);

        validator.Calls.Should().Be(isAsked ? 1 : 0);
        (step is SaslServerStep.Succeeded).Should().Be(isAsked);
    }

    [Test]
    public async Task A_connection_has_one_token_judged_whatever_it_says_then()
    {
        var validator = new Validator(TokenVerdict.Invalid("a token in force", "an expired one"));
        await using var server = Sasl.Server(Sasl.Policy(SaslServer.BoundTokens(validator)), peer: Sasl.Peer);

        await server.StartAsync("OAUTHBEARER", Message(), default);
        (await server.ContinueAsync(Message(), default)).Reason().Should().Be(RejectionReason.TokenInvalid);
        (await server.StartAsync("OAUTHBEARER", Message(), default)).Reason().Should().Be(RejectionReason.MechanismUnavailable);

        validator.Calls.Should().Be(1);
    }

    [Test]
    [CancelAfter(30000)]
    public async Task No_more_tokens_are_judged_at_once_than_there_may_be_checks()
    {
        using var release = new ManualResetEventSlim();
        using var begun = new SemaphoreSlim(0);
        var (now, most) = (0, 0);
        var validator = new Validator(TokenVerdict.Valid("alice", s_bound))
        {
            Before = () =>
            {
                InterlockedMax(ref most, Interlocked.Increment(ref now));
                begun.Release();
                release.Wait(TimeSpan.FromSeconds(20));
                Interlocked.Decrement(ref now);
            },
        };
        var policy = Sasl.Policy(SaslServer.BoundTokens(validator)) with { MaxConcurrentChecks = 2 };
        var services = new LoginServices(policy, TimeProvider.System);
        var servers = Enumerable.Range(0, 6).Select(_ => Sasl.Server(policy, peer: Sasl.Peer, services: services)).ToArray();

        var steps = servers.Select(server => server.StartAsync("OAUTHBEARER", Message(), default).AsTask()).ToArray();
        (await begun.WaitAsync(TimeSpan.FromSeconds(20)) && await begun.WaitAsync(TimeSpan.FromSeconds(20))).Should().BeTrue();
        validator.Calls.Should().Be(2);
        release.Set();
        (await Task.WhenAll(steps).WaitAsync(TimeSpan.FromSeconds(20))).Should().AllBeOfType<SaslServerStep.Succeeded>();

        (most, validator.Calls).Should().Be((2, 6));
        foreach (var server in servers)
        {
            await server.DisposeAsync();
        }
    }

    [TestCase("abc", true)]
    [TestCase("a.b-c_d~e+f/g==", true)]
    [TestCase("", false)]
    [TestCase("==", false)]
    [TestCase("a=b", false)]
    [TestCase("a b", false)]
    [TestCase("a\u0001b", false)]
    [TestCase("\u00fc", false)]
    public void Only_what_RFC_6750_calls_a_token_can_be_sent(string text, bool isToken)
    {
        var create = () => Login.WithToken(text);

        if (isToken)
        {
            create.Should().NotThrow();
        }
        else
        {
            create.Should().Throw<FormatException>();
        }
    }

    [Test]
    public async Task A_source_of_tokens_that_gives_something_else_sends_nothing()
    {
        var (session, _) = SaslClientSession.Begin(
            Login.WithToken(_ => ValueTask.FromResult("evil\u0001auth=Bearer x")), Sasl.ClientContext(null, offered: "OAUTHBEARER"));

        var start = async () => await session!.StartAsync(default);

        (await start.Should().ThrowAsync<FormatException>()).Which.Message.Should().NotContain("evil");
    }

    private static void InterlockedMax(ref int most, int value)
    {
        for (var seen = Volatile.Read(ref most); value > seen; seen = Volatile.Read(ref most))
        {
            if (Interlocked.CompareExchange(ref most, value, seen) == seen)
            {
                return;
            }
        }
    }

    private static byte[] Message() => Sasl.Utf8($"n,,\u0001auth=Bearer {Token}\u0001\u0001");

    private static string Cnf(string thumbprint) => $$"""{"x5t#S256":"{{thumbprint}}"}""";

    private static string ThumbprintOf(AuthenticatedPeer peer) => Base64Url.EncodeToString(SHA256.HashData(peer.Certificate!.RawData.Span));

    private static SaslServerSession Server(
        string? confirmation, AuthenticatedPeer? peer = null, bool hasCertificate = true, bool acceptsUnbound = false, params Claim[] claims) =>
        Server(TokenVerdict.Valid("alice", confirmation, [.. claims]), peer, hasCertificate, acceptsUnbound);

    private static SaslServerSession Server(
        TokenVerdict verdict, AuthenticatedPeer? peer = null, bool hasCertificate = true, bool acceptsUnbound = false)
    {
        var validator = new Validator(verdict);
        return Sasl.Server(
            Sasl.Policy(acceptsUnbound ? SaslServer.DangerouslyUnboundTokens(validator) : SaslServer.BoundTokens(validator)),
            peer: hasCertificate ? peer ?? Sasl.Peer : null);
    }

    private sealed class Validator(TokenVerdict? verdict) : ITokenValidator
    {
        private int _calls;

        internal (string Token, IPAddress? Address) Asked { get; private set; }

        internal int Calls => Volatile.Read(ref _calls);

        internal Action? Before { get; init; }

        public ValueTask<TokenVerdict> ValidateAsync(string token, IPAddress? remoteAddress, CancellationToken cancellationToken)
        {
            Interlocked.Increment(ref _calls);
            Asked = (token, remoteAddress);
            Before?.Invoke();
            return verdict is null ? throw new FormatException($"The token {token} is broken.") : ValueTask.FromResult(verdict);
        }
    }
}
