using System.Net;
using System.Net.Sockets;
using MutualAuth.Spiffe;

namespace MutualAuth.Tests;

public sealed class WorkloadApiAddressTests
{
    [TestCase("unix:///run/spire/agent.sock", "/run/spire/agent.sock")]
    [TestCase("unix:/run/spire/agent.sock", "/run/spire/agent.sock")]
    [TestCase("unix:///run/a%20b.sock", "/run/a b.sock")]
    [TestCase("unix:///run/%C3%A9.sock", "/run/\u00e9.sock")]
    public void A_unix_address_names_a_socket(string text, string path)
    {
        var address = WorkloadApiAddress.Parse(text);

        address.EndPoint.Should().BeOfType<UnixDomainSocketEndPoint>().Which.ToString().Should().Be(path);
        address.ToString().Should().Be(text);
    }

    [TestCase("tcp://127.0.0.1:8000", "127.0.0.1", 8000)]
    [TestCase("tcp://[::1]:8000", "::1", 8000)]
    [TestCase("tcp://[0:0:0:0:0:0:0:1]:8000", "::1", 8000)]
    [TestCase("tcp://[::ffff:127.0.0.1]:8000", "::ffff:127.0.0.1", 8000)]
    public void A_tcp_address_names_an_ip_address_and_a_port(string text, string address, int port) =>
        WorkloadApiAddress.Parse(text).EndPoint.Should().Be(new IPEndPoint(IPAddress.Parse(address), port));

    [TestCase("")]
    [TestCase("/run/spire/agent.sock")]
    [TestCase("unix:")]
    [TestCase("unix://")]
    [TestCase("unix:///")]
    [TestCase("unix:run/agent.sock")]
    [TestCase("unix://host/run/agent.sock")]
    [TestCase("unix:///run/agent.sock?x=y")]
    [TestCase("unix:///run/agent.sock#x")]
    [TestCase("UNIX:///run/agent.sock")]
    [TestCase("tcp://127.0.0.1")]
    [TestCase("tcp://127.0.0.1:0")]
    [TestCase("tcp://127.0.0.1:65536")]
    [TestCase("tcp://127.0.0.1:8000/foo")]
    [TestCase("tcp://localhost:8000")]
    [TestCase("tcp://::1:8000")]
    [TestCase("tcp://[127.0.0.1]:8000")]
    [TestCase("tcp://user@127.0.0.1:8000")]
    [TestCase("https://127.0.0.1:8000")]
    [TestCase("unix:///run/a%00b.sock")]
    [TestCase("unix:///run/a%0ab.sock")]
    [TestCase("unix:///run/a%zzb.sock")]
    [TestCase("unix:///run/a%ffb.sock")]
    [TestCase("unix:///run/a%4")]
    [TestCase("tcp://127.1:8000")]
    [TestCase("tcp://0x7f.1:8000")]
    [TestCase("tcp://2130706433:8000")]
    [TestCase("tcp://0177.0.0.1:8000")]
    [TestCase("tcp://127.0.0.01:8000")]
    [TestCase("tcp://127.0.0.1 :8000")]
    [TestCase("tcp://[[::1]]:8000")]
    [TestCase("tcp://[[::1]:80]:8000")]
    [TestCase("tcp://[::1%1]:8000")]
    [TestCase("tcp://[::1/64]:8000")]
    [TestCase("tcp://[::ffff:127.1]:8000")]
    public void Everything_else_is_refused(string text)
    {
        WorkloadApiAddress.TryParse(text, out _).Should().BeFalse();
        var parsing = () => WorkloadApiAddress.Parse(text);
        parsing.Should().Throw<FormatException>();
    }

    [Test]
    public void A_path_that_no_socket_can_have_is_refused() =>
        WorkloadApiAddress.TryParse($"unix:///{new string('x', 200)}", out _).Should().BeFalse();
}
