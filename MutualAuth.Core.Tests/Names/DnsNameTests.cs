using System.Net;
using CsCheck;
using MutualAuth.Names;

namespace MutualAuth.Tests.Names;

public sealed class DnsNameTests
{
    private static readonly string s_label63 = new('a', 63);
    private static readonly string s_name253 = string.Join('.', s_label63, s_label63, s_label63, new string('a', 61));

    private static IEnumerable<TestCaseData> Names()
    {
        yield return new TestCaseData("server.example", "server.example");
        yield return new TestCaseData("Server.EXAMPLE", "server.example");
        yield return new TestCaseData("server.example.", "server.example");
        yield return new TestCaseData("localhost", "localhost");
        yield return new TestCaseData("xn--bcher-kva.example", "xn--bcher-kva.example");
        yield return new TestCaseData("r3---sn-4g5e.example", "r3---sn-4g5e.example");
        yield return new TestCaseData("3com.example", "3com.example");
        yield return new TestCaseData("1.2.3.4a", "1.2.3.4a");
        yield return new TestCaseData("0x7g", "0x7g");
        yield return new TestCaseData(s_label63 + ".example", s_label63 + ".example");
        yield return new TestCaseData(s_name253, s_name253);
        yield return new TestCaseData(s_name253 + ".", s_name253);
    }

    private static IEnumerable<string> OtherTexts()
    {
        yield return "";
        yield return ".";
        yield return "..";
        yield return ".example";
        yield return "server..example";
        yield return "server.example..";
        yield return "-server.example";
        yield return "server-.example";
        yield return "_sip.example";
        yield return "*.example.org";
        yield return "server.example:443";
        yield return "server example";
        yield return " server.example";
        yield return "server.example\n";
        yield return "server.example\0.test";
        yield return "https://server.example";
        yield return "bücher.example";
        yield return "server。example";
        yield return "\u212Aelvin.example";
        yield return "127.0.0.1";
        yield return "127.0.0.1.";
        yield return "127.1";
        yield return "2130706433";
        yield return "0x7f.1";
        yield return "1.0X7F";
        yield return "127.0.0.0x";
        yield return "host.123";
        yield return "::1";
        yield return s_label63 + "a.example";
        yield return s_name253 + "a";
    }

    [TestCaseSource(nameof(Names))]
    public void A_host_name_is_read_in_lower_case_without_its_trailing_dot(string text, string expected) =>
        DnsName.Parse(text).ToString().Should().Be(expected);

    [TestCaseSource(nameof(OtherTexts))]
    public void What_is_not_a_host_name_is_refused(string text)
    {
        DnsName.TryParse(text, out var name).Should().BeFalse();
        name.Should().BeNull();
        FluentActions.Invoking(() => DnsName.Parse(text)).Should().Throw<FormatException>();
    }

    [Test]
    public void Nothing_is_not_a_host_name()
    {
        DnsName.TryParse(null, out _).Should().BeFalse();
        FluentActions.Invoking(() => DnsName.Parse(null!)).Should().Throw<ArgumentNullException>();
    }

    [Test]
    public void Case_and_trailing_dot_make_no_difference_and_every_character_does()
    {
        DnsName.Parse("Server.example.").Should().Be(DnsName.Parse("server.EXAMPLE"));
        DnsName.Parse("server.example").GetHashCode().Should().Be(DnsName.Parse("SERVER.example").GetHashCode());
        DnsName.Parse("server.example").Should().NotBe(DnsName.Parse("serves.example"));
        DnsName.Parse("server.example").Equals(null).Should().BeFalse();
    }

    [Test]
    public void No_text_makes_it_throw_and_what_it_reads_is_read_back_the_same() =>
        Gen.OneOf(Gen.String, Gen.String[Gen.Char["aZ0-.x_*1é\0"], 0, 300], Gen.Char["ab1x."].Array[0, 12].Select(c => new string(c))).Sample(text =>
        {
            if (DnsName.TryParse(text, out var name))
            {
                DnsName.Parse(name.ToString()).Should().Be(name);
                IPAddress.TryParse(name.ToString(), out _).Should().BeFalse();
            }
        });
}
