namespace MutualAuth.Handshake;

/// <summary>The hello that a client sends after a HelloRetryRequest (RFC 8446 §4.1.4).</summary>
internal static class SecondHello
{
    /// <summary>Whether our first flight asks for another hello.</summary>
    internal static bool IsAskedFor(ReadOnlySpan<byte> flight) => throw new NotSupportedException();
}
