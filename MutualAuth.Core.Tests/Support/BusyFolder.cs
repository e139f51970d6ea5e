using Microsoft.Data.Sqlite;

namespace MutualAuth.Tests.Support;

/// <summary>A folder with a SQLite database that a server, which has no end of its own, may be asking at this moment.</summary>
internal static class BusyFolder
{
    /// <summary>Deletes it for good: who opens the database once more puts files into it, or finds no folder.</summary>
    internal static async Task DeleteAsync(string directory)
    {
        using var deadline = new CancellationTokenSource(ConnectedPair.Deadline);
        while (Directory.Exists(directory))
        {
            SqliteConnection.ClearAllPools();
            try
            {
                Directory.Delete(directory, recursive: true);
            }
            catch (IOException) when (!deadline.IsCancellationRequested)
            {
                await Task.Yield();
            }
        }
    }
}
