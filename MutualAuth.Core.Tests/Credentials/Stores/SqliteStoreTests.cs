using System.Data.Common;
using Microsoft.Data.Sqlite;
using MutualAuth.Credentials;

namespace MutualAuth.Tests.Credentials;

/// <summary>SQLite, which needs no server.</summary>
public sealed class SqliteStoreTests : DatabaseStoreTests
{
    private readonly string _directory = Directory.CreateTempSubdirectory("mutualauth-sqlite-").FullName;
    private int _count;

    /// <summary>It lets one write at a time, and who waits sleeps: more rounds take longer and have no other order.</summary>
    protected override int Rounds => 2;

    [OneTimeTearDown]
    public void Delete()
    {
        SqliteConnection.ClearAllPools();
        Directory.Delete(_directory, recursive: true);
    }

    [Test]
    public async Task A_database_that_may_only_be_read_is_enough_to_log_in_and_not_to_change_anything()
    {
        await Store.SetAsync("alice", Verifier("pencil"));
        var path = new SqliteConnectionStringBuilder(Source.ConnectionString).DataSource;
        var reader = new DatabaseCredentialStore(SqliteFactory.Instance.CreateDataSource($"Data Source={path};Mode=ReadOnly"));

        await using var outcome = await LogInAsync(reader, "alice", "pencil");

        outcome.Server.Should().NotBeNull(outcome.ToString());
        await reader.Invoking(store => store.SetAsync("alice", Verifier("pen")).AsTask()).Should().ThrowAsync<DbException>();
    }

    [TestCase("COLLATE NOCASE")]
    [TestCase("COLLATE RTRIM")]
    public async Task A_column_that_takes_two_names_for_one_is_refused_in_every_operation(string collation)
    {
        await ExecuteAsync("DROP TABLE mutualauth_credential");
        await ExecuteAsync($"""
            CREATE TABLE mutualauth_credential (
                name VARCHAR(255) {collation} NOT NULL, mechanism VARCHAR(20) NOT NULL, verifier VARCHAR(512) NOT NULL,
                disabled SMALLINT NOT NULL, PRIMARY KEY (name, mechanism))
            """);
        await ExecuteAsync($"INSERT INTO mutualauth_credential VALUES ('alice', 'SCRAM-SHA-256', '{Verifier("pencil")}', 0)");

        await ShouldBeRefusedAsync(await TableAsync());
    }

    [Test]
    public async Task A_table_that_may_only_be_read_and_takes_two_names_for_one_finds_nobody_under_the_others_name()
    {
        await ExecuteAsync("DROP TABLE mutualauth_credential");
        await ExecuteAsync(
            $"CREATE VIEW mutualauth_credential AS SELECT 'alice' COLLATE NOCASE AS name, 'SCRAM-SHA-256' AS mechanism, '{Verifier("pencil")}' AS "
                + "verifier, 0 AS disabled");
        var store = new DatabaseCredentialStore(Source);

        (await store.FindAsync("ALICE", CancellationToken.None)).Should().BeNull();
        (await store.FindAsync("alice", CancellationToken.None)).Should().NotBeNull();
    }

    [Test]
    public async Task A_database_that_another_process_has_locked_is_given_up_after_the_lookups_time_and_not_after_the_connections()
    {
        await Store.SetAsync("alice", Verifier("pencil"));
        await using var other = await Source.OpenConnectionAsync();
        await using var exclusive = other.CreateCommand();
        exclusive.CommandText = "BEGIN EXCLUSIVE";
        await exclusive.ExecuteNonQueryAsync();
        var store = new DatabaseCredentialStore(Source) { LookupTimeout = TimeSpan.FromSeconds(1) };

        // Microsoft.Data.Sqlite's own is 30 seconds, which the deadline of this test does not wait for.
        var outcome = await LogInAsync(store, "alice", "pencil").WaitAsync(TimeSpan.FromSeconds(25));

        outcome.ServerFailure!.Reason.Should().Be(RejectionReason.CredentialCheckFaulted);
        await outcome.DisposeAsync();
        exclusive.CommandText = "ROLLBACK";
        await exclusive.ExecuteNonQueryAsync();
        await using var later = await LogInAsync(store, "alice", "pencil");
        later.Server.Should().NotBeNull(later.ToString());
    }

