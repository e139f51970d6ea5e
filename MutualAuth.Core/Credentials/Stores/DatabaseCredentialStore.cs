using System.Collections.Immutable;
using System.Data;
using System.Data.Common;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using MutualAuth.Errors;

namespace MutualAuth.Credentials;

/// <summary>
/// Users in a database, through whichever ADO.NET provider the data source belongs to: SQLite, PostgreSQL and others that take <c>@name</c>
/// parameters.
/// </summary>
/// <remarks>
/// Four tables: <c>mutualauth_schema</c> has the version, <c>mutualauth_credential</c> a row for each user and hash,
/// <c>mutualauth_failure</c> one for each user with failed logins since the last success, <c>mutualauth_factor</c> one for each second
/// factor. <see cref="MigrateAsync"/> creates and upgrades them; a login reads the second and writes the third, and updates the fourth where
/// a second factor is shown. If it has no permission for the third, or that is missing, failures are counted in the process only, and event
/// 1308 reports it; without permission to update the fourth no code can be used. Connections are pooled by the data source, which the
/// caller owns. Safe for use from many threads.
/// <para>
/// The column of the names must distinguish any two names: not every database does by default. Before its first operation, and in
/// <see cref="MigrateAsync"/>, a store writes names that differ in case, accent, width, a trailing space and the like, checks whether they
/// are confused, and rolls everything back. A column that fails is rejected with <see cref="MaterialException"/>; otherwise a user who
/// registers <c>ALICE</c> could take over the account of <c>alice</c>. If the account may only read, the test is not possible and changes
/// are not either, and lookups compare what they read octet by octet.
/// </para>
/// </remarks>
public sealed class DatabaseCredentialStore
    : IWritableCredentialStore, IBulkCredentialStore, IFailureCountingStore, IFactorListingStore, IBulkSecondFactorStore, IAnnouncesWrites
{
    /// <summary>The version of the schema that this version of the library reads and writes.</summary>
    public const int SchemaVersion = 3;

    // Every change begins with this row, which serializes the writers on any database and at any isolation level.
    private const string TakeTurn = "UPDATE mutualauth_schema SET version = version";
    private const string Update = "UPDATE mutualauth_credential SET verifier = @verifier WHERE name = @name AND mechanism = @mechanism";
    private const string Insert =
        "INSERT INTO mutualauth_credential (name, mechanism, verifier, disabled) VALUES (@name, @mechanism, @verifier, @disabled)";
    private const string DeleteOne = "DELETE FROM mutualauth_credential WHERE name = @name AND mechanism = @mechanism";

    private const string SelectFailures = "SELECT failures FROM mutualauth_failure WHERE user_digest = @digest";
    private const string AddFailure = "UPDATE mutualauth_failure SET failures = failures + 1 WHERE user_digest = @digest AND failures < @limit";
    private const string InsertFailure = "INSERT INTO mutualauth_failure (user_digest, failures) VALUES (@digest, 1)";
    private const string DeleteFailures = "DELETE FROM mutualauth_failure WHERE user_digest = @digest";

    // SQL Server takes 2,100 parameters, others more.
    private const int MaxNamesInAQuery = 1000;

    private const int MaxWriteAttempts = 3;
    private const int MaxMigrationAttempts = 5;

    private static readonly TimeSpan s_migrationPause = TimeSpan.FromMilliseconds(50);

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
        [
            // By the digest of the name: it needs no collation that tells names apart.
            """
            CREATE TABLE IF NOT EXISTS mutualauth_failure (
                user_digest VARCHAR(64) NOT NULL PRIMARY KEY,
                failures INTEGER NOT NULL)
            """,
        ],
        [DatabaseFactors.CreateTable],
    ];

    private const int FirstVersionWithFactors = 3;

    private EventHandler<string>? _written;
    private readonly DbDataSource _source;
    private readonly NameCollation _nameColumn = new();
    private readonly DatabaseFactors _factors;

    /// <summary>Uses a database. Nothing is opened yet.</summary>
    /// <exception cref="ArgumentNullException"><paramref name="source"/> is null.</exception>
    public DatabaseCredentialStore(DbDataSource source)
    {
        ArgumentNullException.ThrowIfNull(source);
        _source = source;
        _factors = new DatabaseFactors(source, () => LookupTimeout);
    }

    /// <summary>
    /// How long the database may take to look up one user, whatever the connection says: SQLite holds a thread for 30 seconds by default while
    /// another process holds its lock. Whole seconds, 1 at least; default 5 seconds, half of the default deadline of a handshake. Later is
    /// <c>credential_check_faulted</c>.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">It is less than a second or more than an hour.</exception>
    public TimeSpan LookupTimeout
    {
        get;
        init
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(value, TimeSpan.FromSeconds(1));
            ArgumentOutOfRangeException.ThrowIfGreaterThan(value, TimeSpan.FromHours(1));
            field = value;
        }
    } = TimeSpan.FromSeconds(5);

    event EventHandler<string>? IAnnouncesWrites.Written
    {
        add => _written += value;
        remove => _written -= value;
    }

    /// <inheritdoc/>
    /// <exception cref="MaterialException">The column of the names takes two for one.</exception>
    public async ValueTask<StoredCredential?> FindAsync(string userName, CancellationToken cancellationToken)
    {
        var connection = await _source.OpenConnectionAsync(cancellationToken).ConfigureAwait(false);
        await using var connectionDisposal = connection.ConfigureAwait(false);
        var found = await ReadAsync(
            connection, null, userName, refusesOthers: false, cancellationToken, (int)LookupTimeout.TotalSeconds).ConfigureAwait(false);

        // After it, as this is not bounded by the timeout: a database that is locked has been found out by now.
        await _nameColumn.CheckForReadingAsync(connection, cancellationToken).ConfigureAwait(false);
        return found;
    }

    /// <inheritdoc/>
    /// <remarks>One query for each thousand users, each within <see cref="LookupTimeout"/>, over one connection.</remarks>
    /// <exception cref="MaterialException">The column of the names takes two for one.</exception>
    public async ValueTask<ImmutableArray<StoredCredential>> FindManyAsync(
        IReadOnlyCollection<string> userNames, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(userNames);
        var users = new Dictionary<string, StoredCredential>(userNames.Count, StringComparer.Ordinal);
        if (userNames.Count == 0)
        {
            return [];
        }

        var connection = await _source.OpenConnectionAsync(cancellationToken).ConfigureAwait(false);
        await using var connectionDisposal = connection.ConfigureAwait(false);
        foreach (var names in userNames.Chunk(MaxNamesInAQuery))
        {
            await ReadManyAsync(connection, names, users, (int)LookupTimeout.TotalSeconds, cancellationToken).ConfigureAwait(false);
        }

        await _nameColumn.CheckForReadingAsync(connection, cancellationToken).ConfigureAwait(false);
        return [.. users.Values];
    }

    /// <inheritdoc/>
    /// <exception cref="MaterialException">The tables were never made, or the column of the names takes two for one.</exception>
    public async ValueTask ReplaceVerifiersAsync(
        string userName, ImmutableArray<ScramVerifier> verifiers, CancellationToken cancellationToken = default)
    {
        var name = UserNames.Prepare(userName);
        _ = StoredCredential.Of(name, verifiers);
        await ChangeAsync(name, async (connection, transaction, before) =>
        {
            foreach (var verifier in verifiers)
            {
                await PutAsync(connection, transaction, before, name, verifier, cancellationToken).ConfigureAwait(false);
            }

            foreach (var old in before?.Verifiers.Where(old => verifiers.All(verifier => verifier.Hash != old.Hash)) ?? [])
            {
                await connection.ExecuteAsync(
                    transaction, DeleteOne, cancellationToken, ("@name", name), ("@mechanism", old.Hash.Mechanism)).ConfigureAwait(false);
            }
        }, cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    /// <exception cref="MaterialException">The tables were never made, or the column of the names takes two for one.</exception>
    public async ValueTask SetAsync(string userName, ScramVerifier verifier, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(verifier);
        var name = UserNames.Prepare(userName);
        await ChangeAsync(
            name,
            (connection, transaction, before) => PutAsync(connection, transaction, before, name, verifier, cancellationToken),
            cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    /// <exception cref="MaterialException">The tables were never made, or the column of the names takes two for one.</exception>
    public ValueTask<bool> SetDisabledAsync(string userName, bool isDisabled, CancellationToken cancellationToken = default)
    {
        var name = UserNames.Prepare(userName);
        return ChangeAsync(name, async (connection, transaction, _) => await connection.ExecuteAsync(
            transaction,
            "UPDATE mutualauth_credential SET disabled = @disabled WHERE name = @name",
            cancellationToken,
            ("@name", name),
            ("@disabled", isDisabled ? (short)1 : (short)0)).ConfigureAwait(false), cancellationToken);
    }

    /// <inheritdoc/>
    /// <exception cref="MaterialException">The tables were never made, or the column of the names takes two for one.</exception>
    public async ValueTask<bool> RemoveAsync(string userName, CancellationToken cancellationToken = default)
    {
        var name = UserNames.Prepare(userName);
        var wasThere = await ChangeAsync(
            name,
            async (connection, transaction, _) =>
            {
                await connection.ExecuteAsync(
                    transaction, "DELETE FROM mutualauth_credential WHERE name = @name", cancellationToken, ("@name", name)).ConfigureAwait(false);
                if (await VersionAsync(connection, transaction, cancellationToken).ConfigureAwait(false) >= FirstVersionWithFactors)
                {
                    await DatabaseFactors.RemoveAllAsync(connection, transaction, name, cancellationToken).ConfigureAwait(false);
                }
            },
            cancellationToken).ConfigureAwait(false);
        try
        {
            var connection = await _source.OpenConnectionAsync(cancellationToken).ConfigureAwait(false);
            await using var connectionDisposal = connection.ConfigureAwait(false);
            await connection.ExecuteAsync(null, DeleteFailures, cancellationToken, ("@digest", DigestOf(name))).ConfigureAwait(false);
        }
        catch (DbException)
        {
            // A database of the first version has none. The user is gone either way.
        }

        return wasThere;
    }

    /// <inheritdoc/>
    /// <exception cref="MaterialException">A row holds something that is no factor; the message names the user.</exception>
    public ValueTask<ImmutableArray<StoredFactor>> FindFactorsAsync(string userName, CancellationToken cancellationToken = default) =>
        _factors.FindAsync(userName, cancellationToken);

    /// <inheritdoc/>
    public async ValueTask SetFactorAsync(string userName, StoredFactor factor, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(factor);
        var name = UserNames.Prepare(userName);
        await _factors.SetAsync(name, factor, cancellationToken).ConfigureAwait(false);
        _written?.Invoke(this, name);
    }

    /// <inheritdoc/>
    public ValueTask<bool> TryReplaceFactorAsync(
        string userName, StoredFactor before, StoredFactor after, CancellationToken cancellationToken = default)
    {
        StoredFactor.ThrowIfNotTheSame(before, after);
        return _factors.TryReplaceAsync(userName, before, after, cancellationToken);
    }

    /// <inheritdoc/>
    public async ValueTask<bool> RemoveFactorAsync(string userName, string factorId, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(factorId);
        var name = UserNames.Prepare(userName);
        var wasThere = await _factors.RemoveAsync(name, factorId, cancellationToken).ConfigureAwait(false);
        _written?.Invoke(this, name);
        return wasThere;
    }

    /// <inheritdoc/>
    public ValueTask<IReadOnlyDictionary<string, ImmutableArray<string>>> FindFactorIdsAsync(
        IReadOnlyCollection<string> userNames, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(userNames);
        return _factors.FindIdsAsync(userNames, cancellationToken);
    }

    /// <inheritdoc/>
    /// <exception cref="MaterialException">A row holds something that is no factor; the message names the user.</exception>
    public ValueTask<ImmutableArray<UserFactor>> ListFactorsAsync(CancellationToken cancellationToken = default) =>
        _factors.ListAsync(cancellationToken);

    /// <inheritdoc/>
    public async ValueTask<int?> FindFailuresAsync(string userName, CancellationToken cancellationToken = default)
    {
        var connection = await _source.OpenConnectionAsync(cancellationToken).ConfigureAwait(false);
        await using var connectionDisposal = connection.ConfigureAwait(false);
        return !await IsThereAsync(connection, userName, cancellationToken).ConfigureAwait(false)
            ? null
            : await CountFailuresAsync(connection, null, DigestOf(userName), cancellationToken).ConfigureAwait(false) ?? 0;
    }

    /// <inheritdoc/>
    public async ValueTask<int?> AddFailureAsync(string userName, int limit, CancellationToken cancellationToken = default)
    {
        var connection = await _source.OpenConnectionAsync(cancellationToken).ConfigureAwait(false);
        await using var connectionDisposal = connection.ConfigureAwait(false);
        if (!await IsThereAsync(connection, userName, cancellationToken).ConfigureAwait(false))
        {
            return null;
        }

        var digest = DigestOf(userName);
        for (var attempt = 1; ; attempt++)
        {
            var found = await CountFailuresAsync(connection, null, digest, cancellationToken).ConfigureAwait(false);
            if (found >= limit)
            {
                return found;
            }

            try
            {
                if (await AddFailureOnceAsync(connection, digest, limit, cancellationToken).ConfigureAwait(false) is { } before)
                {
                    return before;
                }
            }
            catch (DbException exception) when (attempt < MaxWriteAttempts)
            {
                // Another server may have counted the user's first failure at the same moment. What else fails, fails.
                if (!exception.IsTransient && await CountFailuresAsync(connection, null, digest, cancellationToken).ConfigureAwait(false) == found)
                {
                    throw;
                }
            }
        }
    }

    /// <inheritdoc/>
    public async ValueTask<bool> ClearFailuresAsync(string userName, CancellationToken cancellationToken = default)
    {
        var name = UserNames.Prepare(userName);
        var connection = await _source.OpenConnectionAsync(cancellationToken).ConfigureAwait(false);
        await using var connectionDisposal = connection.ConfigureAwait(false);
        await connection.ExecuteAsync(null, DeleteFailures, cancellationToken, ("@digest", DigestOf(name))).ConfigureAwait(false);
        return await IsThereAsync(connection, name, cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    /// <exception cref="MaterialException">
    /// A row holds something that is no verifier, of which the message names the user; or the column of the names takes two for one.
    /// </exception>
    public async ValueTask<ImmutableArray<StoredCredential>> ListAsync(CancellationToken cancellationToken = default)
    {
        var connection = await _source.OpenConnectionAsync(cancellationToken).ConfigureAwait(false);
        await using var connectionDisposal = connection.ConfigureAwait(false);
        await _nameColumn.CheckForReadingAsync(connection, cancellationToken).ConfigureAwait(false);
        var command = connection.Command(null, "SELECT name, verifier, disabled FROM mutualauth_credential");
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
                : throw new MaterialException(
                    $"The database holds something for {SafeText.Quote(name)} that is no verifier. Remove that user, and add it again.");
        }

        return [.. users.Values];
    }

    /// <summary>Makes the tables, or brings older ones up to <see cref="SchemaVersion"/>, in one transaction. Does nothing when they are.</summary>
    /// <remarks>Run it at deployment, by an account that may change tables; logging in needs SELECT alone.</remarks>
    /// <exception cref="MaterialException">
    /// The database has a newer schema than this version of the library knows, or the column of the names takes two for one.
    /// </exception>
    public async Task MigrateAsync(CancellationToken cancellationToken = default)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                await MigrateOnceAsync(cancellationToken).ConfigureAwait(false);
                break;
            }
            catch (DbException) when (attempt < MaxMigrationAttempts)
            {
                // Another process may be doing the same; the next attempt finds what it did. Some databases commit each table by itself, so that
                // it may still be at work.
                await Task.Delay(s_migrationPause, cancellationToken).ConfigureAwait(false);
            }
        }

        var connection = await _source.OpenConnectionAsync(cancellationToken).ConfigureAwait(false);
        await using var connectionDisposal = connection.ConfigureAwait(false);
        await _nameColumn.CheckForWritingAsync(connection, cancellationToken).ConfigureAwait(false);
    }

    private async Task MigrateOnceAsync(CancellationToken cancellationToken)
    {
        var connection = await _source.OpenConnectionAsync(cancellationToken).ConfigureAwait(false);
        await using var connectionDisposal = connection.ConfigureAwait(false);
        await connection.ExecuteAsync(
            null, "CREATE TABLE IF NOT EXISTS mutualauth_schema (version INTEGER NOT NULL)", cancellationToken).ConfigureAwait(false);
        var transaction = await connection.BeginTransactionAsync(IsolationLevel.Serializable, cancellationToken).ConfigureAwait(false);
        await using var transactionDisposal = transaction.ConfigureAwait(false);
        var version = await VersionAsync(connection, transaction, cancellationToken).ConfigureAwait(false) ?? 0;
        if (version > SchemaVersion)
        {
            throw new MaterialException(
                $"The database has version {version} of the credential schema; this library knows up to {SchemaVersion}. Update the library.");
        }

        foreach (var statement in s_migrations.Skip(version))
        {
            foreach (var part in statement)
            {
                await connection.ExecuteAsync(transaction, part, cancellationToken).ConfigureAwait(false);
            }
        }

        if (version < SchemaVersion)
        {
            await connection.ExecuteAsync(transaction, "DELETE FROM mutualauth_schema", cancellationToken).ConfigureAwait(false);
            await connection.ExecuteAsync(
                transaction,
                "INSERT INTO mutualauth_schema (version) VALUES (@version)",
                cancellationToken,
                ("@version", SchemaVersion)).ConfigureAwait(false);
        }

        await transaction.CommitAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Changes one user under an exclusive lock.</summary>
    /// <returns>Whether the user was there before.</returns>
    private async ValueTask<bool> ChangeAsync(
        string name, Func<DbConnection, DbTransaction, StoredCredential?, Task> change, CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                var wasThere = await ChangeOnceAsync(name, change, cancellationToken).ConfigureAwait(false);
                _written?.Invoke(this, name);
                return wasThere;
            }
            catch (DbException exception) when (exception.IsTransient && attempt < MaxWriteAttempts)
            {
                // A database that is set to a stricter isolation than we ask for tells one of two writers to begin again.
            }
        }
    }

    private async ValueTask<bool> ChangeOnceAsync(
        string name, Func<DbConnection, DbTransaction, StoredCredential?, Task> change, CancellationToken cancellationToken)
    {
        var connection = await _source.OpenConnectionAsync(cancellationToken).ConfigureAwait(false);
        await using var connectionDisposal = connection.ConfigureAwait(false);
        await _nameColumn.CheckForWritingAsync(connection, cancellationToken).ConfigureAwait(false);
        var transaction = await connection.BeginTransactionAsync(IsolationLevel.ReadCommitted, cancellationToken).ConfigureAwait(false);
        await using var transactionDisposal = transaction.ConfigureAwait(false);
        await connection.ExecuteAsync(transaction, TakeTurn, cancellationToken).ConfigureAwait(false);
        if (await VersionAsync(connection, transaction, cancellationToken).ConfigureAwait(false) is null)
        {
            throw new MaterialException(
                $"The database has the credential tables and no version of them in mutualauth_schema. Run {nameof(MigrateAsync)} once.");
        }

        var before = await ReadAsync(connection, transaction, name, refusesOthers: true, cancellationToken).ConfigureAwait(false);
        await change(connection, transaction, before).ConfigureAwait(false);
        await transaction.CommitAsync(cancellationToken).ConfigureAwait(false);
        return before is not null;
    }

    /// <returns>Null when there is none.</returns>
    private static async ValueTask<int?> VersionAsync(DbConnection connection, DbTransaction transaction, CancellationToken cancellationToken) =>
        await connection.ScalarAsync(
            transaction, "SELECT MAX(version) FROM mutualauth_schema", cancellationToken).ConfigureAwait(false) is { } found and not DBNull
            ? Convert.ToInt32(found, CultureInfo.InvariantCulture)
            : null;

    private async ValueTask<bool> IsThereAsync(DbConnection connection, string name, CancellationToken cancellationToken)
    {
        var timeout = (int)LookupTimeout.TotalSeconds;
        return await ReadAsync(connection, null, name, refusesOthers: false, cancellationToken, timeout).ConfigureAwait(false) is not null;
    }

    private static string DigestOf(string name) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(name)));

    /// <returns>
    /// How many there were before; null when another server counted the first failure of the user meanwhile, so that this one is to be added again.
    /// </returns>
    private static async ValueTask<int?> AddFailureOnceAsync(DbConnection connection, string digest, int limit, CancellationToken cancellationToken)
    {
        var transaction = await connection.BeginTransactionAsync(IsolationLevel.ReadCommitted, cancellationToken).ConfigureAwait(false);
        await using var transactionDisposal = transaction.ConfigureAwait(false);
        (string Name, object Value)[] parameters = [("@digest", digest), ("@limit", limit)];
        var isAdded = await connection.ExecuteAsync(transaction, AddFailure, cancellationToken, parameters).ConfigureAwait(false) > 0;

        // The row is ours until we commit: what we read is what we made of it.
        var after = await CountFailuresAsync(connection, transaction, digest, cancellationToken).ConfigureAwait(false);
        if (!isAdded && after is { } found)
        {
            return found >= limit ? found : null;
        }

        if (!isAdded)
        {
            await connection.ExecuteAsync(transaction, InsertFailure, cancellationToken, ("@digest", digest)).ConfigureAwait(false);
        }

        await transaction.CommitAsync(cancellationToken).ConfigureAwait(false);
        return (after ?? 1) - 1;
    }

    private static async ValueTask<int?> CountFailuresAsync(
        DbConnection connection, DbTransaction? transaction, string digest, CancellationToken cancellationToken)
    {
        var found = await connection.ScalarAsync(transaction, SelectFailures, cancellationToken, ("@digest", digest)).ConfigureAwait(false);
        return found is null or DBNull ? null : Convert.ToInt32(found, CultureInfo.InvariantCulture);
    }

    private static async Task PutAsync(
        DbConnection connection,
        DbTransaction transaction,
        StoredCredential? before,
        string name,
        ScramVerifier verifier,
        CancellationToken cancellationToken)
    {
        (string Name, object Value)[] parameters = [("@name", name), ("@mechanism", verifier.Hash.Mechanism), ("@verifier", verifier.ToString())];
        if (await connection.ExecuteAsync(transaction, Update, cancellationToken, parameters).ConfigureAwait(false) == 0)
        {
            await connection.ExecuteAsync(
                transaction,
                Insert,
                cancellationToken,
                [.. parameters, ("@disabled", before is { IsDisabled: true } ? (short)1 : (short)0)]).ConfigureAwait(false);
        }
    }

    /// <summary>Reads one user. Whatever the database takes for the name, only the name counts.</summary>
    /// <exception cref="MaterialException">
    /// The database takes another name for this one, and <paramref name="refusesOthers"/> says that something is to be changed.
    /// </exception>
    private static async ValueTask<StoredCredential?> ReadAsync(
        DbConnection connection,
        DbTransaction? transaction,
        string name,
        bool refusesOthers,
        CancellationToken cancellationToken,
        int? timeoutSeconds = null)
    {
        var command = connection.Command(
            transaction, "SELECT name, verifier, disabled FROM mutualauth_credential WHERE name = @name", ("@name", name));
        await using var commandDisposal = command.ConfigureAwait(false);
        command.CommandTimeout = timeoutSeconds ?? command.CommandTimeout;
        var reader = await command.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
        await using var readerDisposal = reader.ConfigureAwait(false);
        var user = new StoredCredential(name, []);
        while (await reader.ReadAsync(cancellationToken).ConfigureAwait(false))
        {
            if (!string.Equals(reader.GetString(0), name, StringComparison.Ordinal))
            {
                if (refusesOthers)
                {
                    throw NameCollation.Inexact("takes another user's name for the one that is to be changed");
                }

                continue;
            }

            user = user.With(ScramVerifier.Parse(reader.GetString(1))) with { IsDisabled = user.IsDisabled || IsSet(reader, 2) };
        }

        return user.Verifiers.IsEmpty ? null : user;
    }

    /// <summary>Reads users. Whatever the database takes for their names, only the names count.</summary>
    private static async ValueTask ReadManyAsync(
        DbConnection connection, string[] names, Dictionary<string, StoredCredential> users, int timeoutSeconds, CancellationToken cancellationToken)
    {
        // Few texts, so that databases that keep plans have few to keep: what is left over repeats the last name.
        var size = names.Length switch { 1 => 1, <= 16 => 16, <= 128 => 128, _ => MaxNamesInAQuery };
        var parameters = new (string Name, object Value)[size];
        for (var i = 0; i < size; i++)
        {
            parameters[i] = (string.Create(CultureInfo.InvariantCulture, $"@n{i}"), names[Math.Min(i, names.Length - 1)]);
        }

        var list = string.Join(", ", parameters.Select(parameter => parameter.Name));
        var command = connection.Command(
            null, $"SELECT name, verifier, disabled FROM mutualauth_credential WHERE name IN ({list})", parameters);
        await using var commandDisposal = command.ConfigureAwait(false);
        command.CommandTimeout = timeoutSeconds;
        var sought = names.ToHashSet(StringComparer.Ordinal);
        var reader = await command.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
        await using var readerDisposal = reader.ConfigureAwait(false);
        while (await reader.ReadAsync(cancellationToken).ConfigureAwait(false))
        {
            var name = reader.GetString(0);
            if (!sought.Contains(name))
            {
                continue;
            }

            var user = users.GetValueOrDefault(name) ?? new StoredCredential(name, []);
            user = ScramVerifier.TryParse(reader.GetString(1), out var verifier) ? user.With(verifier) : user;
            users[name] = user with { IsDisabled = user.IsDisabled || IsSet(reader, 2) };
        }
    }

    private static bool IsSet(DbDataReader reader, int column) => Convert.ToInt64(reader.GetValue(column), CultureInfo.InvariantCulture) != 0;
}
