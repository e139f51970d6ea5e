using System.Security.Cryptography;

namespace MutualAuth.Tests.Support;

/// <summary>The beginning of a connection, and what a server must say to it.</summary>
/// <param name="Name">What is told of it.</param>
/// <param name="Bytes">What the client sends.</param>
/// <param name="Alert">The number of our alert; null where we go on with the handshake.</param>
internal sealed record HelloCase(string Name, byte[] Bytes, int? Alert)
{
    /// <summary>We say nothing, and close: there is no TLS at the other end that could read an alert.</summary>
    internal bool InSilence { get; init; }

    /// <summary>Why OpenSSL says something else; null where it says the same.</summary>
    internal string? OpenSslDiffers { get; init; }

    public override string ToString() => Name;
}

/// <summary>Hellos, right and wrong in one fact, and the alerts of RFC 8446 §6.2 that answer them, as OpenSSL 3 sends them.</summary>
internal static class HelloCases
{
    private const int UnexpectedMessage = 10;
    private const int RecordOverflow = 22;
    private const int HandshakeFailure = 40;
    private const int IllegalParameter = 47;
    private const int DecodeError = 50;
    private const int ProtocolVersion = 70;
    private const int MissingExtension = 109;
    private const int UnrecognizedName = 112;

    /// <summary>OpenSSL says decode_error until 3.4, and what RFC 8446 §4.1.2 asks for from 3.5 on.</summary>
    private static readonly int s_withoutNullCompression =
        OperatingSystem.IsLinux() && SafeEvpPKeyHandle.OpenSslVersion >= 0x3050_0000L ? IllegalParameter : DecodeError;

    private static readonly HelloDraft s_good = new();

    internal static IEnumerable<HelloCase> All =>
        [.. Names(), .. Lists(), .. Fixed(), .. Extensions(), .. Versions(), .. KeyExchange(), .. Messages(), .. Records(), .. Sizes()];

    private static IEnumerable<HelloCase> Names()
    {
        yield return new("no name", s_good.Records(), null);
        yield return new("a name", s_good.With(HelloBytes.ServerName("server.test")).Records(), null);
        yield return new("a name of 255 octets", s_good.With(HelloBytes.ServerName(new string('a', 255))).Records(), null);
        yield return new("a name of 256 octets", s_good.With(HelloBytes.ServerName(new string('a', 256))).Records(), UnrecognizedName);
        yield return new("a name with NUL", s_good.With(HelloBytes.ServerName("a\0b")).Records(), UnrecognizedName);
        yield return new("a name with a space", s_good.With(HelloBytes.ServerName("a b")).Records(), UnrecognizedName)
        { OpenSslDiffers = "it does not look at it" };
        yield return new("a name in UTF-8", s_good.With(HelloBytes.ServerName("b\u00c3\u00bccher")).Records(), UnrecognizedName)
        { OpenSslDiffers = "it does not look at it" };
        yield return new("an empty name", s_good.With(HelloBytes.ServerName("")).Records(), DecodeError)
        { OpenSslDiffers = "it takes the name for none" };
        yield return new("an empty list of names", s_good.With((0, [0, 0])).Records(), DecodeError);
        yield return new("no list of names", s_good.With((0, [])).Records(), DecodeError);
        yield return new("two names", s_good.With((0, [0, 8, 0, 0, 1, (byte)'a', 0, 0, 1, (byte)'b'])).Records(), DecodeError);
        yield return new("a name of another type", s_good.With((0, [0, 4, 1, 0, 1, (byte)'a'])).Records(), DecodeError);
        yield return new("more than the list of names", s_good.With((0, [0, 4, 0, 0, 1, (byte)'a', 0])).Records(), DecodeError);
    }

