using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;

namespace MutualAuth.Credentials;

/// <summary>Bindings for protocols above a connection (docs/protocol.md §13): one for each label, and none of use for another.</summary>
internal static class DerivedBinding
{
    /// <summary>The name for a binding to one TLS session.</summary>
    internal const string OfConnection = "mutualauth-connection";

    /// <summary>The name for a binding to the server's certificate.</summary>
    internal const string OfServer = "mutualauth-server";

    private const int LongestLabel = 128;

    internal static void ThrowUnlessLabel(string label)
    {
        ArgumentNullException.ThrowIfNull(label);
        if (label.Length is 0 or > LongestLabel || label.AsSpan().ContainsAnyExceptInRange('!', '~'))
        {
            throw new ArgumentException("Expected a label of 1 to 128 visible ASCII characters without spaces.", nameof(label));
        }
    }

    /// <summary>Null where there is nothing of this scope to bind to.</summary>
    internal static ChannelBinding? Of(string label, ChannelBindingScope scope, ChannelBinding? endPoint, ImmutableArray<byte> finished) =>
        scope switch
        {
            ChannelBindingScope.Connection when !finished.IsEmpty => Make(OfConnection, label, endPoint, finished),
            ChannelBindingScope.ServerCertificate when endPoint is not null => Make(OfServer, label, endPoint, []),
            _ => null,
        };

    /// <summary>
    /// SHA-256 over type, label, the binding to the server's certificate and the Finished message, each behind its length in eight octets.
    /// </summary>
    private static ChannelBinding Make(string type, string label, ChannelBinding? endPoint, ImmutableArray<byte> finished)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Append(hash, Encoding.ASCII.GetBytes($"{type} 1"));
        Append(hash, Encoding.ASCII.GetBytes(label));
        Append(hash, endPoint is null ? [] : endPoint.Data.AsSpan());
        Append(hash, finished.AsSpan());
        return new ChannelBinding(type, [.. hash.GetHashAndReset()]);
    }

    private static void Append(IncrementalHash hash, ReadOnlySpan<byte> part)
    {
        Span<byte> length = stackalloc byte[sizeof(long)];
        BinaryPrimitives.WriteInt64BigEndian(length, part.Length);
        hash.AppendData(length);
        hash.AppendData(part);
    }
}
