using System.Text;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Testing;
using Microsoft.Extensions.Time.Testing;
using MutualAuth.Credentials;
using MutualAuth.Factors;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Factors;

/// <summary>Secrets of one-time codes that are stored encrypted, in each of the stores.</summary>
[CancelAfter(60000)]
[TestFixture("memory")]
[TestFixture("file")]
[TestFixture("sqlite")]
public sealed class EncryptedSecretTests(string kind)
{
    private static readonly DateTimeOffset s_now = new(2026, 11, 27, 8, 0, 5, TimeSpan.Zero);

    private readonly FakeTimeProvider _time = new(s_now);
    private readonly OneTimeCodeSecret _secret = OneTimeCodeSecret.Create();
    private readonly FactorKeys _keys = new(FactorKey.Create("k1"));
    private string _directory = null!;
    private IFactorListingStore _store = null!;
    private FakeLoggerProvider _log = null!;
    private ILoggerFactory _loggers = null!;

    [SetUp]
    public async Task SetUpAsync()
    {
        _directory = Directory.CreateTempSubdirectory("mutualauth-").FullName;
        _store = await OpenAsync();
        _log = new FakeLoggerProvider();
        _loggers = LoggerFactory.Create(builder => builder.SetMinimumLevel(LogLevel.Trace).AddProvider(_log));
        _time.SetUtcNow(_time.GetUtcNow() + TimeSpan.FromSeconds(30));
    }

    [TearDown]
    public void TearDown()
    {
        _loggers.Dispose();
        _log.Dispose();
        (_store as IDisposable)?.Dispose();
        SqliteConnection.ClearAllPools();
        Directory.Delete(_directory, recursive: true);
    }

    [Test]
    public async Task The_store_has_no_secret_after_enrolling_nor_after_a_use()
    {
        (await _secret.EnrolAsync(_store, "alice", "phone", Code(), Options())).Should().BeTrue();
        await AssertNothingIsPlainAsync();

        _time.Advance(TimeSpan.FromSeconds(30));
        (await LogInAsync()).Should().BeNull();

        await AssertNothingIsPlainAsync();
        (await LogInAsync()).Should().Be(RejectionReason.SecondFactorReused);
    }

    [Test]
    public async Task A_secret_in_plain_text_is_read_told_of_and_encrypted_by_its_use()
    {
        await _store.SetFactorAsync("alice", _secret.ToFactor("phone"));

        (await LogInAsync()).Should().BeNull();

        (await _store.FindFactorsAsync("alice")).Should().OnlyContain(factor => FactorEncryption.IsEncrypted(factor));
        Events().Should().Equal(1323);
        _time.Advance(TimeSpan.FromSeconds(30));
        (await LogInAsync()).Should().BeNull();
        Events().Should().Equal(1323);
    }

    [Test]
    public async Task A_secret_in_plain_text_is_refused_where_encryption_is_demanded_until_it_is_rewritten()
    {
        await _store.SetFactorAsync("alice", _secret.ToFactor("phone"));
        var strict = Options() with { RequireEncryption = true };

        (await LogInAsync(strict)).Should().Be(RejectionReason.SecondFactorNotEncrypted);
        (await OneTimeCodeSecret.EncryptAllAsync(_store, _keys)).Rewritten.Should().Be(1);

        (await LogInAsync(strict)).Should().BeNull();
        Events().Should().Equal(1324);
    }

    [Test]
    public async Task A_record_that_is_copied_to_another_user_or_another_identifier_lets_nobody_in()
    {
        await _store.SetFactorAsync("alice", await _secret.ToFactorAsync("alice", "phone", _keys));
        var stolen = (await _store.FindFactorsAsync("alice")).Single();
        await _store.SetFactorAsync("mallory", stolen);
        await _store.SetFactorAsync("bob", new StoredFactor("tablet", stolen.Kind, stolen.Data));

        (await LogInAsync(user: "mallory")).Should().Be(RejectionReason.SecondFactorNotAuthentic);
        (await LogInAsync(user: "bob")).Should().Be(RejectionReason.SecondFactorNotAuthentic);
        (await LogInAsync()).Should().BeNull("nothing of it was used");
    }

