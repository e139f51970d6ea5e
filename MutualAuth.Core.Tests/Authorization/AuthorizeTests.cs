using System.Net;
using MutualAuth.Evidence;
using MutualAuth.Names;
using MutualAuth.Tests.Support;
using MutualAuth.Validation;

namespace MutualAuth.Tests.Authorization;

public sealed class AuthorizeTests
{
    private static readonly AuthorizationRule s_yes = Authorize.Where("yes", _ => true);
    private static readonly AuthorizationRule s_no = Authorize.Where("no", _ => false);
    private static readonly AuthorizationRule s_broken = Authorize.Where("broken", _ => throw new InvalidOperationException("story"));

    private static IEnumerable<TestCaseData> Combinations()
    {
        yield return Combination("any (yes)", Authorize.AnyOf(s_yes), null);
        yield return Combination("any (no)", Authorize.AnyOf(s_no), RejectionReason.NotAuthorized);
        yield return Combination("any (no, yes)", Authorize.AnyOf(s_no, s_yes), null);
        yield return Combination("any (broken, yes)", Authorize.AnyOf(s_broken, s_yes), null);
        yield return Combination("any (broken, no)", Authorize.AnyOf(s_broken, s_no), RejectionReason.ValidatorFaulted);
        yield return Combination("any (name, no)", Authorize.AnyOf(Authorize.ServerName, s_no), RejectionReason.NotAuthorized);
        yield return Combination("any (name, name)", Authorize.AnyOf(Authorize.ServerName, Authorize.ServerName), RejectionReason.ServerNameMismatch);
        yield return Combination("all (yes)", Authorize.AllOf(s_yes), null);
        yield return Combination("all (yes, yes)", Authorize.AllOf(s_yes, s_yes), null);
        yield return Combination("all (yes, no)", Authorize.AllOf(s_yes, s_no), RejectionReason.NotAuthorized);
        yield return Combination("all (yes, broken)", Authorize.AllOf(s_yes, s_broken), RejectionReason.ValidatorFaulted);
        yield return Combination("broken", s_broken, RejectionReason.ValidatorFaulted);
        yield return Combination("all (any (no, yes), yes)", Authorize.AllOf(Authorize.AnyOf(s_no, s_yes), s_yes), null);
        yield return Combination("all (any (no, yes), no)", Authorize.AllOf(Authorize.AnyOf(s_no, s_yes), s_no), RejectionReason.NotAuthorized);
        yield return Combination("any (all (yes, no), no)", Authorize.AnyOf(Authorize.AllOf(s_yes, s_no), s_no), RejectionReason.NotAuthorized);
    }

    [TestCaseSource(nameof(Combinations))]
    public void Rules_combine_without_widening_what_they_say(AuthorizationRule rule, RejectionReason? expected) =>
        (rule.Examine(new TestPeer().Context())?.Reason).Should().Be(expected);

    [TestCase("client.test", null)]
    [TestCase("other.test", RejectionReason.NotAuthorized)]
    public void An_application_can_ask_a_rule_about_an_accepted_peer(string name, RejectionReason? expected)
    {
        using var world = new World();
        var evidence = new PeerEvidence(PeerRole.Client, [world.ClientCertificate.Certificate.RawDataMemory]);
        var accepted = (CertificateVerdict.Accepted)new CertificateStage(world.ServerOptions).Judge(evidence, TimeProvider.System.GetUtcNow());

        (Authorize.Dns(name).Examine(accepted.Peer, TimeProvider.System.GetUtcNow())?.Reason).Should().Be(expected);
    }

    /// <summary>Else live connections would not be judged again when what is inside of a combination is replaced.</summary>
    [Test]
    public void A_combination_is_read_from_what_its_rules_are_read_from()
    {
        var (one, other) = (new ReloadableRule(s_yes), new ReloadableRule(s_no));

        Authorize.AnyOf(s_yes, Authorize.From(one)).Reloadables().Should().Equal(one);
        Authorize.AllOf(Authorize.From(one), s_yes).Reloadables().Should().Equal(one);
        Authorize.AllOf(Authorize.AnyOf(s_no, Authorize.From(one)), Authorize.From(other)).Reloadables().Should().Equal(one, other);
        Authorize.AllOf(Authorize.AnyOf(s_no, s_yes), Authorize.ServerName, Authorize.AnyTrustedPeer).Reloadables().Should().BeEmpty();
    }

