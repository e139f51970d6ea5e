using System.Net;
using MutualAuth.Names;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Authorization;

public sealed class NameRuleTests
{
    private static readonly TestPeer s_peer = new()
    {
        Subject = "CN=client,O=Test",
        Issuer = "CN=Issuing Authority,O=Test",
        Dns = ["other.test", "client.test"],
        Uris = ["https://client.test/A", "urn:example:client"],
        Emails = ["Alice@client.test"],
        Addresses = ["192.0.2.1", "2001:db8::1"],
    };

    private static IEnumerable<TestCaseData> Rules()
    {
        yield return Pair("dns", Authorize.Dns("client.test"), Authorize.Dns("clienu.test"));
        yield return Pair("dns, second", Authorize.Dns("OTHER.test."), Authorize.Dns("a.other.test"));
        yield return Pair("dns, value", Authorize.Dns(DnsName.Parse("client.test")), Authorize.Dns(DnsName.Parse("test")));
        yield return Pair("uri", Authorize.Uri("urn:example:client"), Authorize.Uri("urn:example:clienu"));
        yield return Pair("uri, case", Authorize.Uri("https://client.test/A"), Authorize.Uri("https://client.test/a"));
        yield return Pair("email", Authorize.Email("Alice@CLIENT.test"), Authorize.Email("alice@client.test"));
        yield return Pair(
            "email, value", Authorize.Email(EmailAddress.Parse("Alice@client.test")), Authorize.Email(EmailAddress.Parse("Alice@test")));
        yield return Pair("ipv4", Authorize.IPAddress("192.0.2.1"), Authorize.IPAddress("192.0.2.2"));
        yield return Pair("ipv6", Authorize.IPAddress("[2001:db8::1]"), Authorize.IPAddress("2001:db8::2"));
        yield return Pair("address, value", Authorize.IPAddress(IPAddress.Parse("192.0.2.1")), Authorize.IPAddress(IPAddress.Parse("192.0.2.0")));
        yield return Pair(
            "where",
            Authorize.Where("it has two DNS names", c => c.Certificate.DnsNames.Length == 2),
            Authorize.Where("it has three", c => c.Certificate.DnsNames.Length == 3));
        yield return Pair(
            "all",
            Authorize.AllOf(Authorize.Dns("client.test"), Authorize.Dns("other.test")),
            Authorize.AllOf(Authorize.Dns("client.test"), Authorize.Dns("third.test")));
        yield return Pair(
            "any",
            Authorize.AnyOf(Authorize.Dns("third.test"), Authorize.Dns("other.test")),
            Authorize.AnyOf(Authorize.Dns("third.test"), Authorize.Dns("fourth.test")));
    }

    [TestCaseSource(nameof(Rules))]
    public void A_rule_lets_in_the_peer_that_it_names_and_nobody_else(AuthorizationRule accepting, AuthorizationRule rejecting)
    {
        accepting.Examine(s_peer.Context()).Should().BeNull();
        rejecting.Examine(s_peer.Context())!.Reason.Should().Be(RejectionReason.NotAuthorized);
    }

    // The authorities' names are compared by attribute, and case has no meaning in them.
    [TestCase("CN=client,O=Test", true)]
    [TestCase("CN=CLIENT,O=test", true)]
    [TestCase("CN=client", false)]
    [TestCase("O=Test,CN=client", false)]
    [TestCase("CN=client,O=Test,C=SE", false)]
    public void A_subject_is_compared_as_a_distinguished_name(string name, bool admitted) =>
        (Authorize.Subject(name).Examine(s_peer.Context()) is null).Should().Be(admitted);

    [TestCase("CN=Issuing Authority,O=Test", true)]
    [TestCase("CN=Another Authority,O=Test", false)]
    [TestCase("CN=client,O=Test", false)]
    public void An_issuer_is_compared_as_a_distinguished_name(string name, bool admitted) =>
        (Authorize.Issuer(DistinguishedName.Parse(name)).Examine(s_peer.Context()) is null).Should().Be(admitted);

    [Test]
    public void A_wildcard_in_a_certificate_lets_no_client_in_and_is_hinted_at()
    {
        var rejection = Authorize.Dns("client.test.example").Examine(new TestPeer { Dns = ["*.test.example"] }.Context())!;

        rejection.Reason.Should().Be(RejectionReason.NotAuthorized);
        rejection.Hint.Should().NotBeNull();
        Authorize.Dns("client.test.example").Examine(new TestPeer { Dns = ["client.test.example"] }.Context()).Should().BeNull();
    }

    [Test]
    public void A_name_of_one_kind_is_not_taken_for_another()
    {
        Authorize.Dns("client.test")
            .Examine(new TestPeer { Subject = "CN=client.test", Uris = ["https://client.test"] }.Context())
            .Should().NotBeNull();
        Authorize.IPAddress("192.0.2.1").Examine(new TestPeer { Dns = ["192.0.2.1"] }.Context()).Should().NotBeNull();
        Authorize.Email("alice@client.test").Examine(new TestPeer { Subject = "E=alice@client.test" }.Context()).Should().NotBeNull();
    }

    [Test]
    public void An_unparsable_email_in_a_certificate_matches_nothing() =>
        Authorize.Email("alice@client.test")
            .Examine(new TestPeer { Emails = ["\"alice\"@client.test", "alice@client.test."] }.Context())
            .Should().NotBeNull();

    [Test]
    public void Everybody_with_a_path_is_let_in_where_that_is_said() =>
        Authorize.AnyTrustedPeer.Examine(new TestPeer().Context()).Should().BeNull();

    private static TestCaseData Pair(string name, AuthorizationRule accepting, AuthorizationRule rejecting) =>
        new TestCaseData(accepting, rejecting).SetArgDisplayNames(name);
}
