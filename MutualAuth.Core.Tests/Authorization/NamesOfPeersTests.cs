using System.Collections.Immutable;
using System.Formats.Asn1;
using System.Runtime.ExceptionServices;
using System.Security.Claims;
using Microsoft.Extensions.Time.Testing;
using MutualAuth.Authorization;
using MutualAuth.Credentials;
using MutualAuth.Evidence;
using MutualAuth.Testing;
using MutualAuth.Tests.Support;
using MutualAuth.Validation;

namespace MutualAuth.Tests.Authorization;

/// <summary>
/// What an accepted peer is called: never by what nobody has checked, never by nothing, and each kind of name in a spelling of its own.
/// </summary>
public sealed class NamesOfPeersTests
{
    private static readonly TestAuthority s_authority = new("Names", timeProvider: new FakeTimeProvider(TestPeer.Now));

    private static readonly byte[] s_alice = DerEdit.Encode(
        writer => writer.WriteCharacterString(System.Formats.Asn1.UniversalTagNumber.UTF8String, "alice@corp.test"));

    private static IEnumerable<TestCaseData> Forgeries()
    {
        foreach (var text in new[]
        {
            "user:alice", "spiffe://bank.example/admin", "CN=admin,O=Bank", "subject:CN=admin,O=Bank", "email:a@b.test", "ip:192.0.2.1", "192.0.2.1",
            "uri:https://bank.test/",
            "sha256:00", "upn:alice@corp.test", "alice@bank.test", "", ".", "*", "*.", "a b", "a\nb.test", "-a.test", "a..test", "a_b.test",
            "a.test.", "*.*.test", "%61.test",
        })
        {
            yield return new TestCaseData(text).SetName(
                $"Names: a dNSName that is none does not name a peer ({Convert.ToHexString(System.Text.Encoding.ASCII.GetBytes(text))})");
        }
    }

    [TestCaseSource(nameof(Forgeries))]
    public void A_dns_name_that_is_none_names_nobody(string text)
    {
        var forged = Accepted(spec => spec with { Subject = "CN=mallory", DnsNames = [text] }).Name;
        var honest = Accepted(spec => spec with { Subject = "CN=mallory", DnsNames = ["mallory.test"] }).Name;

        forged.Should().Be("subject:CN=mallory");
        honest.Should().Be("mallory.test");
    }

    private static IEnumerable<TestCaseData> Kinds()
    {
        yield return Kind("a workload", "spiffe://td.test/a", spec => spec with { Uris = ["spiffe://td.test/a"], DnsNames = ["a.test"] });
        yield return Kind("a DNS name", "b.test", spec => spec with { DnsNames = ["not a name", "B.test", "a.test"], EmailAddresses = ["a@a.test"] });
        yield return Kind("a wildcard", "*.b.test", spec => spec with { DnsNames = ["*.B.test"] });
        yield return Kind(
            "a mailbox", "email:Alice@b.test", spec => spec with { EmailAddresses = ["no mailbox", "Alice@B.test"], Uris = ["urn:x:1"] });
        yield return Kind("a mailbox with a per cent sign", "email:a%25b@b.test", spec => spec with { EmailAddresses = ["a%b@b.test"] });
        yield return Kind(
            "a URI",
            "uri:urn:uuid:1",
            spec => spec with { Uris = ["no URI", "urn:uuid:1"], IPAddresses = [System.Net.IPAddress.Parse("192.0.2.1")] });
        yield return Kind(
            "an address", "ip:192.0.2.1", spec => spec with { IPAddresses = [System.Net.IPAddress.Parse("192.0.2.1")], OtherNames = [Upn()] });
        yield return Kind(
            "an address of version 6", "ip:2001:db8::1", spec => spec with { IPAddresses = [System.Net.IPAddress.Parse("2001:db8::1")] });
        yield return Kind("a user principal name", "upn:alice@corp.test", spec => spec with { OtherNames = [Upn()] });
        yield return Kind("a subject", "subject:CN=a%20b,O=C", spec => spec with { Subject = "CN=a b,O=C" });

        // Nobody may take a SPIFFE ID in a name for one that no rule would have let in.
        yield return Kind("two SPIFFE IDs", "subject:CN=peer", spec => spec with { Uris = ["spiffe://td.test/a", "spiffe://td.test/b"] });
        yield return Kind("the ID of a trust domain", "subject:CN=peer", spec => spec with { Uris = ["spiffe://td.test"] });
        yield return Kind("a SPIFFE ID in capitals", "subject:CN=peer", spec => spec with { Uris = ["SPIFFE://td.test/a"] });
        yield return Kind(
            "a SPIFFE ID of an authority's usage",
            "a.test",
            spec => spec with { Uris = ["spiffe://td.test/a", "https://a.test/"], DnsNames = ["a.test"] });

        static TestCaseData Kind(string what, string expected, Func<CertificateSpec, CertificateSpec> spec) =>
            new TestCaseData(expected, spec).SetName($"Names: {what} prints as {expected}");
    }

