using MutualAuth.Credentials;
using MutualAuth.Factors;
using MutualAuth.Testing;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Factors;

/// <summary>Encrypted secrets over real sockets: what both ends are told, and what counts towards a lock-out.</summary>
[CancelAfter(60000)]
public sealed class EncryptedLoginTests
{
    private static readonly TimeSpan s_deadline = TimeSpan.FromSeconds(30);

    private readonly OneTimeCodeSecret _secret = OneTimeCodeSecret.Create();
    private readonly FactorKeys _keys = new(FactorKey.Create("k1"));
    private TestAuthority _authority = null!;
    private MemoryCredentialStore _store = null!;

    [SetUp]
    public async Task SetUpAsync()
    {
        (_authority, _store) = (new TestAuthority(), new MemoryCredentialStore());
        using var password = Password.From("pencil");
        await _store.SetAsync("alice", ScramVerifier.Create(password, ScramHash.Sha256, ScramVerifier.MinIterations));
        await _store.SetFactorAsync("alice", await _secret.ToFactorAsync("alice", "phone", _keys));
    }

    [TearDown]
    public void TearDown() => _authority.Dispose();

    [TestCase("no keys", RejectionReason.SecondFactorKeyUnavailable)]
    [TestCase("another key", RejectionReason.SecondFactorNotAuthentic)]
    public async Task What_we_cannot_open_is_told_as_a_fault_of_ours_and_locks_nobody_out(string which, RejectionReason reason)
    {
        var wrong = new OneTimeCodeOptions { Keys = which == "no keys" ? null : new FactorKeys(FactorKey.Create("k1")) };
        for (var count = 0; count < 4; count++)
        {
            await using var refused = await LogInAsync(wrong, RightCode());
            (refused.ServerFailure!.Reason, refused.ClientFailure!.PeerReason).Should().Be((reason, PublicReason.InternalError));
        }

        await using var right = await LogInAsync(new OneTimeCodeOptions { Keys = _keys }, RightCode());

        right.Server.Should().NotBeNull(right.ToString());
        right.Server!.Peer.Proofs.Should().HaveFlag(PeerProofs.Password | PeerProofs.OneTimeCode);
    }

    [Test]
    public async Task A_secret_in_plain_text_where_encryption_is_demanded_is_one_too()
    {
        await _store.SetFactorAsync("alice", _secret.ToFactor("phone"));
        var strict = new OneTimeCodeOptions { Keys = _keys, RequireEncryption = true };

        await using var refused = await LogInAsync(strict, RightCode());
        await OneTimeCodeSecret.EncryptAllAsync(_store, _keys);
        await using var right = await LogInAsync(strict, RightCode());

        (refused.ServerFailure!.Reason, refused.ClientFailure!.PeerReason).Should()
            .Be((RejectionReason.SecondFactorNotEncrypted, PublicReason.InternalError));
        right.Server.Should().NotBeNull(right.ToString());
    }

    /// <summary>Otherwise a record that does not open would give guesses at the user's other generator away, uncounted.</summary>
    [TestCase(true)]
    [TestCase(false)]
    public async Task Guesses_that_were_judged_count_whether_another_generator_opens_or_not(bool hasUnreadable)
    {
        if (hasUnreadable)
        {
            await _store.SetFactorAsync(
                "alice", await OneTimeCodeSecret.Create().ToFactorAsync("alice", "a", new FactorKeys(FactorKey.Create("k9"))));
        }

        var options = new OneTimeCodeOptions { Keys = _keys };
        for (var count = 0; count < 2; count++)
        {
            await using var refused = await LogInAsync(options, Factor.Code(WrongCode()));
            (refused.ServerFailure!.Reason, refused.ClientFailure!.PeerReason).Should()
                .Be((RejectionReason.SecondFactorWrong, PublicReason.CredentialsWrong));
        }

        await using var late = await LogInAsync(options, RightCode());

        late.ServerFailure!.Reason.Should().Be(RejectionReason.AttemptsLimited);
    }

    private ISaslClientMechanism RightCode() => SecondFactor.OneTimeCodeFrom(_secret);

    /// <summary>None of the user's within an hour of now.</summary>
    private string WrongCode()
    {
        var near = Enumerable.Range(-120, 241).Select(step => _secret.CodeAt(DateTimeOffset.UtcNow.AddSeconds(30 * step))).ToHashSet();
        return Enumerable.Range(0, 1000).Select(number => number.ToString("D6")).First(code => !near.Contains(code));
    }

    private async Task<PairOutcome> LogInAsync(OneTimeCodeOptions options, ISaslClientMechanism factor)
    {
        using var password = Password.From("pencil");
        using var pair = _authority.CreatePair();
        var login = pair with
        {
            Client = pair.Client with
            {
                Identity = ClientIdentity.None,
                Credentials = Login.WithPassword("alice", password).Then(factor),
            },
            Server = pair.Server with
            {
                Credentials = Require.User(SaslServer.Scram(_store)) with
                {
                    SecondFactors = [SecondFactors.OneTimeCodes(_store, options)],
                    LoginFactors = FactorRequirement.TwoKinds,
                    LockOut = new LockOutPolicy { Failures = 2, ExemptsKnownPlaces = false, Duration = TimeSpan.FromMinutes(15) },
                },
            },
        };
        return await login.ConnectAsync().WaitAsync(s_deadline);
    }
}