    private static IEnumerable<HelloCase> Lists()
    {
        yield return new("an empty protocol", s_good.With(HelloBytes.Alpn("")).Records(), DecodeError);
        yield return new("an empty protocol behind another", s_good.With(HelloBytes.Alpn("x", "")).Records(), DecodeError);
        yield return new("an empty list of protocols", s_good.With(HelloBytes.Alpn()).Records(), DecodeError);
        yield return new("no list of protocols", s_good.With((16, [])).Records(), DecodeError);
        yield return new("more than the list of protocols", s_good.With((16, [0, 2, 1, (byte)'x', 0])).Records(), DecodeError);
        yield return new("a protocol cut short", s_good.With((16, [0, 3, 9, (byte)'x', (byte)'y'])).Records(), DecodeError);
        yield return new("no signature schemes", (s_good with { Extensions = s_good.Extensions[1..] }).Records(), MissingExtension);
        yield return new(
            "an empty list of signature schemes", (s_good with { Extensions = [(13, [0, 0]), .. s_good.Extensions[1..]] }).Records(), DecodeError);
    }

    private static IEnumerable<HelloCase> Fixed()
    {
        yield return new("an empty session id", (s_good with { SessionId = [] }).Records(), null);
        yield return new("a session id of 33 octets", (s_good with { SessionId = new byte[33] }).Records(), DecodeError);
        yield return new("half a cipher suite", (s_good with { CipherSuites = [0x13, 0x01, 0x13] }).Records(), DecodeError);
        yield return new("no cipher suites", (s_good with { CipherSuites = [] }).Records(), IllegalParameter);
        yield return new("cipher suites that nobody has", (s_good with { CipherSuites = [0x77, 0x77] }).Records(), HandshakeFailure);
        yield return new("no compression method", (s_good with { Compression = [] }).Records(), DecodeError);
        yield return new("no null compression", (s_good with { Compression = [1] }).Records(), s_withoutNullCompression);
        yield return new("compression beside null, for TLS 1.3", (s_good with { Compression = [1, 0] }).Records(), IllegalParameter);
        yield return new("one octet after the extensions", (s_good with { Tail = [0] }).Records(), DecodeError);
        yield return new("one octet instead of extensions", (s_good with { Extensions = [], Tail = [0] }).Records(), DecodeError);
        yield return new("no body", (s_good with { Body = [] }).Records(), DecodeError);
        yield return new("a body cut short", (s_good with { Body = s_good.Message()[4..40] }).Records(), DecodeError);
    }

    private static IEnumerable<HelloCase> Extensions()
    {
        yield return new("an extension twice", s_good.With(HelloBytes.ServerName("a"), HelloBytes.ServerName("b")).Records(), IllegalParameter);
        yield return new("an extension that nobody knows", s_good.With((0x1234, [1])).Records(), null);
        yield return new("an extension that nobody knows, twice", s_good.With((0x1234, []), (0x1234, [])).Records(), IllegalParameter)
        {
            OpenSslDiffers = "it looks for its own extensions only; RFC 8446 §4.2 forbids any twice",
        };
        yield return new("300 extensions that nobody knows", s_good.With([.. Unknown(300)]).Records(), null);
        yield return new("3,000 extensions that nobody knows", s_good.With([.. Unknown(3000)]).Records(), null);
        yield return new("an extension cut short", (s_good with { Extensions = [], Tail = [0, 6, 0, 0, 0, 9, 0, 0] }).Records(), DecodeError);
        yield return new("15,000 octets of padding", s_good.With((21, new byte[15000])).Records(), null);
    }

    private static IEnumerable<HelloCase> Versions()
    {
        static HelloDraft Offering(byte[] versions) =>
            s_good with { Extensions = [.. s_good.Extensions.Where(extension => extension.Type != 43), (43, versions)] };

        yield return new("TLS 1.2 alone", (s_good with { Extensions = s_good.Extensions[..2] }).Records(), null);
        yield return new("TLS 1.1 at most", (s_good with { LegacyVersion = 0x0302, Extensions = [] }).Records(), ProtocolVersion);
        yield return new("TLS 1.1 at most, in the extension", Offering([2, 3, 2]).Records(), ProtocolVersion);
        yield return new("a version of 2", (s_good with { LegacyVersion = 0x0200, Extensions = [] }).Records(), ProtocolVersion);
        yield return new("reserved versions alone", Offering([2, 0x0a, 0x0a]).Records(), ProtocolVersion);
        yield return new("half a version", Offering([3, 3, 4, 3]).Records(), ProtocolVersion);
        yield return new("no versions", Offering([0]).Records(), ProtocolVersion);
        yield return new("more than the versions", Offering([2, 3, 4, 0]).Records(), ProtocolVersion);
        yield return new("an SSL 2.0 hello", [0x80, 0x2e, 1, 3, 1, 0, 0x15, 0, 0, 0, 0x10, .. new byte[37]], ProtocolVersion);
    }

