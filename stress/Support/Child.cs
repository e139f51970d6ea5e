using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;

namespace MutualAuth.Stress.Support;

/// <summary>This program once more, in a process of its own, which is asked and answered line by line.</summary>
internal sealed class Child : IAsyncDisposable
{
    private const int KeptErrors = 200;
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(30);

    private readonly Process _process;
    private readonly ConcurrentQueue<string> _errors = new();

    private Child(Process process)
    {
        _process = process;
        process.ErrorDataReceived += (_, line) => Keep(line.Data);
        process.BeginErrorReadLine();
    }

    internal bool IsAlive => !_process.HasExited;

    /// <summary>Processor time so far, of all its threads, those that have ended included: from /proc, in ticks of 10 ms.</summary>
    internal TimeSpan ProcessorTime
    {
        get
        {
            // The name of the program may hold blanks; it ends with the last bracket (proc(5)). What follows begins with field 3.
            var text = File.ReadAllText(string.Create(CultureInfo.InvariantCulture, $"/proc/{_process.Id}/stat"));
            var fields = text[(text.LastIndexOf(')') + 2)..].Split(' ');
            return TimeSpan.FromMilliseconds(
                10 * (long.Parse(fields[11], CultureInfo.InvariantCulture) + long.Parse(fields[12], CultureInfo.InvariantCulture)));
        }
    }

    internal int Descriptors => Directory.GetFiles(string.Create(CultureInfo.InvariantCulture, $"/proc/{_process.Id}/fd")).Length;

    /// <summary>What of its memory is in the machine's, in MiB.</summary>
    internal double ResidentMiB
    {
        get
        {
            var pages = File.ReadAllText(string.Create(CultureInfo.InvariantCulture, $"/proc/{_process.Id}/statm")).Split(' ')[1];
            return long.Parse(pages, CultureInfo.InvariantCulture) * Environment.SystemPageSize / (1024.0 * 1024.0);
        }
    }

    internal static Child Start(string[] arguments, int? descriptorLimit = null, IReadOnlyDictionary<string, string>? environment = null)
    {
        var start = new ProcessStartInfo
        { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false };
        string[] command = ["dotnet", typeof(Child).Assembly.Location, .. arguments];
        if (descriptorLimit is { } limit)
        {
            command = ["sh", "-c", string.Create(CultureInfo.InvariantCulture, $"ulimit -n {limit} && exec \"$@\""), "sh", .. command];
        }

        start.FileName = command[0];
        foreach (var word in command[1..])
        {
            start.ArgumentList.Add(word);
        }

        foreach (var (name, value) in environment ?? new Dictionary<string, string>())
        {
            start.Environment[name] = value;
        }

        return new Child(Process.Start(start)!);
    }

    /// <summary>A role of this program, once it has said that it is ready; the answer holds what it said with that.</summary>
    internal static async Task<(Child Child, string[] Said)> StartRoleAsync(string[] role, int? descriptorLimit = null)
    {
        var child = Start(["role", .. role], descriptorLimit);
        try
        {
            return (child, await child.AnswerAsync("ready", s_patience));
        }
        catch
        {
            await child.DisposeAsync();
            throw;
        }
    }

    internal async Task<string?> ReadLineAsync(CancellationToken cancellationToken) => await _process.StandardOutput.ReadLineAsync(cancellationToken);

    /// <summary>Sends a line and gives the words of the answer after the first, which is the same as that of the question.</summary>
    internal async Task<string[]> AskAsync(string line, TimeSpan? beyondPatience = null)
    {
        await _process.StandardInput.WriteLineAsync(line);
        await _process.StandardInput.FlushAsync();
        return await AnswerAsync(line.Split(' ')[0], s_patience + (beyondPatience ?? TimeSpan.Zero));
    }

    internal async Task<int> WaitForExitAsync()
    {
        using var patience = new CancellationTokenSource(s_patience);
        await _process.WaitForExitAsync(patience.Token);
        return _process.ExitCode;
    }

    /// <summary>What it last said on stderr: the first line of it that speaks of a crash, or else the last.</summary>
    internal string LastError()
    {
        string[] lines = [.. _errors];
        return lines.FirstOrDefault(line => line.Contains("free()", StringComparison.Ordinal) || line.Contains("malloc", StringComparison.Ordinal)
                || line.Contains("Unhandled exception", StringComparison.Ordinal) || line.Contains("Out of memory", StringComparison.Ordinal))
            ?? lines.LastOrDefault() ?? "silently";
    }

    public async ValueTask DisposeAsync()
    {
        if (IsAlive)
        {
            _process.Kill(entireProcessTree: true);
            await WaitForExitAsync();
        }

        _process.Dispose();
    }

    private async Task<string[]> AnswerAsync(string firstWord, TimeSpan patience)
    {
        using var deadline = new CancellationTokenSource(patience);
        var line = await ReadLineAsync(deadline.Token);
        var words = line?.Split(' ') ?? [];
        return words.Length > 0 && words[0] == firstWord
            ? words[1..]
            : throw new InvalidOperationException(
                $"{string.Join(' ', _process.StartInfo.ArgumentList.Skip(1))} said '{line}', where '{firstWord}' was expected. {LastError()}");
    }

    private void Keep(string? line)
    {
        if (line is { Length: > 0 })
        {
            _errors.Enqueue(line);
            if (_errors.Count > KeptErrors)
            {
                _errors.TryDequeue(out _);
            }
        }
    }
}
