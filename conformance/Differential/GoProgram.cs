using System.Buffers.Binary;
using System.Diagnostics;

namespace MutualAuth.Conformance.Differential;

/// <summary>
/// Go's crypto/x509, asked about many cases by one run of a program that is built once, from <c>verify.go</c> beside this assembly.
/// </summary>
internal static class GoProgram
{
    private static readonly Lazy<string?> s_program = new(Build);

    /// <summary>What it says of each; null where there is no Go on this machine.</summary>
    internal static IReadOnlyList<Opinion?> AskAll(IReadOnlyList<GeneratedCase> cases)
    {
        if (s_program.Value is not { } program)
        {
            return new Opinion?[cases.Count];
        }

        var file = Path.Combine(Path.GetDirectoryName(program)!, $"cases-{Guid.NewGuid():N}");
        try
        {
            using (var output = File.Create(file))
            {
                foreach (var generated in cases)
                {
                    Write(output, generated);
                }
            }

            string[] lines = Run(program, [file])!.Split('\n', StringSplitOptions.RemoveEmptyEntries);
            return lines.Length == cases.Count
                ? [.. lines.Select(line => (Opinion?)new Opinion(line == "accepted", Brief(line), line))]
                : throw new InvalidOperationException($"Go answered about {lines.Length} of {cases.Count} cases.");
        }
        finally
        {
            File.Delete(file);
        }
    }

    private static void Write(FileStream output, GeneratedCase generated)
    {
        Span<byte> number = stackalloc byte[8];
        BinaryPrimitives.WriteInt64BigEndian(number, generated.At.ToUnixTimeSeconds());
        output.Write(number);
        BinaryPrimitives.WriteInt32BigEndian(number, 2 + generated.Others.Count);
        output.Write(number[..4]);
        foreach (var der in (IEnumerable<ReadOnlyMemory<byte>>)[generated.Root, generated.Leaf, .. generated.Others])
        {
            BinaryPrimitives.WriteInt32BigEndian(number, der.Length);
            output.Write(number[..4]);
            output.Write(der.Span);
        }
    }

    /// <summary>The reason without what differs from case to case, such as times and names in quotation marks.</summary>
    private static string Brief(string line)
    {
        var text = line.Replace("x509: ", string.Empty, StringComparison.Ordinal);
        var end = text.AsSpan().IndexOfAny(":(\"");
        return (end > 0 ? text[..end] : text).Trim();
    }

    private static string? Build()
    {
        var directory = Directory.CreateTempSubdirectory("differential-go");
        AppDomain.CurrentDomain.ProcessExit += (_, _) => directory.Delete(recursive: true);
        var program = Path.Combine(directory.FullName, "verify");
        return Run("go", ["build", "-o", program, Path.Combine(AppContext.BaseDirectory, "Differential", "verify.go")]) is null ? null : program;
    }

    private static string? Run(string program, IEnumerable<string> arguments)
    {
        try
        {
            using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true })!;
            var said = process.StandardOutput.ReadToEnd();
            process.WaitForExit();
            return process.ExitCode == 0 ? said : throw new InvalidOperationException($"{Path.GetFileName(program)} ended with {process.ExitCode}.");
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return null;
        }
    }
}
