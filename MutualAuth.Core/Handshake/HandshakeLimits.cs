namespace MutualAuth;

/// <summary>How many bytes a peer may send before it is authenticated.</summary>
/// <remarks>Immutable; checked, with the options that hold it, at construction.</remarks>
public sealed record HandshakeLimits
{
    /// <summary>
    /// Bytes of the ClientHello message. Default 16,384; TLS itself would allow 16 MiB, and OpenSSL takes 131,396.
    /// With the headers of its records it may take twice as many and 1,024 more.
    /// </summary>
    public int MaxClientHelloBytes { get; init; } = 16 * 1024;

    /// <summary>Bytes on the wire in the whole handshake. Default 262,144.</summary>
    public int MaxHandshakeBytes { get; init; } = 256 * 1024;

    internal IEnumerable<string> Problems()
    {
        if (MaxClientHelloBytes is < 512 or > 1 << 20)
        {
            yield return $"{nameof(MaxClientHelloBytes)} must be from 512 to 1,048,576; it is {MaxClientHelloBytes}.";
        }

        if (MaxHandshakeBytes < 2 * MaxClientHelloBytes)
        {
            yield return $"{nameof(MaxHandshakeBytes)} must be at least twice {nameof(MaxClientHelloBytes)}; it is {MaxHandshakeBytes}.";
        }
    }
}
