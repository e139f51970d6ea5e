using Microsoft.Data.Sqlite;
using MutualAuth.Credentials;

namespace MutualAuth.Tests.Credentials;

/// <summary>Second factors in memory.</summary>
public sealed class MemoryFactorStoreTests : FactorStoreTests
{
    private MemoryCredentialStore _store = null!;

    [SetUp]
    public void SetUp() => _store = new MemoryCredentialStore();

    protected override Task<IFactorListingStore> OpenAsync() => Task.FromResult<IFactorListingStore>(_store);
}

/// <summary>Second factors in a file.</summary>
public sealed class FileFactorStoreTests : FactorStoreTests
{
    private const string Verifier =
        "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=";

    private string _directory = null!;
    private string _path = null!;

    [SetUp]
    public void SetUp()
    {
        _directory = Directory.CreateTempSubdirectory("mutualauth-factors-").FullName;
        _path = Path.Combine(_directory, "users");
    }

    [TearDown]
    public void TearDown() => Directory.Delete(_directory, recursive: true);

    [Test]
    public async Task A_use_is_seen_by_another_server_that_has_the_file_in_memory()
    {
        using var here = FileCredentialStore.OpenOrCreate(_path);
        var before = new StoredFactor("phone", "totp", "v1;0");
        await here.SetFactorAsync("alice", before);
        using var there = FileCredentialStore.Open(_path);
        (await there.FindFactorsAsync("alice")).Should().Equal(before);
        await here.TryReplaceFactorAsync("alice", before, new StoredFactor("phone", "totp", "v1;1"));

        (await there.TryReplaceFactorAsync("alice", before, new StoredFactor("phone", "totp", "v1;2"))).Should().BeFalse();

        (await there.FindFactorsAsync("alice")).Single().Data.Should().Be("v1;1", "whoever was late knows now what there is");
    }

    [TestCase("the first factor of a user", true)]
    [TestCase("one more factor", true)]
    [TestCase("another factor in the place of one", true)]
    [TestCase("one factor less", true)]
    [TestCase("the factor of another user", false)]
    [TestCase("the same factor", false)]
    public async Task What_changes_in_the_factors_of_a_user_is_announced_whoever_changed_it(string what, bool isAnnounced)
    {
        using var here = FileCredentialStore.OpenOrCreate(_path);
        var phone = new StoredFactor("phone", "totp", "v1;0");
        if (!what.StartsWith("the first", StringComparison.Ordinal))
        {
            await here.SetFactorAsync("alice", phone);
        }

        using var there = FileCredentialStore.Open(_path);
        var announced = new List<string>();
        here.FactsChanged += (_, args) => announced.AddRange(args.Keys);
        await (what switch
        {
            "the first factor of a user" => there.SetFactorAsync("alice", phone).AsTask(),
            "one more factor" => there.SetFactorAsync("alice", new StoredFactor("reconnect-revoked", "reconnect", "1;0;0")).AsTask(),
            "another factor in the place of one" => there.SetFactorAsync("alice", new StoredFactor("phone", "totp", "v2;0")).AsTask(),
            "one factor less" => there.RemoveFactorAsync("alice", "phone").AsTask(),
            "the factor of another user" => there.SetFactorAsync("bob", phone).AsTask(),
            _ => there.SetFactorAsync("alice", phone).AsTask(),
        });

        here.ReloadIfChanged();

        announced.Where(name => name == "alice").Should().HaveCount(isAnnounced ? 1 : 0);
    }

    [Test]
    public async Task A_file_without_factors_stays_as_it_is_and_one_with_them_keeps_its_users()
    {
        await File.WriteAllTextAsync(_path, $"alice:{Verifier}\n");
        using var store = FileCredentialStore.Open(_path);
        await store.SetFactorAsync("bob", new StoredFactor("phone", "totp", "v1;0"));

        (await File.ReadAllTextAsync(_path)).Should().Be($"alice:{Verifier}\nbob:factor:phone:totp:v1;0\n");
        store.Count.Should().Be(1, "bob has no password here");
    }

