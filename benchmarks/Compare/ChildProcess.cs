using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;

namespace MutualAuth.Benchmarks.Compare;

/// <summary>A process on one core of its own, asked and answered line by line.</summary>
internal sealed class ChildProcess : IAsyncDisposable
{
    private static readonly TimeSpan s_patience = TimeSpan.FromMinutes(5);

    private readonly Process _process;

    private ChildProcess(Process process) => _process = process;

    /// <summary>The port that it said it listens on; 0 for a client.</summary>
    internal int Port { get; private set; }

    /// <summary>What it holds in memory now.</summary>
    internal long ResidentBytes
    {
        get
        {
            _process.Refresh();
            return _process.WorkingSet64;
        }
    }

    /// <summary>Starts a command on a core, with a higher priority where that is allowed, and waits until it says that it is ready.</summary>
    internal static async Task<ChildProcess> StartAsync(int core, params string[] command)
    {
        var start = new ProcessStartInfo { RedirectStandardInput = true, RedirectStandardOutput = true, UseShellExecute = false };
        string[] pinned = OperatingSystem.IsLinux() && Environment.ProcessorCount > 1
            ? ["taskset", "-c", core.ToString(CultureInfo.InvariantCulture), .. command]
            : command;
        start.FileName = pinned[0];
        foreach (var word in pinned[1..])
        {
            start.ArgumentList.Add(word);
        }

        // Idle workers that spin would bill the time in which there is nothing to do to whoever waits most.
        start.Environment["DOTNET_ThreadPool_UnfairSemaphoreSpinLimit"] = "0";
        var child = new ChildProcess(Process.Start(start)!);
        try
        {
            child._process.PriorityClass = ProcessPriorityClass.AboveNormal;
        }
        catch (Win32Exception)
        {
            // Only a privileged user may; the ratios hold without it, with more spread.
        }

        child.Port = (int)(await child.ReadAsync("ready"))[0];
        return child;
    }

    /// <summary>This program with other arguments, and with a configuration of OpenSSL.</summary>
    internal static Task<ChildProcess> StartConfiguredAsync(int core, string file, params string[] arguments) =>
        StartAsync(core, ["env", $"OPENSSL_CONF={file}", "dotnet", typeof(ChildProcess).Assembly.Location, .. arguments]);

    /// <summary>This program with other arguments.</summary>
    internal static Task<ChildProcess> StartSelfAsync(int core, params string[] arguments) =>
        StartAsync(core, ["dotnet", typeof(ChildProcess).Assembly.Location, .. arguments]);

    /// <summary>
    /// Sends a line and returns the numbers of the answer: processor time in nanoseconds, bytes allocated, and for a client the time that passed.
    /// </summary>
    internal async Task<long[]> AskAsync(string line)
    {
        await _process.StandardInput.WriteLineAsync(line);
        await _process.StandardInput.FlushAsync();
        return await ReadAsync("cpu");
    }

    public async ValueTask DisposeAsync()
    {
        _process.StandardInput.Close();
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(5));
        try
        {
            await _process.WaitForExitAsync(patience.Token);
        }
        catch (OperationCanceledException)
        {
            _process.Kill();
        }

        _process.Dispose();
    }

    private async Task<long[]> ReadAsync(string firstWord)
    {
        var line = await _process.StandardOutput.ReadLineAsync().WaitAsync(s_patience);
        var words = line?.Split(' ') ?? [];
        return words.Length > 1 && words[0] == firstWord
            ? [.. words[1..].Select(word => long.Parse(word, CultureInfo.InvariantCulture))]
            : throw new InvalidOperationException(
                $"{_process.StartInfo.FileName} {string.Join(' ', _process.StartInfo.ArgumentList)} said '{line}', where "
                    + $"'{firstWord}' was expected.");
    }
}
