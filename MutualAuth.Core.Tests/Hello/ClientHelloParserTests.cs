using CsCheck;
using MutualAuth.Hello;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Hello;

public sealed class ClientHelloParserTests
{
    private const int Max = 16 * 1024;

    private static readonly byte[] s_empty = [22, 3, 1, 0, 0];

    [Test]
    public void A_hello_says_name_protocols_and_versions()
    {
        var bytes = HelloBytes.Records(HelloBytes.Message(
            HelloBytes.ServerName("Bank.Test"), HelloBytes.Alpn("mutualauth/1+x", "x"), HelloBytes.Versions(0x0a0a, 0x0304, 0x0303)));

        var (hello, problem) = ClientHelloParser.Parse(bytes, Max, final: false);

        problem.Should().BeNull();
        hello!.ServerName.Should().Be("bank.test");
        hello.ApplicationProtocols.Should().Equal("mutualauth/1+x", "x");
        hello.Versions.Should().Equal(0x0304, 0x0303);
    }

    [Test]
    public void A_hello_without_extensions_offers_its_legacy_version_and_nothing_else()
    {
        var (hello, _) = ClientHelloParser.Parse(HelloBytes.Records(HelloBytes.Message(0x0302)), Max, final: false);

        hello!.Versions.Should().Equal(0x0302);
        hello.ServerName.Should().BeNull();
        hello.ApplicationProtocols.Should().BeEmpty();
    }

    [Test]
    public void A_hello_is_complete_with_its_last_byte_and_not_before([Values(16384, 40, 1)] int fragment)
    {
        var bytes = HelloBytes.Records(HelloBytes.Message(HelloBytes.ServerName("a.test"), HelloBytes.Versions(0x0304)), fragment);

        for (var length = 0; length < bytes.Length; length++)
        {
            var (early, problem) = ClientHelloParser.Parse(bytes.AsSpan(0, length), Max, final: false);
            early.Should().BeNull();
            problem.Should().BeNull($"{length} bytes are a beginning");
        }

        ClientHelloParser.Parse(bytes, Max, final: false).Hello!.ServerName.Should().Be("a.test");
    }

    [Test]
    public void What_follows_the_hello_is_left_alone()
    {
        byte[] bytes = [.. HelloBytes.Records(HelloBytes.Message(HelloBytes.ServerName("a.test"))), 20, 3, 3, 0, 1, 1];

        ClientHelloParser.Parse(bytes, Max, final: false).Hello.Should().NotBeNull();
    }

