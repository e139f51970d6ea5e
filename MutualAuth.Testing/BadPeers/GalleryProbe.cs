using System.Globalization;
using System.Text;

namespace MutualAuth.Testing.BadPeers;

/// <summary>
/// Finds out, after the handshake, whether a server serves this client: a client cannot tell from the handshake of TLS 1.3, and many servers
/// finish every handshake and refuse in their first answer.
/// </summary>
/// <remarks>
/// Immutable, and safe for concurrent use. What ends a connection without an answer is judged by the run: an alert, or the server's closing
/// after the client has shown its certificate, is a refusal; everything else is unclear.
/// </remarks>
/// <example>
/// <code>
/// var options = new GalleryRunOptions { Probe = GalleryProbe.Http("/health") };
/// </code>
/// </example>
public sealed class GalleryProbe
{
    private const int MaxAnswer = 64 * 1024;
    private const int StatusLine = 12;

    private readonly Func<Stream, CancellationToken, Task<(PeerOutcome? Outcome, string Detail)>> _ask;

    private GalleryProbe(Func<Stream, CancellationToken, Task<(PeerOutcome? Outcome, string Detail)>> ask) => _ask = ask;

    /// <summary>
    /// Asks for <c>/</c> by HTTP/1.0, and takes any answer for service, as echo servers give it too. An answer that begins
    /// <c>HTTP/1.x 4</c> is a refusal, except 408 and 429, which speak of time and rate: these and <c>HTTP/1.x 5</c> are unclear. Interim answers,
    /// such as <c>103 Early Hints</c>, are passed over.
    /// </summary>
    public static GalleryProbe AnyAnswer { get; } = Asking("GET / HTTP/1.0\r\n\r\n"u8.ToArray(), answer => JudgeAny(answer));

    /// <summary>Sends a line and expects the same back; another answer is unclear.</summary>
    public static GalleryProbe Echo { get; } = MakeEcho();

    /// <summary>
    /// Asks for a page by HTTP/1.1: 2xx is service, 4xx is a refusal except 408 and 429, and every other answer is unclear. The good neighbour
    /// must get 2xx. Interim answers, such as <c>100 Continue</c>, are passed over.
    /// </summary>
    /// <param name="path">The path, with its leading slash, percent-encoded.</param>
    /// <param name="host">The host to name. Default: <c>server.test</c>.</param>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    /// <exception cref="ArgumentException">The path does not begin with a slash, or an argument has other octets than visible ASCII.</exception>
    public static GalleryProbe Http(string path, string host = "server.test")
    {
        ArgumentNullException.ThrowIfNull(path);
        ArgumentNullException.ThrowIfNull(host);
        if (!path.StartsWith('/') || !IsVisible(path))
        {
            throw new ArgumentException("A path begins with a slash and is percent-encoded.", nameof(path));
        }

        if (!IsVisible(host))
        {
            throw new ArgumentException("A host is written in ASCII, without spaces.", nameof(host));
        }

        return Asking(
            Encoding.ASCII.GetBytes($"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"),
            answer => JudgeHttp(answer));
    }

    /// <summary>Sends a request of yours, and has you judge the answer.</summary>
    /// <param name="request">The octets to send; a copy is taken. Empty waits for what the server says first.</param>
    /// <param name="judge">
    /// Is given the whole answer so far, each time that some of it came; null reads on. An answer without a verdict after 64 KiB, or at its
    /// end, is unclear.
    /// </param>
    /// <exception cref="ArgumentNullException"><paramref name="judge"/> is null.</exception>
    public static GalleryProbe Request(ReadOnlyMemory<byte> request, Func<ReadOnlyMemory<byte>, PeerOutcome?> judge)
    {
        ArgumentNullException.ThrowIfNull(judge);
        return Asking(
            request.ToArray(), answer => judge(answer) is { } outcome ? (outcome, $"an answer of {answer.Length} octets") : (null, string.Empty));
    }

    /// <summary>A conversation of yours, which says what became of the client.</summary>
    /// <param name="probe">
    /// Gets the stream inside TLS, not owned, and a token that ends the patience. An <see cref="IOException"/> is judged by what was seen of the
    /// connection, and is unclear once the server has answered something; any other exception is unclear. Both are told in the report.
    /// </param>
    /// <exception cref="ArgumentNullException"><paramref name="probe"/> is null.</exception>
    public static GalleryProbe From(Func<Stream, CancellationToken, Task<PeerOutcome>> probe)
    {
        ArgumentNullException.ThrowIfNull(probe);
        return new GalleryProbe(async (stream, token) => (await probe(stream, token).ConfigureAwait(false), "the probe's verdict"));
    }