    private static IEnumerable<HelloCase> KeyExchange()
    {
        var without = s_good.Extensions.Where(extension => extension.Type is not (10 or 51)).ToArray();
        HelloDraft Exchanging(params (int Type, byte[] Data)[] extensions) => s_good with { Extensions = [.. without, .. extensions] };

        yield return new("an empty list of groups", Exchanging(HelloDraft.Groups(), HelloDraft.EllipticShare).Records(), DecodeError);
        yield return new("half a group", Exchanging((10, [0, 3, 0, 0x1d, 0]), HelloDraft.EllipticShare).Records(), DecodeError);
        yield return new("more than the groups", Exchanging((10, [0, 2, 0, 0x1d, 0]), HelloDraft.EllipticShare).Records(), DecodeError);
        yield return new("no groups, for TLS 1.3", Exchanging(HelloDraft.EllipticShare).Records(), MissingExtension);
        yield return new("no key shares, for TLS 1.3", Exchanging(HelloDraft.EllipticGroups).Records(), MissingExtension);
        yield return new("an empty list of key shares", Exchanging(HelloDraft.EllipticGroups, HelloDraft.Shares()).Records(), null);
        yield return new("no list of key shares", Exchanging(HelloDraft.EllipticGroups, (51, [])).Records(), DecodeError);
        yield return new("an empty key", Exchanging(HelloDraft.EllipticGroups, HelloDraft.Shares((0x1d, []))).Records(), DecodeError);
        yield return new("a key cut short", Exchanging(HelloDraft.EllipticGroups, (51, [0, 5, 0, 0x1d, 0, 32, 1])).Records(), DecodeError);
        yield return new(
            "a key of the wrong length", Exchanging(HelloDraft.EllipticGroups, HelloDraft.Shares((0x1d, new byte[31]))).Records(), IllegalParameter);
        yield return new(
            "groups that nobody has", Exchanging(HelloDraft.Groups(0x9999), HelloDraft.Shares((0x9999, [1]))).Records(), HandshakeFailure);

        const string Computes = "it computes with the number, which may take it 139 ms, or asks for one";
        foreach (var (group, size) in new[] { (0x0100, 256), (0x0102, 512), (0x0104, 1024) })
        {
            var number = HelloDraft.Shares((group, Enumerable.Repeat((byte)7, size).ToArray()));
            yield return new(
                $"a key share of {size} octets in a finite field", Exchanging(HelloDraft.Groups(0x1d, group), number).Records(), HandshakeFailure)
            {
                OpenSslDiffers = Computes,
            };
        }

        var finite = Exchanging(HelloDraft.Groups(0x0100, 0x0101, 0x0104), HelloDraft.Shares());
        yield return new("groups of finite fields alone", finite.Records(), HandshakeFailure) { OpenSslDiffers = Computes };
        yield return new(
            "groups of finite fields alone, for TLS 1.2",
            (s_good with { Extensions = [s_good.Extensions[0], HelloDraft.Groups(0x0100)] }).Records(),
            HandshakeFailure);
        yield return new(
            "groups of finite fields behind a curve", Exchanging(HelloDraft.Groups(0x1d, 0x0100, 0x0104), HelloDraft.EllipticShare).Records(), null);
        yield return new(
            "key shares cut short, without TLS 1.3", (s_good with { Extensions = [.. s_good.Extensions[..2], (51, [0])] }).Records(), null);
    }

