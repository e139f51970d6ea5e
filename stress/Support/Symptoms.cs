using System.Net.Sockets;

namespace MutualAuth.Stress.Support;

/// <summary>What an exception of a call of an application says about the library.</summary>
internal static class Symptoms
{
    /// <summary>
    /// Counts it. A record that cannot be authenticated, or an error that OpenSSL itself reports, is the mark of two threads in one TLS state;
    /// any type but <see cref="IOException"/> is one that no handler expects.
    /// </summary>
    internal static void Count(Figures figures, Exception exception)
    {
        var chain = Chain(exception).ToList();
        if (chain.Any(IsBadRecord))
        {
            figures.Fault("bad-record-mac");
        }
        else if (chain.Any(link => link.GetType().Name == "SslException"))
        {
            figures.Fault("ssl-exceptions");
            figures.Note("ssl-exception", chain[^1].Message);
        }
        else if (exception is not (IOException or SocketException))
        {
            figures.Fault("undocumented-exceptions");
            figures.Note("undocumented", exception.GetType().Name);
        }
    }

    private static bool IsBadRecord(Exception exception) =>
        exception.Message.Contains("bad record mac", StringComparison.OrdinalIgnoreCase)
            || exception.Message.Contains("decryption failed", StringComparison.OrdinalIgnoreCase);

    private static IEnumerable<Exception> Chain(Exception? exception)
    {
        for (; exception is not null; exception = exception.InnerException)
        {
            yield return exception;
        }
    }
}