    [TestCase("the same", null)]
    [TestCase("other octets", RejectionReason.SecondFactorNotAuthentic)]
    [TestCase("another name", RejectionReason.SecondFactorKeyUnavailable)]
    [TestCase("none", RejectionReason.SecondFactorKeyUnavailable)]
    [TestCase("it throws", RejectionReason.SecondFactorKeyUnavailable)]
    public async Task A_wrong_or_missing_key_refuses_the_login_and_nothing_more(string which, RejectionReason? reason)
    {
        await _store.SetFactorAsync("alice", await _secret.ToFactorAsync("alice", "phone", _keys));
        IFactorKeySource? keys = which switch
        {
            "the same" => _keys,
            "other octets" => new FactorKeys(FactorKey.Create("k1")),
            "another name" => new FactorKeys(FactorKey.Create("k2")),
            "none" => null,
            _ => new FetchedFactorKeys((_, _) => throw new IOException("down")),
        };

        (await LogInAsync(Options() with { Keys = keys })).Should().Be(reason);
        Events().Should().Equal(reason is null ? [] : [1324]);
        if (reason is not null)
        {
            (await LogInAsync()).Should().BeNull("with its key it is as it was");
        }
    }

    [Test]
    public async Task Every_octet_that_is_altered_refuses_the_login()
    {
        var stored = await _secret.ToFactorAsync("alice", "phone", _keys);
        for (var at = "A256GCM;".Length; at < stored.Data.Length; at += 7)
        {
            var data = stored.Data.ToCharArray();
            data[at] = data[at] == 'A' ? 'B' : 'A';
            await _store.SetFactorAsync("alice", new StoredFactor("phone", "totp", new string(data)));

            (await LogInAsync()).Should().BeOneOf(RejectionReason.SecondFactorNotAuthentic, RejectionReason.SecondFactorKeyUnavailable);
        }
    }

    [Test]
    public async Task After_a_rotation_the_earlier_key_reads_until_all_is_rewritten()
    {
        await _store.SetFactorAsync("alice", await _secret.ToFactorAsync("alice", "phone", _keys));
        await _store.SetFactorAsync("bob", await _secret.ToFactorAsync("bob", "phone", _keys));
        var fresh = FactorKey.Create("k2");
        var both = Options() with { Keys = new FactorKeys(fresh, _keys.Current) };
        var alone = Options() with { Keys = new FactorKeys(fresh) };

        (await LogInAsync(both)).Should().BeNull();
        (await LogInAsync(alone, "bob")).Should().Be(RejectionReason.SecondFactorKeyUnavailable);
        (await OneTimeCodeSecret.EncryptAllAsync(_store, both.Keys)).Should().Match<FactorEncryptionReport>(
            report => report.Rewritten == 1 && report.Unchanged == 1 && report.Refused.IsEmpty);

        (await LogInAsync(alone, "bob")).Should().BeNull();
        (await LogInAsync(alone)).Should().Be(RejectionReason.SecondFactorReused, "rewriting keeps what was used");
    }

    [Test]
    public async Task A_generator_that_does_not_open_does_not_take_another_with_it_and_a_wrong_code_still_counts_as_wrong()
    {
        var tablet = OneTimeCodeSecret.Create();
        await _store.SetFactorAsync("alice", await _secret.ToFactorAsync("alice", "phone", new FactorKeys(FactorKey.Create("k9"))));
        await _store.SetFactorAsync("alice", await tablet.ToFactorAsync("alice", "tablet", _keys));

        (await LogInAsync()).Should().Be(RejectionReason.SecondFactorWrong, "the guess was judged by the one that opens");
        (await LogInAsync(code: tablet.CodeAt(_time.GetUtcNow()))).Should().BeNull();
        (await LogInAsync(code: tablet.CodeAt(_time.GetUtcNow()))).Should().Be(RejectionReason.SecondFactorReused);
    }

    [Test]
    public async Task Two_servers_at_one_moment_with_one_code_let_one_in()
    {
        await _store.SetFactorAsync("alice", await _secret.ToFactorAsync("alice", "phone", _keys));
        IFactorListingStore[] stores = [await OpenAsync(), await OpenAsync()];
        for (var round = 0; round < 3; round++)
        {
            var code = Code();
            var ends = await Task.WhenAll(Enumerable.Range(0, 8).Select(number => Task.Run(() => LogInAsync(
                store: kind == "memory" ? _store : stores[number % 2], code: code))));

            ends.Count(reason => reason is null).Should().Be(1);
            ends.Where(reason => reason is not null).Should().OnlyContain(reason => reason == RejectionReason.SecondFactorReused);
            _time.Advance(TimeSpan.FromSeconds(30));
        }
    }

