using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text;
using System.Threading.Channels;

namespace MutualAuth.Tests.Support;

/// <summary>A program under test or beside it: its lines as they come, and its end. Disposing of it kills it.</summary>
internal sealed class RunningProgram : IAsyncDisposable
{
    internal static readonly TimeSpan Deadline = TimeSpan.FromSeconds(30);

    private readonly Process _process;
    private readonly Channel<string> _lines = Channel.CreateUnbounded<string>();
    private readonly Channel<string> _errorLines = Channel.CreateUnbounded<string>();
    private readonly ConcurrentQueue<string> _output = new();
    private readonly ConcurrentQueue<string> _errors = new();
    private readonly Task _outputEnd;
    private readonly Task _errorEnd;

    private RunningProgram(Process process)
    {
        _process = process;
        _outputEnd = PumpAsync(process.StandardOutput, _output, _lines.Writer);
        _errorEnd = PumpAsync(process.StandardError, _errors, _errorLines.Writer);
    }

    internal IReadOnlyList<string> Output => [.. _output];

    internal IReadOnlyList<string> Errors => [.. _errors];

    internal int Id => _process.Id;

    internal bool HasEnded => _process.HasExited;

    internal static RunningProgram Start(string file, params IEnumerable<string> arguments)
    {
        var start = new ProcessStartInfo(file, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            StandardInputEncoding = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false),
        };
        return new RunningProgram(Process.Start(start)!);
    }

    /// <summary>One of ours, as it was built.</summary>
    internal static RunningProgram StartSample(string name, params IEnumerable<string> arguments) =>
        Start(Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet", [Repository.Program(name), .. arguments]);

    internal async Task WriteAsync(string text)
    {
        await _process.StandardInput.WriteAsync(text).WaitAsync(Deadline);
        await _process.StandardInput.FlushAsync().WaitAsync(Deadline);
    }

    internal void EndInput() => _process.StandardInput.Close();

    /// <summary>The next line of its output that contains <paramref name="text"/>; those before it are passed over.</summary>
    internal async Task<string> LineAsync(string text = "", TimeSpan? within = null)
    {
        using var deadline = new CancellationTokenSource(within ?? Deadline);
        try
        {
            await foreach (var line in _lines.Reader.ReadAllAsync(deadline.Token))
            {
                if (line.Contains(text, StringComparison.Ordinal))
                {
                    return line;
                }
            }
        }
        catch (OperationCanceledException)
        {
            // Told below, with all that it said.
        }

        throw new AssertionException($"No line with '{text}' came.\n{this}");
    }

    /// <summary>The first line of its stderr that contains <paramref name="text"/>.</summary>
    internal async Task<string> ErrorLineAsync(string text)
    {
        using var deadline = new CancellationTokenSource(Deadline);
        while (true)
        {
            if (Errors.FirstOrDefault(line => line.Contains(text, StringComparison.Ordinal)) is { } found)
            {
                return found;
            }

            try
            {
                // Only tells that there is more: what was said before counts too.
                await _errorLines.Reader.ReadAsync(deadline.Token);
            }
            catch (Exception exception) when (exception is OperationCanceledException or ChannelClosedException)
            {
                throw new AssertionException($"It never said '{text}' on stderr.\n{this}");
            }
        }
    }

    internal async Task<int> ExitCodeAsync(TimeSpan? within = null)
    {
        using var deadline = new CancellationTokenSource(within ?? Deadline);
        try
        {
            await _process.WaitForExitAsync(deadline.Token);
            await Task.WhenAll(_outputEnd, _errorEnd).WaitAsync(deadline.Token);
        }
        catch (OperationCanceledException)
        {
            throw new AssertionException($"It did not end.\n{this}");
        }

        return _process.ExitCode;
    }

    /// <summary>Asks it to end, as a supervisor does.</summary>
    internal void Terminate(string signal = "TERM") => Process.Start("kill", [$"-{signal}", $"{_process.Id}"]).WaitForExit();

    public override string ToString() =>
        $"{_process.StartInfo.FileName} "
            + $"{string.Join(' ', _process.StartInfo.ArgumentList)}\nstdout:\n{string.Join('\n', _output)}\nstderr:\n{string.Join('\n', _errors)}";

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            _process.Kill(entireProcessTree: true);
            await _process.WaitForExitAsync().WaitAsync(Deadline);
        }

        _process.Dispose();
    }

    private static async Task PumpAsync(StreamReader reader, ConcurrentQueue<string> all, ChannelWriter<string> lines)
    {
        while (await reader.ReadLineAsync() is { } line)
        {
            all.Enqueue(line);
            lines.TryWrite(line);
        }

        lines.TryComplete();
    }
}
