using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Testing;
using Microsoft.Extensions.Time.Testing;
using MutualAuth.Credentials;
using MutualAuth.Factors;
using MutualAuth.Testing;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Factors;

/// <summary>A password and a second factor over real sockets, from both ends.</summary>
[CancelAfter(60000)]
public sealed class ChainTests
{
    private static readonly TimeSpan s_deadline = TimeSpan.FromSeconds(30);


    // For the codes: with the system's, a step may begin between two of them.
    private readonly FakeTimeProvider _clock = new(TimeProvider.System.GetUtcNow());
    private TestAuthority _authority = null!;
    private TwoFactorUser _alice = null!;
    private FakeLoggerProvider _log = null!;
    private ILoggerFactory _loggers = null!;

    [SetUp]
    public async Task SetUpAsync()
    {
        _authority = new TestAuthority();
        _alice = await TwoFactorUser.RegisterAsync();
        _log = new FakeLoggerProvider();
        _loggers = LoggerFactory.Create(builder => builder.SetMinimumLevel(LogLevel.Trace).AddProvider(_log));
    }

    [TearDown]
    public void TearDown()
    {
        _loggers.Dispose();
        _log.Dispose();
        _alice.Dispose();
        _authority.Dispose();
    }

    [Test]
    public async Task A_password_and_a_code_let_in_once()
    {
        await using var first = await LogInAsync(Factor.Code(Code()));
        await using var second = await LogInAsync(Factor.Code(Code()));

        first.Server!.Peer.Proofs.Should().HaveFlag(PeerProofs.Password | PeerProofs.OneTimeCode);
        (second.ServerFailure!.Reason, second.ClientFailure!.PeerReason)
            .Should().Be((RejectionReason.SecondFactorReused, PublicReason.CredentialsWrong));
    }

    [Test]
    public async Task A_password_and_a_passkey_let_in_and_both_are_proven()
    {
        await using var outcome = await LogInAsync(SecondFactor.Passkey(_alice.Authenticator, TwoFactorUser.Party));

        outcome.Server.Should().NotBeNull(outcome.ToString());
        outcome.Server!.Peer.Proofs.Should().HaveFlag(
            PeerProofs.Password | PeerProofs.Passkey | PeerProofs.UserVerification | PeerProofs.ChannelBinding);
    }

    [Test]
    public async Task A_recovery_code_is_no_second_kind_and_stays_unused()
    {
        var codes = await RecoveryCodes.CreateAsync(_alice.Store, "alice", iterations: ScramVerifier.MinIterations);

        await using var outcome = await LogInAsync(Factor.Paper(codes[0]));

        outcome.Server.Should().BeNull();
        outcome.ClientFailure!.Reason.Should().Be(RejectionReason.SecondFactorUnavailable, "the server did not offer it");
        (await RecoveryCodes.CountAsync(_alice.Store, "alice")).Should().Be(10);
    }

    [Test]
    public async Task A_recovery_code_stands_in_for_the_device_where_the_policy_says_so()
    {
        var codes = await RecoveryCodes.CreateAsync(_alice.Store, "alice", iterations: ScramVerifier.MinIterations);

        await using var first = await LogInAsync(Factor.Paper(codes[0]), FactorRequirement.TwoKindsCountingRecoveryCode);
        await using var second = await LogInAsync(Factor.Paper(codes[0]), FactorRequirement.TwoKindsCountingRecoveryCode);

        first.Server!.Peer.Proofs.Should().HaveFlag(PeerProofs.RecoveryCode);
        second.ServerFailure!.Reason.Should().Be(RejectionReason.SecondFactorWrong);
    }

    [TestCase(-20, RejectionReason.OneTimeCodeTooLate)]
    [TestCase(20, RejectionReason.OneTimeCodeTooEarly)]
    public async Task Every_wrong_factor_is_told_as_wrong_credentials(int steps, RejectionReason reason)
    {
        await using var outcome = await LogInAsync(Factor.Code(CodeIn(TimeSpan.FromSeconds(30 * steps))));

        outcome.ServerFailure!.Reason.Should().Be(reason);
        outcome.ClientFailure!.PeerReason.Should().Be(PublicReason.CredentialsWrong);
    }

    [Test]
    public async Task An_assertion_relayed_from_a_server_with_another_certificate_is_refused()
    {
        var relay = new Relay(_alice.Authenticator, Factor.Elsewhere);

        await using var outcome = await LogInAsync(SecondFactor.Passkey(relay, TwoFactorUser.Party));

        (outcome.ServerFailure!.Reason, outcome.ClientFailure!.PeerReason)
            .Should().Be((RejectionReason.PasskeyChallengeMismatch, PublicReason.CredentialsWrong));
    }

    [Test]
    public async Task A_user_without_the_factor_is_not_let_in()
    {
        foreach (var factor in await _alice.Store.FindFactorsAsync("alice"))
        {
            await _alice.Store.RemoveFactorAsync("alice", factor.Id);
        }

        await using var outcome = await LogInAsync(Factor.Code(Code()));

        outcome.ServerFailure!.Reason.Should().Be(RejectionReason.SecondFactorMissing);
    }

