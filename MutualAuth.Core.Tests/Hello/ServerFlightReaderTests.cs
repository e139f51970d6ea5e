using MutualAuth.Hello;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests;

/// <summary>What a server's first flight says of the key exchange, wherever it is cut.</summary>
public sealed class ServerFlightReaderTests
{
    private const int Tls13Suite = 0x1301;
    private const int Ecdhe = 0xc02b;
    private const int Dhe = 0x009e;
    private const int Rsa = 0x009c;

    private static readonly byte[] s_changeCipherSpec = [20, 3, 3, 0, 1, 1];
    private static readonly byte[] s_protected = [23, 3, 3, 0, 2, 7, 7];
    private static readonly byte[] s_certificate = Message(11, new byte[300]);
    private static readonly byte[] s_done = Message(14, []);

    private static readonly byte[] s_retryRandom = Convert.FromHexString("CF21AD74E59A6111BE1D8C021E65B891C2A211167ABB8C5E079E09E2C8A8339C");

    private static IEnumerable<TestCaseData> Flights()
    {
        byte[] Hybrid() => ServerHello(0x0304, Tls13Suite, Share(0x11ec));
        yield return Case("TLS 1.3", KeyExchangeGroup.X25519MLKem768, [.. Records(Hybrid()), .. s_changeCipherSpec, .. s_protected]);
        yield return Case(
            "TLS 1.3 after a HelloRetryRequest",
            KeyExchangeGroup.Secp384r1,
            [.. Records(ServerHello(0x0304, Tls13Suite, Retry(0x0018), s_retryRandom)), .. s_changeCipherSpec,
                .. Records(ServerHello(0x0304, Tls13Suite, Share(0x0018)))]);
        yield return Case("TLS 1.3 without a key share", null, Records(ServerHello(0x0304, Tls13Suite, [])));
        yield return Case("a group without a name", (KeyExchangeGroup)0x2345, Records(ServerHello(0x0304, Tls13Suite, Share(0x2345))));
        yield return Case("TLS 1.2", KeyExchangeGroup.Secp256r1, Tls12(Ecdhe, Curve(0x0017), s_done));
        yield return Case("TLS 1.2 with a curve that is spelt out", null, Tls12(Ecdhe, Message(12, [1, 0, 0x17, 1, 4]), s_done));
        yield return Case("TLS 1.2 with a finite field", null, Tls12(Dhe, Message(12, [.. HelloBytes.Vector16(new byte[256])]), s_done));
        yield return Case("TLS 1.2 with a finite field that looks like a curve", null, Tls12(Dhe, Curve(0x0017), s_done));
        yield return Case("TLS 1.2 with RSA key transport", null, Tls12(Rsa, s_done));
        yield return Case(
            "TLS 1.2 resumed", null, [.. Records(ServerHello(0x0303, Ecdhe, [])), .. s_changeCipherSpec, .. Records(Curve(0x0017))]);
        yield return Case("a message longer than anybody needs", null, Tls12(Ecdhe, Message(12, new byte[33_000])));
        yield return Case("a hello that ends too soon", null, Records(Message(2, new byte[20])));
        yield return Case("nothing that can be read", null, s_protected);
    }

    [TestCaseSource(nameof(Flights))]
    public void It_finds_the_group_wherever_the_flight_is_cut(KeyExchangeGroup? expected, byte[] flight)
    {
        foreach (var size in new[] { 1, 2, 3, 7, 64, flight.Length })
        {
            var reader = new ServerFlightReader();
            foreach (var piece in flight.Chunk(size))
            {
                reader.Take(piece);
            }

            (reader.IsComplete, reader.Group).Should().Be((true, expected), $"in pieces of {size}");
        }
    }

    private static IEnumerable<TestCaseData> Sessions()
    {
        static TestCaseData Case(string what, bool isResumed, byte[] flight) => new TestCaseData(isResumed, flight).SetArgDisplayNames(what);
        yield return Case("TLS 1.3", false, Records(ServerHello(0x0304, Tls13Suite, Share(0x001d))));
        yield return Case("TLS 1.3 by a pre-shared key", true, Records(ServerHello(0x0304, Tls13Suite, Share(0x001d), resumes: true)));
        yield return Case(
            "TLS 1.3 by a pre-shared key after a HelloRetryRequest",
            true,
            [.. Records(ServerHello(0x0304, Tls13Suite, Retry(0x0018), s_retryRandom)), .. s_changeCipherSpec,
                .. Records(ServerHello(0x0304, Tls13Suite, Share(0x0018), resumes: true))]);
        yield return Case("TLS 1.2", false, [.. Tls12(Ecdhe, Curve(0x0017), s_done), .. s_changeCipherSpec]);
        yield return Case("TLS 1.2 by a session", true, [.. Records(ServerHello(0x0303, Ecdhe, [])), .. s_changeCipherSpec]);
        yield return Case(
            "TLS 1.2 by a ticket that is renewed",
            true,
            [.. Records([.. ServerHello(0x0303, Ecdhe, []), .. Message(4, new byte[90])]), .. s_changeCipherSpec]);
    }

