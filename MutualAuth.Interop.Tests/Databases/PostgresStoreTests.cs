using System.Data.Common;
using MutualAuth.Credentials;
using MutualAuth.Tests.Credentials;
using MutualAuth.Tests.Support;
using Npgsql;

namespace MutualAuth.Tests.Databases;

/// <summary>PostgreSQL itself: as a store, and as a peer, which keeps verifiers in the same form and takes ours as we take its.</summary>
public sealed class PostgresStoreTests : DatabaseStoreTests
{
    private PostgresCluster? _cluster;
    private string _database = null!;

    [OneTimeSetUp]
    public async Task StartAsync() => _cluster = await PostgresCluster.StartAsync();

    [OneTimeTearDown]
    public async Task StopAsync()
    {
        if (_cluster is not null)
        {
            await _cluster.DisposeAsync();
        }
    }

    [Test]
    public async Task A_row_of_ours_is_a_password_of_a_role()
    {
        await Store.SetAsync("alice", Verifier("pencil"));
        await ExecuteAsync("CREATE ROLE alice LOGIN");
        await ExecuteAsync("DO $$ BEGIN EXECUTE (SELECT format('ALTER ROLE %I PASSWORD %L', name, verifier) FROM mutualauth_credential); END $$");

        var right = await _cluster!.LogInByPsqlAsync("alice", "pencil");
        var wrong = await _cluster.LogInByPsqlAsync("alice", "pencils");

        (right.ExitCode, right.Output).Should().Be((0, "alice"), right.All);
        wrong.ExitCode.Should().Be(2, wrong.All);
        wrong.All.Should().Contain("password authentication failed");
        await ExecuteAsync("DROP ROLE alice");
    }

    [TestCase("pencil", null)]
    [TestCase("pencils", RejectionReason.CredentialsWrong)]
    public async Task A_password_of_a_role_lets_its_user_log_in_at_our_server(string password, RejectionReason? reason)
    {
        await ExecuteAsync("CREATE ROLE bob LOGIN PASSWORD 'pencil'");
        await using (var command = Source.CreateCommand("SELECT rolpassword FROM pg_authid WHERE rolname = 'bob'"))
        {
            await Store.SetAsync("bob", ScramVerifier.Parse((string)(await command.ExecuteScalarAsync())!));
        }

        await ExecuteAsync("DROP ROLE bob");

        await using var outcome = await LogInAsync(Store, "bob", password);

        outcome.ServerFailure?.Reason.Should().Be(reason);
        (outcome.Server is null).Should().Be(reason is not null, outcome.ToString());
    }

    [TestCase("LOGIN", "pencil", null)]
    [TestCase("LOGIN", "pencils", RejectionReason.CredentialsWrong)]
    [TestCase("NOLOGIN", "pencil", RejectionReason.CredentialsWrong)]
    public async Task A_view_lets_the_roles_of_the_database_log_in(string attribute, string password, RejectionReason? reason)
    {
        await ExecuteAsync("DROP TABLE mutualauth_credential");
        await ExecuteAsync("""
            CREATE VIEW mutualauth_credential AS
            SELECT rolname::text AS name, split_part(rolpassword, '$', 1) AS mechanism, rolpassword AS verifier,
                   CASE WHEN rolcanlogin AND (rolvaliduntil IS NULL OR rolvaliduntil > now()) THEN 0 ELSE 1 END AS disabled
            FROM pg_authid WHERE rolpassword LIKE 'SCRAM-SHA-256$%'
            """);
        await ExecuteAsync($"CREATE ROLE carol {attribute} PASSWORD 'pencil'");

        await using var outcome = await LogInAsync(Store, "carol", password);
        await ExecuteAsync("DROP ROLE carol");

        outcome.ServerFailure?.Reason.Should().Be(reason);
        (outcome.Server is null).Should().Be(reason is not null, outcome.ToString());
    }

    [Test]
    public async Task An_account_that_may_only_read_is_enough_to_log_in_and_not_to_change_anything()
    {
        await Store.SetAsync("alice", Verifier("pencil"));
        await ExecuteAsync("CREATE ROLE reader LOGIN PASSWORD 'reader'");
        await ExecuteAsync("GRANT SELECT ON mutualauth_credential TO reader");
        await using (var source = _cluster!.Open(_database, "reader", "reader"))
        {
            var reader = new DatabaseCredentialStore(source);

            await using var outcome = await LogInAsync(reader, "alice", "pencil");

            outcome.Server.Should().NotBeNull(outcome.ToString());
            var refused = (await reader.Invoking(store => store.SetAsync("alice", Verifier("pen")).AsTask())
                .Should().ThrowAsync<PostgresException>()).Which;
            refused.SqlState.Should().Be(PostgresErrorCodes.InsufficientPrivilege);
        }

        await ExecuteAsync("DROP OWNED BY reader");
        await ExecuteAsync("DROP ROLE reader");
    }

    [Test]
    public async Task A_server_that_is_gone_lets_nobody_in()
    {
        await using var source = NpgsqlDataSource.Create($"Host={Path.Combine(_cluster!.SocketDirectory, "nowhere")};Username=nobody;Timeout=2");

        await using var outcome = await LogInAsync(new DatabaseCredentialStore(source), "alice", "pencil");

        outcome.ServerFailure!.Reason.Should().Be(RejectionReason.CredentialCheckFaulted);
        outcome.ClientFailure!.PeerReason.Should().Be(PublicReason.InternalError);
    }

    [TestCase("CREATE EXTENSION citext", "citext")]
    [TestCase("CREATE COLLATION inexact (provider = icu, locale = 'und-u-ks-level2', deterministic = false)", "VARCHAR(255) COLLATE inexact")]
    [TestCase(
        "CREATE COLLATION inexact (provider = icu, locale = 'und-u-ks-level1-kc-true', deterministic = false)",
        "VARCHAR(255) COLLATE inexact",
        TestName = "{m} (accents)")]
    [TestCase(
        "CREATE COLLATION inexact (provider = icu, locale = 'und', deterministic = false)",
        "VARCHAR(255) COLLATE inexact",
        TestName = "{m} (canonical equivalence)")]
    [TestCase("SELECT 1", "CHAR(255)")]
    [TestCase("SELECT 1", "VARCHAR(64)")]
    public async Task A_column_that_takes_two_names_for_one_or_cuts_them_is_refused_in_every_operation(string prepare, string type)
    {
        try
        {
            await ExecuteAsync(prepare);
            await ((NpgsqlDataSource)Source).ReloadTypesAsync();
        }
        catch (PostgresException exception) when (exception.SqlState is PostgresErrorCodes.UndefinedFile or PostgresErrorCodes.FeatureNotSupported)
        {
            throw Tool.Missing($"PostgreSQL without what '{prepare}' needs ({exception.MessageText})");
        }

        await ExecuteAsync("DROP TABLE mutualauth_credential");
        await ExecuteAsync($"""
            CREATE TABLE mutualauth_credential (
                name {type} NOT NULL, mechanism VARCHAR(20) NOT NULL, verifier VARCHAR(512) NOT NULL,
                disabled SMALLINT NOT NULL, PRIMARY KEY (name, mechanism))
            """);
        await ExecuteAsync($"INSERT INTO mutualauth_credential VALUES ('alice', 'SCRAM-SHA-256', '{Verifier("pencil")}', 0)");

        await ShouldBeRefusedAsync(await TableAsync());
    }

    protected override async Task<DbDataSource> CreateAsync()
    {
        _database = await _cluster!.CreateDatabaseAsync();
        return _cluster.Open(_database);
    }
}
