using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Net.Security;
using System.Runtime.InteropServices;

namespace MutualAuth.Platforms;

/// <summary>
/// What this process's TLS really offers and answers, read from the octets of handshakes in memory, and what else decides about its connections. No
/// setting is believed.
/// </summary>
/// <remarks>
/// It is the platform of this process, with its configuration (<c>OPENSSL_CONF</c>). Immutable and safe to share. Measured on Linux with OpenSSL;
/// elsewhere what cannot be told is <see cref="PlatformAnswer.Unknown"/>.
/// </remarks>
public sealed class PlatformReport
{
    private const int MaxRemembered = 16;
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(30);
    private static readonly ConcurrentDictionary<TlsChoice, Lazy<Task<PlatformReport>>> s_reports = new();

    internal PlatformReport(ClientCapabilities client, ServerCapabilities server)
    {
        Client = client;
        Server = server;
    }

    /// <summary>The runtime, such as <c>.NET 10.0.12</c>.</summary>
    public string Runtime { get; } = RuntimeInformation.FrameworkDescription;

    /// <summary>The OpenSSL of this process in its own words; null where there is none, or it cannot be told.</summary>
    public string? OpenSsl { get; internal init; }

    /// <summary>The providers of OpenSSL that are active, such as <c>default</c>, <c>fips</c> and <c>base</c>; empty where that is unknown.</summary>
    public ImmutableArray<string> Providers { get; internal init; } = [];

    /// <summary>
    /// Whether algorithms come from a provider named <c>fips</c> alone: it is active, and either demanded by the default properties or alone but for
    /// <c>base</c>. Whether that module has a certificate is not known to the process.
    /// </summary>
    public PlatformAnswer Fips { get; internal init; } = PlatformAnswer.Unknown;

    /// <summary>
    /// Whether the keys of connections are written to the file that <c>SSLKEYLOGFILE</c> names, by the framework, OpenSSL or a preloaded library. Who
    /// reads that file reads every connection.
    /// </summary>
    public PlatformAnswer KeyLogging { get; internal init; } = PlatformAnswer.Unknown;

    /// <summary>What our hello offers.</summary>
    public ClientCapabilities Client { get; }

    /// <summary>What our server answers.</summary>
    public ServerCapabilities Server { get; }

    /// <summary>Reads the platform, as connections with the default options meet it. The first call of a process takes about a second.</summary>
    /// <param name="cancellationToken">Ends the waiting, not the reading, which others may wait for.</param>
    /// <returns>The report. Whatever goes wrong is in it, as what is not known: nothing is thrown for that.</returns>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> was cancelled.</exception>
    /// <example><code>var platform = await PlatformReport.ReadAsync();</code></example>
    public static Task<PlatformReport> ReadAsync(CancellationToken cancellationToken = default) => ReadAsync(TlsChoice.Default, cancellationToken);

    /// <summary>The same, as connections meet it whose <c>MinimumTlsVersion</c> and <c>CipherSuites</c> are these.</summary>
    /// <param name="minimumTlsVersion">The lowest TLS version.</param>
    /// <param name="cipherSuites">The only cipher suites; empty for the platform's own.</param>
    /// <param name="cancellationToken">Ends the waiting, not the reading, which others may wait for.</param>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> was cancelled.</exception>
    /// <example><code>var strict = await PlatformReport.ReadAsync(TlsVersion.Tls13, [], CancellationToken.None);</code></example>
    public static Task<PlatformReport> ReadAsync(
        TlsVersion minimumTlsVersion, ImmutableArray<TlsCipherSuite> cipherSuites, CancellationToken cancellationToken) =>
        ReadAsync(TlsChoice.Of(minimumTlsVersion, TlsVersion.Tls13, cipherSuites.IsDefault ? [] : cipherSuites), cancellationToken);

    /// <summary>Judges what was found.</summary>
    /// <param name="requirements">What is required.</param>
    /// <param name="role">In which role alone; null for both.</param>
    /// <returns>Everything that does not meet it; empty where the platform does.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="requirements"/> is null.</exception>
    /// <example><code>var excesses = platform.Examine(PlatformRequirements.Fapi);</code></example>
    public ImmutableArray<PlatformExcess> Examine(PlatformRequirements requirements, PeerRole? role = null)
    {
        ArgumentNullException.ThrowIfNull(requirements);
        return [.. PlatformJudgement.ExcessesOf(requirements, this, role)];
    }

    /// <summary>The same, for connections with these versions and suites.</summary>
    internal static Task<PlatformReport> ReadAsync(TlsChoice choice, CancellationToken cancellationToken)
    {
        // Options come from the application, and few of them differ in this.
        var reading = s_reports.Count < MaxRemembered || s_reports.ContainsKey(choice)
            ? s_reports.GetOrAdd(choice, key => new(() => Task.Run(() => ReadOnceAsync(key)))).Value
            : Task.Run(() => ReadOnceAsync(choice));
        return cancellationToken.IsCancellationRequested
            ? Task.FromCanceled<PlatformReport>(cancellationToken)
            : reading.WaitAsync(cancellationToken);
    }

    private static async Task<PlatformReport> ReadOnceAsync(TlsChoice choice)
    {
        var report = await ReadNowAsync(choice).ConfigureAwait(false);
        if (report.Client.Problem is not null || report.Server.Problem is not null)
        {
            s_reports.TryRemove(choice, out _); // it may have been the moment's
        }

        return report;
    }

    private static async Task<PlatformReport> ReadNowAsync(TlsChoice choice)
    {
        var openSsl = OpenSslLibrary.Read();
        if (openSsl.HasNoAlgorithms)
        {
            // The framework's TLS ends the whole process there.
            const string Problem = "no provider of OpenSSL that is active has any algorithm.";
            return new PlatformReport(new ClientCapabilities { Problem = Problem }, new ServerCapabilities { Problem = Problem })
            {
                OpenSsl = openSsl.Version,
                Providers = openSsl.Providers,
                Fips = openSsl.Fips,
            };
        }

        var ourselves = await OwnHandshakes.FindOut().ConfigureAwait(false);
        return new PlatformReport(OwnHello.Read(choice), AskServer(choice, ourselves))
        {
            OpenSsl = openSsl.Version,
            Providers = openSsl.Providers,
            Fips = openSsl.Fips,
            KeyLogging = KeyLog.Look(ourselves.Hellos),
        };
    }

    /// <summary>Never throws: what goes wrong is the problem of the result.</summary>
    private static ServerCapabilities AskServer(TlsChoice choice, OwnHandshakes.Outcome ourselves)
    {
        try
        {
            using var patience = new CancellationTokenSource(s_patience);
            using var certificates = new OwnCertificates();
            return new ServerQuestions(choice, certificates, patience.Token).Ask(ourselves);
        }
        catch (Exception exception)
        {
            return new ServerCapabilities { Problem = $"the platform serves nobody in memory: {exception.Message}" };
        }
    }
}