    private static IEnumerable<TestCaseData> Wrong()
    {
        static TestCaseData Case(string name, byte[] bytes, RejectionReason reason) => new TestCaseData(bytes, reason).SetArgDisplayNames(name);

        var good = HelloBytes.Message(HelloBytes.ServerName("a.test"));
        yield return Case("HTTP GET", "GET / HTTP/1.1\r\n"u8.ToArray(), RejectionReason.PlainHttp);
        yield return Case("HTTP/2 preface", "PRI * HTTP/2.0\r\n"u8.ToArray(), RejectionReason.PlainHttp);
        yield return Case("SSH banner", "SSH-2.0-OpenSSH_9.2\r\n"u8.ToArray(), RejectionReason.PlainSsh);
        yield return Case("garbage", [0, 1, 2, 3, 4, 5, 6, 7, 8], RejectionReason.NotTls);
        yield return Case("SSL 2.0 hello (RFC 6176)", [0x80, 0x2e, 1, 0, 2, 0, 3, 0, 0], RejectionReason.ProtocolVersionUnsupported);
        yield return Case("an alert first", [21, 3, 1, 0, 2, 2, 40], RejectionReason.MalformedClientHello);
        yield return Case(
            "33 empty records",
            [.. Enumerable.Repeat<byte[]>([22, 3, 1, 0, 0], 33).SelectMany(record => record)],
            RejectionReason.MalformedClientHello);
        yield return Case("a record of 0xFFFF bytes", [22, 3, 1, 0xff, 0xff], RejectionReason.MalformedClientHello);
        yield return Case("a record of version 2", [22, 2, 0, 0, 5], RejectionReason.MalformedClientHello);
        yield return Case("a ServerHello", HelloBytes.Records([2, .. good[1..]]), RejectionReason.MalformedClientHello);
        yield return Case("16 MiB announced", [22, 3, 1, 0, 4, 1, 0xff, 0xff, 0xff], RejectionReason.ClientHelloTooLarge);
        yield return Case("130 KiB announced, where we would take more", [22, 3, 1, 0, 4, 1, 2, 8, 0], RejectionReason.ClientHelloTooLarge);
        yield return Case("one byte over the bound", [22, 3, 1, 0, 4, 1, 0, 0x40, 0x01], RejectionReason.ClientHelloTooLarge);
        yield return Case(
            "server_name twice (RFC 8446 §4.2)",
            HelloBytes.Records(HelloBytes.Message(HelloBytes.ServerName("a.test"), HelloBytes.ServerName("b.test"))),
            RejectionReason.MalformedClientHello);
        yield return Case(
            "NUL in server_name (CVE-2026-48930)",
            HelloBytes.Records(HelloBytes.Message(HelloBytes.ServerName("a\0b.test"))),
            RejectionReason.MalformedClientHello);
        yield return Case(
            "empty server_name", HelloBytes.Records(HelloBytes.Message(HelloBytes.ServerName(""))), RejectionReason.MalformedClientHello);
        yield return Case("empty ALPN list", HelloBytes.Records(HelloBytes.Message(HelloBytes.Alpn())), RejectionReason.MalformedClientHello);
        yield return Case("empty ALPN id", HelloBytes.Records(HelloBytes.Message(HelloBytes.Alpn(""))), RejectionReason.MalformedClientHello);
        yield return Case("odd supported_versions", HelloBytes.Records(HelloBytes.Message((43, [3, 3, 4, 3]))), RejectionReason.MalformedClientHello);
        yield return Case(
            "trailing byte after the extensions",
            HelloBytes.Records([1, 0, (byte)((good.Length - 3) >> 8), (byte)(good.Length - 3), .. good[4..], 0]),
            RejectionReason.MalformedClientHello);
        yield return Case("extension cut short", HelloBytes.Records(HelloBytes.Message((0, [0, 9, 0]))), RejectionReason.MalformedClientHello);
        yield return Case("no body", HelloBytes.Records([1, 0, 0, 0]), RejectionReason.MalformedClientHello);
    }

    [TestCaseSource(nameof(Wrong))]
    public void What_is_no_hello_gets_its_own_reason(byte[] bytes, RejectionReason reason)
    {
        var (hello, problem) = ClientHelloParser.Parse(bytes, Max, final: false);

        hello.Should().BeNull();
        problem!.Reason.Should().Be(reason);
    }

    [Test]
    public void A_single_letter_becomes_a_verdict_only_when_nothing_more_comes()
    {
        ClientHelloParser.Parse("G"u8, Max, final: false).Problem.Should().BeNull();
        ClientHelloParser.Parse("G"u8, Max, final: true).Problem!.Reason.Should().Be(RejectionReason.NotTls);
    }

    [Test]
    public void A_record_of_another_version_is_answered_only_where_TLS_has_begun()
    {
        byte[] other = [22, 2, 0, 0, 1, 1];

        ClientHelloParser.Parse(other, Max, final: false).Alert.Should().BeNull();
        ClientHelloParser.Parse([.. s_empty, .. other], Max, final: false).Alert.Should().Be(TlsAlerts.ProtocolVersion);
        ClientHelloParser.Parse([22, 3, 1, 0, 1, 1, .. other], Max, final: false).Alert.Should().Be(TlsAlerts.ProtocolVersion);
    }

    [Test]
    public void Empty_records_are_counted_in_a_row()
    {
        var half = HelloBytes.Records(HelloBytes.Message(HelloBytes.ServerName("a.test")), 30);
        byte[] many = [.. Enumerable.Repeat(s_empty, 32).SelectMany(record => record)];
        var first = half[..35];

        ClientHelloParser.Parse([.. many, .. first, .. many, .. half[35..]], Max, final: false).Hello.Should().NotBeNull();
        ClientHelloParser.Parse([.. first, .. many, .. s_empty], Max, final: false).Alert.Should().Be(TlsAlerts.UnexpectedMessage);
    }

    [TestCase(16_384, true)]
    [TestCase(16_385, false)]
    public void A_record_is_as_long_as_TLS_allows(int size, bool isRead)
    {
        byte[] record = [22, 3, 1, (byte)(size >> 8), (byte)size, 1, 0, 0x40, 0, .. new byte[20]];

        (ClientHelloParser.Parse(record, Max, final: false).Alert).Should().Be(isRead ? null : TlsAlerts.RecordOverflow);
    }

