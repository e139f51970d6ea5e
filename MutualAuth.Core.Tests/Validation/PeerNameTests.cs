using MutualAuth.Tests.Support;
using MutualAuth.Validation;

namespace MutualAuth.Tests.Validation;

public sealed class PeerNameTests
{
    [Test]
    public void A_workload_goes_by_its_spiffe_id() =>
        NameOf(new TestPeer { Uris = ["spiffe://example.org/api"], Dns = ["api.test"] }).Should().Be("spiffe://example.org/api");

    // Whoever reads the name takes a SPIFFE ID in it for a proven one, so a certificate that no SVID rule would let in must not be called by it.
    [TestCase("spiffe://example.org/api", "https://example.org/")]
    [TestCase("spiffe://example.org/api", "spiffe://example.org/db")]
    [TestCase("spiffe://example.org")]
    public void A_certificate_that_is_no_svid_does_not_go_by_a_spiffe_id(params string[] uris) =>
        NameOf(new TestPeer { Uris = uris, Dns = ["api.test", "second.test"] }).Should().Be("api.test");

    [TestCase("api.test", "api.test")]
    [TestCase(null, "CN=a%20peer,O=Test")]
    public void Others_go_by_their_first_dns_name_and_else_by_their_subject(string? dns, string expected) =>
        NameOf(new TestPeer { Subject = "CN=a peer,O=Test", Dns = dns is null ? [] : [dns] }).Should().Be(expected);

    private static string NameOf(TestPeer peer) => PeerName.Of(peer.Certificate());
}
