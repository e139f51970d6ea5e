using System.CommandLine;
using System.CommandLine.Help;
using System.Net;
using MutualAuth.Errors;

namespace MutualAuth.Samples;

/// <summary>How both programs read their command line, end on a signal and say what went wrong: <c>code: message</c>, last on stderr.</summary>
internal static class CommandLine
{
    internal const int UsageExitCode = 2;

    internal static async Task<int> RunAsync(RootCommand command, string[] args)
    {
        var parsed = command.Parse(args, new ParserConfiguration { ResponseFileTokenReplacer = null });
        if (parsed.Errors is [var first, ..] && parsed.Action is not HelpAction)
        {
            return Fail(UsageExitCode, "usage", $"{first.Message} See --help.");
        }

        try
        {
            // SIGINT and SIGTERM cancel the action's token; it has this long to come to its end.
            return await parsed.InvokeAsync(new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = TimeSpan.FromSeconds(15) });
        }
        catch (UsageException exception)
        {
            return Fail(UsageExitCode, "usage", exception.Message);
        }
        catch (MaterialException exception)
        {
            return Fail(UsageExitCode, "material", exception.Message);
        }
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

    internal static EndPoint ToEndPoint(string host, int port) =>
        IPAddress.TryParse(host, out var address) ? new IPEndPoint(address, port) : new DnsEndPoint(host, port);
}