    [TestCaseSource(nameof(Kinds))]
    public void Each_kind_has_a_spelling_of_its_own(string expected, Func<CertificateSpec, CertificateSpec> spec) =>
        Accepted(usual => spec(usual with { Subject = "CN=peer" })).Name.Should().Be(expected);

    private static IEnumerable<TestCaseData> Nameless()
    {
        yield return new TestCaseData((CertificateSpec spec) => spec with { IPAddresses = [System.Net.IPAddress.Loopback] }, "ip:127.0.0.1").SetName(
            "Names: an address alone");
        yield return new TestCaseData((CertificateSpec spec) => spec with { OtherNames = [GeneralName.Directory("CN=x")] }, null).SetName(
            "Names: a directory name alone");
        yield return new TestCaseData((CertificateSpec spec) => spec with { DnsNames = [""] }, null).SetName("Names: an empty dNSName alone");
        yield return new TestCaseData((CertificateSpec spec) => spec with { OtherNames = [GeneralName.RegisteredId("1.2.3")] }, null).SetName(
            "Names: a registered identifier alone");
        yield return new TestCaseData((CertificateSpec spec) => spec with { Uris = ["urn:" + new string('a', 3000)] }, null).SetName(
            "Names: a name too long to print whole");
    }

    [TestCaseSource(nameof(Nameless))]
    public void A_peer_is_never_called_by_nothing(Func<CertificateSpec, CertificateSpec> spec, string? expected)
    {
        var peer = Accepted(usual => spec(usual with { Subject = string.Empty }));

        peer.Name.Should().Be(expected ?? $"sha256:{peer.Certificate!.Thumbprint}");
    }

    [TestCase("second.test", "second.test")]
    [TestCase("pod.svc.cluster.test", "pod.svc.cluster.test")]
    [TestCase("192.0.2.7", "ip:192.0.2.7")]
    [TestCase("SECOND.test", "second.test")]
    public void A_server_is_called_by_the_name_that_was_dialled(string dialled, string expected)
    {
        var server = Accepted(
            spec => spec with
            { DnsNames = ["first.test", "second.test", "*.svc.cluster.test"], IPAddresses = [System.Net.IPAddress.Parse("192.0.2.7")] },
            Authorize.ServerName,
            dialled);
        var unmatched = Accepted(spec => spec with { DnsNames = ["first.test"] }, Authorize.AnyTrustedPeer, "elsewhere.test");

        server.Name.Should().Be(expected);
        unmatched.Name.Should().Be("first.test");
    }

    private static IEnumerable<TestCaseData> Rules()
    {
        yield return Rule(Authorize.Dns("second.test"), "second.test");
        yield return Rule(Authorize.Email("second@a.test"), "email:second@a.test");
        yield return Rule(Authorize.Uri("https://a.test/"), "uri:https://a.test/");
        yield return Rule(Authorize.IPAddress("192.0.2.2"), "ip:192.0.2.2");
        yield return Rule(Authorize.Subject("CN=peer"), "subject:CN=peer");
        yield return Rule(
            Authorize.AnyOf(Authorize.Dns("absent.test"), Authorize.Email("second@a.test"), Authorize.Dns("second.test")), "email:second@a.test");
        yield return Rule(
            Authorize.AllOf(Authorize.AnyTrustedPeer, Authorize.Issuer("CN=Names"), Authorize.IPAddress("192.0.2.2"), Authorize.Dns("second.test")),
            "ip:192.0.2.2");
        yield return Rule(Authorize.From(new ReplaceableAuthorization(Authorize.Dns("second.test"))), "second.test");
        yield return Rule(Authorize.Where("it is", _ => true), "first.test");
        yield return Rule(Authorize.AnyTrustedPeer, "first.test");

        static TestCaseData Rule(AuthorizationRule rule, string expected) => new TestCaseData(rule, expected).SetName($"Names: let in by {rule}");
    }

