using System.Text;

namespace MutualAuth.Testing.Responders;

/// <summary>A request that a responder has received.</summary>
/// <param name="Method">The method, such as <c>GET</c>.</param>
/// <param name="Path">The path as it was asked for, query included; of a target in absolute form (RFC 9112 §3.2.2) its path.</param>
/// <param name="Body">The body, put together where it came in chunks; empty when there was none.</param>
public sealed record ResponderRequest(string Method, string Path, ReadOnlyMemory<byte> Body)
{
    /// <summary>The path without its first slashes and its query.</summary>
    internal string Name => Path.Split('?')[0].TrimStart('/');
}

/// <summary>What a responder answers when it behaves.</summary>
internal sealed record ResponderReply(int Status, string ContentType, byte[] Body)
{
    internal static ResponderReply NotFound { get; } = Text(404, "There is nothing here.");

    internal static ResponderReply Text(int status, string text) => new(status, "text/plain; charset=utf-8", Encoding.UTF8.GetBytes(text));
}

/// <summary>Why a request is not answered.</summary>
internal sealed record HttpRefusal(int Status, ResponderProblemKind Kind, string Reason)
{
    internal static HttpRefusal Malformed(string reason, int status = 400) => new(status, ResponderProblemKind.MalformedHttp, reason);

    internal static HttpRefusal TooLarge(string reason, int status = 413) => new(status, ResponderProblemKind.TooLarge, reason);
}

/// <summary>A request cannot be read, and what follows on its connection neither.</summary>
internal sealed class HttpRefusedException(HttpRefusal refusal) : Exception(refusal.Reason)
{
    internal HttpRefusal Refusal { get; } = refusal;
}