    [Test]
    public async Task A_connection_ends_when_its_second_factor_is_removed_and_not_when_another_is()
    {
        await using var outcome = await LogInAsync(SecondFactor.Passkey(_alice.Authenticator, TwoFactorUser.Party));
        var connection = outcome.Server!;
        var ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var registration = connection.NoLongerValid.Register(ended.SetResult);

        (await _alice.Store.RemoveFactorAsync("alice", "phone")).Should().BeTrue();
        await using var other = await LogInAsync(SecondFactor.Passkey(_alice.Authenticator, TwoFactorUser.Party));
        connection.Invalidation.Should().BeNull("its factor is still there");
        var passkey = (await _alice.Store.FindFactorsAsync("alice")).Single(factor => factor.Kind == "passkey");
        (await _alice.Store.RemoveFactorAsync("alice", passkey.Id)).Should().BeTrue();

        await ended.Task.WaitAsync(s_deadline);
        connection.Invalidation!.Rejection.Reason.Should().Be(RejectionReason.SecondFactorRemoved);
    }

    [Test]
    public async Task No_code_and_no_secret_is_in_any_log_or_exception()
    {
        var codes = await RecoveryCodes.CreateAsync(_alice.Store, "alice", 1);
        var late = CodeIn(TimeSpan.FromMinutes(-5));
        var now = Code();
        var texts = new List<string>();
        ISaslClientMechanism[] factors =
        [
            Factor.Code(now), Factor.Code(now), Factor.Code(late), Factor.Code("00000000"), Factor.Paper(codes[0]), Factor.Paper(codes[0]),
            SecondFactor.Passkey(_alice.Authenticator, TwoFactorUser.Party),
            SecondFactor.OneTimeCode(_ => throw new InvalidOperationException("oops")),
        ];

        foreach (var factor in factors)
        {
            await using var outcome = await LogInAsync(factor);
            texts.Add($"{outcome.ServerFailure} {outcome.ClientFailure} {outcome.ServerFailure?.Rejection} {outcome.ClientFailure?.Rejection}");
        }

        texts.AddRange(_log.Collector.GetSnapshot().Select(record =>
            $"{record.Message} {record.Exception} {string.Join(' ', record.StructuredState?.Select(pair => pair.Value) ?? [])}"));
        texts.Should().HaveCountGreaterThan(16, "both sides log");
        string[] secrets = [now, late, codes[0], codes[0].Replace("-", string.Empty, StringComparison.Ordinal), _alice.Secret.ToBase32(), "oops"];
        foreach (var secret in secrets)
        {
            texts.Where(text => text.Contains(secret, StringComparison.OrdinalIgnoreCase)).Should().BeEmpty();
        }
    }

    private string Code() => CodeIn(TimeSpan.Zero);

    private string CodeIn(TimeSpan time) => _alice.Secret.CodeAt(_clock.GetUtcNow() + time);

    private async Task<PairOutcome> LogInAsync(ISaslClientMechanism factor, FactorRequirement? required = null)
    {
        using var password = Password.From("pencil");
        using var pair = _authority.CreatePair();
        var login = pair with
        {
            Client = pair.Client with
            {
                Identity = ClientIdentity.None,
                Credentials = Login.WithPassword("alice", password).Then(factor),
                LoggerFactory = _loggers,
            },
            Server = pair.Server with
            {
                Credentials = Require.User(SaslServer.Scram(_alice.Store)) with
                {
                    SecondFactors =
                    [
                        SecondFactors.OneTimeCodes(_alice.Store, new OneTimeCodeOptions { TimeProvider = _clock }),
                        SecondFactors.Passkeys(_alice.Store, _alice.Passkeys), SecondFactors.RecoveryCodes(_alice.Store),
                    ],
                    LoginFactors = required ?? FactorRequirement.TwoKinds,
                },
                LoggerFactory = _loggers,
            },
        };
        return await login.ConnectAsync().WaitAsync(s_deadline);
    }

    /// <summary>Has the challenge signed that another channel would have had: what a man in the middle gets from the user.</summary>
    private sealed class Relay(SoftwareAuthenticator victim, ChannelBinding theirs) : IPasskeyAuthenticator
    {
        public ValueTask<PasskeyCreation?> CreateAsync(PasskeyCreationRequest request, CancellationToken cancellationToken = default) =>
            throw new NotSupportedException();

        public ValueTask<PasskeyAssertion?> AssertAsync(PasskeyAssertionRequest request, CancellationToken cancellationToken = default) =>
            victim.AssertAsync(
                new PasskeyAssertionRequest
                {
                    RelyingParty = request.RelyingParty,
                    Challenge = PasskeyWire.ChallengeOf(theirs, request.RelyingParty, new byte[32]),
                    AllowedCredentials = request.AllowedCredentials,
                },
                cancellationToken);
    }
}
