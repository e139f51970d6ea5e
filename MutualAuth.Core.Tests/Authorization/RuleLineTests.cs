using System.Security.Claims;
using MutualAuth.Authorization;
using MutualAuth.Names;
using MutualAuth.Tests.Credentials;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Authorization;

/// <summary>Each kind of rule: written in a file, alone, and among others, where only the names of the certificate are looked up.</summary>
public sealed class RuleLineTests
{
    private static readonly TestPeer s_peer = new()
    {
        Subject = "CN=client,O=Test",
        Issuer = "CN=Issuing Authority,O=Test",
        Dns = ["client.test"],
        Uris = ["https://client.test/A"],
        Emails = ["no mailbox", "Alice@client.test"],
        Addresses = ["192.0.2.1"],
    };

    private static readonly TestPeer s_workload = new() { Uris = ["spiffe://td.test/a"] };

    private static IEnumerable<TestCaseData> Lines()
    {
        yield return Line("dns CLIENT.test", "dns other.test", s_peer, "client.test");
        yield return Line("uri https://client.test/A", "uri https://client.test/B", s_peer, "uri:https://client.test/A");
        yield return Line("email Alice@client.test", "email Bob@client.test", s_peer, "email:Alice@client.test");
        yield return Line("ip 192.0.2.1", "ip 192.0.2.2", s_peer, "ip:192.0.2.1");
        yield return Line("subject CN=client,O=Test", "subject CN=client", s_peer, "subject:CN=client,O=Test");
        yield return Line("issuer CN=Issuing Authority,O=Test", "issuer CN=Issuing Authority", s_peer, null);
        yield return Line("spiffe spiffe://td.test/a", "spiffe spiffe://td.test/b", s_workload, "spiffe://td.test/a");
        yield return Line("spiffe td.test", "spiffe other.test", s_workload, "spiffe://td.test/a");
        yield return Line("any-trusted", "nobody", s_peer, null);

        static TestCaseData Line(string accepting, string rejecting, TestPeer peer, string? name) =>
            new TestCaseData(accepting, rejecting, peer, name).SetArgDisplayNames(accepting, rejecting);
    }

    [TestCaseSource(nameof(Lines))]
    public void A_line_lets_in_whom_it_names_alone_and_among_others(string accepting, string rejecting, object peer, string? name)
    {
        using var folder = new TemporaryFolder();
        var context = ((TestPeer)peer).Context();
        AuthorizationRule Read(string text)
        {
            using var file = new AuthorizationFile(folder.Write("rules", text), folder.Options);
            return file.Current;
        }

        foreach (var (text, isAccepted) in new[]
        {
            (accepting, true),
            (rejecting, false),
            ($"# others\ndns first.test\n{accepting}\n", true),
            ($"dns first.test\nspiffe first.test\n{accepting}\n{accepting}\nuri urn:x:1", true),
            (rejecting == "nobody" ? "dns first.test\ndns second.test" : $"dns first.test\n{rejecting}\n{rejecting}", false),
        })
        {
            var objection = Read(text).Examine(context, out var found);

            (objection is null).Should().Be(isAccepted, text);
            found?.ToString().Should().Be(name);
            (found is null).Should().Be(!isAccepted || name is null, text);
        }
    }

    [TestCase("")]
    [TestCase("# nobody yet\n")]
    [TestCase("nobody\ndns a.test")]
    [TestCase("dns a.test\nnobody")]
    [TestCase("dns")]
    [TestCase("any-trusted really")]
    [TestCase("host a.test")]
    public void A_file_that_says_nothing_or_two_things_at_once_is_refused(string text)
    {
        using var folder = new TemporaryFolder();

        FluentActions.Invoking(() => new AuthorizationFile(folder.Write("rules", text), folder.Options)).Should().Throw<MaterialException>();
    }

    [Test]
    public void Only_a_rule_of_dialled_names_is_for_servers_only()
    {
        var (name, other) = (Authorize.ServerName, Authorize.Dns("a.test"));

        name.AcceptsServersOnly.Should().BeTrue();
        other.AcceptsServersOnly.Should().BeFalse();
        Authorize.AllOf(other, name).AcceptsServersOnly.Should().BeTrue("all of them must agree");
        Authorize.AllOf(other, other).AcceptsServersOnly.Should().BeFalse();
        Authorize.AnyOf(name, other).AcceptsServersOnly.Should().BeFalse("one of them is enough");
        Authorize.AnyOf(name, name).AcceptsServersOnly.Should().BeTrue();
    }

