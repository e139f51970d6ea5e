using System.Data;
using System.Data.Common;
using Microsoft.Data.Sqlite;

namespace MutualAuth.Tests.Credentials;

/// <summary>SQLite, with a word of the test's before each command: it may note it, throw, or change the tables as another server would.</summary>
internal sealed class ScriptedSqlite(string connectionString) : DbDataSource
{
    internal Action<DbCommand>? Before { get; set; }

    /// <summary>Compares where a column says <c>COLLATE picky</c>.</summary>
    internal Comparison<string>? Picky { get; init; }

    public override string ConnectionString => connectionString;

    protected override DbConnection CreateDbConnection()
    {
        var connection = new Connection(this);
        if (Picky is { } compare)
        {
            connection.CreateCollation("picky", compare);
        }

        return connection;
    }

    private sealed class Connection(ScriptedSqlite source) : SqliteConnection(source.ConnectionString)
    {
        // Other databases want to be told of the transaction with each command, and so does this one.
        public override SqliteCommand CreateCommand() => new Command(source) { Connection = this };

        internal SqliteTransaction? Running => Transaction;
    }

    private sealed class Command(ScriptedSqlite source) : SqliteCommand
    {
        public override SqliteDataReader ExecuteReader(CommandBehavior behavior)
        {
            if (CommandText is "COMMIT;" or "ROLLBACK;")
            {
                Transaction = ((Connection)Connection!).Running;
            }

            source.Before?.Invoke(this);
            return base.ExecuteReader(behavior);
        }
    }
}

/// <summary>A fault of a database, which may pass.</summary>
internal sealed class DatabaseFault(bool isTransient) : DbException("the database has a fault")
{
    public override bool IsTransient => isTransient;
}
