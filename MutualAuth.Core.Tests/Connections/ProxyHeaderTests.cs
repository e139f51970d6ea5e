using System.Net;
using System.Text;
using MutualAuth.Connections;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Connections;

/// <summary>The header itself, as octets. Each that is read has a neighbour that differs in one fact and is not.</summary>
public sealed class ProxyHeaderTests
{
    private const int Most = 1024;

    private static IEnumerable<TestCaseData> Sound()
    {
        static TestCaseData Case(string name, byte[] header, string? source) => new TestCaseData(header, source).SetArgDisplayNames(name);

        yield return Case("1: TCP4", Text("PROXY TCP4 198.51.100.7 192.0.2.1 56324 443"), "198.51.100.7:56324");
        yield return Case("1: TCP6", Text("PROXY TCP6 2001:db8::7 2001:db8::1 56324 443"), "[2001:db8::7]:56324");
        yield return Case("1: TCP6, mapped", Text("PROXY TCP6 ::ffff:198.51.100.7 ::1 1 443"), "[::ffff:198.51.100.7]:1");
        yield return Case("1: ports at their ends", Text("PROXY TCP4 198.51.100.7 192.0.2.1 65535 0"), "198.51.100.7:65535");
        yield return Case("1: UNKNOWN", Text("PROXY UNKNOWN"), null);
        yield return Case("1: UNKNOWN with anything", Text("PROXY UNKNOWN ffff:f...f:ffff 1 2 3 4 5 \r \n \u00ff"), null);
        yield return Case("1: the longest", Text("PROXY UNKNOWN " + new string('x', 107 - 16)), null);
        yield return Case("2: IPv4", Binary(0x21, 0x11, ProxyHeaders.Addresses("198.51.100.7", 56324)), "198.51.100.7:56324");
        yield return Case("2: IPv6", Binary(0x21, 0x21, ProxyHeaders.Addresses("2001:db8::7", 56324)), "[2001:db8::7]:56324");
        yield return Case("2: IPv6, mapped", Binary(0x21, 0x21, ProxyHeaders.Addresses("::ffff:198.51.100.7", 1)), "[::ffff:198.51.100.7]:1");
        yield return Case("2: fields behind the addresses", Binary(0x21, 0x11, [.. ProxyHeaders.Addresses("198.51.100.7", 1), .. new byte[900]]),
            "198.51.100.7:1");
        yield return Case(
            "2: the longest", Binary(0x21, 0x11, [.. ProxyHeaders.Addresses("198.51.100.7", 1), .. new byte[Most - 12]]), "198.51.100.7:1");
        yield return Case("2: Unix", Binary(0x21, 0x31, new byte[216]), null);
        yield return Case("2: unspecified", Binary(0x21, 0x00, []), null);
        yield return Case("2: LOCAL", Binary(0x20, 0x00, []), null);
        yield return Case("2: LOCAL with whatever family", Binary(0x20, 0xff, new byte[3]), null);
        yield return Case("2: LOCAL with addresses, which do not count", Binary(0x20, 0x11, ProxyHeaders.Addresses("198.51.100.7", 1)), null);
    }

    [TestCaseSource(nameof(Sound))]
    public void A_header_says_where_the_client_is_and_where_it_ends(byte[] header, string? source)
    {
        byte[] received = [.. header, .. "\r\nwhatever follows"u8];

        var read = ProxyHeader.Parse(received, Most);

        read.Problem.Should().BeNull();
        read.Length.Should().Be(header.Length);
        read.Source.Should().Be(source is null ? null : IPEndPoint.Parse(source));
    }

    /// <summary>Whatever has come of it so far: never an answer before the end, and never an objection.</summary>
    [TestCaseSource(nameof(Sound))]
    public void A_header_that_comes_octet_by_octet_is_the_same(byte[] header, string? source)
    {
        for (var length = 1; length < header.Length; length++)
        {
            var read = ProxyHeader.Parse(header.AsSpan(0, length), Most);
            (read.Length, read.Problem, read.Source).Should().Be((0, null, null), $"{length} octets are not all of it");
            read.Wanted.Should().BeGreaterThan(length);
        }

        ProxyHeader.Parse(header, Most).Source?.ToString().Should().Be(source);
    }