    private static IEnumerable<HelloCase> Messages()
    {
        foreach (var (type, name) in new[] { (0, "HelloRequest"), (2, "ServerHello"), (11, "Certificate"), (20, "Finished") })
        {
            yield return new($"{name} instead", (s_good with { MessageType = (byte)type }).Records(), UnexpectedMessage);
        }

        yield return new("change_cipher_spec first", [20, 3, 3, 0, 1, 1], UnexpectedMessage);
        yield return new("change_cipher_spec and a hello", [20, 3, 3, 0, 1, 1, .. s_good.Records()], UnexpectedMessage);
        yield return new("application data first", [23, 3, 3, 0, 5, .. "hello"u8], UnexpectedMessage);
        yield return new("heartbeat first", [24, 3, 3, 0, 5, .. "hello"u8], UnexpectedMessage);
        yield return new("an alert first", [21, 3, 1, 0, 2, 2, 40], UnexpectedMessage);
        yield return new("close_notify first", [21, 3, 1, 0, 2, 1, 0], UnexpectedMessage);
        yield return new("a record of a type that nobody knows", [99, 3, 1, 0, 5, .. "hello678"u8], UnexpectedMessage);
        yield return new("HTTP", "GET / HTTP/1.1\r\n\r\n"u8.ToArray(), null) { InSilence = true };
        yield return new("SSH", "SSH-2.0-x\r\n"u8.ToArray(), null) { InSilence = true };
    }

    private static IEnumerable<HelloCase> Records()
    {
        byte[] empty = [22, 3, 1, 0, 0];
        var (message, whole) = (s_good.Message(), s_good.Records());
        byte[] Between(params byte[] record) => [.. HelloBytes.Records(message[..50]), .. record, .. HelloBytes.Records(message[50..])];

        foreach (var fragment in new[] { 1, 2, 6 })
        {
            yield return new($"records of {fragment} octets", s_good.Records(fragment), null);
        }

        // From .NET 11 on SslStream itself breaks off at an empty record that begins a connection, and says nothing.
        var breaksOff = Platform.JudgesWithinTheHandshake;
        yield return new("an empty record first", [.. empty, .. whole], null) { InSilence = breaksOff };
        yield return new("an empty record between", Between(empty), null);
        yield return new("32 empty records", [.. Enumerable.Repeat(empty, 32).SelectMany(record => record), .. whole], null)
        { InSilence = breaksOff };
        yield return new("33 empty records", [.. Enumerable.Repeat(empty, 33).SelectMany(record => record), .. whole], UnexpectedMessage);
        yield return new("an alert between", Between(21, 3, 1, 0, 2, 1, 90), UnexpectedMessage);
        yield return new("change_cipher_spec between", Between(20, 3, 3, 0, 1, 1), UnexpectedMessage);
        yield return new("application data between", Between(23, 3, 3, 0, 1, 1), UnexpectedMessage);
        yield return new("a record of version 3.0", [22, 3, 0, .. whole[3..]], null);
        yield return new("a record of version 3.9", [22, 3, 9, .. whole[3..]], null);
        yield return new("a record of version 2.0", [22, 2, 0, .. whole[3..]], null) { InSilence = true };
        yield return new("a second record of version 4.0", Between(22, 4, 0, 0, 1, 1), ProtocolVersion);
        yield return new("garbage after the hello, in its record", HelloBytes.Records([.. message, 99, 1, 2, 3]), UnexpectedMessage);
        yield return new("half a hello after the hello, in its record", HelloBytes.Records([.. message, .. message[..50]]), UnexpectedMessage);
    }

    private static IEnumerable<HelloCase> Sizes()
    {
        yield return new("a record of 16,385 octets", [22, 3, 1, 0x40, 1, 1, 0, 0x3f, 0xfd, .. new byte[16381]], RecordOverflow);
        yield return new("a record of 65,535 octets", [22, 3, 1, 0xff, 0xff, 1], RecordOverflow);
        yield return new("16 MiB announced", [22, 3, 1, 0, 4, 1, 0xff, 0xff, 0xff], IllegalParameter);
        yield return new("131,397 octets announced", [22, 3, 1, 0, 4, 1, 2, 1, 0x45], IllegalParameter);
        yield return new("20,000 octets of padding", s_good.With((21, new byte[20000])).Records(), DecodeError)
        { OpenSslDiffers = "its bound is 131,396 octets, ours is MaxClientHelloBytes" };
    }

    private static IEnumerable<(int Type, byte[] Data)> Unknown(int count) =>
        Enumerable.Range(0x3000, count).Select(type => (type, Array.Empty<byte>()));
}
