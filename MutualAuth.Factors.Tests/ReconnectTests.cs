using MutualAuth.Credentials;
using MutualAuth.Factors;
using MutualAuth.Testing;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Factors;

/// <summary>A reconnect credential where a login needs a second factor, and what becomes of it when the factors are used or changed.</summary>
[CancelAfter(60000)]
public sealed class ReconnectTests
{
    private static readonly TimeSpan s_deadline = TimeSpan.FromSeconds(30);

    private TestAuthority _authority = null!;
    private TestPair _pair = null!;
    private TwoFactorUser _alice = null!;
    private HeldReconnectCredential _held = null!;
    private FactorKeys? _keys;
    private int _asked;
    private int _step;

    [SetUp]
    public async Task SetUpAsync()
    {
        _authority = new TestAuthority();
        _pair = _authority.CreatePair();
        _alice = await TwoFactorUser.RegisterAsync();
        _held = new HeldReconnectCredential();
        (_asked, _step, _keys) = (0, -4, null);
        await RecoveryCodes.CreateAsync(_alice.Store, "alice", iterations: ScramVerifier.MinIterations);
    }

    [TearDown]
    public void TearDown()
    {
        _held.Dispose();
        _alice.Dispose();
        _pair.Dispose();
        _authority.Dispose();
    }

    [Test]
    public async Task By_default_it_stands_for_the_password_alone_and_the_code_is_asked_for()
    {
        using var reconnects = Create();
        await using var first = await LogInAsync(reconnects);
        await using var second = await LogInAsync(reconnects);

        second.Server!.Peer.User!.Mechanisms.Should().Equal("RECONNECT-PLUS", "TOTP");
        _asked.Should().Be(2);
    }

    [Test]
    public async Task A_wrong_code_behind_it_is_refused_and_counted()
    {
        using var reconnects = Create();
        await using var first = await LogInAsync(reconnects);

        await using var second = await LogInAsync(reconnects, Factor.Code("000000"));

        second.ServerFailure!.Reason.Should().Be(RejectionReason.SecondFactorWrong);
        (await _alice.Store.FindFailuresAsync("alice")).Should().Be(1);
    }

    [Test]
    public async Task Where_the_operator_names_both_it_stands_for_both()
    {
        using var reconnects = Create(PeerProofs.Password | PeerProofs.OneTimeCode);
        await using var first = await LogInAsync(reconnects);
        await using var second = await LogInAsync(reconnects);

        second.Server!.Peer.User!.Mechanisms.Should().Equal("RECONNECT-PLUS");
        second.Server.Peer.Proofs.Should().HaveFlag(PeerProofs.Password | PeerProofs.OneTimeCode | PeerProofs.ReconnectCredential);
        _asked.Should().Be(1);
    }

    [Test]
    public async Task A_step_up_wants_a_factor_whatever_it_stands_for()
    {
        using var reconnects = Create(PeerProofs.Password | PeerProofs.OneTimeCode);
        await using var first = await LogInAsync(reconnects);
        await using var second = await LogInAsync(reconnects);
        await using var stepUp = second.Server!.BeginStepUp([1, 2, 3]);
        await using var again = second.Server!.BeginReauthentication();

        stepUp.Mechanisms.Should().Contain("SCRAM-SHA-256-PLUS").And.NotContain("RECONNECT-PLUS");
        again.Mechanisms.Should().Contain("SCRAM-SHA-256-PLUS").And.NotContain("RECONNECT-PLUS");
    }

