using System.Collections.Immutable;
using System.Data;
using System.Data.Common;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using MutualAuth.Errors;

namespace MutualAuth.Credentials;

/// <summary>
/// The table of second factors. Users, identifiers and data are found by digests, so that no collation takes two for one; the texts beside them
/// are what is read.
/// </summary>
internal sealed class DatabaseFactors(DbDataSource source, Func<TimeSpan> lookupTimeout)
{
    /// <summary>Part of the third version of the schema.</summary>
    internal const string CreateTable =
        """
        CREATE TABLE IF NOT EXISTS mutualauth_factor (
            user_digest VARCHAR(64) NOT NULL,
            factor_digest VARCHAR(64) NOT NULL,
            name VARCHAR(255) NOT NULL,
            factor_id VARCHAR(64) NOT NULL,
            kind VARCHAR(20) NOT NULL,
            data VARCHAR(4096) NOT NULL,
            data_digest VARCHAR(64) NOT NULL,
            PRIMARY KEY (user_digest, factor_digest))
        """;

    /// <summary>Serializes who adds the same factor at once: see <see cref="DatabaseCredentialStore"/>.</summary>
    private const string TakeTurn = "UPDATE mutualauth_schema SET version = version";
    private const string Select = "SELECT name, factor_id, kind, data, data_digest FROM mutualauth_factor";
    private const string Put = "UPDATE mutualauth_factor SET kind = @kind, data = @data, data_digest = @after";
    private const string OfOne = " WHERE user_digest = @user AND factor_digest = @factor";
    private const string Insert =
        "INSERT INTO mutualauth_factor (user_digest, factor_digest, name, factor_id, kind, data, data_digest) "
            + "VALUES (@user, @factor, @name, @id, @kind, @data, @after)";
    private const int MaxWriteAttempts = 3;
    private const int MaxNamesInAQuery = 500;

    private int TimeoutSeconds => (int)lookupTimeout().TotalSeconds;

    internal async ValueTask<ImmutableArray<StoredFactor>> FindAsync(string userName, CancellationToken cancellationToken)
    {
        var connection = await source.OpenConnectionAsync(cancellationToken).ConfigureAwait(false);
        await using var connectionDisposal = connection.ConfigureAwait(false);
        var command = connection.Command(null, Select + " WHERE user_digest = @user", ("@user", DigestOf(userName)));
        await using var commandDisposal = command.ConfigureAwait(false);
        command.CommandTimeout = TimeoutSeconds;
        return [.. (await ReadAsync(command, cancellationToken).ConfigureAwait(false)).Select(factor => factor.Factor)];
    }

    /// <summary>The identifiers of many users' factors.</summary>
    internal async ValueTask<IReadOnlyDictionary<string, ImmutableArray<string>>> FindIdsAsync(
        IReadOnlyCollection<string> userNames, CancellationToken cancellationToken)
    {
        var found = new Dictionary<string, ImmutableArray<string>>(StringComparer.Ordinal);
        if (userNames.Count == 0)
        {
            return found;
        }

        var connection = await source.OpenConnectionAsync(cancellationToken).ConfigureAwait(false);
        await using var connectionDisposal = connection.ConfigureAwait(false);
        foreach (var names in userNames.Chunk(MaxNamesInAQuery))
        {
            var byDigest = names.ToDictionary(DigestOf, name => name, StringComparer.Ordinal);
            (string Name, object Value)[] parameters = [.. byDigest.Keys.Select((digest, number) =>
                (string.Create(CultureInfo.InvariantCulture, $"@user{number}"), (object)digest))];
            var command = connection.Command(
                null,
                "SELECT user_digest, factor_id FROM mutualauth_factor WHERE user_digest IN ("
                    + string.Join(", ", parameters.Select(parameter => parameter.Name)) + ")",
                parameters);
            await using var commandDisposal = command.ConfigureAwait(false);
            command.CommandTimeout = TimeoutSeconds;
            var reader = await command.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
            await using var readerDisposal = reader.ConfigureAwait(false);
            while (await reader.ReadAsync(cancellationToken).ConfigureAwait(false))
            {
                var name = byDigest[reader.GetString(0)];
                found[name] = found.GetValueOrDefault(name, []).Add(reader.GetString(1));
            }
        }

        return found;
    }

    internal async ValueTask<ImmutableArray<UserFactor>> ListAsync(CancellationToken cancellationToken)
    {
        var connection = await source.OpenConnectionAsync(cancellationToken).ConfigureAwait(false);
        await using var connectionDisposal = connection.ConfigureAwait(false);
        var command = connection.Command(null, Select);
        await using var commandDisposal = command.ConfigureAwait(false);
        return await ReadAsync(command, cancellationToken).ConfigureAwait(false);
    }

