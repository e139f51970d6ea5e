using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Time.Testing;
using MutualAuth.Credentials;
using MutualAuth.Factors;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Factors;

/// <summary>A sink that is broken costs nobody a login, and changes no refusal into a fault.</summary>
[CancelAfter(60000)]
public sealed class ThrowingLoggerTests
{
    private static readonly DateTimeOffset s_now = new(2026, 11, 27, 8, 0, 5, TimeSpan.Zero);

    private readonly FakeTimeProvider _time = new(s_now);
    private readonly OneTimeCodeSecret _secret = OneTimeCodeSecret.Create();
    private MemoryCredentialStore _store = null!;

    [SetUp]
    public void SetUp() => _store = new MemoryCredentialStore();

    [Test]
    public async Task A_recovery_code_counts_once_as_ever([Values] LoggersThrow at)
    {
        var codes = await RecoveryCodes.CreateAsync(_store, "alice", count: 2, ScramVerifier.MinIterations);
        var server = SecondFactors.RecoveryCodes(_store, new ThrowingLoggers(at));

        (await Factor.RunAsync(server, Factor.Paper(codes[0]))).Should().Be(Factor.End.Proven(PeerProofs.RecoveryCode));
        (await Factor.RunAsync(server, Factor.Paper(codes[0]))).Should().Be(Factor.End.Refused(RejectionReason.SecondFactorWrong));
    }

    [Test]
    public async Task So_does_one_of_a_set_of_before([Values] LoggersThrow at)
    {
        const string Code = "0123456789ABCDEF";
        var salt = RandomNumberGenerator.GetBytes(16);
        var hash = Base64Url.EncodeToString(SHA256.HashData([.. salt, .. Encoding.ASCII.GetBytes(Code)]));
        await _store.SetFactorAsync("alice", new StoredFactor("recovery", "recovery", $"1;{Base64Url.EncodeToString(salt)};{hash}"));
        var server = SecondFactors.RecoveryCodes(_store, new ThrowingLoggers(at));

        (await Factor.RunAsync(server, Factor.Paper(Code))).Should().Be(Factor.End.Proven(PeerProofs.RecoveryCode));
        (await Factor.RunAsync(server, Factor.Paper(Code))).Should().Be(Factor.End.Refused(RejectionReason.SecondFactorWrong));
    }

    [Test]
    public async Task A_secret_in_plain_text_is_used_or_refused_as_ever([Values] LoggersThrow at)
    {
        var options = Options(at);
        await _store.SetFactorAsync("alice", _secret.ToFactor("phone"));

        (await LogInAsync(options with { RequireEncryption = true })).Should().Be(Factor.End.Refused(RejectionReason.SecondFactorNotEncrypted));
        (await LogInAsync(options)).Should().Be(Factor.End.Proven(PeerProofs.OneTimeCode));
        (await _store.FindFactorsAsync("alice")).Should().OnlyContain(factor => FactorEncryption.IsEncrypted(factor));
    }

    [Test]
    public async Task A_secret_whose_key_cannot_be_had_to_read_or_to_write_is_refused_as_ever([Values] LoggersThrow at)
    {
        var down = new FetchedFactorKeys((_, _) => throw new IOException("down"));
        await _store.SetFactorAsync("alice", _secret.ToFactor("phone"));

        (await LogInAsync(Options(at) with { Keys = down })).Should().Be(Factor.End.Refused(RejectionReason.SecondFactorKeyUnavailable));

        await _store.SetFactorAsync("alice", await _secret.ToFactorAsync("alice", "phone", new FactorKeys(FactorKey.Create("k2"))));
        (await LogInAsync(Options(at))).Should().Be(Factor.End.Refused(RejectionReason.SecondFactorKeyUnavailable));
    }

    [Test]
    public async Task A_passkey_that_seems_copied_is_locked_and_refused_as_ever([Values] LoggersThrow at)
    {
        using var authenticator = new SoftwareAuthenticator();
        var options = new PasskeyOptions { RelyingParty = "bank.test", LoggerFactory = new ThrowingLoggers(at), LocksCopiedPasskeys = true };
        var registration = await PasskeyRegistration.BeginAsync(_store, options, "alice");
        (await registration.CompleteAsync((await authenticator.CreateAsync(registration.Request))!)).Should().BeNull();
        Task<Factor.End> RunAsync() =>
            Factor.RunAsync(SecondFactors.Passkeys(_store, options), SecondFactor.Passkey(authenticator, options.RelyingParty));

        (await RunAsync()).Proofs.Should().HaveFlag(PeerProofs.Passkey);
        var passkey = StoredPasskey.Read((await _store.FindFactorsAsync("alice")).Single());
        await _store.SetFactorAsync("alice", (passkey with { Counter = passkey.Counter + 100 }).ToFactor());

        (await RunAsync()).Should().Be(Factor.End.Refused(RejectionReason.PasskeyCounterNotRisen));
        StoredPasskey.Read((await _store.FindFactorsAsync("alice")).Single()).IsLocked.Should().BeTrue();
    }

    private OneTimeCodeOptions Options(LoggersThrow at) =>
        new() { TimeProvider = _time, Keys = new FactorKeys(FactorKey.Create("k1")), LoggerFactory = new ThrowingLoggers(at) };

    private Task<Factor.End> LogInAsync(OneTimeCodeOptions options) =>
        Factor.RunAsync(SecondFactors.OneTimeCodes(_store, options), Factor.Code(_secret.CodeAt(_time.GetUtcNow())));
}
