using System.Globalization;
using System.Net.Sockets;
using System.Text;
using MutualAuth.Testing.Building;

namespace MutualAuth.Testing.Responders;

/// <summary>One connection to a responder: reads its requests, and answers each as the responder's mode has it.</summary>
internal sealed class HttpConnection(HttpResponder responder, Socket socket, CancellationToken stop) : IDisposable
{
    // Octets that are neither DER nor PEM, and the same in every run.
    private static readonly byte[] s_garbage = Seed.Of("garbage").Bytes(999);

    private const int MaxDrained = 16 << 20;

    private static readonly TimeSpan s_lastWord = TimeSpan.FromSeconds(2);

    // Known (RFC 9110 §9.1), though a responder allows few of them.
    private static readonly string[] s_knownMethods = ["GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"];

    private readonly NetworkStream _stream = new(socket, ownsSocket: true);

    public void Dispose() => _stream.Dispose();

    internal async Task RunAsync()
    {
        var reader = new HttpRequestReader(_stream);
        var isLast = false;
        try
        {
            while (await reader.ReadHeadAsync(stop).ConfigureAwait(false) is { } head && await ExchangeAsync(reader, head).ConfigureAwait(false))
            {
            }

            isLast = reader.Head is { KeepsAlive: false };
        }
        catch (HttpRefusedException refused)
        {
            var (status, kind, reason) = refused.Refusal;
            responder.CannotRead(new ResponderProblem(kind, reason, RequestOf(reader.Head), status, Exception: null));
            await RefuseAsync(refused.Refusal, reader.Head?.Method, "close").ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is IOException or SocketException)
        {
            // A connection that ends between two requests is how connections end.
            if (reader.Head is not null || reader.HasMore)
            {
                responder.CannotRead(new ResponderProblem(
                    ResponderProblemKind.ConnectionLost, exception.Message, RequestOf(reader.Head), Status: null, exception));
            }
        }

        var more = await EndAsync(reader.TakeRest()).ConfigureAwait(false);
        if (isLast && more)
        {
            const string Reason = "something came after the last request of the connection, which that request said it was, and is not answered";
            responder.CannotRead(new ResponderProblem(ResponderProblemKind.MalformedHttp, Reason, Request: null, Status: null, Exception: null));
        }
    }

    private static ResponderRequest? RequestOf(HttpRequestHead? head) =>
        head is null ? null : new ResponderRequest(head.Method, head.Path, ReadOnlyMemory<byte>.Empty);

    /// <returns>Whether another request may follow.</returns>
    private async Task<bool> ExchangeAsync(HttpRequestReader reader, HttpRequestHead head)
    {
        var refusal = RefusalOf(head.Method);
        if (head.ExpectsContinue && !reader.HasMore && (head.IsChunked || head.Length > 0))
        {
            if (refusal is not null)
            {
                // Whether the body comes all the same is the client's to choose, and what follows cannot be told from it.
                throw new HttpRefusedException(refusal);
            }

            await _stream.WriteAsync("HTTP/1.1 100 Continue\r\n\r\n"u8.ToArray(), stop).ConfigureAwait(false);
        }

        var request = new ResponderRequest(head.Method, head.Path, await reader.ReadBodyAsync(head, stop).ConfigureAwait(false));
        responder.Received(request);
        try
        {
            return await ReplyAsync(request, refusal, head.Connection).ConfigureAwait(false) && head.KeepsAlive;
        }
        catch (Exception exception) when (exception is IOException or SocketException)
        {
            var reason = $"the other side left before the answer was through: {exception.Message}";
            responder.Tell(new ResponderProblem(ResponderProblemKind.ConnectionLost, reason, request, Status: null, exception));
            return false;
        }
    }

    private HttpRefusal? RefusalOf(string method)
    {
        if (responder.Methods.Contains(method))
        {
            return null;
        }

        var known = s_knownMethods.Contains(method);
        var reason = $"the method {HttpRequestHead.Quote(method)} is none of {string.Join(", ", responder.Methods)}";
        return new HttpRefusal(known ? 405 : 501, ResponderProblemKind.MethodNotAllowed, reason);
    }