    [TestCaseSource(nameof(Rules))]
    public void A_client_is_called_by_the_name_that_let_it_in(AuthorizationRule rule, string expected) =>
        Accepted(
            spec => spec with
            {
                Subject = "CN=peer",
                DnsNames = ["first.test", "second.test"],
                EmailAddresses = ["first@a.test", "second@a.test"],
                Uris = ["urn:x:1", "https://a.test/"],
                IPAddresses = [System.Net.IPAddress.Parse("192.0.2.1"), System.Net.IPAddress.Parse("192.0.2.2")],
            },
            rule).Name.Should().Be(expected);

    [Test]
    public void A_workload_is_called_by_its_id_where_a_rule_of_spiffe_let_it_in() =>
        Accepted(spec => spec with { Uris = ["spiffe://td.test/a"], DnsNames = ["a.test"] }, Authorize.MemberOf("td.test")).Name
            .Should().Be("spiffe://td.test/a");

    [Test]
    public void What_a_rejected_peer_claims_has_the_same_spellings()
    {
        Claimed(spec => spec with { DnsNames = ["user:alice"], Subject = "CN=mallory" }).Should().Be("subject:CN=mallory");
        Claimed(spec => spec with { DnsNames = ["spiffe://bank.test/admin"], Subject = string.Empty }).Should().StartWith("sha256:");
        Claimed(spec => spec with { DnsNames = ["mallory.test"] }).Should().Be("mallory.test");
    }

    [Test]
    public void The_principal_has_no_name_of_a_kind_that_it_is_not()
    {
        var principal = Accepted(spec => spec with
        {
            Subject = "CN=mallory",
            DnsNames = ["user:alice", "spiffe://bank.test/admin", "mallory.test"],
            EmailAddresses = ["no mailbox", "m@a.test"],
            Uris = ["no URI", "urn:x:1"],
        }).ToClaimsPrincipal();

        principal.FindAll(ClaimTypes.Dns).Select(claim => claim.Value).Should().Equal("mallory.test");
        principal.FindAll(ClaimTypes.Email).Select(claim => claim.Value).Should().Equal("m@a.test");
        principal.FindAll(ClaimTypes.Uri).Select(claim => claim.Value).Should().Equal("urn:x:1");
    }

    [TestCase("alice@bank.test", false)]
    [TestCase("https://bank.test/alice", false)]
    [TestCase("spiffe://bank.test/alice", false)]
    [TestCase("alice.test", true)]
    public void A_user_is_named_by_a_certificate_only_in_the_kind_that_the_name_is(string user, bool isNamed)
    {
        var peer = Accepted(spec => spec with { Subject = "CN=mallory", DnsNames = [user] });

        var objection = UserRules.NamedByTheirCertificate.Examine(new AuthenticatedUser(user, null, "PLAIN", PeerProofs.Password, default), peer);

        objection?.Reason.Should().Be(RejectionReason.UserNotAllowed);
        (objection is null).Should().Be(isNamed);
    }

    [TestCase("alice@corp.test", true)]
    [TestCase("Alice@corp.test", false)]
    [TestCase("alice@corp.tes", false)]
    public void A_user_principal_name_lets_in_whoever_has_it_and_nobody_who_has_it_otherwise(string name, bool isLetIn)
    {
        var rule = Authorize.UserPrincipalName(name);
        foreach (var either in (AuthorizationRule[])[rule, Authorize.AnyOf(Authorize.Dns("a.test"), rule)])
        {
            var verdict = Judge(spec => spec with { OtherNames = [Upn()] }, either, dialled: null);

            (verdict is CertificateVerdict.Accepted { Peer.Name: "upn:alice@corp.test" }).Should().Be(isLetIn);
            (verdict is CertificateVerdict.Rejected { Rejection.Reason: RejectionReason.NotAuthorized }).Should().Be(!isLetIn);
        }

        var ofAnotherType = GeneralName.Other("1.3.6.1.4.1.311.20.2.4", s_alice);
        Judge(spec => spec with { EmailAddresses = [name] }, rule, dialled: null).Should().BeOfType<CertificateVerdict.Rejected>(
            "a mailbox is another name");
        Judge(spec => spec with { OtherNames = [ofAnotherType] }, rule, dialled: null).Should().BeOfType<CertificateVerdict.Rejected>(
            "another type is another name");
    }

