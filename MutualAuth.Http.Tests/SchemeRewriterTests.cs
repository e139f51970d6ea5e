using MutualAuth.Http.Streams;

namespace MutualAuth.Tests;

/// <summary>Of all octets that a client writes, one per request changes.</summary>
public sealed class SchemeRewriterTests
{
    private const byte Data = 0;
    private const byte Headers = 1;
    private const byte Settings = 4;
    private const byte Continuation = 9;

    private static readonly byte[] s_preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8.ToArray();

    private static readonly byte[] s_get = [0x82, 0x86, 0x84];

    private static readonly (byte[] From, byte[] To)[] s_requests =
    [
        (Frame(Settings, 0, [0x86, 0x86, 0x86, 0x86, 0x86, 0x86]), Frame(Settings, 0, [0x86, 0x86, 0x86, 0x86, 0x86, 0x86])),
        (Frame(Headers, 5, s_get), Frame(Headers, 5, [0x82, 0x87, 0x84])),
        (Frame(Data, 1, [.. Enumerable.Repeat((byte)0x86, 700)]), Frame(Data, 1, [.. Enumerable.Repeat((byte)0x86, 700)])),

        // A method by its name, of which the value has the octet in question; both forms of literals; a table size first.
        (Frame(Headers, 5, [0x02, 3, 0x86, 0x86, 0x86, .. s_get[1..]]), Frame(Headers, 5, [0x02, 3, 0x86, 0x86, 0x86, 0x87, 0x84])),
        (Frame(Headers, 5, [0x42, 1, 0x86, 0x86]), Frame(Headers, 5, [0x42, 1, 0x86, 0x87])),
        (Frame(Headers, 5, [0x3f, 0x86, 0x01, 0x86]), Frame(Headers, 5, [0x3f, 0x86, 0x01, 0x87])),
        (Frame(Headers, 5, [0x00, 2, 0x86, 0x86, 1, 0x86, 0x86]), Frame(Headers, 5, [0x00, 2, 0x86, 0x86, 1, 0x86, 0x87])),

        // A length of 130, in two octets; an index of 200, likewise.
        (Frame(Headers, 5, [0x0f, 2, 0x7f, 3, .. Enumerable.Repeat((byte)0x86, 130), 0x86]),
            Frame(Headers, 5, [0x0f, 2, 0x7f, 3, .. Enumerable.Repeat((byte)0x86, 130), 0x87])),
        (Frame(Headers, 5, [0xff, 0x49, 0x86]), Frame(Headers, 5, [0xff, 0x49, 0x87])),

        // Padding and priority come before the block; only the first such field is a request's.
        (Frame(Headers, 0x2d, [2, 0x86, 0x86, 0x86, 0x86, 0x86, .. s_get, 0x86, 0x86]),
            Frame(Headers, 0x2d, [2, 0x86, 0x86, 0x86, 0x86, 0x86, 0x82, 0x87, 0x84, 0x86, 0x86])),

        // A request without a scheme, a value that is cut by the frame's end, and an empty frame.
        (Frame(Headers, 5, [0x02, 7, .. "CONNECT"u8, 0x01, 1, 0x86]), Frame(Headers, 5, [0x02, 7, .. "CONNECT"u8, 0x01, 1, 0x86])),
        (Frame(Headers, 1, [0x04, 9, 0x86]), Frame(Headers, 1, [0x04, 9, 0x86])),
        (Frame(Continuation, 4, [0x86, 0x86]), Frame(Continuation, 4, [0x86, 0x86])),
        (Frame(Headers, 5, []), Frame(Headers, 5, [])),
        (Frame(Headers, 5, s_get), Frame(Headers, 5, [0x82, 0x87, 0x84])),
    ];

    [Test]
    public void The_scheme_of_each_request_becomes_https_however_the_octets_are_cut([Values(1, 2, 3, 7, 50, 100_000)] int size)
    {
        byte[] from = [.. s_preface, .. s_requests.SelectMany(request => request.From)];
        var rewriter = new SchemeRewriter();
        var written = new List<byte>();

        foreach (var piece in from.Chunk(size))
        {
            var before = piece.ToArray();
            using var rewritten = rewriter.Rewrite(piece);
            written.AddRange((rewritten.IsChanged ? rewritten.Octets : piece).ToArray());
            piece.Should().Equal(before, "they are the caller's");
        }

        written.Should().Equal([.. s_preface, .. s_requests.SelectMany(request => request.To)]);
    }

    [Test]
    public void What_has_no_request_in_it_is_not_copied()
    {
        var rewriter = new SchemeRewriter();

        using var rewritten = rewriter.Rewrite(new byte[] { 1 });

        rewritten.IsChanged.Should().BeFalse();
    }

    private static byte[] Frame(byte type, byte flags, byte[] payload) =>
        [(byte)(payload.Length >> 16), (byte)(payload.Length >> 8), (byte)payload.Length, type, flags, 0, 0, 0, 1, .. payload];
}
