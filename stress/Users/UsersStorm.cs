namespace MutualAuth.Stress.Users;

/// <summary>
/// 10,000 users, as many of them connected as the time allows, and an administrator in another process who disables, removes, adds and enables them,
/// changes their passwords and takes their devices away. Whoever was changed must lose the connection, for that reason, at both ends, and nobody else
/// may; who was changed back comes in again, and others log in all the time.
/// </summary>
/// <param name="Store">Where the users are: file or sqlite.</param>
internal sealed record UsersStorm(string Store)
{
    internal Scenario Scenario { get; } = new(
        $"users-storm-{Store}",
        $"users in {(Store == "file" ? "a file" : "SQLite")} that are disabled, removed, added and changed while they are connected",
        run => new StormCourse(run, Store).RunAsync())
    {
        Seconds = StormCourse.SecondsOfTheWhole,
        Whole = StormCourse.Users,
        Share = 4,
        GoesOnAfterCrash = false,
    };
}