    [TestCaseSource(nameof(Sessions))]
    public void It_finds_a_session_that_is_resumed_wherever_the_flight_is_cut(bool isResumed, byte[] flight)
    {
        foreach (var size in new[] { 1, 2, 7, flight.Length })
        {
            var reader = new ServerFlightReader();
            foreach (var piece in flight.Chunk(size))
            {
                reader.Take(piece);
            }

            (reader.IsComplete, reader.TakesUpSession).Should().Be((true, isResumed), $"in pieces of {size}");
        }
    }

    [Test]
    public void It_says_where_the_clear_part_ends_wherever_the_flight_is_cut()
    {
        var tls12 = Tls12(Ecdhe, Curve(0x0017), s_done);
        var tls13 = Records(ServerHello(0x0304, Tls13Suite, Share(0x001d)));
        foreach (var (flight, clear) in new (byte[], long?)[]
        {
            ([.. tls12, .. s_protected, .. tls12], tls12.Length),
            ([.. tls13, .. s_changeCipherSpec, .. s_protected, .. s_protected], tls13.Length),
            ([.. s_protected, .. tls12], 0),
            (tls12, null),
        })
        {
            foreach (var size in new[] { 1, 2, 5, 7, flight.Length })
            {
                var reader = new ServerFlightReader();
                foreach (var piece in flight.Chunk(size))
                {
                    reader.Take(piece);
                }

                reader.ClearLength.Should().Be(clear, $"in pieces of {size}");
            }
        }
    }

    [Test]
    public void It_is_not_complete_before_it_is()
    {
        var flight = Tls12(Ecdhe, Curve(0x0017));
        var reader = new ServerFlightReader();

        reader.Take(flight.AsSpan(0, flight.Length - 1));
        (reader.IsComplete, reader.Group).Should().Be((false, null));
        reader.Take(flight.AsSpan(flight.Length - 1));
        (reader.IsComplete, reader.Group).Should().Be((true, KeyExchangeGroup.Secp256r1));
    }

    [Test]
    public void What_follows_changes_nothing()
    {
        var reader = new ServerFlightReader();
        reader.Take(Records(ServerHello(0x0304, Tls13Suite, Share(0x001d))));
        reader.Take(Records(ServerHello(0x0304, Tls13Suite, Share(0x11ec))));

        reader.Group.Should().Be(KeyExchangeGroup.X25519);
    }

    private static TestCaseData Case(string name, KeyExchangeGroup? group, byte[] flight) => new TestCaseData(group, flight).SetArgDisplayNames(name);

    private static byte[] Tls12(int suite, params byte[][] after) =>
        Records([.. ServerHello(0x0303, suite, []), .. s_certificate, .. after.SelectMany(message => message)]);

    private static byte[] Curve(int group) => Message(12, [3, .. HelloBytes.UInt16(group), .. HelloBytes.Vector8(new byte[65]), 4, 3, 0, 2, 1, 1]);

    private static byte[] Share(int group) => [.. HelloBytes.UInt16(group), .. HelloBytes.Vector16(new byte[32])];

    private static byte[] Retry(int group) => [.. HelloBytes.UInt16(group)];

    private static byte[] ServerHello(int version, int suite, byte[] share, byte[]? random = null, bool resumes = false)
    {
        byte[] extensions =
        [
            .. version == 0x0304 ? HelloBytes.Concat([0, 43, 0, 2], HelloBytes.UInt16(version)) : [],
            .. share.Length > 0 ? HelloBytes.Concat([0, 51], HelloBytes.Vector16(share)) : [],
            .. resumes ? [0, 41, 0, 2, 0, 0] : Array.Empty<byte>(),
        ];
        return Message(
            2,
            [3, 3, .. random ?? new byte[32], .. HelloBytes.Vector8([]), .. HelloBytes.UInt16(suite), 0, .. HelloBytes.Vector16(extensions)]);
    }

    private static byte[] Message(byte type, byte[] body) => [type, (byte)(body.Length >> 16), (byte)(body.Length >> 8), (byte)body.Length, .. body];

    private static byte[] Records(byte[] messages) => HelloBytes.Records(messages);
}