    [Test]
    public void A_user_principal_name_is_a_claim_of_its_kind() =>
        Accepted(spec => spec with { OtherNames = [Upn()] }).ToClaimsPrincipal().FindAll(ClaimTypes.Upn).Select(claim => claim.Value)
            .Should().Equal("alice@corp.test");

    [Test]
    public void A_user_principal_name_in_other_letters_is_hinted_at() =>
        Judge(spec => spec with { OtherNames = [Upn()] }, Authorize.UserPrincipalName("ALICE@corp.test"), dialled: null)
            .Should().BeOfType<CertificateVerdict.Rejected>().Which.Rejection.Hint.Should().Contain("letter case");

    [TestCase("alice@corp.test", true)]
    [TestCase("bob@corp.test", false)]
    public void A_user_is_named_by_a_user_principal_name(string user, bool isNamed)
    {
        var peer = Accepted(spec => spec with { OtherNames = [Upn()] });
        var him = new AuthenticatedUser(user, null, "PLAIN", PeerProofs.Password, default);
        var alice = PeerName.UserPrincipalName("alice@corp.test");
        var devices = UserRules.OfDevice(new Dictionary<PeerName, IEnumerable<string>> { [alice] = [alice.Value] });

        foreach (var rule in (UserRule[])[UserRules.NamedByTheirCertificate, devices])
        {
            (rule.Examine(him, peer) is null).Should().Be(isNamed);
        }
    }

    [Test]
    public void A_thousand_user_principal_names_that_are_none_cost_no_exceptions()
    {
        var thread = Environment.CurrentManagedThreadId;
        var thrown = 0;
        void Count(object? sender, FirstChanceExceptionEventArgs args) =>
            thrown += args.Exception is AsnContentException && Environment.CurrentManagedThreadId == thread ? 1 : 0;
        AppDomain.CurrentDomain.FirstChanceException += Count;
        try
        {
            var none = GeneralName.Other("1.3.6.1.4.1.311.20.2.3", new byte[] { 5, 0 });
            var peer = Accepted(spec => spec with { OtherNames = [.. Enumerable.Repeat(none, 1000)] });

            peer.Certificate!.UserPrincipalNames.Should().BeEmpty();
        }
        finally
        {
            AppDomain.CurrentDomain.FirstChanceException -= Count;
        }

        thrown.Should().Be(0);
    }

    private static GeneralName Upn() => GeneralName.Other("1.3.6.1.4.1.311.20.2.3", s_alice);

    private static AuthenticatedPeer Accepted(Func<CertificateSpec, CertificateSpec> spec, AuthorizationRule? rule = null, string? dialled = null) =>
        Judge(spec, rule ?? Authorize.AnyTrustedPeer, dialled).Should().BeOfType<CertificateVerdict.Accepted>().Subject.Peer;

    private static string? Claimed(Func<CertificateSpec, CertificateSpec> spec) =>
        Judge(spec, Authorize.Nobody, dialled: null).Should().BeOfType<CertificateVerdict.Rejected>().Subject.ClaimedName;

    private static CertificateVerdict Judge(Func<CertificateSpec, CertificateSpec> spec, AuthorizationRule rule, string? dialled)
    {
        using var issued = s_authority.Issue(
            usual => spec(usual) with { ExtendedKeyUsages = [ExtendedKeyUsage.ClientAuth, ExtendedKeyUsage.ServerAuth] });
        var evidence = new PeerEvidence(dialled is null ? PeerRole.Client : PeerRole.Server, ImmutableArray.Create(issued.RawCertificate))
        { DialledName = dialled is null ? null : ServerName.Parse(dialled) };
        return new CertificateStage(new CertificateStageOptions { Trust = s_authority.ToTrustAnchors(), Authorization = rule })
            .Judge(evidence, TestPeer.Now);
    }
}
