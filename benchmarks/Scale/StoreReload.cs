using System.Diagnostics;
using System.Globalization;
using System.Text;
using MutualAuth.Credentials;

namespace MutualAuth.Benchmarks.Scale;

/// <summary>
/// A file of 400,000 users that is read again while users are looked up, as each login does: the longest look-up, beside the median and the longest
/// with a file that stays. Once with a file that is replaced each second, and once with users who are added one by one.
/// </summary>
internal static class StoreReload
{
    internal static async Task RunAsync(bool isSmall)
    {
        var (count, time) = isSmall ? (20_000, TimeSpan.FromSeconds(2)) : (400_000, TimeSpan.FromSeconds(15));
        var directory = Directory.CreateTempSubdirectory("mutualauth-users-").FullName;
        try
        {
            var path = Path.Combine(directory, "users");
            Write(path, count, round: 0);
            var clock = Stopwatch.StartNew();
            var store = FileCredentialStore.Open(path);
            store.Replaced += static (_, _) => { }; // it is followed, as live connections have it
            Say($"{count:N0} users ({new FileInfo(path).Length / 1048576.0:F1} MiB) opened in {clock.Elapsed.TotalMilliseconds:F0} ms");
            GC.Collect();
            var before = GC.GetTotalMemory(forceFullCollection: true);
            await MeasureAsync("with a file that stays", store, count, time, disturb: null);
            await MeasureAsync("with a file that is replaced each second", store, count, time, async round =>
            {
                await Task.Run(() => Write(path, count, round));
                await Task.Delay(TimeSpan.FromSeconds(1));
            });
            await MeasureAsync("while users are added one by one", store, count, time, async round =>
                await store.SetAsync($"added{round}", Verifier(round)));
            Say($"{GC.GetTotalMemory(forceFullCollection: true) / count} octets of managed memory for each user, {before / count} at first");
            store.Dispose();
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    private static async Task MeasureAsync(string what, FileCredentialStore store, int count, TimeSpan time, Func<int, Task>? disturb)
    {
        using var stop = new CancellationTokenSource();
        var rounds = 0;
        var disturbing = Task.Run(async () =>
        {
            while (disturb is not null && !stop.IsCancellationRequested)
            {
                await disturb(++rounds);
            }
        });
        var times = new List<double>();
        var pauses = GC.GetTotalPauseDuration();
        await Task.Factory.StartNew(
            () =>
            {
                var clock = Stopwatch.StartNew();
                for (var number = 0; clock.Elapsed < time; number = (number + 7919) % count)
                {
                    var began = Stopwatch.GetTimestamp();
                    var found = store.FindAsync(NameOf(number), CancellationToken.None);
                    if ((found.IsCompleted ? found.Result : found.AsTask().GetAwaiter().GetResult()) is null)
                    {
                        throw new InvalidOperationException("A user was not found.");
                    }

                    times.Add(Stopwatch.GetElapsedTime(began).TotalMicroseconds);
                    Thread.Sleep(1); // some hundred logins each second
                }
            },
            CancellationToken.None,
            TaskCreationOptions.LongRunning,
            TaskScheduler.Default);
        await stop.CancelAsync();
        await disturbing;
        times.Sort();
        Say(
            $"a user is found, {what} ({rounds} times): median {times[times.Count / 2]:F1} us, 99.9 of a hundred "
                + $"{times[times.Count * 999 / 1000]:F0} us, longest {times[^1] / 1000:F1} ms of {times.Count:N0}; all pauses of the collector "
                + $"{(GC.GetTotalPauseDuration() - pauses).TotalMilliseconds:F0} ms");
    }

    /// <summary>Beside the file and over it, each round with another verifier of one user in a hundred.</summary>
    private static void Write(string path, int count, int round)
    {
        var (same, changed) = (Verifier(0).ToString(), Verifier(round).ToString()); // deriving one takes milliseconds
        using (var file = new StreamWriter(path + ".new", append: false, new UTF8Encoding(false), 1 << 20))
        {
            for (var number = 0; number < count; number++)
            {
                file.Write(NameOf(number));
                file.Write(':');
                file.Write(number % 100 == 0 ? changed : same);
                file.Write('\n');
            }
        }

        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(path + ".new", UnixFileMode.UserRead | UnixFileMode.UserWrite);
        }

        File.Move(path + ".new", path, overwrite: true);
    }

    private static string NameOf(int number) => string.Create(CultureInfo.InvariantCulture, $"user{number:D7}");

    private static ScramVerifier Verifier(int round) =>
        ScramVerifier.Create(Password.From("pencil"), ScramHash.Sha256, ScramVerifier.MinIterations, BitConverter.GetBytes((long)round + 1));

    // The invariant culture is the only one here: InvariantGlobalization.
    private static void Say(string text) => Console.WriteLine(text);
}
