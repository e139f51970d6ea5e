using System.Collections.Immutable;
using System.Data;
using System.Data.Common;
using System.Globalization;
using MutualAuth.Errors;

namespace MutualAuth.Credentials;

/// <summary>Users in a database, through whichever ADO.NET provider the data source belongs to: SQLite, PostgreSQL and others that take <c>@name</c> parameters.</summary>
/// <remarks>
/// Two tables: <c>mutualauth_schema</c> has the version, <c>mutualauth_credential</c> a row for each user and hash. <see cref="MigrateAsync"/> makes and
/// upgrades them; the login path only reads. Connections are pooled by the data source, which the caller owns. Safe for use from many threads.
/// </remarks>
public sealed class DatabaseCredentialStore : IWritableCredentialStore
{
    /// <summary>The version of the schema that this version of the library reads and writes.</summary>
    public const int SchemaVersion = 1;

    // One statement each, so that writers at the same time need neither locks nor a stricter isolation than the database's own.
    private const string Update = "UPDATE mutualauth_credential SET verifier = @verifier WHERE name = @name AND mechanism = @mechanism";
    private const string Insert = """
        INSERT INTO mutualauth_credential (name, mechanism, verifier, disabled)
        SELECT @name, @mechanism, @verifier, COALESCE(MAX(disabled), 0) FROM mutualauth_credential WHERE name = @name
        """;

    private const int MaxMigrationAttempts = 3;

    // One list of statements for each step from a version to the next. Never change one that has been released: add another.
    private static readonly ImmutableArray<ImmutableArray<string>> s_migrations =
    [
        [
            """
            CREATE TABLE mutualauth_credential (
                name VARCHAR(255) NOT NULL,
                mechanism VARCHAR(20) NOT NULL,
                verifier VARCHAR(512) NOT NULL,
                disabled SMALLINT NOT NULL,
                PRIMARY KEY (name, mechanism))
            """,
        ],
    ];

    private readonly DbDataSource _source;

    /// <summary>Uses a database. Nothing is opened yet.</summary>
    public DatabaseCredentialStore(DbDataSource source)
    {
        ArgumentNullException.ThrowIfNull(source);
        _source = source;
    }

    /// <inheritdoc/>
    public async ValueTask<StoredCredential?> FindAsync(string userName, CancellationToken cancellationToken)
    {
        var connection = await _source.OpenConnectionAsync(cancellationToken).ConfigureAwait(false);
        await using var connectionDisposal = connection.ConfigureAwait(false);
        var command = Command(connection, null, "SELECT name, verifier, disabled FROM mutualauth_credential WHERE name = @name", ("@name", userName));
        await using var commandDisposal = command.ConfigureAwait(false);
        var reader = await command.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
        await using var readerDisposal = reader.ConfigureAwait(false);
        var user = new StoredCredential(userName, []);
        while (await reader.ReadAsync(cancellationToken).ConfigureAwait(false))
        {
            // Some databases compare without regard to case, or to trailing spaces. We do not.
            if (string.Equals(reader.GetString(0), userName, StringComparison.Ordinal))
            {
                user = user.With(ScramVerifier.Parse(reader.GetString(1))) with { IsDisabled = user.IsDisabled || IsSet(reader, 2) };
            }
        }

        return user.Verifiers.IsEmpty ? null : user;
    }

    /// <inheritdoc/>
    public ValueTask ReplaceVerifiersAsync(string userName, ImmutableArray<ScramVerifier> verifiers, CancellationToken cancellationToken = default) => default;

    /// <inheritdoc/>
    public async ValueTask SetAsync(string userName, ScramVerifier verifier, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(verifier);
        var name = UserNames.Prepare(userName);
        var connection = await _source.OpenConnectionAsync(cancellationToken).ConfigureAwait(false);
        await using var connectionDisposal = connection.ConfigureAwait(false);
        (string Name, object Value)[] parameters = [("@name", name), ("@mechanism", verifier.Hash.Mechanism), ("@verifier", verifier.ToString())];
        if (await ExecuteAsync(connection, null, Update, cancellationToken, parameters).ConfigureAwait(false) > 0)
        {
            return;
        }

        try
        {
            await ExecuteAsync(connection, null, Insert, cancellationToken, parameters).ConfigureAwait(false);
        }
        catch (DbException)
        {
            // Another writer may have been first; then there is a row to update now.
            if (await ExecuteAsync(connection, null, Update, cancellationToken, parameters).ConfigureAwait(false) == 0)
            {
                throw;
            }
        }
    }

    /// <inheritdoc/>
    public ValueTask<bool> SetDisabledAsync(string userName, bool isDisabled, CancellationToken cancellationToken = default) => ChangeAsync(
        "UPDATE mutualauth_credential SET disabled = @disabled WHERE name = @name", cancellationToken, ("@name", UserNames.Prepare(userName)), ("@disabled", isDisabled ? (short)1 : (short)0));

    /// <inheritdoc/>
    public ValueTask<bool> RemoveAsync(string userName, CancellationToken cancellationToken = default) =>
        ChangeAsync("DELETE FROM mutualauth_credential WHERE name = @name", cancellationToken, ("@name", UserNames.Prepare(userName)));

