using MutualAuth.Names;

namespace MutualAuth.Tests.Names;

public sealed class ServiceNameTests
{
    [TestCase("_imaps.example.org", "imaps", "example.org")]
    [TestCase("_IMAPS.Example.ORG", "imaps", "example.org")]
    [TestCase("_xmpp-client.im.example", "xmpp-client", "im.example")]
    [TestCase("_3com-tsmux.example", "3com-tsmux", "example")]
    public void A_name_is_a_service_and_a_domain(string text, string service, string domain)
    {
        var name = ServiceName.Parse(text);

        (name.Service, name.Domain).Should().Be((service, DnsName.Parse(domain)));
        name.ToString().Should().Be($"_{service}.{domain}");
        name.Should().Be(ServiceName.Of(service.ToUpperInvariant(), DnsName.Parse(domain)));
        name.GetHashCode().Should().Be(ServiceName.Of(service, DnsName.Parse(domain)).GetHashCode());
        name.Equals((object)ServiceName.Of(service, DnsName.Parse(domain))).Should().BeTrue();
    }

    [TestCase("")]
    [TestCase("imaps.example.org")]
    [TestCase("_imaps")]
    [TestCase("_imaps.")]
    [TestCase("_.example.org")]
    [TestCase("_imaps.example.org.")]
    [TestCase("_imaps.*.example.org")]
    [TestCase("_*.example.org")]
    [TestCase("_imaps._tcp.example.org")]
    [TestCase("_imaps.192.0.2.1")]
    [TestCase("_-imaps.example.org")]
    [TestCase("_imaps-.example.org")]
    [TestCase("_im--aps.example.org")]
    [TestCase("_143.example.org")]
    [TestCase("_a234567890123456.example.org")]
    [TestCase("_im aps.example.org")]
    [TestCase("_\u212amaps.example.org")]
    [TestCase("_imaps.b\u00fccher.example")]
    [TestCase("_imaps..example.org")]
    public void Anything_else_is_none(string text)
    {
        ServiceName.TryParse(text, out _).Should().BeFalse();
        FluentActions.Invoking(() => ServiceName.Parse(text)).Should().Throw<FormatException>();
    }

    [Test]
    public void Both_parts_count()
    {
        var name = ServiceName.Parse("_imaps.example.org");

        name.Should().NotBe(ServiceName.Parse("_pop3s.example.org")).And.NotBe(ServiceName.Parse("_imaps.example.com"));
        FluentActions.Invoking(() => ServiceName.Of("_imaps", DnsName.Parse("example.org"))).Should().Throw<FormatException>();
    }
}
