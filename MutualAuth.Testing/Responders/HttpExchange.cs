namespace MutualAuth.Testing.Responders;

/// <summary>A request that a responder has received.</summary>
/// <param name="Method">The method, such as <c>GET</c>.</param>
/// <param name="Path">The path as it was asked for, query included.</param>
/// <param name="Body">The body; empty when there was none.</param>
public sealed record ResponderRequest(string Method, string Path, ReadOnlyMemory<byte> Body);

/// <summary>What a responder answers when it behaves.</summary>
internal sealed record ResponderReply(int Status, string ContentType, byte[] Body)
{
    internal static ResponderReply NotFound { get; } = new(404, "text/plain", "not found"u8.ToArray());
}
