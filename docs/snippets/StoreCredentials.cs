using System.Data.Common;

namespace MutualAuth.Snippets;

/// <summary>docs/how-to/store-credentials.md</summary>
internal static class StoreCredentials
{
    internal static async Task Database(DbDataSource dataSource, Password password)
    {
        // snippet
        var store = new DatabaseCredentialStore(dataSource);                       // SqliteFactory.Instance.CreateDataSource(…), NpgsqlDataSource.Create(…)
        await store.MigrateAsync();                                                // at deployment
        await store.SetPasswordAsync("alice", password);                           // adds the user, or changes the password: one step, for every hash
        await store.SetDisabledAsync("alice", isDisabled: true);
        // end
    }

    internal static void File()
    {
        // snippet
        var store = FileCredentialStore.Open("users");                             // a change counts within a second
        // end
    }
}
