using MutualAuth.Platforms;

namespace MutualAuth.Hosting.Running;

/// <summary>What the health check says of TLS beneath all listeners and clients. It is read once for the process.</summary>
/// <param name="OpenSsl">Which OpenSSL; null where it is unknown.</param>
/// <param name="GivesSessions">Whether its servers give sessions.</param>
/// <param name="KeyLogging">Whether keys are written to a file.</param>
/// <param name="Fips">Whether algorithms come from a FIPS provider alone.</param>
internal sealed record PlatformHealth(string? OpenSsl, PlatformAnswer GivesSessions, PlatformAnswer KeyLogging, PlatformAnswer Fips)
{
    // A check has a deadline of its own, often of a second, and the first reading takes about as long.
    private static readonly TimeSpan s_patience = TimeSpan.FromMilliseconds(250);

    private bool IsShared => GivesSessions == PlatformAnswer.No;

    /// <summary>What an operator must know; null for nothing.</summary>
    internal string? Alarm => KeyLogging == PlatformAnswer.Yes
        ? "The keys of all connections of this process are written to the file that SSLKEYLOGFILE names."
        : null;

    /// <summary>How connections of listeners have their TLS context, in words.</summary>
    internal string Mode => IsShared
        ? "OpenSSL gives no sessions: the TLS 1.3 connections of a listener share one TLS context for each identity."
        : "OpenSSL gives sessions, or it cannot be told: each connection of a listener has a TLS context of its own.";

    /// <summary>What is known within a moment. The reading goes on, and a later check has it.</summary>
    internal static async Task<PlatformHealth> ReadAsync(CancellationToken cancellationToken)
    {
        try
        {
            var report = await PlatformReport.ReadAsync(CancellationToken.None).WaitAsync(s_patience, cancellationToken).ConfigureAwait(false);
            return new PlatformHealth(report.OpenSsl, report.Server.GivesSessions, report.KeyLogging, report.Fips);
        }
        catch (TimeoutException)
        {
            return new PlatformHealth(null, PlatformAnswer.Unknown, PlatformAnswer.Unknown, PlatformAnswer.Unknown);
        }
    }

    internal void AddTo(Dictionary<string, object> data)
    {
        data["platform.openssl"] = OpenSsl ?? "unknown";
        data["platform.tls_context"] = IsShared ? "shared" : "per_connection";
        data["platform.key_logging"] = Word(KeyLogging);
        data["platform.fips"] = Word(Fips);
    }

    private static string Word(PlatformAnswer answer) => answer.ToString().ToLowerInvariant();
}