    [TestCase(131_396, null)]
    [TestCase(131_397, TlsAlerts.IllegalParameter)]
    public void No_hello_is_longer_than_the_engine_takes(int announced, int? alert)
    {
        byte[] record = [22, 3, 1, 0, 4, 1, (byte)(announced >> 16), (byte)(announced >> 8), (byte)announced];

        var reading = ClientHelloParser.Parse(record, 1 << 20, final: false);

        reading.Alert.Should().Be(alert);
        (reading.Problem?.Hint?.Contains("MaxClientHelloBytes")).Should().Be(alert is null ? null : true);
    }

    [Test]
    public void A_hello_of_the_largest_size_is_waited_for_and_one_octet_more_is_refused()
    {
        ClientHelloParser.Parse([22, 3, 1, 0, 4, 1, 0, 0x40, 0], Max, final: false).Should().Be(default(HelloReading));

        var reading = ClientHelloParser.Parse([22, 3, 1, 0, 4, 1, 0, 0x40, 1], Max, final: false);
        (reading.Problem!.Reason, reading.Alert).Should().Be((RejectionReason.ClientHelloTooLarge, TlsAlerts.DecodeError));
    }

    [Test]
    public void A_session_id_of_32_octets_is_the_longest([Values(32, 33)] int length)
    {
        var reading = ClientHelloParser.Parse(new HelloDraft { SessionId = new byte[length] }.Records(), Max, final: false);

        reading.Alert.Should().Be(length == 32 ? null : TlsAlerts.DecodeError);
    }

    [TestCase(255, null)]
    [TestCase(256, TlsAlerts.UnrecognizedName)]
    public void A_name_of_255_octets_is_the_longest(int length, int? alert) =>
        ClientHelloParser.Parse(HelloBytes.Records(HelloBytes.Message(HelloBytes.ServerName(new string('a', length)))), Max, final: false)
            .Alert.Should().Be(alert);

    [TestCase("\u0020", TlsAlerts.UnrecognizedName)]
    [TestCase("\u0021", null)]
    [TestCase("\u007e", null)]
    [TestCase("\u007f", TlsAlerts.UnrecognizedName)]
    public void A_name_is_of_printable_characters(string name, int? alert) =>
        ClientHelloParser.Parse(HelloBytes.Records(HelloBytes.Message(HelloBytes.ServerName(name))), Max, final: false).Alert.Should().Be(alert);

    [Test]
    public void Names_of_other_kinds_are_passed_over()
    {
        var other = (0, HelloBytes.Vector16([7, 0, 1, (byte)'x', 0, 0, 1, (byte)'a', 7, 0, 1, (byte)'y']));

        ClientHelloParser.Parse(HelloBytes.Records(HelloBytes.Message(other)), Max, final: false).Hello!.ServerName.Should().Be("a");
    }

    [TestCase(0x0a0a, false)]
    [TestCase(0xfafa, false)]
    [TestCase(0x0a0b, true)]
    [TestCase(0x0303, true)]
    public void Reserved_versions_are_left_out_and_no_others(int version, bool isKept)
    {
        var hello = new HelloDraft { Extensions = [HelloBytes.Versions(version, 0x0304), HelloDraft.EllipticGroups, HelloDraft.EllipticShare] };

        ClientHelloParser.Parse(hello.Records(), Max, final: false).Hello!.Versions.Should().Equal(isKept ? [version, 0x0304] : [0x0304]);
    }

    [Test]
    public void No_bytes_make_the_parser_throw()
    {
        var mutated = Gen.Select(Gen.Int[0, 200], Gen.Byte, Gen.Int[1, 300], Gen.Bool);
        mutated.Sample((at, value, fragment, final) =>
        {
            var bytes = HelloBytes.Records(
                HelloBytes.Message(HelloBytes.ServerName("a.test"), HelloBytes.Alpn("x", "y"), HelloBytes.Versions(0x0304)), fragment);
            bytes[at % bytes.Length] = value;
            var (hello, problem) = ClientHelloParser.Parse(bytes, Max, final);
            (hello is not null && problem is not null).Should().BeFalse();
        });
        Gen.Byte.Array[0, 400].Sample(bytes =>
        {
            ClientHelloParser.Parse(bytes, Max, final: true);
        });
    }
}
