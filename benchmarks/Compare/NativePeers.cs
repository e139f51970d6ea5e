using System.ComponentModel;
using System.Diagnostics;

namespace MutualAuth.Benchmarks.Compare;

/// <summary>Servers in other languages, built from their sources here where a compiler is installed, unless they are there already.</summary>
internal static class NativePeers
{
    /// <summary>The command of the C server on OpenSSL; null, with a note on why, when it cannot be built.</summary>
    internal static string? C(string directory, TextWriter notes)
    {
        var program = Path.GetFullPath(Path.Combine(directory, "server-c"));
        return File.Exists(program) || Run("gcc", Sources("c"), ["-O2", "-o", program, "server.c", "-lssl", "-lcrypto", "-lpthread"], notes)
            ? program
            : null;
    }

    /// <summary>The command of the Go server.</summary>
    internal static string? Go(string directory, TextWriter notes)
    {
        var program = Path.GetFullPath(Path.Combine(directory, "server-go"));
        return File.Exists(program) || Run("go", Sources("go"), ["build", "-o", program, "."], notes) ? program : null;
    }

    /// <summary>The command of the Go client, which makes nothing but handshakes.</summary>
    internal static string? BuildGoClient(string directory, TextWriter notes)
    {
        var program = Path.Combine(directory, "client-go");
        return Run("go", Sources("goclient"), ["build", "-o", program, "."], notes) ? program : null;
    }

    private static string Sources(string language) => Path.Combine(AppContext.BaseDirectory, "peers", language);

    private static bool Run(string compiler, string directory, string[] arguments, TextWriter notes)
    {
        try
        {
            var start = new ProcessStartInfo(compiler, arguments) { WorkingDirectory = directory, RedirectStandardError = true };
            using var process = Process.Start(start)!;
            var errors = process.StandardError.ReadToEnd();
            process.WaitForExit();
            if (process.ExitCode == 0)
            {
                return true;
            }

            notes.WriteLine($"skipped: what {compiler} builds, which failed. {errors.Split('\n')[0]}");
        }
        catch (Win32Exception)
        {
            notes.WriteLine($"skipped: what {compiler} builds, which is not installed.");
        }

        return false;
    }
}