    [TestCase("nothing", true)]
    [TestCase("a code used elsewhere", true)]
    [TestCase("a recovery code used", true)]
    [TestCase("a passkey used", true)]
    [TestCase("another generator of the same name", false)]
    [TestCase("another generator", false)]
    [TestCase("new recovery codes", false)]
    [TestCase("a passkey locked", false)]
    [TestCase("the passkey removed", false)]
    [TestCase("a factor that no mechanism knows, and then its use", false)]
    public async Task The_use_of_a_factor_is_no_change_and_another_factor_is(string what, bool isAccepted)
    {
        using var reconnects = Create(PeerProofs.Password | PeerProofs.OneTimeCode);
        if (what.StartsWith("a factor that", StringComparison.Ordinal))
        {
            await _alice.Store.SetFactorAsync("alice", new StoredFactor("own", "own-kind", "used-0"));
        }

        await using var first = await LogInAsync(reconnects);
        await using var open = await LogInAsync(reconnects);
        open.Server.Should().NotBeNull(open.ToString());
        var ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var registration = open.Server!.NoLongerValid.Register(ended.SetResult);
        var passkey = (await _alice.Store.FindFactorsAsync("alice")).Single(factor => factor.Kind == StoredPasskey.Kind);
        var known = StoredPasskey.Read(passkey);
        switch (what)
        {
            case "a code used elsewhere":
                await _alice.Store.SetFactorAsync("alice", _alice.Secret.ToFactor("phone", long.MaxValue));
                break;
            case "a recovery code used":
                var codes = (await _alice.Store.FindFactorsAsync("alice")).Single(factor => factor.Kind == RecoveryCodes.Kind);
                var set = RecoveryCodeSet.Read(codes);
                await _alice.Store.SetFactorAsync("alice", (set with { Hashes = set.Hashes[1..] }).ToFactor());
                break;
            case "a passkey used":
                await _alice.Store.SetFactorAsync("alice", (known with { Counter = known.Counter + 7 }).ToFactor());
                break;
            case "another generator of the same name":
                await _alice.Store.SetFactorAsync("alice", OneTimeCodeSecret.Create().ToFactor("phone"));
                break;
            case "another generator":
                await _alice.Store.SetFactorAsync("alice", OneTimeCodeSecret.Create().ToFactor("tablet"));
                break;
            case "new recovery codes":
                await RecoveryCodes.CreateAsync(_alice.Store, "alice", iterations: ScramVerifier.MinIterations);
                break;
            case "a passkey locked":
                await _alice.Store.SetFactorAsync("alice", (known with { IsLocked = true }).ToFactor());
                break;
            case "the passkey removed":
                await _alice.Store.RemoveFactorAsync("alice", passkey.Id);
                break;
            case "a factor that no mechanism knows, and then its use":
                await _alice.Store.SetFactorAsync("alice", new StoredFactor("own", "own-kind", "used-1"));
                break;
        }

        await using var next = await LogInAsync(reconnects);

        if (isAccepted)
        {
            next.Server!.Peer.User!.Mechanisms.Should().Equal("RECONNECT-PLUS");
            open.Server.Invalidation.Should().BeNull();
        }
        else
        {
            next.ServerFailure!.Reason.Should().Be(RejectionReason.ReconnectCredentialNoLongerValid);
            next.ClientFailure!.PeerReason.Should().Be(PublicReason.CredentialsWrong);
            await ended.Task.WaitAsync(s_deadline);
            open.Server.Invalidation!.Rejection.Reason.Should().Be(RejectionReason.ReconnectCredentialRevoked);
        }
    }

    [TestCase("a code used elsewhere", true)]
    [TestCase("in plain text, and encrypted again", true)]
    [TestCase("another key writes", true)]
    [TestCase("another generator of the same name", false)]
    [TestCase("another generator of the same name, encrypted with another key", false)]
    [TestCase("the generator of another user in its place", false)]
    public async Task Whether_and_with_which_key_a_factor_is_encrypted_is_no_change_and_another_factor_is(string what, bool isAccepted)
    {
        var (one, other) = (FactorKey.Create("one"), FactorKey.Create("other"));
        _keys = new FactorKeys(one, other);
        var later = new FactorKeys(other, one);
        using var reconnects = Create(PeerProofs.Password | PeerProofs.OneTimeCode);
        await using var first = await LogInAsync(reconnects);
        await using var open = await LogInAsync(reconnects);
        var ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var registration = open.Server!.NoLongerValid.Register(ended.SetResult);
        var before = await PhoneAsync();
        FactorEncryption.IsEncrypted(before).Should().BeTrue("its use has encrypted it");
        var fresh = OneTimeCodeSecret.Create().ToFactor("phone");
        switch (what)
        {
            case "a code used elsewhere":
                await _alice.Store.SetFactorAsync(
                    "alice", await FactorEncryption.EncryptAsync(_keys, "alice", _alice.Secret.ToFactor("phone", long.MaxValue)));
                break;
            case "in plain text, and encrypted again":
                await _alice.Store.SetFactorAsync("alice", _alice.Secret.ToFactor("phone", 7));
                await FactorEncryption.EncryptAllAsync(_keys, _alice.Store, OneTimeCodeSecret.Kind);
                break;
            case "another key writes":
                (await FactorEncryption.EncryptAllAsync(later, _alice.Store, OneTimeCodeSecret.Kind)).Rewritten.Should().Be(1);
                break;
            case "another generator of the same name":
                await _alice.Store.SetFactorAsync("alice", await FactorEncryption.EncryptAsync(_keys, "alice", fresh));
                break;
            case "another generator of the same name, encrypted with another key":
                await _alice.Store.SetFactorAsync("alice", await FactorEncryption.EncryptAsync(later, "alice", fresh));
                break;
            case "the generator of another user in its place":
                await _alice.Store.SetFactorAsync("alice", await FactorEncryption.EncryptAsync(_keys, "bob", _alice.Secret.ToFactor("phone")));
                break;
        }

        (await PhoneAsync()).Should().NotBe(before);
        await using var next = await LogInAsync(reconnects);

        if (isAccepted)
        {
            next.Server!.Peer.User!.Mechanisms.Should().Equal("RECONNECT-PLUS");
            open.Server.Invalidation.Should().BeNull();
        }
        else
        {
            next.ServerFailure!.Reason.Should().Be(RejectionReason.ReconnectCredentialNoLongerValid);
            await ended.Task.WaitAsync(s_deadline);
            open.Server.Invalidation!.Rejection.Reason.Should().Be(RejectionReason.ReconnectCredentialRevoked);
        }
    }