    [TestCase(999, false)]
    [TestCase(1_000, true)]
    [TestCase(3_600_000, true)]
    [TestCase(3_600_001, false)]
    public async Task A_lookup_takes_a_second_to_an_hour_and_each_has_the_time_that_was_set(int milliseconds, bool isTaken)
    {
        var source = Scripted();
        var timeouts = new List<int>();
        source.Before = command =>
        {
            if (command.CommandText.StartsWith("SELECT name, verifier", StringComparison.Ordinal))
            {
                timeouts.Add(command.CommandTimeout);
            }
        };
        var make = () => new DatabaseCredentialStore(source) { LookupTimeout = TimeSpan.FromMilliseconds(milliseconds) };
        if (!isTaken)
        {
            make.Should().Throw<ArgumentOutOfRangeException>();
            return;
        }

        await Store.SetAsync("alice", Verifier("pencil"));
        var store = make();
        await store.FindAsync("alice", default);
        await store.FindFailuresAsync("alice");
        await store.AddFailureAsync("alice", 3);

        timeouts.Should().Equal(Enumerable.Repeat(milliseconds / 1000, 3));
        new DatabaseCredentialStore(source).LookupTimeout.Should().Be(TimeSpan.FromSeconds(5));
    }

    [TestCase(0, true)]
    [TestCase(2, true)]
    [TestCase(3, false)]
    public async Task A_fault_that_may_pass_is_waited_out_twice_when_a_failure_is_counted(int faults, bool isCounted)
    {
        await Store.SetAsync("alice", Verifier("pencil"));
        var source = Failing("INSERT INTO mutualauth_failure", faults, new DatabaseFault(isTransient: true));
        var counting = new DatabaseCredentialStore(source);

        var add = () => counting.AddFailureAsync("alice", 3).AsTask();

        if (isCounted)
        {
            (await add()).Should().Be(0);
        }
        else
        {
            await add.Should().ThrowAsync<DatabaseFault>();
        }

        (await Store.FindFailuresAsync("alice")).Should().Be(isCounted ? 1 : 0);
    }

    /// <summary>Another server counts the user's first failure between our look and our write, whose key is taken then.</summary>
    [TestCase(true)]
    [TestCase(false)]
    public async Task A_failure_that_meets_the_first_one_of_another_server_is_counted_and_any_other_fault_is_one(bool isAnotherServer)
    {
        await Store.SetAsync("alice", Verifier("pencil"));
        var source = Scripted();
        var (hasFailed, inserts) = (false, 0);
        source.Before = command =>
        {
            if (command.CommandText.StartsWith("INSERT INTO mutualauth_failure", StringComparison.Ordinal))
            {
                inserts++;
                hasFailed = true;
                throw new DatabaseFault(isTransient: false);
            }

            if (hasFailed && isAnotherServer && command.CommandText.StartsWith("SELECT failures", StringComparison.Ordinal))
            {
                hasFailed = false;
                Store.AddFailureAsync("alice", 3).AsTask().GetAwaiter().GetResult();
            }
        };
        var counting = new DatabaseCredentialStore(source);

        var add = () => counting.AddFailureAsync("alice", 3).AsTask();

        if (isAnotherServer)
        {
            (await add()).Should().Be(1, "ours is the second");
        }
        else
        {
            await add.Should().ThrowAsync<DatabaseFault>();
        }

        inserts.Should().Be(1);
        (await Store.FindFailuresAsync("alice")).Should().Be(isAnotherServer ? 2 : 0);
    }

    [Test]
    public async Task Nothing_is_written_for_a_user_who_has_reached_the_limit()
    {
        await Store.SetAsync("alice", Verifier("pencil"));
        await Store.AddFailureAsync("alice", 1);
        var source = Scripted();
        var counting = new DatabaseCredentialStore(source);
        source.Before = command => command.CommandText.Should().StartWith("SELECT");

        (await counting.AddFailureAsync("alice", 1)).Should().Be(1);
    }

