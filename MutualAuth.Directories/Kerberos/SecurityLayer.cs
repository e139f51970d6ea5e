using System.Buffers;
using System.Net.Security;
using System.Text;

namespace MutualAuth.Directories;

/// <summary>The last two messages of GSSAPI (RFC 4752 §3.1 and §3.2): one octet of layers, three of a size, and the identity to act as.</summary>
internal static class SecurityLayer
{
    /// <summary>None: TLS is the layer.</summary>
    internal const byte None = 1;

    private const int MaxIdentityLength = 255;

    private static readonly UTF8Encoding s_utf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>What the server offers: no layer, and so no size.</summary>
    internal static byte[]? Offer(NegotiateAuthentication context) => Wrap(context, [None, 0, 0, 0]);

    /// <summary>Whether the server offers to go on without a layer.</summary>
    internal static bool IsOffer(NegotiateAuthentication context, ReadOnlySpan<byte> message) =>
        Unwrap(context, message) is [var layers, _, _, _] && (layers & None) != 0;

    /// <summary>What the client chooses: no layer, and the identity.</summary>
    internal static byte[]? Choose(NegotiateAuthentication context, string? identity) =>
        Wrap(context, [None, 0, 0, 0, .. Encoding.UTF8.GetBytes(identity ?? string.Empty)]);

    /// <summary>Reads the client's choice.</summary>
    internal static (bool IsValid, string? Identity) ReadChoice(NegotiateAuthentication context, ReadOnlySpan<byte> message)
    {
        if (Unwrap(context, message) is not [None, 0, 0, 0, .. var identity] || identity.Length > MaxIdentityLength)
        {
            return default;
        }

        try
        {
            return (true, identity.Length == 0 ? null : s_utf8.GetString(identity));
        }
        catch (DecoderFallbackException)
        {
            return default;
        }
    }

    private static byte[]? Wrap(NegotiateAuthentication context, ReadOnlySpan<byte> content)
    {
        var writer = new ArrayBufferWriter<byte>();
        return context.Wrap(content, writer, requestEncryption: false, out _) == NegotiateAuthenticationStatusCode.Completed
            ? writer.WrittenSpan.ToArray()
            : null;
    }

    private static byte[]? Unwrap(NegotiateAuthentication context, ReadOnlySpan<byte> message)
    {
        var writer = new ArrayBufferWriter<byte>();
        return context.Unwrap(message, writer, out _) == NegotiateAuthenticationStatusCode.Completed ? writer.WrittenSpan.ToArray() : null;
    }
}