    /// <inheritdoc/>
    /// <exception cref="MaterialException">A row holds something that is no verifier; the message names the user.</exception>
    public async ValueTask<ImmutableArray<StoredCredential>> ListAsync(CancellationToken cancellationToken = default)
    {
        var connection = await _source.OpenConnectionAsync(cancellationToken).ConfigureAwait(false);
        await using var connectionDisposal = connection.ConfigureAwait(false);
        var command = Command(connection, null, "SELECT name, verifier, disabled FROM mutualauth_credential");
        await using var commandDisposal = command.ConfigureAwait(false);
        var reader = await command.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
        await using var readerDisposal = reader.ConfigureAwait(false);
        var users = new SortedDictionary<string, StoredCredential>(StringComparer.Ordinal);
        while (await reader.ReadAsync(cancellationToken).ConfigureAwait(false))
        {
            var name = reader.GetString(0);
            var user = users.GetValueOrDefault(name) ?? new StoredCredential(name, []);
            users[name] = ScramVerifier.TryParse(reader.GetString(1), out var verifier)
                ? user.With(verifier) with { IsDisabled = user.IsDisabled || IsSet(reader, 2) }
                : throw new MaterialException($"The database holds something for {PeerText.Quote(name)} that is no verifier. Remove that user, and add it again.");
        }

        return [.. users.Values];
    }

    /// <summary>Makes the tables, or brings older ones up to <see cref="SchemaVersion"/>, in one transaction. Does nothing when they are.</summary>
    /// <remarks>Run it at deployment, by an account that may change tables; logging in needs SELECT alone.</remarks>
    /// <exception cref="MaterialException">The database has a newer schema than this version of the library knows.</exception>
    public async Task MigrateAsync(CancellationToken cancellationToken = default)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                await MigrateOnceAsync(cancellationToken).ConfigureAwait(false);
                return;
            }
            catch (DbException) when (attempt < MaxMigrationAttempts)
            {
                // Another process may be doing the same; the next attempt finds what it did.
            }
        }
    }

    private async Task MigrateOnceAsync(CancellationToken cancellationToken)
    {
        var connection = await _source.OpenConnectionAsync(cancellationToken).ConfigureAwait(false);
        await using var connectionDisposal = connection.ConfigureAwait(false);
        await ExecuteAsync(connection, null, "CREATE TABLE IF NOT EXISTS mutualauth_schema (version INTEGER NOT NULL)", cancellationToken).ConfigureAwait(false);
        var transaction = await connection.BeginTransactionAsync(IsolationLevel.Serializable, cancellationToken).ConfigureAwait(false);
        await using var transactionDisposal = transaction.ConfigureAwait(false);
        var found = await ScalarAsync(connection, transaction, "SELECT MAX(version) FROM mutualauth_schema", cancellationToken).ConfigureAwait(false);
        var version = found is null or DBNull ? 0 : Convert.ToInt32(found, CultureInfo.InvariantCulture);
        if (version > SchemaVersion)
        {
            throw new MaterialException($"The database has version {version} of the credential schema; this library knows up to {SchemaVersion}. Update the library.");
        }

        foreach (var statement in s_migrations.Skip(version))
        {
            foreach (var part in statement)
            {
                await ExecuteAsync(connection, transaction, part, cancellationToken).ConfigureAwait(false);
            }
        }

        if (version < SchemaVersion)
        {
            await ExecuteAsync(connection, transaction, "DELETE FROM mutualauth_schema", cancellationToken).ConfigureAwait(false);
            await ExecuteAsync(connection, transaction, "INSERT INTO mutualauth_schema (version) VALUES (@version)", cancellationToken, ("@version", SchemaVersion)).ConfigureAwait(false);
        }

        await transaction.CommitAsync(cancellationToken).ConfigureAwait(false);
    }

    private static bool IsSet(DbDataReader reader, int column) => Convert.ToInt64(reader.GetValue(column), CultureInfo.InvariantCulture) != 0;

    private async ValueTask<bool> ChangeAsync(string sql, CancellationToken cancellationToken, params (string Name, object Value)[] parameters)
    {
        var connection = await _source.OpenConnectionAsync(cancellationToken).ConfigureAwait(false);
        await using var connectionDisposal = connection.ConfigureAwait(false);
        return await ExecuteAsync(connection, null, sql, cancellationToken, parameters).ConfigureAwait(false) > 0;
    }

    private static async ValueTask<int> ExecuteAsync(DbConnection connection, DbTransaction? transaction, string sql, CancellationToken cancellationToken, params (string Name, object Value)[] parameters)
    {
        var command = Command(connection, transaction, sql, parameters);
        await using var commandDisposal = command.ConfigureAwait(false);
        return await command.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
    }

    private static async ValueTask<object?> ScalarAsync(DbConnection connection, DbTransaction? transaction, string sql, CancellationToken cancellationToken, params (string Name, object Value)[] parameters)
    {
        var command = Command(connection, transaction, sql, parameters);
        await using var commandDisposal = command.ConfigureAwait(false);
        return await command.ExecuteScalarAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Every text is a constant of this file; what comes from outside is a parameter.</summary>
    private static DbCommand Command(DbConnection connection, DbTransaction? transaction, string sql, params (string Name, object Value)[] parameters)
    {
        var command = connection.CreateCommand();
#pragma warning disable CA2100 // constants of this file
        command.CommandText = sql;
#pragma warning restore CA2100
        command.Transaction = transaction;
        foreach (var (name, value) in parameters)
        {
            var parameter = command.CreateParameter();
            parameter.ParameterName = name;
            parameter.Value = value;
            command.Parameters.Add(parameter);
        }

        return command;
    }
}
