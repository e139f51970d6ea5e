using System.Buffers;
using System.Collections.Immutable;
using System.Net.Security;
using System.Runtime.InteropServices;
using System.Security.Authentication;
using System.Security.Authentication.ExtendedProtection;

namespace MutualAuth.Handshake;

/// <summary>The verify_data of the client's Finished message (RFC 8446 §4.4.4), as far as the platform hands it out.</summary>
internal static class FinishedMessage
{
    // The platform puts a SEC_CHANNEL_BINDINGS structure and the name of the binding before the data.
    private const int StructureSize = 32;

    private static ReadOnlySpan<byte> Name => "tls-unique:"u8;

    /// <summary>Reads it once TLS is complete; empty where there is none. Never throws.</summary>
    /// <remarks>
    /// Of TLS 1.2 it is not taken: without the extended master secret (RFC 7627), of which the platform does not tell, two sessions may share it.
    /// Sessions are not resumed, so that both ends read the client's. A data length that no hash of TLS 1.3 has is taken for none.
    /// </remarks>
    internal static ImmutableArray<byte> Read(SslStream tls)
    {
        try
        {
            if (tls.SslProtocol != SslProtocols.Tls13)
            {
                return [];
            }

            using var unique = tls.TransportContext.GetChannelBinding(ChannelBindingKind.Unique);
            if (unique is not { IsInvalid: false } || unique.Size <= StructureSize + Name.Length)
            {
                return [];
            }

            var size = unique.Size;
            var octets = ArrayPool<byte>.Shared.Rent(size);
            Marshal.Copy(unique.DangerousGetHandle(), octets, 0, size);
            var data = octets.AsSpan(StructureSize, size - StructureSize);
            ImmutableArray<byte> found = data.StartsWith(Name) && data.Length - Name.Length is 32 or 48 ? [.. data[Name.Length..]] : [];
            ArrayPool<byte>.Shared.Return(octets, clearArray: true);
            return found;
        }
        catch (Exception exception) when (exception is PlatformNotSupportedException or NotSupportedException or InvalidOperationException
            or System.ComponentModel.Win32Exception or IOException or AuthenticationException)
        {
            return [];
        }
    }
}