    [Test]
    public void Any_reports_every_alternative()
    {
        var rejection = Authorize.AnyOf(Authorize.Dns("a.test"), Authorize.SpiffeId("spiffe://td/b"), Authorize.Email("c@test"))
            .Examine(new TestPeer().Context())!;

        rejection.Reason.Should().Be(RejectionReason.NotAuthorized);
        rejection.Expected.Should().ContainAll("a.test", "spiffe://td/b", "c@test");
    }

    [Test]
    public void Any_of_very_many_reports_their_number()
    {
        var rules = Enumerable.Range(0, 1000).Select(number => Authorize.Dns($"host-{number}.test")).ToArray();

        Authorize.AnyOf(rules)
            .Examine(new TestPeer().Context())!.Expected.Should().Contain("host-31.").And.NotContain("host-32.").And.Contain("968 more");
        Authorize.AnyOf(rules).Examine(new TestPeer { Dns = ["host-999.test"] }.Context()).Should().BeNull();
    }

    [Test]
    public void All_reports_the_first_objection() =>
        Authorize.AllOf(s_yes, Authorize.Dns("a.test"), Authorize.Dns("b.test")).Examine(new TestPeer().Context())!.Expected
            .Should().Contain("a.test")
            .And.NotContain("b.test");

    [Test]
    public void A_rule_that_would_let_in_nobody_or_anybody_by_mistake_cannot_be_made()
    {
        FluentActions.Invoking(() => Authorize.AnyOf()).Should().Throw<ArgumentException>();
        FluentActions.Invoking(() => Authorize.AllOf()).Should().Throw<ArgumentException>();
        FluentActions.Invoking(() => Authorize.AllOf(s_yes, null!)).Should().Throw<ArgumentException>();
        FluentActions.Invoking(() => Authorize.Where(" ", _ => true)).Should().Throw<ArgumentException>();
        FluentActions.Invoking(() => Authorize.Where("x", null!)).Should().Throw<ArgumentNullException>();
    }

    [Test]
    public void A_list_that_is_changed_afterwards_changes_nothing()
    {
        AuthorizationRule[] rules = [s_no, s_no];
        var rule = Authorize.AnyOf(rules);

        rules[1] = s_yes;

        rule.Examine(new TestPeer().Context())!.Reason.Should().Be(RejectionReason.NotAuthorized);
    }

    [Test]
    public void A_name_that_is_malformed_is_refused_at_construction()
    {
        FluentActions.Invoking(() => Authorize.Dns("*.example.org")).Should().Throw<FormatException>();
        FluentActions.Invoking(() => Authorize.Dns("192.0.2.1")).Should().Throw<FormatException>();
        FluentActions.Invoking(() => Authorize.Uri("client")).Should().Throw<FormatException>();
        FluentActions.Invoking(() => Authorize.Uri("https://client.test/a b")).Should().Throw<FormatException>();
        FluentActions.Invoking(() => Authorize.SpiffeId("spiffe://example.org")).Should().Throw<FormatException>();
        FluentActions.Invoking(() => Authorize.MemberOf("Example.org")).Should().Throw<FormatException>();
        FluentActions.Invoking(() => Authorize.Email("alice")).Should().Throw<FormatException>();
        FluentActions.Invoking(() => Authorize.IPAddress("client.test")).Should().Throw<FormatException>();
        FluentActions.Invoking(() => Authorize.IPAddress(new IPAddress(new byte[16], 3))).Should().Throw<ArgumentException>();
    }

    [Test]
    public void An_empty_distinguished_name_is_refused_at_construction()
    {
        DistinguishedName.TryDecode(new byte[] { 0x30, 0x00 }, out var empty).Should().BeTrue();
        FluentActions.Invoking(() => Authorize.Subject(empty!)).Should().Throw<ArgumentException>();
        FluentActions.Invoking(() => Authorize.Issuer(empty!)).Should().Throw<ArgumentException>();
    }

    [Test]
    public void A_rule_reads_as_a_sentence() =>
        Authorize.AllOf(
            Authorize.AnyOf(Authorize.Dns("a.test"), Authorize.MemberOf("td")), Authorize.Where("it is day", _ => true)).ToString().Should().Be(
            "all of (any of (a certificate with the DNS name a.test; or an X.509-SVID with a SPIFFE ID in the trust domain td); and a peer "
                + "for which it is day)");

    private static TestCaseData Combination(string name, AuthorizationRule rule, RejectionReason? expected) =>
        new TestCaseData(rule, expected).SetArgDisplayNames(name);
}