    [Test]
    public void Alternatives_that_share_a_fact_tell_it_and_others_tell_none()
    {
        var names = Authorize.AnyOf(Authorize.Dns("a.test"), Authorize.Email("b@test")).Examine(new TestPeer().Context())!;
        var mixed = Authorize.AnyOf(Authorize.Dns("a.test"), Authorize.Issuer("CN=x"), Authorize.Where("no", _ => false))
            .Examine(new TestPeer().Context())!;

        (names.Element, names.Rule).Should().Be(("leaf certificate", "RFC 5280 §4.2.1.6"));
        (mixed.Element, mixed.Rule).Should().Be((null, null));
        Authorize.AnyOf(Authorize.Dns("a.test.example"), Authorize.Dns("b.test.example")).Examine(
            new TestPeer { Dns = ["*.test.example"] }.Context())!.Hint.Should().NotBeNull();
    }

    [TestCase(32, null)]
    [TestCase(33, "1 more")]
    public void As_many_alternatives_are_printed_as_there_may_be(int count, string? rest)
    {
        var rules = Enumerable.Range(0, count).Select(number => Authorize.Dns($"host-{number}.test"));

        var expected = Authorize.AnyOf(rules).Examine(new TestPeer().Context())!.Expected;

        expected.Should().Contain("host-31.").And.NotContain("host-32.");
        (expected.Contains("more", StringComparison.Ordinal) ? "1 more" : null).Should().Be(rest);
    }

    [Test]
    public void A_wildcard_is_hinted_at_where_it_covers_the_name_and_nowhere_else()
    {
        var rule = Authorize.Dns("client.test.example");

        rule.Examine(new TestPeer { Dns = ["*.test.example"] }.Context())!.Hint.Should().NotBeNull();
        rule.Examine(new TestPeer { Dns = ["*.other.example"] }.Context())!.Hint.Should().BeNull();
    }

    [TestCase("O=server.test.example", false)]
    [TestCase("CN=other", false)]
    [TestCase("CN=SERVER.test.example", true)]
    [TestCase("CN=server.test.example+O=Test", false)]
    [TestCase("O=Test,CN=server.test.example", true)]
    public void A_common_name_is_hinted_at_where_it_is_the_dialled_name(string subject, bool isHinted)
    {
        var rejection = Authorize.ServerName.Examine(new TestPeer { Subject = subject, Dialled = "server.test.example" }.Context())!;

        rejection.Reason.Should().Be(RejectionReason.ServerNameMismatch);
        (rejection.Hint is not null).Should().Be(isHinted);
    }

    [Test]
    public void A_dialled_address_is_hinted_at_only_where_the_certificate_has_it_as_a_name()
    {
        Authorize.ServerName.Examine(new TestPeer { Dns = ["192.0.2.2"], Dialled = "192.0.2.1" }.Context())!.Hint.Should().BeNull();
        Authorize.ServerName.Examine(new TestPeer { Dns = ["192.0.2.1"], Dialled = "192.0.2.1" }.Context())!.Hint.Should().Contain("iPAddress");
        Authorize.ServerName.Examine(new TestPeer { Dialled = "192.0.2.1" }.Context())!.Expected.Should().StartWith("the IP address");
        Authorize.ServerName.Examine(new TestPeer { Dialled = "a.test" }.Context())!.Expected.Should().StartWith("the DNS name");
    }

    [Test]
    public void A_URI_too_long_to_be_a_name_still_lets_its_holder_in()
    {
        var uri = "urn:x:" + new string('a', 3000);

        Authorize.Uri(uri).Examine(new TestPeer { Uris = [uri] }.Context(), out var name).Should().BeNull();
        name.Should().BeNull();
        FluentActions.Invoking(() => Authorize.Uri("no URI at all")).Should().Throw<FormatException>();
        FluentActions.Invoking(() => Authorize.Uri("urn:x:\u00e4")).Should().Throw<FormatException>();
    }

    [Test]
    public void Each_kind_of_name_is_a_claim_of_its_kind()
    {
        var peer = Sasl.PeerOf(s_workload with { Subject = "CN=a", Dns = ["a.test"], Emails = ["a@b.test"] });
        var principal = peer.ToClaimsPrincipal();

        peer.ProvenNames.Select(name => name.ToString()).Should().Equal(
            "spiffe://td.test/a", "a.test", "email:a@b.test", "subject:CN=a", $"sha256:{peer.Certificate!.Thumbprint}");

        principal.FindAll(ClaimTypes.Uri).Select(claim => claim.Value).Should().Equal("spiffe://td.test/a");
        principal.FindAll(ClaimTypes.Dns).Select(claim => claim.Value).Should().Equal("a.test");
        principal.FindAll(ClaimTypes.Email).Select(claim => claim.Value).Should().Equal("a@b.test");
        principal.FindFirst(ClaimTypes.X500DistinguishedName)!.Value.Should().NotBeEmpty();
    }
}
