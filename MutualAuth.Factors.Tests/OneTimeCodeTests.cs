using System.Text;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Time.Testing;
using MutualAuth.Credentials;
using MutualAuth.Factors;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Factors;

/// <summary>TOTP: the vectors of RFC 6238, and each way in which a code is not the one that counts.</summary>
[CancelAfter(30000)]
public sealed class OneTimeCodeTests
{
    private static readonly DateTimeOffset s_now = new(2026, 11, 26, 12, 0, 10, TimeSpan.Zero);

    private readonly FakeTimeProvider _time = new(s_now);
    private MemoryCredentialStore _store = null!;
    private OneTimeCodeSecret _secret = null!;

    [SetUp]
    public async Task SetUpAsync()
    {
        _time.AdjustTime(s_now);
        _store = new MemoryCredentialStore();
        _secret = OneTimeCodeSecret.Create();
        await _store.SetFactorAsync("alice", _secret.ToFactor("phone"));
    }

    [TestCase(59, OneTimeCodeHash.Sha1, "94287082")]
    [TestCase(59, OneTimeCodeHash.Sha256, "46119246")]
    [TestCase(59, OneTimeCodeHash.Sha512, "90693936")]
    [TestCase(1111111109, OneTimeCodeHash.Sha1, "07081804")]
    [TestCase(1111111109, OneTimeCodeHash.Sha256, "68084774")]
    [TestCase(1111111109, OneTimeCodeHash.Sha512, "25091201")]
    [TestCase(1111111111, OneTimeCodeHash.Sha1, "14050471")]
    [TestCase(1111111111, OneTimeCodeHash.Sha256, "67062674")]
    [TestCase(1111111111, OneTimeCodeHash.Sha512, "99943326")]
    [TestCase(1234567890, OneTimeCodeHash.Sha1, "89005924")]
    [TestCase(1234567890, OneTimeCodeHash.Sha256, "91819424")]
    [TestCase(1234567890, OneTimeCodeHash.Sha512, "93441116")]
    [TestCase(2000000000, OneTimeCodeHash.Sha1, "69279037")]
    [TestCase(2000000000, OneTimeCodeHash.Sha256, "90698825")]
    [TestCase(2000000000, OneTimeCodeHash.Sha512, "38618901")]
    [TestCase(20000000000, OneTimeCodeHash.Sha1, "65353130")]
    [TestCase(20000000000, OneTimeCodeHash.Sha256, "77737706")]
    [TestCase(20000000000, OneTimeCodeHash.Sha512, "47863826")]
    public async Task The_vectors_of_RFC_6238_are_made_and_accepted(long time, OneTimeCodeHash hash, string code)
    {
        var length = hash switch { OneTimeCodeHash.Sha1 => 20, OneTimeCodeHash.Sha256 => 32, _ => 64 };
        var secret = OneTimeCodeSecret.From(Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat("1234567890", 7))[..length]), hash, digits: 8);
        await _store.SetFactorAsync("alice", secret.ToFactor("phone"));
        var clock = new FakeTimeProvider(DateTimeOffset.UnixEpoch);
        clock.AdjustTime(DateTimeOffset.FromUnixTimeSeconds(time));
        var server = SecondFactors.OneTimeCodes(_store, new OneTimeCodeOptions { TimeProvider = clock });

        secret.CodeAt(DateTimeOffset.FromUnixTimeSeconds(time)).Should().Be(code);
        (await Factor.RunAsync(server, Factor.Code(code))).Should().Be(Factor.End.Proven(PeerProofs.OneTimeCode));
    }

    [TestCase(-2, RejectionReason.OneTimeCodeTooLate)]
    [TestCase(-1, null)]
    [TestCase(0, null)]
    [TestCase(1, null)]
    [TestCase(2, RejectionReason.OneTimeCodeTooEarly)]
    [TestCase(-20, RejectionReason.OneTimeCodeTooLate)]
    [TestCase(20, RejectionReason.OneTimeCodeTooEarly)]
    [TestCase(-21, RejectionReason.SecondFactorWrong)]
    [TestCase(21, RejectionReason.SecondFactorWrong)]
    public async Task A_code_that_is_early_or_late_is_refused(int steps, RejectionReason? reason) =>
        (await Factor.RunAsync(Server(), Factor.Code(CodeIn(steps)))).Server.Should().Be(reason);

    [TestCase(0, -1, RejectionReason.OneTimeCodeTooLate)]
    [TestCase(0, 0, null)]
    [TestCase(3, -3, null)]
    [TestCase(3, -4, RejectionReason.OneTimeCodeTooLate)]
    public async Task The_window_is_what_the_options_say(int window, int steps, RejectionReason? reason)
    {
        var server = SecondFactors.OneTimeCodes(_store, new OneTimeCodeOptions { TimeProvider = _time, WindowSteps = window });

        (await Factor.RunAsync(server, Factor.Code(CodeIn(steps)))).Server.Should().Be(reason);
    }

    [Test]
    public async Task A_replayed_code_is_refused_and_the_next_one_is_not()
    {
        var code = CodeIn(0);

        (await Factor.RunAsync(Server(), Factor.Code(code))).Server.Should().BeNull();
        (await Factor.RunAsync(Server(), Factor.Code(code))).Server.Should().Be(RejectionReason.SecondFactorReused);
        (await Factor.RunAsync(Server(), Factor.Code(CodeIn(-1)))).Server.Should().Be(RejectionReason.SecondFactorReused, "a later one was used");
        _time.Advance(TimeSpan.FromSeconds(30));
        (await Factor.RunAsync(Server(), Factor.Code(code))).Server.Should().Be(RejectionReason.SecondFactorReused, "it is within the window");
        (await Factor.RunAsync(Server(), Factor.Code(CodeIn(0)))).Server.Should().BeNull();
    }

    [Test]
    public async Task A_cloned_secret_on_a_second_device_gets_nobody_in_with_the_same_step()
    {
        var clone = OneTimeCodeSecret.Parse(_secret.ToUri("Bank", "alice"));
        var (original, copy) = (SecondFactor.OneTimeCodeFrom(_secret, _time), SecondFactor.OneTimeCodeFrom(clone, _time));

        (await Factor.RunAsync(Server(), original)).Server.Should().BeNull();
        (await Factor.RunAsync(Server(), copy)).Server.Should().Be(RejectionReason.SecondFactorReused);
    }

    [TestCase("file")]
    [TestCase("sqlite")]
    [TestCase("memory")]
    public async Task Two_servers_at_one_moment_with_one_code_let_one_in(string kind)
    {
        var directory = Directory.CreateTempSubdirectory("mutualauth-totp-").FullName;
        try
        {
            await (await OpenAsync(kind, directory)).SetFactorAsync("alice", _secret.ToFactor("phone"));
            ISecondFactorStore[] stores = [await OpenAsync(kind, directory), await OpenAsync(kind, directory)];
            for (var round = 0; round < 3; round++)
            {
                var code = CodeIn(0);

                var ends = await Task.WhenAll(Enumerable.Range(0, 8).Select(number => Task.Run(() => Factor.RunAsync(
                    SecondFactors.OneTimeCodes(stores[number % 2], new OneTimeCodeOptions { TimeProvider = _time }), Factor.Code(code)))));

                ends.Count(end => end.Server is null).Should().Be(1);
                ends.Where(end => end.Server is not null).Should().OnlyContain(end => end.Server == RejectionReason.SecondFactorReused);
                _time.Advance(TimeSpan.FromSeconds(30));
            }
        }
        finally
        {
            SqliteConnection.ClearAllPools();
            Directory.Delete(directory, recursive: true);
        }
    }

    [Test]
    public async Task The_code_of_another_user_is_wrong_and_who_has_no_generator_is_told_apart_in_our_log()
    {
        await _store.SetFactorAsync("bob", OneTimeCodeSecret.Create().ToFactor("phone"));

        (await Factor.RunAsync(Server(), Factor.Code(CodeIn(0)), "bob")).Server.Should().Be(RejectionReason.SecondFactorWrong);
        (await Factor.RunAsync(Server(), Factor.Code(CodeIn(0)), "carol")).Server.Should().Be(RejectionReason.SecondFactorMissing);
        (await Factor.RunAsync(Server(), Factor.Code(CodeIn(0)))).Server.Should().BeNull();
    }

    [Test]
    public async Task Each_of_a_users_generators_counts_by_itself()
    {
        var other = OneTimeCodeSecret.Create(OneTimeCodeHash.Sha256, digits: 8);
        await _store.SetFactorAsync("alice", other.ToFactor("tablet"));

        (await Factor.RunAsync(Server(), Factor.Code(CodeIn(0)))).Server.Should().BeNull();
        (await Factor.RunAsync(Server(), Factor.Code(other.CodeAt(_time.GetUtcNow())))).Server.Should().BeNull();
        (await Factor.RunAsync(Server(), Factor.Code(other.CodeAt(_time.GetUtcNow())))).Server.Should().Be(RejectionReason.SecondFactorReused);
    }

    [TestCase("12345")]
    [TestCase("123456789")]
    [TestCase("12345a")]
    [TestCase("")]
    public async Task What_is_no_code_is_a_fault_of_the_protocol(string text)
    {
        using var exchange = Server().Begin("TOTP", Factor.ServerContext());

        var step = await exchange.StepAsync(Encoding.ASCII.GetBytes(text), default);

        ((SaslServerStep.Failed)step).Rejection.Reason.Should().Be(RejectionReason.CredentialProtocolViolated);
    }

    [Test]
    public async Task Without_a_user_from_before_nobody_is_anybody() =>
        (await Factor.RunAsync(Server(), Factor.Code(CodeIn(0)), user: null)).Server.Should().Be(RejectionReason.CredentialProtocolViolated);

    [TestCase(0, true)]
    [TestCase(-2, false)]
    public async Task Who_enrols_shows_a_first_code_which_is_used_up(int steps, bool isTaken)
    {
        var fresh = OneTimeCodeSecret.Create();
        var code = fresh.CodeAt(_time.GetUtcNow().AddSeconds(30 * steps));

        (await fresh.EnrolAsync(_store, "dave", "phone", code, new OneTimeCodeOptions { TimeProvider = _time })).Should().Be(isTaken);

        (await Factor.RunAsync(Server(), Factor.Code(code), "dave")).Server.Should().Be(
            isTaken ? RejectionReason.SecondFactorReused : RejectionReason.SecondFactorMissing);
    }

    [TestCase(OneTimeCodeHash.Sha1, 6, 30)]
    [TestCase(OneTimeCodeHash.Sha512, 8, 60)]
    public void A_URI_and_a_stored_factor_say_all_that_there_is(OneTimeCodeHash hash, int digits, int period)
    {
        var secret = OneTimeCodeSecret.Create(hash, digits, period);
        var code = secret.CodeAt(s_now);

        OneTimeCodeSecret.Parse(secret.ToUri("A Bank: of ours", "al ice@example.org")).CodeAt(s_now).Should().Be(code);
        OneTimeCodeSecret.Read(secret.ToFactor("phone")).Secret.CodeAt(s_now).Should().Be(code);
        secret.ToString().Should().NotContain(secret.ToBase32());
    }

    [TestCase("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ", true)]
    [TestCase(" otpauth://totp/a:b?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ\n", true)]
    [TestCase("otpauth://hotp/a:b?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ", false)]
    [TestCase("otpauth://totp/a:b", false)]
    [TestCase("otpauth://totp/a:b?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&digits=9", false)]
    [TestCase("otpauth://totp/a:b?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&algorithm=MD5", false)]
    [TestCase("otpauth://totp/a:b?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&period=1", false)]
    [TestCase("GEZDGNBV", false)]
    [TestCase("not a secret!", false)]
    public void Only_a_secret_is_one_and_an_error_does_not_repeat_it(string text, bool isTaken)
    {
        var parse = () => OneTimeCodeSecret.Parse(text);

        if (isTaken)
        {
            parse().CodeAt(DateTimeOffset.FromUnixTimeSeconds(59)).Should().Be("287082");
        }
        else
        {
            parse.Should().Throw<FormatException>().Which.ToString().Should().NotContain("GEZDGNBV").And.NotContain("not a secret");
        }
    }

    [TestCase(11, true)]
    [TestCase(10, false)]
    [TestCase(-1, true)]
    public void A_window_has_its_bounds(int window, bool isRefused)
    {
        var make = () => SecondFactors.OneTimeCodes(_store, new OneTimeCodeOptions { WindowSteps = window });

        if (isRefused)
        {
            make.Should().Throw<ArgumentException>().Which.Message.Should().Contain("WindowSteps");
        }
        else
        {
            make.Should().NotThrow();
        }
    }

    private static async Task<ISecondFactorStore> OpenAsync(string kind, string directory)
    {
        switch (kind)
        {
            case "memory":
                return s_shared;
            case "file":
                return FileCredentialStore.OpenOrCreate(Path.Combine(directory, "users"));
            default:
                var store = new DatabaseCredentialStore(
                    SqliteFactory.Instance.CreateDataSource($"Data Source={Path.Combine(directory, "users.db")}"));
                await store.MigrateAsync();
                return store;
        }
    }

    private static readonly MemoryCredentialStore s_shared = new();

    private ISaslServerMechanism Server() => SecondFactors.OneTimeCodes(_store, new OneTimeCodeOptions { TimeProvider = _time });

    private string CodeIn(int steps) => _secret.CodeAt(_time.GetUtcNow().AddSeconds(30 * steps));
}