    [TestCase(4, true)]
    [TestCase(5, false)]
    public async Task Making_the_tables_is_tried_five_times(int faults, bool isMade)
    {
        var source = Failing("SELECT MAX(version)", faults, new DatabaseFault(isTransient: false));

        var migrate = () => new DatabaseCredentialStore(source).MigrateAsync();

        if (isMade)
        {
            await migrate.Should().NotThrowAsync();
        }
        else
        {
            await migrate.Should().ThrowAsync<DatabaseFault>();
        }
    }

    [Test]
    public async Task Tables_that_are_up_to_date_are_not_written()
    {
        var source = Scripted();
        var written = new List<string>();
        source.Before = command =>
        {
            if (command.CommandText.Contains("mutualauth_schema", StringComparison.Ordinal)
                && !command.CommandText.StartsWith("SELECT", StringComparison.Ordinal))
            {
                written.Add(command.CommandText);
            }
        };

        await new DatabaseCredentialStore(source).MigrateAsync();

        written.Should().OnlyContain(text => text.StartsWith("CREATE TABLE IF NOT EXISTS", StringComparison.Ordinal));
    }

    [Test]
    public async Task Tables_without_a_version_are_not_changed()
    {
        await Store.SetAsync("alice", Verifier("pencil"));
        await ExecuteAsync("DELETE FROM mutualauth_schema");
        var before = await TableAsync();

        await Store.Awaiting(store => store.RemoveAsync("alice").AsTask()).Should().ThrowAsync<MaterialException>().WithMessage("*MigrateAsync*");

        (await TableAsync()).Should().Be(before);
    }

    [Test]
    public async Task A_user_is_removed_also_where_failures_have_no_table()
    {
        await Store.SetAsync("alice", Verifier("pencil"));
        await ExecuteAsync("DROP TABLE mutualauth_failure");

        (await Store.RemoveAsync("alice")).Should().BeTrue();

        (await Store.FindAsync("alice", default)).Should().BeNull();
    }

    [Test]
    public async Task The_column_is_tried_once_and_again_by_the_first_change_where_it_could_not_be()
    {
        await Store.SetAsync("alice", Verifier("pencil"));
        var source = Scripted();
        var (probes, mayWrite) = (0, false);
        source.Before = command =>
        {
            // A probe begins with a name that has no user.
            if (command.CommandText.Contains("'probe'", StringComparison.Ordinal) && $"{command.Parameters["@name"].Value}".EndsWith('-'))
            {
                probes++;
                if (!mayWrite)
                {
                    throw new DatabaseFault(isTransient: false);
                }
            }
        };
        var store = new DatabaseCredentialStore(source);

        (await store.FindAsync("alice", default)).Should().NotBeNull("whoever may only read can try nothing");
        await store.FindAsync("alice", default);
        await store.ListAsync();
        probes.Should().Be(1);

        await store.Awaiting(each => each.SetAsync("bob", Verifier("pen")).AsTask()).Should().ThrowAsync<DatabaseFault>();
        probes.Should().Be(2);
        mayWrite = true;
        await store.SetAsync("bob", Verifier("pen"));
        await store.SetAsync("bob", Verifier("pencil"));
        await store.FindAsync("bob", default);
        probes.Should().Be(3);
    }

    [TestCase(true)]
    [TestCase(false)]
    public async Task A_fault_in_the_middle_of_the_trial_that_may_pass_says_nothing_of_the_column(bool isTransient)
    {
        var source = Scripted();
        source.Before = command =>
        {
            if (command.CommandText.Contains("'probe'", StringComparison.Ordinal) && $"{command.Parameters["@name"].Value}".EndsWith('A'))
            {
                throw new DatabaseFault(isTransient);
            }
        };

        var set = () => new DatabaseCredentialStore(source).SetAsync("alice", Verifier("pencil")).AsTask();

        if (isTransient)
        {
            await set.Should().ThrowAsync<DatabaseFault>();
        }
        else
        {
            (await set.Should().ThrowAsync<MaterialException>()).Which.Message.Should().Contain("case").And.Contain("BINARY");
        }

        (await Store.ListAsync()).Should().BeEmpty();
    }

