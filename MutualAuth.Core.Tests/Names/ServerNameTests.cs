using System.Net;
using CsCheck;
using MutualAuth.Names;

namespace MutualAuth.Tests.Names;

public sealed class ServerNameTests
{
    [TestCase("Server.Example.", "server.example")]
    [TestCase("localhost", "localhost")]
    public void A_host_name_is_dialled_by_name(string text, string expected)
    {
        var name = ServerName.Parse(text);

        name.Dns.Should().Be(DnsName.Parse(expected));
        name.Address.Should().BeNull();
        name.ToString().Should().Be(expected);
    }

    [TestCase("192.0.2.1", "192.0.2.1")]
    [TestCase("0.0.0.0", "0.0.0.0")]
    [TestCase("2001:db8::1", "2001:db8::1")]
    [TestCase("[2001:DB8:0::1]", "2001:db8::1")]
    [TestCase("::", "::")]
    [TestCase("::1", "::1")]
    [TestCase("::ffff:192.0.2.1", "192.0.2.1")]
    [TestCase("[::ffff:c000:201]", "192.0.2.1")]
    public void An_address_is_dialled_by_address(string text, string expected)
    {
        var name = ServerName.Parse(text);

        name.Dns.Should().BeNull();
        name.Address.Should().Be(IPAddress.Parse(expected));
        name.ToString().Should().Be(expected);
    }

    [TestCase("")]
    [TestCase("192.0.2")]
    [TestCase("192.0.2.256")]
    [TestCase("192.0.2.01")]
    [TestCase("0xc0.0.2.1")]
    [TestCase("3221225985")]
    [TestCase("192.0.2.1.")]
    [TestCase("[192.0.2.1]")]
    [TestCase("[server.example]")]
    [TestCase("[2001:db8::1")]
    [TestCase("2001:db8::1]")]
    [TestCase("[]")]
    [TestCase("[[::1]]")]
    [TestCase("[::1]:443")]
    [TestCase("server.example:443")]
    [TestCase("192.0.2.1:443")]
    [TestCase("fe80::1%eth0")]
    [TestCase("fe80::1%3")]
    [TestCase("[fe80::1%3]")]
    [TestCase("::1/128")]
    [TestCase("::1::")]
    [TestCase(" ::1")]
    [TestCase("*.example.org")]
    public void What_cannot_be_dialled_by_name_or_address_is_refused(string text)
    {
        ServerName.TryParse(text, out var name).Should().BeFalse();
        name.Should().BeNull();
        FluentActions.Invoking(() => ServerName.Parse(text)).Should().Throw<FormatException>();
    }

    [Test]
    public void An_address_with_a_zone_is_refused_and_without_it_taken()
    {
        var octets = IPAddress.Parse("fe80::1").GetAddressBytes();

        ServerName.FromAddress(new IPAddress(octets)).ToString().Should().Be("fe80::1");
        FluentActions.Invoking(() => ServerName.FromAddress(new IPAddress(octets, 3))).Should().Throw<ArgumentException>();
    }

    [Test]
    public void An_address_that_is_changed_afterwards_changes_nothing()
    {
        var address = IPAddress.Parse("fe80::1");
        var name = ServerName.FromAddress(address);

        address.ScopeId = 3;

        name.Should().Be(ServerName.Parse("fe80::1"));
    }

    [Test]
    public void Names_are_equal_only_to_names_and_addresses_only_to_addresses()
    {
        ServerName.Parse("SERVER.example").Should().Be(ServerName.FromDns(DnsName.Parse("server.example")));
        ServerName.Parse("::ffff:192.0.2.1").Should().Be(ServerName.Parse("192.0.2.1"));
        ServerName.Parse("192.0.2.1").GetHashCode().Should().Be(ServerName.FromAddress(IPAddress.Parse("192.0.2.1")).GetHashCode());
        ServerName.Parse("192.0.2.1").Should().NotBe(ServerName.Parse("192.0.2.2"));
        ServerName.Parse("server.example").Should().NotBe(ServerName.Parse("192.0.2.1"));
    }

    [Test]
    public void No_text_makes_it_throw_and_what_it_reads_is_read_back_the_same() =>
        Gen.OneOf(Gen.String, Gen.String[Gen.Char["0123456789abf:.[]%x"], 0, 50], Gen.Byte.Array[16].Select(b => new IPAddress(b).ToString())).Sample(
            text =>
            {
                if (ServerName.TryParse(text, out var name))
                {
                    ServerName.Parse(name.ToString()).Should().Be(name);
                    (name.Dns is null).Should().NotBe(name.Address is null);
                }
            });
}
