using MutualAuth.Hello;

namespace MutualAuth.Tests.Hello;

/// <summary>What is said of first bytes that are no TLS, down to the shortest.</summary>
public sealed class CleartextProtocolsTests
{
    [TestCase("802e01", RejectionReason.ProtocolVersionUnsupported)]
    [TestCase("802e02", RejectionReason.NotTls)]
    [TestCase("7f2e01", RejectionReason.NotTls)]
    [TestCase("802e", RejectionReason.NotTls)]
    [TestCase("80", RejectionReason.NotTls)]
    public void A_hello_of_SSL_2_has_three_bytes_that_show_it(string received, RejectionReason reason) =>
        CleartextProtocols.Recognise(Convert.FromHexString(received), final: true)!.Reason.Should().Be(reason);

    [TestCase("")]
    [TestCase("16")]
    [TestCase("15")]
    [TestCase("1603010200010001")]
    [TestCase("1503010002022800")]
    public void TLS_is_nothing_else(string received)
    {
        CleartextProtocols.Recognise(Convert.FromHexString(received), final: true).Should().BeNull();
        CleartextProtocols.Recognise(Convert.FromHexString(received), final: false).Should().BeNull();
    }

    [TestCase("GET / HT", RejectionReason.PlainHttp)]
    [TestCase("HEAD /x ", RejectionReason.PlainHttp)]
    [TestCase("POST /x ", RejectionReason.PlainHttp)]
    [TestCase("PUT /x H", RejectionReason.PlainHttp)]
    [TestCase("DELETE /", RejectionReason.PlainHttp)]
    [TestCase("CONNECT ", RejectionReason.PlainHttp)]
    [TestCase("OPTIONS ", RejectionReason.PlainHttp)]
    [TestCase("TRACE / ", RejectionReason.PlainHttp)]
    [TestCase("PATCH / ", RejectionReason.PlainHttp)]
    [TestCase("HTTP/1.1", RejectionReason.PlainHttp)]
    [TestCase("PRI * HTTP/2", RejectionReason.PlainHttp)]
    [TestCase("SSH-2.0-", RejectionReason.PlainSsh)]
    [TestCase("get / ht", RejectionReason.NotTls)]
    [TestCase("GET/xxxx", RejectionReason.NotTls)]
    [TestCase("SSH 2.0 ", RejectionReason.NotTls)]
    public void Eight_octets_are_enough_to_say_what_it_is_and_seven_are_not(string text, RejectionReason reason)
    {
        var received = System.Text.Encoding.ASCII.GetBytes(text);

        CleartextProtocols.Recognise(received.AsSpan(0, 7), final: false).Should().BeNull();
        var rejection = CleartextProtocols.Recognise(received, final: false)!;

        rejection.Reason.Should().Be(reason);
        rejection.Hint.Should().NotBeNullOrEmpty("the operator is told what to do");
    }

    [Test]
    public void What_nobody_knows_is_shown_by_its_first_octets() =>
        CleartextProtocols.Recognise([1, 2, 3, 4, 5, 6, 7, 8, 9, 10], final: false)!.Presented.Should().Be("the octets 0102030405060708");

    [Test]
    public void A_hello_of_SSL_2_is_known_before_eight_octets_have_come() =>
        CleartextProtocols.Recognise([0x80, 0x2e, 1], final: false)!.Reason.Should().Be(RejectionReason.ProtocolVersionUnsupported);
}
