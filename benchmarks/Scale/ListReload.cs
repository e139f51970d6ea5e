using System.Diagnostics;
using System.Globalization;
using System.Numerics;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using MutualAuth.Benchmarks.Compare;
using MutualAuth.Revocation;
using MutualAuth.Testing;
using MutualAuth.Testing.Revocation;

namespace MutualAuth.Benchmarks.Scale;

/// <summary>
/// A revocation list of a million entries that is read again, in a process of its own: the time, and by how much memory grows meanwhile beyond what
/// it was before. The list before stays in force, and in memory.
/// </summary>
internal static class ListReload
{
    private const int Rounds = 3;
    private const int AtOnce = 100;

    internal static async Task RunAsync(bool isSmall)
    {
        var count = isSmall ? 5_000 : 1_000_000;
        var directory = Directory.CreateTempSubdirectory("mutualauth-lists-").FullName;
        try
        {
            using var authority = new TestAuthority();
            Write(authority, directory, count);
            foreach (var form in new[] { "der", "pem" })
            {
                await using var reader = await ChildProcess.StartSelfAsync(1, "list-reload-reader", directory, form);
                var answers = new List<long[]>();
                for (var round = 1; round <= Rounds; round++)
                {
                    answers.Add(await reader.AskAsync($"reload {round}"));
                }

                Console.WriteLine(string.Create(
                    CultureInfo.InvariantCulture,
                    $"a list of {count:N0} entries ({new FileInfo(Path.Combine(directory, $"0.{form}")).Length / 1048576.0:F1} MiB, {form}) is read "
                        + $"again in {Median(answers, 0) / 1e6:F0} ms, worst {answers.Max(answer => answer[0]) / 1e6:F0}; resident memory grows by "
                        + $"{answers.Max(answer => answer[1]) / 1048576.0:F0} MiB at most"));
                var many = await reader.AskAsync($"many {Rounds + 1}");
                Console.WriteLine(string.Create(
                    CultureInfo.InvariantCulture,
                    $"asked {AtOnce} times at once: read {many[2]:N0} time(s) into lists in {many[0] / 1e6:F0} ms, {many[1] / 1048576.0:F0} MiB"));
            }
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    /// <summary>The process that has the list in force: <c>list-reload-reader DIRECTORY FORM</c>.</summary>
    internal static async Task ReadAsync(string directory, string form)
    {
        var current = Path.Combine(directory, "current.crl");
        File.Copy(Path.Combine(directory, $"0.{form}"), current, overwrite: true);

        // Only when it is asked: the watching itself is not what is measured.
        using var files = new RevocationListFiles([current], new WatchOptions { PollInterval = TimeSpan.FromHours(1) });
        var replaced = 0;
        files.Replaced += (_, _) => Interlocked.Increment(ref replaced);
        Console.WriteLine("ready 0");
        while (await Console.In.ReadLineAsync() is { } line)
        {
            var (task, number) = (line.Split(' ')[0], line.Split(' ')[1]);
            File.Copy(Path.Combine(directory, $"{number}.{form}"), current + ".new");
            File.Move(current + ".new", current, overwrite: true);
            GC.Collect(2, GCCollectionMode.Aggressive, blocking: true, compacting: true);
            GC.WaitForPendingFinalizers();
            var (before, counted) = (ResetPeak(), replaced);
            var clock = Stopwatch.StartNew();
            if (task == "many")
            {
                await Task.WhenAll(Enumerable.Range(0, AtOnce).Select(_ => Task.Factory.StartNew(
                    files.Reload, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default)));
            }
            else if (!files.Reload())
            {
                throw new InvalidOperationException("Nothing was replaced.", files.LastFailure);
            }

            var time = clock.Elapsed;
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"cpu {time.Ticks * 100} {Peak() - before} {replaced - counted}"));
        }
    }

    private static void Write(TestAuthority authority, string directory, int count)
    {
        var random = new Random(1);
        var at = TimeProvider.System.GetUtcNow().AddHours(-2);
        var revoked = new RevokedCertificate[count];
        for (var index = 0; index < count; index++)
        {
            // As most authorities number: 16 octets by chance.
            var serial = new byte[16];
            random.NextBytes(serial);
            serial[0] = (byte)((serial[0] & 0x7f) | 0x40);
            revoked[index] = new RevokedCertificate(
                new BigInteger(serial, isUnsigned: true, isBigEndian: true), at.AddSeconds(-index), X509RevocationReason.KeyCompromise);
        }

        for (var number = 0; number <= Rounds + 1; number++)
        {
            var der = authority.IssueCrl(spec => spec with { Revoked = revoked }).Raw.ToArray();
            File.WriteAllBytes(Path.Combine(directory, $"{number}.der"), der);
            File.WriteAllText(Path.Combine(directory, $"{number}.pem"), PemEncoding.WriteString("X509 CRL", der));
        }
    }

    /// <summary>Where Linux counts, the peak begins anew; the memory that is resident now.</summary>
    private static long ResetPeak()
    {
        if (OperatingSystem.IsLinux())
        {
            File.WriteAllText("/proc/self/clear_refs", "5");
        }

        return Environment.WorkingSet;
    }

    private static long Peak()
    {
        using var self = Process.GetCurrentProcess();
        return self.PeakWorkingSet64;
    }

    private static double Median(List<long[]> answers, int which) => answers.Select(answer => answer[which]).Order().ElementAt(answers.Count / 2);
}