    [Test]
    public async Task Without_the_key_of_a_factor_it_opens_nothing_and_is_not_lost()
    {
        var key = FactorKey.Create("one");
        _keys = new FactorKeys(key);
        using var reconnects = Create(PeerProofs.Password | PeerProofs.OneTimeCode);
        await using var first = await LogInAsync(reconnects);

        _keys = new FactorKeys(FactorKey.Create("other"));
        await using var refused = await LogInAsync(reconnects);
        _keys = new FactorKeys(key);
        await using var next = await LogInAsync(reconnects);

        refused.ServerFailure!.Reason.Should().Be(RejectionReason.CredentialCheckFaulted);
        next.Server!.Peer.User!.Mechanisms.Should().Equal("RECONNECT-PLUS");
    }

    [TestCase("totp", "x")]
    [TestCase("recovery", "x")]
    [TestCase("passkey", "1;2;3")]
    [TestCase("totp", "A256GCM;one;QUJD")]
    [TestCase("recovery", "A256GCM;one;QUJD")]
    [TestCase("passkey", "A256GCM;one;QUJD")]
    public async Task Of_a_factor_that_cannot_be_read_nothing_stays_the_same(string kind, string data)
    {
        var keys = new OneTimeCodeOptions { Keys = new FactorKeys(FactorKey.Create("one")) };
        IFactorIdentity[] all =
        [
            (IFactorIdentity)SecondFactors.OneTimeCodes(_alice.Store, keys), (IFactorIdentity)SecondFactors.RecoveryCodes(_alice.Store),
            (IFactorIdentity)SecondFactors.Passkeys(_alice.Store, _alice.Passkeys),
        ];

        foreach (var each in all)
        {
            (await each.IdentityOfAsync("alice", new StoredFactor("x", kind, data), CancellationToken.None)).Should().BeNull();
        }
    }

    private ReconnectCredentials Create(PeerProofs standsFor = PeerProofs.Password) =>
        new(new ReconnectCredentialsOptions { Server = TwoFactorUser.Party, Store = _alice.Store, StandsFor = standsFor });

    /// <summary>A login, after which the client holds what it was issued.</summary>
    private async Task<PairOutcome> LogInAsync(ReconnectCredentials reconnects, ISaslClientMechanism? factor = null)
    {
        using var password = Password.From("pencil");
        var login = _pair with
        {
            Client = _pair.Client with
            {
                Credentials = Login.WithPassword("alice", password).Then(factor ?? SecondFactor.OneTimeCode(NextCodeAsync)).Reconnecting(_held),
            },
            Server = _pair.Server with
            {
                Credentials = Require.CertificateAndUser(SaslServer.Scram(_alice.Store), reconnects.Mechanism) with
                {
                    SecondFactors =
                    [
                        SecondFactors.OneTimeCodes(_alice.Store, new OneTimeCodeOptions { WindowSteps = 10, Keys = _keys }),
                        SecondFactors.Passkeys(_alice.Store, _alice.Passkeys), SecondFactors.RecoveryCodes(_alice.Store),
                    ],
                    LoginFactors = FactorRequirement.TwoKinds,
                    StepUpFactors = FactorRequirement.TwoKinds,
                },
            },
        };
        var outcome = await login.ConnectAsync().WaitAsync(s_deadline);
        if (outcome.Server is { } connection)
        {
            var issue = await connection.IssueReconnectCredentialAsync(reconnects);
            issue.Rejection.Should().BeNull();
            _held.Receive(outcome.Client!.Peer, issue.Octets).Should().BeTrue();
        }

        return outcome;
    }

    private async Task<StoredFactor> PhoneAsync() => (await _alice.Store.FindFactorsAsync("alice")).Single(factor => factor.Id == "phone");

    /// <summary>Each code is of a later step than the one before.</summary>
    private ValueTask<string> NextCodeAsync(CancellationToken cancellationToken)
    {
        _asked++;
        return new(_alice.Secret.CodeAt(DateTimeOffset.UtcNow.AddSeconds(30 * ++_step)));
    }
}