    [TestCase("alice:factor:phone:totp:v1", true, TestName = "{c}: a factor")]
    [TestCase("alice:factor:phone:totp:", false, TestName = "{c}: no data")]
    [TestCase("alice:factor:phone:totp", false, TestName = "{c}: no field of data")]
    [TestCase("alice:factor:phone:totp:v1:v2", false, TestName = "{c}: one field more")]
    [TestCase("alice:factor:pho/ne:totp:v1", false, TestName = "{c}: an odd identifier")]
    [TestCase("alice:factor:phone:TOTP:v1", false, TestName = "{c}: an odd kind")]
    [TestCase("alice:factor:phone:totp:v 1", false, TestName = "{c}: odd data")]
    [TestCase(":factor:phone:totp:v1", false, TestName = "{c}: nobody's")]
    [TestCase("bob:factor:phone:totp:v1;9999999999", false, TestName = "{c}: a second one with its identifier")]
    public void A_malformed_line_refuses_the_file_and_nothing_of_it_is_quoted(string line, bool isTaken)
    {
        File.WriteAllText(_path, $"bob:factor:phone:totp:v1;8888888888\n{line}\n");

        var open = FluentActions.Invoking(() => FileCredentialStore.Open(_path));

        if (isTaken)
        {
            open.Should().NotThrow();
        }
        else
        {
            open.Should().Throw<MaterialException>().Which.Message.Should()
                .Contain("Line 2").And.NotContain("8888888888", "no name of a folder holds that by chance").And.NotContain("9999999999");
        }
    }

    protected override Task<IFactorListingStore> OpenAsync() => Task.FromResult<IFactorListingStore>(FileCredentialStore.OpenOrCreate(_path));
}

/// <summary>Second factors in SQLite.</summary>
public sealed class SqliteFactorStoreTests : FactorStoreTests
{
    private string _directory = null!;

    [SetUp]
    public void SetUp() => _directory = Directory.CreateTempSubdirectory("mutualauth-factors-").FullName;

    [TearDown]
    public void TearDown()
    {
        SqliteConnection.ClearAllPools();
        Directory.Delete(_directory, recursive: true);
    }

    [Test]
    public async Task Data_that_another_program_changed_is_refused()
    {
        var store = (DatabaseCredentialStore)await OpenAsync();
        await store.SetFactorAsync("alice", new StoredFactor("phone", "totp", "v1;0"));
        await ExecuteAsync("UPDATE mutualauth_factor SET data = 'v1;1'");

        (await store.Invoking(each => each.FindFactorsAsync("alice").AsTask()).Should().ThrowAsync<MaterialException>())
            .Which.Message.Should().Contain("alice").And.NotContain("v1;1");
    }

    [Test]
    public async Task A_user_is_removed_also_where_factors_have_no_table()
    {
        var store = (DatabaseCredentialStore)await OpenAsync();
        using var password = Password.From("pencil");
        await store.SetAsync("alice", ScramVerifier.Create(password, ScramHash.Sha256, ScramVerifier.MinIterations));
        await ExecuteAsync("DROP TABLE mutualauth_factor");
        await ExecuteAsync("UPDATE mutualauth_schema SET version = 2");

        (await store.RemoveAsync("alice")).Should().BeTrue();
    }

    protected override async Task<IFactorListingStore> OpenAsync()
    {
        var store = new DatabaseCredentialStore(Source());
        await store.MigrateAsync();
        return store;
    }

    private System.Data.Common.DbDataSource Source() =>
        SqliteFactory.Instance.CreateDataSource($"Data Source={Path.Combine(_directory, "users.db")}");

    private async Task ExecuteAsync(string sql)
    {
        await using var command = Source().CreateCommand(sql);
        await command.ExecuteNonQueryAsync();
    }
}
