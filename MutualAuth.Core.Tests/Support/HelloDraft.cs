namespace MutualAuth.Tests.Support;

/// <summary>
/// A ClientHello before it is written down. As it stands, a client of TLS 1.3 and 1.2 that offers x25519; tests change one fact of it.
/// </summary>
internal sealed record HelloDraft
{
    internal static readonly (int Type, byte[] Data) Signatures = (13, HelloBytes.Vector16([4, 3, 8, 4, 4, 1]));
    internal static readonly (int Type, byte[] Data) EllipticGroups = Groups(0x001d, 0x0017);
    internal static readonly (int Type, byte[] Data) BothVersions = HelloBytes.Versions(0x0304, 0x0303);
    internal static readonly (int Type, byte[] Data) EllipticShare = Shares((0x001d, X25519()));

    internal byte MessageType { get; init; } = 1;

    internal int LegacyVersion { get; init; } = 0x0303;

    internal byte[] SessionId { get; init; } = new byte[32];

    internal byte[] CipherSuites { get; init; } = [0x13, 0x01, 0xc0, 0x2b];

    internal byte[] Compression { get; init; } = [0];

    internal (int Type, byte[] Data)[] Extensions { get; init; } = [Signatures, EllipticGroups, BothVersions, EllipticShare];

    /// <summary>What follows the block of extensions in the message.</summary>
    internal byte[] Tail { get; init; } = [];

    /// <summary>The whole of the message's body, where it is not what the other members say.</summary>
    internal byte[]? Body { get; init; }

    internal static (int Type, byte[] Data) Groups(params int[] groups) => (10, HelloBytes.Vector16([.. groups.SelectMany(HelloBytes.UInt16)]));

    internal static (int Type, byte[] Data) Shares(params (int Group, byte[] Key)[] shares) =>
        (51, HelloBytes.Vector16([.. shares.SelectMany(share => HelloBytes.Concat(HelloBytes.UInt16(share.Group), HelloBytes.Vector16(share.Key)))]));

    /// <summary>A well-known public key: the base point.</summary>
    internal static byte[] X25519() => [9, .. new byte[31]];

    /// <summary>A hello with these beside what it has.</summary>
    internal HelloDraft With(params (int Type, byte[] Data)[] more) => this with { Extensions = [.. Extensions, .. more] };

    internal byte[] Message()
    {
        byte[] block =
            [.. Extensions.SelectMany(extension => HelloBytes.Concat(HelloBytes.UInt16(extension.Type), HelloBytes.Vector16(extension.Data)))];
        var body = Body ?? HelloBytes.Concat(
            HelloBytes.UInt16(LegacyVersion),
            new byte[32],
            HelloBytes.Vector8(SessionId),
            HelloBytes.Vector16(CipherSuites),
            HelloBytes.Vector8(Compression),
            Extensions.Length == 0 ? [] : HelloBytes.Vector16(block),
            Tail);
        return HelloBytes.Concat([MessageType, (byte)(body.Length >> 16), (byte)(body.Length >> 8), (byte)body.Length], body);
    }

    internal byte[] Records(int fragment = 16384) => HelloBytes.Records(Message(), fragment);
}
