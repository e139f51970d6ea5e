using Microsoft.Extensions.Logging;
using MutualAuth.Errors;
using MutualAuth.Platforms;
using MutualAuth.Telemetry;

namespace MutualAuth.Handshake;

/// <summary>What a server or client does about the platform before it is made.</summary>
internal static class PlatformGate
{
    // The reading has a patience of its own for each of its two halves; this one is for a process in which it never begins.
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(90);

    /// <summary>Says at once what the framework was told, and otherwise, where a file is named, what our own handshakes left in it.</summary>
    internal static void WarnOfKeyLogging(ILogger logger)
    {
        if (KeyLog.FileName is not { } file)
        {
            return;
        }

        if (KeyLog.IsSwitchedOn)
        {
            PlatformLog.KeysAreLogged(logger, SafeText.Quote(file), KeyLog.Variable);
        }
        else
        {
            _ = LookAsync(file, logger);
        }
    }

    /// <summary>Refuses a platform that is more than the options require, or of which that cannot be told.</summary>
    /// <exception cref="PlatformException">It is so.</exception>
    internal static void Require(HandshakeOptions options, PeerRole role, ILogger logger)
    {
        if (options.RequirePlatform is not { } requirements)
        {
            return;
        }

        var report = Read(options);
        var excesses = report.Examine(requirements, role);
        if (excesses.IsEmpty)
        {
            PlatformLog.RequirementMet(logger, requirements.Name, $"{report.Runtime}, {report.OpenSsl ?? "no OpenSSL"}");
            return;
        }

        foreach (var excess in excesses)
        {
            PlatformLog.RequirementNotMet(logger, requirements.Name, excess.ToString());
        }

        throw new PlatformException(requirements, excesses);
    }

    private static PlatformReport Read(HandshakeOptions options)
    {
        var choice = TlsChoice.Of(options.MinimumTlsVersion, options.MaximumTlsVersion, options.CipherSuites);
        try
        {
            // A constructor cannot wait in another way. On the thread pool, so that no context of the caller's is waited for.
            return Task.Run(() => PlatformReport.ReadAsync(choice, CancellationToken.None)).WaitAsync(s_patience).GetAwaiter().GetResult();
        }
        catch (TimeoutException)
        {
            const string Problem = "the platform could not be read in time.";
            return new PlatformReport(new ClientCapabilities { Problem = Problem }, new ServerCapabilities { Problem = Problem });
        }
    }

    private static async Task LookAsync(string file, ILogger logger)
    {
        var ourselves = await OwnHandshakes.FindOut().ConfigureAwait(false);
        if (KeyLog.Look(file, ourselves.Hellos) == PlatformAnswer.Yes)
        {
            PlatformLog.KeysAreLogged(logger, SafeText.Quote(file), KeyLog.Variable);
        }
    }
}