    [Test]
    public async Task A_key_that_writes_and_cannot_be_had_uses_nothing_up_and_writes_nothing_in_plain_text()
    {
        var stored = await _secret.ToFactorAsync("alice", "phone", _keys);
        await _store.SetFactorAsync("alice", stored);
        var readsOnly = new FetchedFactorKeys((id, stop) => id is null ? ValueTask.FromResult<FactorKey?>(null) : _keys.FindAsync(id, stop));

        (await LogInAsync(Options() with { Keys = readsOnly })).Should().Be(RejectionReason.SecondFactorKeyUnavailable);
        (await _store.FindFactorsAsync("alice")).Should().Equal(stored);
        (await LogInAsync()).Should().BeNull();
    }

    [Test]
    public async Task Nothing_is_enrolled_in_plain_text_when_there_is_no_key_that_writes()
    {
        var options = Options() with { Keys = new FetchedFactorKeys((_, _) => throw new IOException("down")) };

        await FluentActions.Awaiting(() => _secret.EnrolAsync(_store, "alice", "phone", Code(), options).AsTask()).Should().ThrowAsync<IOException>();

        (await _store.FindFactorsAsync("alice")).Should().BeEmpty();
    }

    [Test]
    public void Encryption_without_keys_is_no_option() =>
        FluentActions.Invoking(() => SecondFactors.OneTimeCodes(_store, new OneTimeCodeOptions { RequireEncryption = true })).Should()
            .Throw<ArgumentException>().Which.Message.Should().Contain("RequireEncryption");

    [Test]
    public async Task No_log_has_a_secret_a_key_or_what_is_encrypted()
    {
        var stored = await _secret.ToFactorAsync("alice", "phone", new FactorKeys(FactorKey.Create("k9")));
        await _store.SetFactorAsync("alice", stored);
        await _store.SetFactorAsync("bob", _secret.ToFactor("phone"));
        await LogInAsync();
        await LogInAsync(user: "bob");

        var texts = _log.Collector.GetSnapshot().Select(entry => entry.Message).ToArray();
        texts.Should().HaveCount(2).And.NotContainMatch($"*{_secret.ToBase32()}*").And.NotContainMatch($"*{stored.Data[12..]}*");
    }

    private OneTimeCodeOptions Options() => new() { TimeProvider = _time, Keys = _keys, LoggerFactory = _loggers };

    private string Code() => _secret.CodeAt(_time.GetUtcNow());

    private int[] Events() => [.. _log.Collector.GetSnapshot().Select(entry => entry.Id.Id)];

    private async Task<RejectionReason?> LogInAsync(
        OneTimeCodeOptions? options = null, string user = "alice", IFactorListingStore? store = null, string? code = null) =>
        (await Factor.RunAsync(SecondFactors.OneTimeCodes(store ?? _store, options ?? Options()), Factor.Code(code ?? Code()), user)).Server;

    private async Task AssertNothingIsPlainAsync()
    {
        (await _store.ListFactorsAsync()).Should().OnlyContain(listed => FactorEncryption.IsEncrypted(listed.Factor));
        foreach (var path in Directory.EnumerateFiles(_directory))
        {
            File.ReadAllBytes(path).AsSpan().IndexOf(Encoding.ASCII.GetBytes(_secret.ToBase32())).Should().Be(-1, path);
        }
    }

    private async Task<IFactorListingStore> OpenAsync()
    {
        switch (kind)
        {
            case "memory":
                return new MemoryCredentialStore();
            case "file":
                return FileCredentialStore.OpenOrCreate(Path.Combine(_directory, "users"));
            default:
                var store = new DatabaseCredentialStore(
                    SqliteFactory.Instance.CreateDataSource($"Data Source={Path.Combine(_directory, "users.db")}"));
                await store.MigrateAsync();
                return store;
        }
    }
}
