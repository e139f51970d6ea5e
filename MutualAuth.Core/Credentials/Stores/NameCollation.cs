using System.Collections.Immutable;
using System.Data;
using System.Data.Common;

namespace MutualAuth.Credentials;

/// <summary>Tests whether the database distinguishes any two names, by trying names that some databases confuse. Leaves nothing behind.</summary>
internal sealed class NameCollation
{
    private const string Insert = "INSERT INTO mutualauth_credential (name, mechanism, verifier, disabled) VALUES (@name, @mechanism, 'probe', 1)";
    private const string Find = "SELECT name FROM mutualauth_credential WHERE name = @name";
    private const string Delete = "DELETE FROM mutualauth_credential WHERE mechanism = @mechanism";
    private const int LongestName = 255;

    // What is written, what is looked for, and how the two differ.
    private static readonly ImmutableArray<(string Written, string Sought, string Difference)> s_pairs =
    [
        ("a", "A", "case"),
        ("a", "a ", "a trailing space"),
        ("a", "\u00e1", "an accent"),
        ("e\u0301", "\u00e9", "how an accent is written"),
        ("a", "\uff41", "width"),
        ("a", "a\u00ad", "an invisible character"),
        ("a", "a\u200d", "an invisible character"),
        ("ss", "\u00df", "a letter for two"),
        ("\u3042", "\u30a2", "the kind of kana"),
        ("\u0131", "i", "a dot"),
        ("\U0001f600", "\U0001f601", "a character beyond the first 65,536"),
    ];

    private int _state;

    private enum State
    {
        Unknown,
        Exact,
        ReadOnly,
    }

    internal static MaterialException Inexact(string what) => new(
        $"The column mutualauth_credential.name {what}: a user who may choose a name could take over another user's account. Give it a type that "
            + "holds 255 characters of Unicode and a collation "
        + "that compares octet by octet (SQLite: BINARY; PostgreSQL: varchar with a deterministic collation; MariaDB: CHARACTER SET utf8mb4 COLLATE "
        + "utf8mb4_nopad_bin; "
        + "MySQL: utf8mb4_0900_bin).");

    /// <summary>Checks, once, where something is to be changed.</summary>
    /// <exception cref="MaterialException">The column takes two names for one, or does not hold all names.</exception>
    /// <exception cref="DbException">It could not be tried, and so nothing may be changed.</exception>
    internal async ValueTask CheckForWritingAsync(DbConnection connection, CancellationToken cancellationToken)
    {
        if ((State)Volatile.Read(ref _state) != State.Exact)
        {
            await TryAsync(connection, cancellationToken).ConfigureAwait(false);
            Volatile.Write(ref _state, (int)State.Exact);
        }
    }

    /// <summary>Checks, once, before something is looked up. An account that may only read cannot try anything.</summary>
    /// <exception cref="MaterialException">The column takes two names for one, or does not hold all names.</exception>
    internal async ValueTask CheckForReadingAsync(DbConnection connection, CancellationToken cancellationToken)
    {
        if ((State)Volatile.Read(ref _state) != State.Unknown)
        {
            return;
        }

        try
        {
            await CheckForWritingAsync(connection, cancellationToken).ConfigureAwait(false);
        }
        catch (DbException)
        {
            Interlocked.CompareExchange(ref _state, (int)State.ReadOnly, (int)State.Unknown);
        }
    }

    private static async ValueTask TryAsync(DbConnection connection, CancellationToken cancellationToken)
    {
        // Names that no other process can be trying, and that no user has.
        var mark = $"mutualauth-probe-{Guid.NewGuid():N}-";
        var transaction = await connection.BeginTransactionAsync(IsolationLevel.ReadCommitted, cancellationToken).ConfigureAwait(false);
        await using var transactionDisposal = transaction.ConfigureAwait(false);
        await TryPairAsync(connection, transaction, mark, mark + "?", "everything", isFirst: true, cancellationToken).ConfigureAwait(false);
        foreach (var (written, sought, difference) in s_pairs)
        {
            await TryPairAsync(
                connection, transaction, mark + written, mark + sought, difference, isFirst: false, cancellationToken).ConfigureAwait(false);
        }

        var longest = mark.PadRight(LongestName - 1, 'x');
        await TryPairAsync(
            connection, transaction, longest + "y", longest + "z", "the last of 255 characters", isFirst: false, cancellationToken).ConfigureAwait(
            false);

        // Nothing is committed: disposing of the transaction takes everything back.
    }

    private static async ValueTask TryPairAsync(
        DbConnection connection, DbTransaction transaction, string written, string sought, string difference, bool isFirst,
        CancellationToken cancellationToken)
    {
        (string Name, object Value) mechanism = ("@mechanism", "mutualauth-probe");
        try
        {
            await connection.ExecuteAsync(transaction, Insert, cancellationToken, ("@name", written), mechanism).ConfigureAwait(false);
            if (await connection.ScalarAsync(transaction, Find, cancellationToken, ("@name", sought)).ConfigureAwait(false) is not null)
            {
                throw Inexact($"takes names for one that differ in {difference}");
            }

            if (await connection.ScalarAsync(transaction, Find, cancellationToken, ("@name", written)).ConfigureAwait(false) is not string found
                || !string.Equals(found, written, StringComparison.Ordinal))
            {
                throw Inexact($"does not hold every name as it is written (what it lost: {difference})");
            }

            // The comparison above may have been another than the key's, by the type of the parameter.
            await connection.ExecuteAsync(transaction, Insert, cancellationToken, ("@name", sought), mechanism).ConfigureAwait(false);
        }
        catch (DbException exception) when (!isFirst && !exception.IsTransient)
        {
            // A plain name went in, so that we may write; one of these did not, or the key took both for one.
            throw Inexact($"does not hold two names that differ in {difference} ({exception.Message})");
        }
        finally
        {
            await TryDeleteAsync(connection, transaction, mechanism).ConfigureAwait(false);
        }
    }

    // Tables without transactions, such as MyISAM's, take nothing back by themselves.
    private static async ValueTask TryDeleteAsync(DbConnection connection, DbTransaction transaction, (string Name, object Value) mechanism)
    {
        try
        {
            await connection.ExecuteAsync(transaction, Delete, CancellationToken.None, mechanism).ConfigureAwait(false);
        }
        catch (DbException)
        {
            // After an error within it a transaction takes no more commands, and is rolled back.
        }
    }
}
