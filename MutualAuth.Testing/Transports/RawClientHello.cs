using System.Buffers.Binary;
using System.Text;

namespace MutualAuth.Testing.Transports;

/// <summary>A RawClientHello of your own (RFC 8446 §4.1.2): well formed by default, and as broken as you make it with <c>with</c>.</summary>
/// <remarks>Immutable. It holds no key share, so a TLS 1.3 server answers it with a HelloRetryRequest and a TLS 1.2 server with its flight.</remarks>
public sealed record RawClientHello
{
    /// <summary>The legacy version field. Default: 0x0303.</summary>
    public int LegacyVersion { get; init; } = 0x0303;

    /// <summary>The random field. Default: thirty-two zeros.</summary>
    public ReadOnlyMemory<byte> Random { get; init; } = new byte[32];

    /// <summary>The legacy session id. Default: empty.</summary>
    public ReadOnlyMemory<byte> SessionId { get; init; }

    /// <summary>The cipher suites. Default: one of TLS 1.3, and two of TLS 1.2 with ECDHE.</summary>
    public IReadOnlyList<int> CipherSuites { get; init; } = [0x1301, 0xc02b, 0xc02f];

    /// <summary>The compression methods. Default: null alone.</summary>
    public ReadOnlyMemory<byte> CompressionMethods { get; init; } = new byte[] { 0 };

    /// <summary>The server name (RFC 6066 §3); null sends none.</summary>
    public string? ServerName { get; init; } = "server.test";

    /// <summary>The application protocols (RFC 7301); empty sends none.</summary>
    public IReadOnlyList<string> ApplicationProtocols { get; init; } = [];

    /// <summary>The supported versions extension (RFC 8446 §4.2.1); empty sends none. Default: 1.3 and 1.2.</summary>
    public IReadOnlyList<int> SupportedVersions { get; init; } = [0x0304, 0x0303];

    /// <summary>Extensions of your own, written after the others, duplicates included.</summary>
    public IReadOnlyList<(int Type, ReadOnlyMemory<byte> Data)> Extensions { get; init; } = [];

    /// <summary>A length to state for the extensions in place of the true one; null states the truth.</summary>
    public int? StatedExtensionsLength { get; init; }

    /// <summary>A length to state for the handshake message in place of the true one; null states the truth.</summary>
    public int? StatedMessageLength { get; init; }

    /// <summary>The handshake message: type 1, length, body.</summary>
    public byte[] ToMessage()
    {
        var body = new List<byte>();
        Add16(body, LegacyVersion);
        body.AddRange(Random.Span);
        body.Add((byte)SessionId.Length);
        body.AddRange(SessionId.Span);
        AddVector16(body, CipherSuites.SelectMany(Octets16));
        body.Add((byte)CompressionMethods.Length);
        body.AddRange(CompressionMethods.Span);

        var extensions = EncodeExtensions();
        Add16(body, StatedExtensionsLength ?? extensions.Count);
        body.AddRange(extensions);

        var length = StatedMessageLength ?? body.Count;
        return [1, (byte)(length >> 16), (byte)(length >> 8), (byte)length, .. body];
    }

    /// <summary>The message in records of at most <paramref name="recordSize"/> octets, ready for the wire.</summary>
    public byte[] ToArray(int recordSize = 16384) =>
        [.. TlsRecord.Fragment(TlsContentType.Handshake, ToMessage(), recordSize).SelectMany(record => record.ToArray())];

    private List<byte> EncodeExtensions()
    {
        var octets = new List<byte>();
        if (ServerName is { } name)
        {
            var entry = new List<byte> { 0 };
            AddVector16(entry, Encoding.UTF8.GetBytes(name));
            AddExtension(octets, 0, Vector16(entry));
        }

        AddExtension(octets, 10, Vector16([0, 0x1d, 0, 0x17])); // supported_groups: x25519, secp256r1
        AddExtension(octets, 13, Vector16([4, 3, 8, 4, 4, 1])); // signature_algorithms: ecdsa_p256_sha256, rsa_pss_sha256, rsa_pkcs1_sha256
        if (ApplicationProtocols.Count > 0)
        {
            AddExtension(octets, 16, Vector16(ApplicationProtocols.SelectMany(protocol =>
            {
                var text = Encoding.UTF8.GetBytes(protocol);
                return text.Prepend((byte)text.Length);
            })));
        }

        if (SupportedVersions.Count > 0)
        {
            AddExtension(octets, 43, [(byte)(SupportedVersions.Count * 2), .. SupportedVersions.SelectMany(Octets16)]);
        }

        foreach (var (type, data) in Extensions)
        {
            AddExtension(octets, type, data.ToArray());
        }

        return octets;
    }

    private static void AddExtension(List<byte> octets, int type, IEnumerable<byte> data)
    {
        Add16(octets, type);
        AddVector16(octets, data);
    }

    private static void AddVector16(List<byte> octets, IEnumerable<byte> data) => octets.AddRange(Vector16(data));

    private static byte[] Vector16(IEnumerable<byte> data)
    {
        byte[] content = [.. data];
        return [.. Octets16(content.Length), .. content];
    }

    private static void Add16(List<byte> octets, int value) => octets.AddRange(Octets16(value));

    private static byte[] Octets16(int value)
    {
        var octets = new byte[2];
        BinaryPrimitives.WriteUInt16BigEndian(octets, (ushort)value);
        return octets;
    }
}