    /// <returns>Whether the answer was whole.</returns>
    private async Task<bool> ReplyAsync(ResponderRequest request, HttpRefusal? refusal, string? connection)
    {
        var mode = responder.Mode;
        if (mode == ResponderMode.Hang)
        {
            await Task.Delay(Timeout.InfiniteTimeSpan, stop).ConfigureAwait(false);
        }

        if (mode == ResponderMode.Slow)
        {
            await Task.Delay(responder.Delay, responder.Clock, stop).ConfigureAwait(false);
        }

        refusal ??= responder.Refuse(request);
        if (refusal is not null)
        {
            responder.Tell(new ResponderProblem(refusal.Kind, refusal.Reason, request, refusal.Status, Exception: null));
            await RefuseAsync(refusal, request.Method, connection).ConfigureAwait(false);
            return true;
        }

        var type = responder.ContentTypeOf(request);
        switch (mode)
        {
            case ResponderMode.NotFound:
                await SendAsync(ResponderReply.NotFound, request.Method, connection).ConfigureAwait(false);
                return true;
            case ResponderMode.Garbage:
                await SendAsync(new ResponderReply(200, type, s_garbage), request.Method, connection).ConfigureAwait(false);
                return true;
            case ResponderMode.Oversized:
                await SendOversizedAsync(type, request.Method, connection).ConfigureAwait(false);
                return true;
            case ResponderMode.Redirect:
                // With the host, for a path that begins with two slashes would be taken for one (RFC 3986 §4.2).
                var place = responder.BaseUri.GetLeftPart(UriPartial.Authority) + request.Path;
                await WriteHeadAsync(302, $"Location: {place}\r\n", 0, connection).ConfigureAwait(false);
                return true;
            case ResponderMode.Truncated:
                var reply = responder.Reply(request);
                await SendAsync(reply, request.Method, "close", reply.Body.Length / 2).ConfigureAwait(false);
                return false;
            default:
                await SendAsync(responder.Reply(request), request.Method, connection).ConfigureAwait(false);
                return true;
        }
    }

    private Task RefuseAsync(HttpRefusal refusal, string? method, string? connection) =>
        SendAsync(ResponderReply.Text(refusal.Status, refusal.Reason), method, connection);

    private async Task SendAsync(ResponderReply reply, string? method, string? connection, int? cutAt = null)
    {
        await WriteHeadAsync(reply.Status, $"Content-Type: {reply.ContentType}\r\n", reply.Body.Length, connection).ConfigureAwait(false);
        if (method != "HEAD")
        {
            await _stream.WriteAsync(reply.Body.AsMemory(0, cutAt ?? reply.Body.Length), stop).ConfigureAwait(false);
        }
    }

    private async Task SendOversizedAsync(string contentType, string method, string? connection)
    {
        var length = responder.OversizedLength;
        await WriteHeadAsync(200, $"Content-Type: {contentType}\r\n", length, connection).ConfigureAwait(false);
        var block = new byte[64 * 1024];
        for (var left = method == "HEAD" ? 0 : length; left > 0; left -= block.Length)
        {
            await _stream.WriteAsync(block.AsMemory(0, (int)Math.Min(left, block.Length)), stop).ConfigureAwait(false);
        }
    }

    private async Task WriteHeadAsync(int status, string field, long length, string? connection)
    {
        var head = new StringBuilder();
        head.Append(CultureInfo.InvariantCulture, $"HTTP/1.1 {status} {PhraseOf(status)}\r\nDate: {responder.Clock.GetUtcNow():R}\r\n{field}");
        head.Append(CultureInfo.InvariantCulture, $"Content-Length: {length}\r\n");
        head.Append(status == 405 ? $"Allow: {string.Join(", ", responder.Methods)}\r\n" : string.Empty);
        head.Append(connection is null ? "\r\n" : $"Connection: {connection}\r\n\r\n");
        await _stream.WriteAsync(Encoding.ASCII.GetBytes(head.ToString()), stop).ConfigureAwait(false);
    }

    private static string PhraseOf(int status) => status switch
    {
        200 => "OK",
        302 => "Found",
        400 => "Bad Request",
        404 => "Not Found",
        405 => "Method Not Allowed",
        413 => "Content Too Large",
        414 => "URI Too Long",
        417 => "Expectation Failed",
        431 => "Request Header Fields Too Large",
        501 => "Not Implemented",
        505 => "HTTP Version Not Supported",
        _ => "Internal Server Error",
    };

    // To close while octets are still coming in would reset the connection, and the client could lose the answer (RFC 9112 §9.6).
    /// <returns>Whether more than ends of lines has come, which some clients send after a body (RFC 9112 §2.2).</returns>
    private async Task<bool> EndAsync(ReadOnlyMemory<byte> rest)
    {
        var more = HasMoreThanLineEnds(rest.Span);
        using var enough = CancellationTokenSource.CreateLinkedTokenSource(stop);
        enough.CancelAfter(s_lastWord);
        try
        {
            socket.Shutdown(SocketShutdown.Send);
            var buffer = new byte[64 * 1024];
            for (var (drained, count) = (0, -1); count != 0 && drained < MaxDrained; drained += count)
            {
                count = await _stream.ReadAsync(buffer, enough.Token).ConfigureAwait(false);
                more |= HasMoreThanLineEnds(buffer.AsSpan(0, count));
            }
        }
        catch (Exception exception) when (exception is IOException or SocketException or OperationCanceledException)
        {
            // It has left already, or will not.
        }

        return more;
    }

    private static bool HasMoreThanLineEnds(ReadOnlySpan<byte> octets) => octets.ContainsAnyExcept((byte)'\r', (byte)'\n');
}