    private static IEnumerable<TestCaseData> Unsound()
    {
        static TestCaseData Case(string name, byte[] header) => new TestCaseData(header).SetArgDisplayNames(name);
        static TestCaseData Line(string line) => new TestCaseData(Text(line)).SetArgDisplayNames(line.Length > 60 ? line[..60] : line);

        yield return Line("PROXY TCP4 198.51.100.7 192.0.2.1 56324");
        yield return Line("PROXY TCP4 198.51.100.7 192.0.2.1 56324 443 1");
        yield return Line("PROXY TCP4  198.51.100.7 192.0.2.1 56324 443");
        yield return Line("PROXY TCP4 198.51.100.7 192.0.2.1 56324 443 ");
        yield return Line("PROXY TCP4 2001:db8::7 2001:db8::1 56324 443");
        yield return Line("PROXY TCP6 198.51.100.7 192.0.2.1 56324 443");
        yield return Line("PROXY TCP4 198.51.100.07 192.0.2.1 56324 443");
        yield return Line("PROXY TCP4 198.51.25607 192.0.2.1 56324 443");
        yield return Line("PROXY TCP4 0xc6336407 192.0.2.1 56324 443");
        yield return Line("PROXY TCP4 198.51.100.7 x 56324 443");
        yield return Line("PROXY TCP6 [2001:db8::7] 2001:db8::1 56324 443");
        yield return Line("PROXY TCP6 fe80::7%1 2001:db8::1 56324 443");
        yield return Line("PROXY TCP4 198.51.100.7 192.0.2.1 65536 443");
        yield return Line("PROXY TCP4 198.51.100.7 192.0.2.1 -1 443");
        yield return Line("PROXY TCP4 198.51.100.7 192.0.2.1 +1 443");
        yield return Line("PROXY TCP4 198.51.100.7 192.0.2.1 01 443");
        yield return Line("PROXY TCP4 198.51.100.7 192.0.2.1 1 x");
        yield return Line("PROXY UDP4 198.51.100.7 192.0.2.1 1 443");
        yield return Line("PROXY tcp4 198.51.100.7 192.0.2.1 1 443");
        yield return Line("PROXY UNKNOWNS");
        yield return Line("PROXY ");
        yield return Case("1: 107 octets and no end of the line", [.. "PROXY UNKNOWN "u8, .. Enumerable.Repeat((byte)'x', 107 - 14)]);
        yield return Case("1: the end of the line one octet too late", Text("PROXY UNKNOWN " + new string('x', 107 - 15)));
        yield return Case("1: LF alone", [.. "PROXY UNKNOWN\n"u8, .. new byte[107]]);
        yield return Case("2: version 1", Binary(0x11, 0x11, ProxyHeaders.Addresses("198.51.100.7", 1)));
        yield return Case("2: version 3", Binary(0x31, 0x11, ProxyHeaders.Addresses("198.51.100.7", 1)));
        yield return Case("2: an unknown command", Binary(0x22, 0x11, ProxyHeaders.Addresses("198.51.100.7", 1)));
        yield return Case("2: an unknown family", Binary(0x21, 0x41, new byte[216]));
        yield return Case("2: an unknown transport", Binary(0x21, 0x13, ProxyHeaders.Addresses("198.51.100.7", 1)));
        yield return Case("2: datagrams", Binary(0x21, 0x12, ProxyHeaders.Addresses("198.51.100.7", 1)));
        yield return Case("2: IPv4 cut", Binary(0x21, 0x11, new byte[11]));
        yield return Case("2: IPv6 cut", Binary(0x21, 0x21, new byte[35]));
        yield return Case("2: Unix cut", Binary(0x21, 0x31, new byte[215]));
        yield return Case("2: longer than may be", Binary(0x21, 0x11, new byte[Most + 1]));
        yield return Case("2: 65,535 octets announced", [.. ProxyHeader.Signature, 0x21, 0x11, 0xff, 0xff]);
        yield return Case("2: LOCAL, longer than may be", Binary(0x20, 0x00, new byte[Most + 1]));
    }

    [TestCaseSource(nameof(Unsound))]
    public void What_is_not_the_form_is_refused(byte[] header)
    {
        var read = ProxyHeader.Parse(header, Most);

        read.Problem!.Reason.Should().Be(RejectionReason.ProxyHeaderMalformed);
        (read.Length, read.Source).Should().Be((0, null));
    }

    [Test]
    public void What_a_trusted_proxy_chose_is_printed_harmlessly() =>
        ProxyHeader.Parse(Text("PROXY TCP4 \u001b[31m 192.0.2.1 1 2"), Most).Problem!.ToString().Should().NotContain("\u001b");

    [TestCase("16030100a0010000", "a TLS record")]
    [TestCase("474554202f2048545450", "the octets 474554202f204854")]
    [TestCase("00", "the octets 00")]
    [TestCase("0d0a0d0a000d0a5155495400", "the octets 0d0a0d0a000d0a51")]
    [TestCase("50524f5858", "the octets 50524f5858")]
    public void What_is_no_header_at_all_is_missing(string received, string presented)
    {
        var problem = ProxyHeader.Parse(Convert.FromHexString(received), Most).Problem!;

        (problem.Reason, problem.Presented).Should().Be((RejectionReason.ProxyHeaderMissing, presented));
    }

    [TestCase("10.1.2.3", true)]
    [TestCase("::ffff:10.1.2.3", true, Description = "as a socket of both families names it")]
    [TestCase("10.1.3.3", false)]
    [TestCase("::ffff:10.1.3.3", false)]
    [TestCase("2001:db8::1", true)]
    [TestCase("2001:db9::1", false)]
    public void Networks_are_told_apart(string address, bool isTrusted)
    {
        var proxies = new ProxyProtocol { TrustedProxies = [IPNetwork.Parse("10.1.2.0/24"), IPNetwork.Parse("2001:db8::/32")] };

        proxies.Trusts(new IPEndPoint(IPAddress.Parse(address), 1)).Should().Be(isTrusted);
    }

    [Test]
    public void A_network_of_mapped_addresses_is_what_it_says()
    {
        var proxies = new ProxyProtocol { TrustedProxies = [IPNetwork.Parse("::ffff:10.1.2.0/120")] };

        proxies.Trusts(new IPEndPoint(IPAddress.Parse("::ffff:10.1.2.3"), 1)).Should().BeTrue();
        proxies.Trusts(new IPEndPoint(IPAddress.Parse("::ffff:10.1.3.3"), 1)).Should().BeFalse();
        proxies.Trusts(null).Should().BeFalse();
    }

    private static byte[] Text(string line) => Encoding.Latin1.GetBytes(line + "\r\n");

    private static byte[] Binary(byte versionAndCommand, byte family, byte[] rest) => ProxyHeaders.Binary(versionAndCommand, family, rest);
}
