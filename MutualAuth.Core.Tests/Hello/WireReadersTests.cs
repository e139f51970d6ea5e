using MutualAuth.Hello;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Hello;

/// <summary>Lengths on the wire are believed as far as octets are there. What a server of TLS 1.2 has shown is read by them.</summary>
public sealed class WireReadersTests
{
    private static readonly byte[] s_certificate = [1, 2, 3];
    private static readonly byte[] s_issuer = [4, 5];

    [Test]
    public void A_length_that_fits_exactly_is_read_and_one_that_is_one_too_long_is_not()
    {
        var reader = new WireReader([2, 8, 9]);
        reader.TryReadVector8(out var content).Should().BeTrue();
        content.ToArray().Should().Equal(8, 9);
        reader.IsAtEnd.Should().BeTrue();

        new WireReader([3, 8, 9]).TryReadVector8(out content).Should().BeFalse();
        content.IsEmpty.Should().BeTrue();
        new WireReader([0, 2, 8, 9]).TryReadVector16(out content).Should().BeTrue();
        content.ToArray().Should().Equal(8, 9);
        new WireReader([0, 3, 8, 9]).TryReadVector16(out content).Should().BeFalse();
        new WireReader([0]).TryReadVector16(out content).Should().BeFalse();
        new WireReader([]).TryReadVector8(out content).Should().BeFalse();
    }

    [Test]
    public void Numbers_have_their_octets_in_network_order_and_both_of_them()
    {
        var reader = new WireReader([1, 2, 3]);
        reader.TryReadUInt16(out var value).Should().BeTrue();
        value.Should().Be(0x0102);
        reader.IsAtEnd.Should().BeFalse();
        reader.TryReadUInt16(out value).Should().BeFalse();
        value.Should().Be(0);
        reader.TryRead(1, out var last).Should().BeTrue("a read that fails takes nothing");
        last.ToArray().Should().Equal(3);
    }

    [Test]
    public void The_first_flight_of_a_server_shows_its_protocol_and_its_certificates()
    {
        var flight = Records(Hello(Extension(16, HelloBytes.Vector16(HelloBytes.Vector8("h2"u8.ToArray())))), Certificates(s_certificate, s_issuer));

        Tls12ServerFlight.TryRead(flight, out var protocol, out var certificates).Should().BeTrue();

        protocol.Should().Be("h2");
        certificates.Select(each => each.ToArray()).Should().BeEquivalentTo(new[] { s_certificate, s_issuer }, each => each.WithStrictOrdering());
    }

    [Test]
    public void Messages_may_be_cut_into_records_anywhere_and_others_may_come_between([Values(1, 2, 5, 100)] int fragment)
    {
        byte[] messages = [.. Hello(), .. Message(22, [9, 9]), .. Certificates(s_certificate)];
        byte[] flight = [.. messages.Chunk(fragment).SelectMany(piece => HelloBytes.Records(piece))];

        Tls12ServerFlight.TryRead(flight, out var protocol, out var certificates).Should().BeTrue();

        protocol.Should().BeNull();
        certificates.Should().ContainSingle().Which.ToArray().Should().Equal(s_certificate);
    }

    [Test]
    public void A_protocol_is_found_behind_other_extensions_and_not_taken_from_them()
    {
        var name = HelloBytes.Vector16(HelloBytes.Vector8("x"u8.ToArray()));

        Read(Extension(15, name)).Should().BeNull();
        Read(Extension(17, name), Extension(16, name)).Should().Be("x");
        Read(Extension(16, [0, 5, 1, (byte)'x'])).Should().BeNull("its list is cut short");
        Read(Extension(16, [0, 2, 9, (byte)'x'])).Should().BeNull("its name is cut short");
        Read(Extension(16, [])).Should().BeNull();

        static string? Read(params byte[][] extensions)
        {
            Tls12ServerFlight.TryRead(Records(Hello(extensions), Certificates(s_certificate)), out var protocol, out _).Should().BeTrue();
            return protocol;
        }
    }

    [Test]
    public void A_hello_that_is_cut_short_has_no_protocol()
    {
        var hello = Hello(Extension(16, HelloBytes.Vector16(HelloBytes.Vector8("x"u8.ToArray()))));
        for (var length = 0; length < hello.Length - 4; length++)
        {
            var cut = Message(2, hello[4..(4 + length)]);
            Tls12ServerFlight.TryRead(Records(cut, Certificates(s_certificate)), out var protocol, out var certificates).Should().BeTrue();
            protocol.Should().BeNull($"{length} octets");
            certificates.Should().HaveCount(1);
        }
    }

    private static IEnumerable<TestCaseData> Unreadable()
    {
        static TestCaseData Case(string name, byte[] flight) => new TestCaseData(flight).SetArgDisplayNames(name);

        yield return Case("nothing", []);
        yield return Case("a hello alone", Records(Hello()));
        yield return Case("no certificates", Records(Hello(), Certificates()));
        yield return Case("a certificate cut short", Records(Hello(), Message(11, [0, 0, 4, 0, 0, 9, 1])));
        yield return Case("a length cut short", Records(Hello(), Message(11, [0, 0, 2, 0, 0])));
        yield return Case("more than the list", Records(Hello(), Message(11, [0, 0, 4, 0, 0, 1, 1, 7])));
        yield return Case("no list", Records(Hello(), Message(11, [0, 0])));
        yield return Case("a message cut short", Records(Hello(), [11, 0, 0, 9, 0, 0, 3]));
        yield return Case("an alert before the certificates", [.. Records(Hello()), 21, 3, 3, 0, 2, 2, 40, .. Records(Certificates(s_certificate))]);
        yield return Case("a record cut short", Records(Hello(), Certificates(s_certificate))[..^1]);
    }

    [TestCaseSource(nameof(Unreadable))]
    public void A_flight_without_readable_certificates_shows_none(byte[] flight)
    {
        Tls12ServerFlight.TryRead(flight, out _, out var certificates).Should().BeFalse();

        certificates.Should().BeEmpty();
    }

    [Test]
    public void A_certificate_may_be_longer_than_two_octets_of_length_say()
    {
        var large = new byte[0x01_0203];
        byte[] flight = [.. Certificates(large).Chunk(16_000).SelectMany(piece => HelloBytes.Records(piece))];

        Tls12ServerFlight.TryRead(flight, out _, out var certificates).Should().BeTrue();

        certificates.Should().ContainSingle().Which.Length.Should().Be(large.Length);
    }

    private static byte[] Records(params byte[][] messages) => [.. messages.SelectMany(message => HelloBytes.Records(message))];

    private static byte[] Message(byte type, byte[] body) =>
        [type, (byte)(body.Length >> 16), (byte)(body.Length >> 8), (byte)body.Length, .. body];

    private static byte[] Extension(int type, byte[] data) => HelloBytes.Concat(HelloBytes.UInt16(type), HelloBytes.Vector16(data));

    private static byte[] Hello(params byte[][] extensions) => Message(
        2, [3, 3, .. new byte[32], 1, 7, 0xc0, 0x2b, 0, .. HelloBytes.Vector16(HelloBytes.Concat(extensions))]);

    private static byte[] Certificates(params byte[][] certificates)
    {
        byte[] list = [.. certificates.SelectMany(Vector24)];
        return Message(11, Vector24(list));

        static byte[] Vector24(byte[] content) => [(byte)(content.Length >> 16), (byte)(content.Length >> 8), (byte)content.Length, .. content];
    }
}
