using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Parsing;
using System.Net;
using System.Runtime.InteropServices;
using System.Text;

namespace MutualAuth.Samples;

/// <summary>How both programs read their command line, end on a signal and say what went wrong: <c>code: message</c>, last on stderr.</summary>
internal static class CommandLine
{
    internal const int UsageExitCode = 2;

    internal static async Task<int> RunAsync(Command command, string[] args)
    {
        var parsed = command.Parse(args, new ParserConfiguration { ResponseFileTokenReplacer = null });
        if (UnknownOption(parsed, args) is { } unknown && parsed.Action is not HelpAction)
        {
            return Fail(UsageExitCode, "usage", $"'{unknown}' is not an option of this program. See --help.");
        }

        if (parsed.Errors is [var first, ..] && parsed.Action is not HelpAction)
        {
            return Fail(UsageExitCode, "usage", $"{first.Message} See --help.");
        }

        // The first signal asks the action to finish; a second one ends the process.
        using var stop = new CancellationTokenSource();
        using var onInterrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
        using var onTerminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
        try
        {
            return await parsed.InvokeAsync(
                new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null }, stop.Token);
        }
        catch (UsageException exception)
        {
            return Fail(UsageExitCode, "usage", exception.Message);
        }
        catch (MaterialException exception)
        {
            return Fail(UsageExitCode, "material", exception.Message);
        }

        void Stop(PosixSignalContext signal)
        {
            signal.Cancel = !stop.IsCancellationRequested;
            stop.Cancel();
        }
    }

    /// <summary>An option that the program does not have: the parser would take it for a value of the option before it.</summary>
    private static string? UnknownOption(ParseResult parsed, string[] args)
    {
        var namesCanBeginWithADash = parsed.CommandResult.Command.Arguments.Count > 0;
        var values = parsed.Tokens.Where(token => token.Type == TokenType.Argument && args.Contains(token.Value)).Select(token => token.Value);
        return values.FirstOrDefault(text =>
            text is ['-', '-', not '-', ..] || (!namesCanBeginWithADash && text is ['-', _, ..] && char.IsAsciiLetter(text[1])));
    }

    internal static int Fail(int exitCode, string code, string message)
    {
        Console.Error.WriteLine($"{code}: {message.ReplaceLineEndings(" ")}");
        return exitCode;
    }

    internal static void Note(string message) => Console.Error.WriteLine($"note: {message}");

    /// <summary>Reads <c>HOST:PORT</c> or <c>[IPV6]:PORT</c>.</summary>
    internal static (string Host, int Port) ParseHostAndPort(string flag, string text)
    {
        var colon = text.LastIndexOf(':');
        var host = colon < 0 ? string.Empty : text[..colon];
        var isBracketed = host is ['[', .., ']'];
        if (isBracketed)
        {
            host = host[1..^1];
        }

        return host.Length > 0 && isBracketed == host.Contains(':') && ushort.TryParse(text.AsSpan(colon + 1), out var port)
            ? (host, port)
            : throw new UsageException($"{flag} wants HOST:PORT, or [ADDRESS]:PORT for an IPv6 address; '{text}' is neither.");
    }

    internal static string FirstLineOf(string flag, string path)
    {
        try
        {
            return File.ReadLines(path).FirstOrDefault() ?? string.Empty;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new UsageException($"{flag}: the file cannot be read: {exception.Message}");
        }
    }

    /// <summary>
    /// A user's name as one token of a line, or - without a user. Characters that break the line or control a terminal are escaped.
    /// </summary>
    internal static string Token(string? name)
    {
        var token = new StringBuilder();
        foreach (var rune in (name ?? string.Empty).EnumerateRunes())
        {
            var isPlain = rune.IsAscii ? rune.Value is > ' ' and not '%' and < 0x7f : Rune.IsLetterOrDigit(rune);
            token.Append(isPlain ? rune.ToString() : Uri.EscapeDataString(rune.ToString()));
        }

        return name switch
        {
            null => "-",
            "-" => "%2D", // a user with this very name
            _ => token.ToString(),
        };
    }

    internal static EndPoint ToEndPoint(string flag, string text)
    {
        var (host, port) = ParseHostAndPort(flag, text);
        return IPAddress.TryParse(host, out var address) ? new IPEndPoint(address, port) : new DnsEndPoint(host, port);
    }
}