    /// <summary>Asks; no outcome when the connection ended in order and without a verdict.</summary>
    internal Task<(PeerOutcome? Outcome, string Detail)> AskAsync(Stream stream, CancellationToken token) => _ask(stream, token);

    private static GalleryProbe MakeEcho()
    {
        var line = "MutualAuth gallery\r\n"u8.ToArray();
        return Asking(
            line,
            answer => answer.Span.SequenceEqual(line) ? (PeerOutcome.LetIn, "echoed")
                : line.AsSpan().StartsWith(answer.Span) ? (null, string.Empty)
                : (PeerOutcome.Unclear, "the answer is no echo"));
    }

    private static GalleryProbe Asking(byte[] request, Func<ReadOnlyMemory<byte>, (PeerOutcome? Outcome, string Detail)> judge) => new(

        // BouncyCastle's stream blocks, so a thread is lent to it; the run ends it by closing the transport.
        (stream, token) => Task.Factory.StartNew(
            () =>
            {
                stream.Write(request);
                stream.Flush();
                var answer = new byte[MaxAnswer];
                var length = 0;
                for (var count = stream.Read(answer); count > 0; count = stream.Read(answer.AsSpan(length)))
                {
                    length += count;
                    if (judge(answer.AsMemory(0, length)) is { Outcome: not null } verdict)
                    {
                        return verdict;
                    }

                    if (length == answer.Length)
                    {
                        return (PeerOutcome.Unclear, "an answer of 64 KiB without a verdict");
                    }
                }

                return ((PeerOutcome?)null, "the connection ended without a verdict");
            },
            token,
            TaskCreationOptions.LongRunning,
            TaskScheduler.Default));

    private static (PeerOutcome? Outcome, string Detail) JudgeAny(ReadOnlyMemory<byte> answer) => StatusOf(FinalPartOf(answer.Span)) switch
    {
        null => (null, string.Empty),
        0 => (PeerOutcome.LetIn, "answered"),
        { } status when OfClients(status) is { } outcome => (outcome, $"HTTP {status}"),
        >= 500 and var status => (PeerOutcome.Unclear, $"HTTP {status}"),
        { } status => (PeerOutcome.LetIn, $"HTTP {status}"),
    };

    private static (PeerOutcome? Outcome, string Detail) JudgeHttp(ReadOnlyMemory<byte> answer) => StatusOf(FinalPartOf(answer.Span)) switch
    {
        null => (null, string.Empty),
        0 => (PeerOutcome.Unclear, "the answer is no HTTP/1"),
        >= 200 and < 300 and var status => (PeerOutcome.LetIn, $"HTTP {status}"),
        { } status => (OfClients(status) ?? PeerOutcome.Unclear, $"HTTP {status}"),
    };

    /// <summary>Codes that speak of the client; 408 and 429 speak of the hour and of everybody.</summary>
    private static PeerOutcome? OfClients(int status) => status switch
    {
        408 or 429 => PeerOutcome.Unclear,
        >= 400 and < 500 => PeerOutcome.Refused,
        _ => null,
    };

    /// <summary>
    /// What follows the interim answers, which say nothing of the request (RFC 9110 §15.2); 101 is none of them, for no other follows it. Empty
    /// while an interim answer is not through.
    /// </summary>
    private static ReadOnlySpan<byte> FinalPartOf(ReadOnlySpan<byte> answer)
    {
        while (StatusOf(answer) is 100 or (> 101 and < 200))
        {
            var end = answer.IndexOf("\r\n\r\n"u8);
            answer = end < 0 ? [] : answer[(end + 4)..];
        }

        return answer;
    }

    /// <summary>The status of an answer; 0 when it is no HTTP/1, null when more of it is needed to tell.</summary>
    private static int? StatusOf(ReadOnlySpan<byte> answer)
    {
        var begin = "HTTP/1."u8;
        if (!answer.StartsWith(begin[..Math.Min(begin.Length, answer.Length)]))
        {
            return 0;
        }

        return answer.Length < StatusLine ? null
            : int.TryParse(answer[(StatusLine - 3)..StatusLine], NumberStyles.None, CultureInfo.InvariantCulture, out var status)
                && answer[StatusLine - 4] == ' ' ? status : 0;
    }

    private static bool IsVisible(string text) => text.Length > 0 && text.All(letter => letter is > ' ' and < '\x7f');
}
