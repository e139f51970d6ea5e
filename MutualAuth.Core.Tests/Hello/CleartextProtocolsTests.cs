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
}