    [TestCase(254, false)]
    [TestCase(255, true)]
    public async Task A_column_holds_255_characters(int length, bool isTaken)
    {
        await ExecuteAsync("DROP TABLE mutualauth_credential");
        await ExecuteAsync($"""
            CREATE TABLE mutualauth_credential (
                name VARCHAR(255) NOT NULL CHECK (length(name) <= {length}), mechanism VARCHAR(20) NOT NULL, verifier VARCHAR(512) NOT NULL,
                disabled SMALLINT NOT NULL, PRIMARY KEY (name, mechanism))
            """);
        var set = () => new DatabaseCredentialStore(Source).SetAsync("alice", Verifier("pencil")).AsTask();

        if (isTaken)
        {
            await set.Should().NotThrowAsync();
        }
        else
        {
            await set.Should().ThrowAsync<MaterialException>().WithMessage("*the last of 255*");
        }
    }

    /// <summary>As a database does whose characters are fewer.</summary>
    [Test]
    public async Task A_column_that_writes_something_else_for_what_it_does_not_have_is_refused()
    {
        await ExecuteAsync("""
            CREATE TRIGGER loses AFTER INSERT ON mutualauth_credential BEGIN
                UPDATE mutualauth_credential SET name = replace(name, char(128512), '?') WHERE name = new.name;
            END
            """);

        await new DatabaseCredentialStore(Source).Awaiting(store => store.SetAsync("alice", Verifier("pencil")).AsTask())
            .Should().ThrowAsync<MaterialException>().WithMessage("*does not hold every name*");

        (await Store.ListAsync()).Should().BeEmpty();
    }

    /// <summary>A comparison that confuses these two names and none that the trial knows.</summary>
    [Test]
    public async Task Names_that_only_this_column_confuses_are_found_out_before_anything_is_changed()
    {
        await ExecuteAsync("DROP TABLE mutualauth_credential");
        var source = new ScriptedSqlite(Source.ConnectionString)
        {
            Picky = (left, right) => string.CompareOrdinal(left == "ALICE" ? "alice" : left, right == "ALICE" ? "alice" : right),
        };
        await using (var create = source.CreateCommand("""
            CREATE TABLE mutualauth_credential (
                name VARCHAR(255) COLLATE picky NOT NULL, mechanism VARCHAR(20) NOT NULL, verifier VARCHAR(512) NOT NULL,
                disabled SMALLINT NOT NULL, PRIMARY KEY (name, mechanism))
            """))
        {
            await create.ExecuteNonQueryAsync();
        }

        var store = new DatabaseCredentialStore(source);
        await store.SetAsync("alice", Verifier("pencil"));

        await store.Awaiting(each => each.SetAsync("ALICE", Verifier("mallory's")).AsTask()).Should().ThrowAsync<MaterialException>();
        await store.Awaiting(each => each.RemoveAsync("ALICE").AsTask()).Should().ThrowAsync<MaterialException>();
        (await store.FindAsync("ALICE", default)).Should().BeNull();
        (await store.FindAsync("alice", default))!.Verifiers.Should().ContainSingle(verifier => IsOf(verifier, "pencil"));
    }

    private ScriptedSqlite Scripted() => new(Source.ConnectionString);

    /// <summary>Fails so many times where a command begins like this.</summary>
    private ScriptedSqlite Failing(string command, int times, Exception fault)
    {
        var source = Scripted();
        source.Before = each =>
        {
            if (each.CommandText.StartsWith(command, StringComparison.Ordinal) && times-- > 0)
            {
                throw fault;
            }
        };
        return source;
    }

    protected override Task<DbDataSource> CreateAsync() =>
        Task.FromResult(SqliteFactory.Instance.CreateDataSource($"Data Source={Path.Combine(_directory, $"{++_count}.db")}"));
}