    internal async ValueTask SetAsync(string userName, StoredFactor factor, CancellationToken cancellationToken)
    {
        (string Name, object Value)[] parameters = [.. KeyOf(userName, factor.Id), .. StateOf(factor)];
        await RepeatAsync(async connection =>
        {
            var transaction = await connection.BeginTransactionAsync(IsolationLevel.ReadCommitted, cancellationToken).ConfigureAwait(false);
            await using var transactionDisposal = transaction.ConfigureAwait(false);
            await connection.ExecuteAsync(transaction, TakeTurn, cancellationToken).ConfigureAwait(false);
            if (await connection.ExecuteAsync(transaction, Put + OfOne, cancellationToken, parameters).ConfigureAwait(false) == 0)
            {
                await connection.ExecuteAsync(
                    transaction, Insert, cancellationToken, [.. parameters, ("@name", userName), ("@id", factor.Id)]).ConfigureAwait(false);
            }

            await transaction.CommitAsync(cancellationToken).ConfigureAwait(false);
            return true;
        }, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>One statement: the database lets one of two writers change the row, and the other one finds it changed.</summary>
    internal ValueTask<bool> TryReplaceAsync(string userName, StoredFactor before, StoredFactor after, CancellationToken cancellationToken) =>
        RepeatAsync(
            async connection =>
            {
                var command = connection.Command(
                    null,
                    Put + OfOne + " AND data_digest = @before",
                    [.. KeyOf(userName, before.Id), .. StateOf(after), ("@before", DigestOf(before))]);
                await using var commandDisposal = command.ConfigureAwait(false);
                command.CommandTimeout = TimeoutSeconds;
                return await command.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false) == 1;
            },
            cancellationToken);

    internal ValueTask<bool> RemoveAsync(string userName, string factorId, CancellationToken cancellationToken) =>
        RepeatAsync(
            async connection => await connection.ExecuteAsync(
                null, "DELETE FROM mutualauth_factor" + OfOne, cancellationToken, [.. KeyOf(userName, factorId)]).ConfigureAwait(false) > 0,
            cancellationToken);

    /// <summary>Removes all factors of a user, as part of removing the user.</summary>
    internal static async ValueTask RemoveAllAsync(
        DbConnection connection, DbTransaction transaction, string userName, CancellationToken cancellationToken) =>
        await connection.ExecuteAsync(
            transaction, "DELETE FROM mutualauth_factor WHERE user_digest = @user", cancellationToken, ("@user", DigestOf(userName)))
            .ConfigureAwait(false);

    private async ValueTask<bool> RepeatAsync(Func<DbConnection, ValueTask<bool>> change, CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                var connection = await source.OpenConnectionAsync(cancellationToken).ConfigureAwait(false);
                await using var connectionDisposal = connection.ConfigureAwait(false);
                return await change(connection).ConfigureAwait(false);
            }
            catch (DbException exception) when (exception.IsTransient && attempt < MaxWriteAttempts)
            {
                // A database that is set to a stricter isolation than we ask for tells one of two writers to begin again.
            }
        }
    }

    private static async ValueTask<ImmutableArray<UserFactor>> ReadAsync(DbCommand command, CancellationToken cancellationToken)
    {
        var reader = await command.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
        await using var readerDisposal = reader.ConfigureAwait(false);
        var factors = new List<UserFactor>();
        while (await reader.ReadAsync(cancellationToken).ConfigureAwait(false))
        {
            var name = reader.GetString(0);
            factors.Add(new UserFactor(name, FactorOf(name, reader)));
        }

        return [.. factors.OrderBy(factor => factor.UserName, StringComparer.Ordinal).ThenBy(factor => factor.Factor.Id, StringComparer.Ordinal)];
    }

    private static StoredFactor FactorOf(string name, DbDataReader reader)
    {
        try
        {
            var factor = new StoredFactor(reader.GetString(1), reader.GetString(2), reader.GetString(3));
            if (DigestOf(factor) == reader.GetString(4))
            {
                return factor;
            }
        }
        catch (ArgumentException)
        {
            // Said below.
        }

        throw new MaterialException(
            $"The database holds something for {SafeText.Quote(name)} that is no second factor, or was changed without its data_digest. Remove "
                + "that factor, and add it again.");
    }

    private static (string Name, object Value)[] KeyOf(string userName, string factorId) =>
        [("@user", DigestOf(userName)), ("@factor", DigestOf(factorId))];

    private static (string Name, object Value)[] StateOf(StoredFactor factor) =>
        [("@kind", factor.Kind), ("@data", factor.Data), ("@after", DigestOf(factor))];

    /// <summary>Neither kind nor data has a colon.</summary>
    private static string DigestOf(StoredFactor factor) => DigestOf($"{factor.Kind}:{factor.Data}");

    private static string DigestOf(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));
}
