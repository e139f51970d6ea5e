using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Testing;
using MutualAuth.Credentials;
using MutualAuth.Factors;
using MutualAuth.Testing;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Factors;

/// <summary>What a store has of recovery codes, what an attempt costs, and what becomes of sets that a version of before stored.</summary>
[CancelAfter(60000)]
public sealed class RecoveryCodeStorageTests
{
    private const int Few = ScramVerifier.MinIterations;
    private static readonly TimeSpan s_deadline = TimeSpan.FromSeconds(30);
    private static readonly byte[] s_salt = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16];
    private static readonly string[] s_codes = ["0123456789ABCDEF", "GHJKMNPQRSTVWXYZ", "ZZZZZZZZZZZZZZZZ"];
    private static readonly string s_hash = new('A', 43);

    private MemoryCredentialStore _store = null!;

    [SetUp]
    public void SetUp() => _store = new MemoryCredentialStore();

    [Test]
    public async Task A_set_has_its_version_its_iterations_one_salt_and_a_derivation_of_each_code()
    {
        var codes = await RecoveryCodes.CreateAsync(_store, "alice", 2, Few);

        var parts = (await DataAsync()).Split(';');
        parts.Should().HaveCount(4);
        parts[..2].Should().Equal("2", "4096");
        var salt = Base64Url.DecodeFromChars(parts[2]);
        salt.Should().HaveCount(16);
        parts[3].Split(',').Should().Equal(codes.Select(code =>
            Base64Url.EncodeToString(Rfc2898DeriveBytes.Pbkdf2(
                Encoding.ASCII.GetBytes(OneHash(salt, code.Replace("-", string.Empty, StringComparison.Ordinal))),
                salt,
                Few,
                HashAlgorithmName.SHA512,
                32))));
    }

    [Test]
    public async Task By_default_it_iterates_as_often_as_for_a_password_and_two_sets_have_two_salts()
    {
        await RecoveryCodes.CreateAsync(_store, "alice", 1);
        var first = await DataAsync();
        await RecoveryCodes.CreateAsync(_store, "alice", 1);

        first.Should().StartWith($"2;{ScramHash.Sha512.DefaultIterations};");
        (await DataAsync()).Split(';')[2].Should().NotBe(first.Split(';')[2]);
    }

    [TestCase(4095, false)]
    [TestCase(4096, true)]
    [TestCase(1_000_000, true)]
    [TestCase(1_000_001, false)]
    [TestCase(int.MaxValue, false)]
    [TestCase(-1, false)]
    public async Task Iterations_have_bounds(int iterations, bool isTaken)
    {
        var create = async () => await RecoveryCodes.CreateAsync(_store, "alice", 1, iterations);
        var rehash = async () => await RecoveryCodes.RehashAsync(_store, "alice", iterations);
        var rehashAll = async () => await RecoveryCodes.RehashAllAsync(_store, iterations);
        if (isTaken)
        {
            await create.Should().NotThrowAsync();
            await rehash.Should().NotThrowAsync();
            await rehashAll.Should().NotThrowAsync();
            return;
        }

        await create.Should().ThrowAsync<ArgumentOutOfRangeException>();
        await rehash.Should().ThrowAsync<ArgumentOutOfRangeException>();
        await rehashAll.Should().ThrowAsync<ArgumentOutOfRangeException>();
        (await _store.FindFactorsAsync("alice")).Should().BeEmpty();
    }

    [TestCase(1)]
    [TestCase(50)]
    public async Task An_attempt_costs_one_derivation_whatever_the_number_of_codes(int count)
    {
        var codes = await RecoveryCodes.CreateAsync(_store, "alice", count, Few);

        (await CostAsync("0000-0000-0000-0000")).Should().Be((RejectionReason.SecondFactorWrong, 1, Few));
        (await CostAsync(codes[^1])).Should().Be((null, 1, Few));
        (await CostAsync(codes[^1])).Should().Be((RejectionReason.SecondFactorWrong, 1, Few));
    }

    [Test]
    public async Task What_cannot_be_a_code_costs_none_and_neither_does_one_before_a_user_is_proven()
    {
        var codes = await RecoveryCodes.CreateAsync(_store, "alice", 1, Few);

        (await CostAsync("0000-0000-0000-000")).Should().Be((RejectionReason.SecondFactorWrong, 0, 0));
        (await CostAsync("0000-0000\t0000-0000")).Should().Be((RejectionReason.CredentialProtocolViolated, 0, 0));
        (await CostAsync(codes[0], user: null)).Should().Be((RejectionReason.CredentialProtocolViolated, 0, 0));
        (await CostAsync(codes[0])).Should().Be((null, 1, Few));
    }

    [Test]
    public async Task The_cost_does_not_tell_who_has_no_codes_nor_whose_are_of_before()
    {
        await _store.SetFactorAsync("alice", OfBefore(s_codes));

        (await CostAsync(s_codes[0], "bob")).Should().Be((RejectionReason.SecondFactorMissing, 1, ScramHash.Sha512.DefaultIterations));
        (await CostAsync("0000-0000-0000-0000")).Should().Be((RejectionReason.SecondFactorWrong, 1, ScramHash.Sha512.DefaultIterations));
        (await CostAsync(s_codes[0])).Should().Be((null, 1, ScramHash.Sha512.DefaultIterations));
    }

    [Test]
    public async Task Where_no_place_is_free_the_code_is_refused_as_overload_and_stays()
    {
        var codes = await RecoveryCodes.CreateAsync(_store, "alice", 2, Few);
        var policy = Require.User(SaslServer.Scram(_store)) with { MaxConcurrentKeyDerivations = 1, MaxWaitingKeyDerivations = 0 };
        var services = new LoginServices(policy, TimeProvider.System);
        using var held = new ManualResetEventSlim();
        var begun = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        services.KeyDerivation.BeforeDeriving = _ =>
        {
            begun.TrySetResult();
            held.Wait(s_deadline);
        };
        var server = SecondFactors.RecoveryCodes(_store);
        Task<Factor.End> RunAsync(int code) => Factor.RunAsync(
            server, Factor.Paper(codes[code]), Factor.ServerContext(policy, services), Factor.ClientContext());

        var first = RunAsync(0);
        try
        {
            await begun.Task.WaitAsync(s_deadline);
            (await RunAsync(1).WaitAsync(s_deadline)).Server.Should().Be(RejectionReason.CredentialCheckOverloaded);
        }
        finally
        {
            held.Set();
        }

        (await first.WaitAsync(s_deadline)).Server.Should().BeNull();
        (await RunAsync(1).WaitAsync(s_deadline)).Server.Should().BeNull("it was not used up");
    }

    [Test]
    public async Task A_store_that_blocks_its_thread_blocks_none_of_the_pool_after_the_derivation()
    {
        var codes = await RecoveryCodes.CreateAsync(_store, "alice", 1, Few);
        bool? isOfPool = null;
        var watched = new WatchedFactors(_store)
        {
            BeforeReplacing = () =>
            {
                isOfPool = Thread.CurrentThread.IsThreadPoolThread;
                return Task.CompletedTask;
            },
        };

        (await Factor.RunAsync(SecondFactors.RecoveryCodes(watched), Factor.Paper(codes[0]))).Server.Should().BeNull();

        isOfPool.Should().BeFalse();
    }

    [Test]
    public async Task Codes_of_before_are_taken_once_each_and_told_of()
    {
        await _store.SetFactorAsync("alice", OfBefore(s_codes));
        var log = new FakeLoggerProvider();
        using var loggers = LoggerFactory.Create(builder => builder.AddProvider(log));
        var server = SecondFactors.RecoveryCodes(_store, loggers);

        (await Factor.RunAsync(server, Factor.Paper(s_codes[1]))).Should().Be(Factor.End.Proven(PeerProofs.RecoveryCode));
        (await Factor.RunAsync(server, Factor.Paper(s_codes[1]))).Server.Should().Be(RejectionReason.SecondFactorWrong);

        (await RecoveryCodes.CountAsync(_store, "alice")).Should().Be(2);
        log.Collector.GetSnapshot().Select(record => record.Id.Id).Should().Equal(1325, 1321, 1322);
        (await RecoveryCodes.RehashAsync(_store, "alice", Few)).Should().BeTrue();
        (await Factor.RunAsync(server, Factor.Paper(s_codes[2]))).Server.Should().BeNull();
        log.Collector.GetSnapshot().Select(record => record.Id.Id).Should().Equal(1325, 1321, 1322, 1321, 1322);
    }

    [Test]
    public async Task A_hash_of_before_is_no_code_and_a_derivation_is_none_either()
    {
        await _store.SetFactorAsync("alice", OfBefore(s_codes));
        (await CostAsync(OneHash(s_salt, s_codes[0]))).Reason.Should().Be(RejectionReason.SecondFactorWrong);

        await RecoveryCodes.RehashAsync(_store, "alice", Few);

        var hash = (await DataAsync()).Split(';')[3].Split(',')[0];
        (await CostAsync(hash)).Reason.Should().Be(RejectionReason.SecondFactorWrong);
        (await CostAsync(OneHash(s_salt, s_codes[0]))).Reason.Should().Be(RejectionReason.SecondFactorWrong);
    }

    [Test]
    public async Task Rewritten_the_same_codes_hold_and_no_hash_of_before_is_left()
    {
        var before = OfBefore(s_codes);
        await _store.SetFactorAsync("alice", before);
        var identity = (IFactorIdentity)SecondFactors.RecoveryCodes(_store);

        (await RecoveryCodes.RehashAsync(_store, "alice", Few)).Should().BeTrue();
        (await RecoveryCodes.RehashAsync(_store, "alice", Few)).Should().BeFalse("there is nothing of before");

        var after = (await _store.FindFactorsAsync("alice")).Single();
        after.Data.Should().StartWith("2;4096;");
        s_codes.Should().OnlyContain(code => !after.Data.Contains(OneHash(s_salt, code), StringComparison.Ordinal));
        (await identity.IdentityOfAsync("alice", after, CancellationToken.None)).Should().NotBeNull()
            .And.Be(await identity.IdentityOfAsync("alice", before, CancellationToken.None), "it is the same factor still");
        foreach (var code in s_codes)
        {
            (await CostAsync(code)).Should().Be((null, 1, Few));
        }
    }

    [Test]
    public async Task A_code_that_is_used_while_its_set_is_rewritten_stays_used()
    {
        await _store.SetFactorAsync("alice", OfBefore(s_codes));
        var watched = new WatchedFactors(_store)
        {
            BeforeReplacing = async () => (await CostAsync(s_codes[0])).Reason.Should().BeNull(),
        };

        (await RecoveryCodes.RehashAsync(watched, "alice", Few)).Should().BeTrue();

        (await CostAsync(s_codes[0])).Reason.Should().Be(RejectionReason.SecondFactorWrong);
        (await CostAsync(s_codes[1])).Reason.Should().BeNull();
    }

    [Test]
    public async Task A_set_that_changes_again_and_again_is_left_and_said_to_be()
    {
        await _store.SetFactorAsync("alice", OfBefore([.. Enumerable.Range(0, 5).Select(number => $"{number}123456789ABCDEF")]));
        var watched = new WatchedFactors(_store);
        var used = 0;
        async Task UseAsync()
        {
            (await CostAsync($"{used++}123456789ABCDEF")).Reason.Should().BeNull();
            watched.BeforeReplacing = UseAsync;
        }

        watched.BeforeReplacing = UseAsync;
        var rehash = async () => await RecoveryCodes.RehashAsync(watched, "alice", Few);

        await rehash.Should().ThrowAsync<InvalidOperationException>();
        used.Should().Be(4);
        (await DataAsync()).Should().StartWith("1;");
        (await RecoveryCodes.CountAsync(_store, "alice")).Should().Be(1);
    }

    [Test]
    public async Task Who_gives_up_has_stored_nothing()
    {
        await _store.SetFactorAsync("bob", OfBefore(s_codes));
        using var givenUp = new CancellationTokenSource();
        await givenUp.CancelAsync();

        var create = async () => await RecoveryCodes.CreateAsync(_store, "alice", 1, Few, givenUp.Token);
        var rehash = async () => await RecoveryCodes.RehashAsync(_store, "bob", Few, givenUp.Token);

        await create.Should().ThrowAsync<OperationCanceledException>();
        await rehash.Should().ThrowAsync<OperationCanceledException>();
        (await _store.FindFactorsAsync("alice")).Should().BeEmpty();
        (await _store.FindFactorsAsync("bob")).Should().Equal(OfBefore(s_codes));
    }

    [Test]
    public async Task A_set_that_is_rewritten_while_a_code_is_used_takes_the_code()
    {
        await _store.SetFactorAsync("alice", OfBefore(s_codes));
        var watched = new WatchedFactors(_store)
        {
            BeforeReplacing = async () => (await RecoveryCodes.RehashAsync(_store, "alice", Few)).Should().BeTrue(),
        };

        (await Factor.RunAsync(SecondFactors.RecoveryCodes(watched), Factor.Paper(s_codes[0]))).Server.Should().BeNull();

        (await DataAsync()).Should().StartWith("2;4096;");
        (await CostAsync(s_codes[0])).Reason.Should().Be(RejectionReason.SecondFactorWrong);
        (await RecoveryCodes.CountAsync(_store, "alice")).Should().Be(2);
    }

    [Test]
    public async Task All_sets_of_a_store_are_rewritten_and_one_that_cannot_be_read_stops_no_other()
    {
        await _store.SetFactorAsync("alice", OfBefore(s_codes));
        await _store.SetFactorAsync("bob", new StoredFactor("recovery", "recovery", "1;salt;hash"));
        await RecoveryCodes.CreateAsync(_store, "carol", 1, Few);
        await _store.SetFactorAsync("dave", OneTimeCodeSecret.Create().ToFactor("phone"));
        await _store.SetFactorAsync("erin", OfBefore(s_codes));

        var report = await RecoveryCodes.RehashAllAsync(_store, Few);

        (report.Rewritten, report.Unchanged).Should().Be((2, 1));
        report.Refused.Should().Equal("bob");
        (await CostAsync(s_codes[0], "erin")).Should().Be((null, 1, Few));
        (await _store.FindFactorsAsync("bob")).Single().Data.Should().Be("1;salt;hash");
    }

    [TestCase("2;4096;{0};{1}", true)]
    [TestCase("2;1000000;{0};{1}", true)]
    [TestCase("2;4096;{0};", true)]
    [TestCase("2;4095;{0};{1}", false)]
    [TestCase("2;1000001;{0};{1}", false)]
    [TestCase("2;2147483647;{0};{1}", false)]
    [TestCase("2;99999999999999999999;{0};{1}", false)]
    [TestCase("2;0;{0};{1}", false)]
    [TestCase("2;-4096;{0};{1}", false)]
    [TestCase("2;+4096;{0};{1}", false)]
    [TestCase("2;;{0};{1}", false)]
    [TestCase("2;{0};{1}", false)]
    [TestCase("3;4096;{0};{1}", false)]
    [TestCase("2;4096;AAAA;{1}", false)]
    [TestCase("2;4096;;{1}", false)]
    [TestCase("2;4096;{0};{1},AAAA", false)]
    [TestCase("2;4096;{0};{1}A", false)]
    [TestCase("2;4096;{0};{1};{1}", false)]
    [TestCase("1;{0};AAAA", false)]
    [TestCase("x", false)]
    public async Task What_is_out_of_its_bounds_is_refused_before_anything_is_derived_and_is_no_guess(string data, bool isRead)
    {
        await _store.SetFactorAsync("alice", new StoredFactor(
            "recovery", "recovery", string.Format(null, data, Base64Url.EncodeToString(s_salt), s_hash)));

        var (reason, calls, _) = await CostAsync(s_codes[0]);

        (reason, calls).Should().Be(isRead ? (RejectionReason.SecondFactorWrong, 1) : (RejectionReason.CredentialCheckFaulted, 0));
        var count = async () => await RecoveryCodes.CountAsync(_store, "alice");
        var rehash = async () => await RecoveryCodes.RehashAsync(_store, "alice", Few);
        if (isRead)
        {
            await count.Should().NotThrowAsync();
            await rehash.Should().NotThrowAsync();
        }
        else
        {
            (await count.Should().ThrowAsync<FormatException>()).Which.Message.Should().NotContain(s_hash);
            await rehash.Should().ThrowAsync<FormatException>();
        }
    }

    [TestCase(50, true)]
    [TestCase(51, false)]
    public async Task A_set_has_fifty_codes_at_most(int count, bool isRead)
    {
        var hashes = string.Join(',', Enumerable.Repeat(s_hash, count));
        await _store.SetFactorAsync("alice", new StoredFactor(
            "recovery", "recovery", $"2;4096;{Base64Url.EncodeToString(s_salt)};{hashes}"));

        (await CostAsync(s_codes[0])).Reason.Should().Be(isRead ? RejectionReason.SecondFactorWrong : RejectionReason.CredentialCheckFaulted);
    }

    [TestCase("pencil", "0000-0000-0000-0000", false, RejectionReason.SecondFactorWrong, PublicReason.CredentialsWrong, 1, true)]
    [TestCase("pencil", "0000-0000-0000-0000", true, RejectionReason.CredentialCheckFaulted, PublicReason.InternalError, 0, true)]
    [TestCase("eraser", "0000-0000-0000-0000", false, RejectionReason.CredentialsWrong, PublicReason.CredentialsWrong, 1, false)]
    public async Task A_wrong_code_is_counted_an_absurd_set_is_not_and_none_is_asked_before_the_password_is_right(
        string typed, string code, bool isAbsurd, RejectionReason reason, PublicReason told, int failures, bool isAsked)
    {
        using (var right = Password.From("pencil"))
        {
            await _store.SetAsync("alice", ScramVerifier.Create(right, ScramHash.Sha256, Few));
        }

        await _store.SetFactorAsync("alice", new StoredFactor(
            "recovery", "recovery", $"2;{(isAbsurd ? int.MaxValue : Few)};{Base64Url.EncodeToString(s_salt)};{s_hash}"));
        var watched = new WatchedFactors(_store);
        using var password = Password.From(typed);
        using var authority = new TestAuthority();
        using var pair = authority.CreatePair();
        var login = pair with
        {
            Client = pair.Client with
            {
                Identity = ClientIdentity.None,
                Credentials = Login.WithPassword("alice", password).Then(Factor.Paper(code)),
            },
            Server = pair.Server with
            {
                Credentials = Require.User(SaslServer.Scram(_store)) with
                {
                    SecondFactors = [SecondFactors.RecoveryCodes(watched)],
                    LoginFactors = FactorRequirement.TwoKindsCountingRecoveryCode,
                },
            },
        };

        await using var outcome = await login.ConnectAsync().WaitAsync(s_deadline);

        (outcome.ServerFailure!.Reason, outcome.ClientFailure!.PeerReason).Should().Be((reason, told));
        (await _store.FindFailuresAsync("alice")).Should().Be(failures);
        (watched.Reads > 0).Should().Be(isAsked);
    }

    /// <summary>One attempt: how it ended, how many derivations it cost, and how many iterations.</summary>
    private async Task<(RejectionReason? Reason, long Calls, long Iterations)> CostAsync(string typed, string? user = "alice")
    {
        var context = Factor.ServerContext(user);
        var end = await Factor.RunAsync(SecondFactors.RecoveryCodes(_store), Factor.Paper(typed), context, Factor.ClientContext());
        return (end.Server, context.Services.KeyDerivation.Calls, context.Services.KeyDerivation.Iterations);
    }

    private async Task<string> DataAsync() => (await _store.FindFactorsAsync("alice")).Single().Data;

    /// <summary>What the versions of before stored of a code.</summary>
    private static string OneHash(byte[] salt, string code) =>
        Base64Url.EncodeToString(SHA256.HashData([.. salt, .. Encoding.ASCII.GetBytes(code)]));

    private static StoredFactor OfBefore(string[] codes) => new(
        "recovery", "recovery", $"1;{Base64Url.EncodeToString(s_salt)};{string.Join(',', codes.Select(code => OneHash(s_salt, code)))}");
}
