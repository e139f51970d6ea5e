using CsCheck;
using MutualAuth.Hello;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Hello;

public sealed class ClientHelloParserTests
{
    private const int Max = 16 * 1024;

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
