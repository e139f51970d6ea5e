using System.Security.Cryptography.X509Certificates;
using MutualAuth.Authorization;
using MutualAuth.Evidence;
using MutualAuth.Paths;
using MutualAuth.Testing;
using MutualAuth.Tests.Support;
using MutualAuth.Validation;

namespace MutualAuth.Tests.Paths;

/// <summary>Which purposes a certificate must name, for how long it may have been issued, and from when it counts.</summary>
public sealed class PurposesAndLifetimesTests
{
    private static readonly ValidationProfile s_exception =
        ValidationProfile.MutualTls with { Purpose = PurposeRule.DangerouslyServerAuthForClients };

    private TestAuthority _root = null!;
    private TestAuthority _forServers = null!;

    [OneTimeSetUp]
    public void Make_the_authorities()
    {
        _root = new TestAuthority("Root");
        _forServers = _root.IssueIntermediate("Servers only", spec => spec with { ExtendedKeyUsages = [ExtendedKeyUsage.ServerAuth] });
    }

    [OneTimeTearDown]
    public void Dispose_of_the_authorities()
    {
        _root.Dispose();
        _forServers.Dispose();
    }

    [TestCase(PurposeRule.DangerouslyServerAuthForClients, false, "1.3.6.1.5.5.7.3.1", null)]
    [TestCase(PurposeRule.Required, false, "1.3.6.1.5.5.7.3.1", RejectionReason.WrongUsage)]
    [TestCase(PurposeRule.UnlessContradicted, false, "1.3.6.1.5.5.7.3.1", RejectionReason.WrongUsage)]
    [TestCase(PurposeRule.DangerouslyServerAuthForClients, true, "1.3.6.1.5.5.7.3.1", null)]
    [TestCase(PurposeRule.DangerouslyServerAuthForClients, false, "1.3.6.1.5.5.7.3.2", null)]
    [TestCase(PurposeRule.DangerouslyServerAuthForClients, true, "1.3.6.1.5.5.7.3.2", RejectionReason.WrongUsage)]
    [TestCase(PurposeRule.DangerouslyServerAuthForClients, false, "2.5.29.37.0", RejectionReason.WrongUsage)]
    [TestCase(PurposeRule.DangerouslyServerAuthForClients, false, "1.3.6.1.5.5.7.3.4", RejectionReason.WrongUsage)]
    [TestCase(PurposeRule.DangerouslyServerAuthForClients, false, null, RejectionReason.WrongUsage)]
    [TestCase(PurposeRule.UnlessContradicted, false, null, null)]
    public void A_client_needs_the_purpose_that_the_profile_asks_for(
        PurposeRule purpose, bool byAuthorityForServers, string? usage, RejectionReason? expected)
    {
        var authority = byAuthorityForServers ? _forServers : _root;
        using var leaf = authority.Issue(spec => spec with { DnsNames = ["client.test"], ExtendedKeyUsages = usage is null ? [] : [usage] });

        TestPaths.Validate(leaf, TestPaths.Trusting(_root), ValidationProfile.MutualTls with { Purpose = purpose }).Reason().Should().Be(expected);
    }

    [Test]
    public void A_server_needs_serverAuth_whatever_is_excepted_for_clients([Values] bool forClients)
    {
        using var leaf = forClients ? _root.IssueClient("peer.test") : _root.IssueServer("peer.test");

        new PathValidator(s_exception).Validate(leaf.Read(), [], TestPaths.Trusting(_root), PeerRole.Server, TimeProvider.System.GetUtcNow()).Reason()
            .Should().Be(forClients ? RejectionReason.WrongUsage : null);
    }

    [TestCase("1.3.6.1.5.5.7.3.1", "serverAuth", "an authority of your own")]
    [TestCase(null, "none", "usages: [client auth]")]
    [TestCase("1.3.6.1.5.5.7.3.4", "1.3.6.1.5.5.7.3.4", "clientAuth in its extendedKeyUsage")]
    public void The_hint_can_be_followed(string? usage, string presented, string hint)
    {
        using var leaf = _root.Issue(spec => spec with { DnsNames = ["client.test"], ExtendedKeyUsages = usage is null ? [] : [usage] });

        var rejection = TestPaths.Validate(leaf, TestPaths.Trusting(_root)).Rejection!;

        (rejection.Reason, rejection.Presented).Should().Be((RejectionReason.WrongUsage, presented));
        rejection.Hint.Should().Contain(hint);
    }

    private static IEnumerable<TestCaseData> Rules()
    {
        static TestCaseData Case(AuthorizationRule rule, bool names) => new TestCaseData(rule, names).SetArgDisplayNames(rule.ToString());

        yield return Case(Authorize.Dns("client.test"), true);
        yield return Case(Authorize.Uri("urn:x:1"), true);
        yield return Case(Authorize.Email("a@b.test"), true);
        yield return Case(Authorize.IPAddress("192.0.2.1"), true);
        yield return Case(Authorize.UserPrincipalName("a@b.test"), true);
        yield return Case(Authorize.OtherName("1.3.6.1.5.5.7.8.5", "a@b.test"), true);
        yield return Case(Authorize.Subject("CN=a"), true);
        yield return Case(Authorize.SpiffeId("spiffe://td.test/a"), true);
        yield return Case(Authorize.Nobody, true);
        yield return Case(Authorize.AnyOf(Authorize.Dns("a.test"), Authorize.Dns("b.test")), true);
        yield return Case(Authorize.AllOf(Authorize.Issuer("CN=Public CA"), Authorize.Dns("a.test")), true);
        yield return Case(Authorize.From(new ReplaceableAuthorization(Authorize.Dns("a.test"))), true);
        yield return Case(Authorize.AnyTrustedPeer, false);
        yield return Case(Authorize.Issuer("CN=Public CA"), false);
        yield return Case(Authorize.MemberOf("td.test"), false);
        yield return Case(Authorize.Where("it is Monday", _ => true), false);
        yield return Case(Authorize.AnyOf(Authorize.Dns("a.test"), Authorize.AnyTrustedPeer), false);
        yield return Case(Authorize.AllOf(Authorize.Issuer("CN=Public CA"), Authorize.Where("x", _ => true)), false);
        yield return Case(Authorize.From(new ReplaceableAuthorization(Authorize.AnyTrustedPeer)), false);
    }

    [TestCaseSource(nameof(Rules))]
    public void The_exception_goes_with_rules_that_spell_out_names_alone(AuthorizationRule rule, bool names)
    {
        CertificateStage Make(ValidationProfile profile) =>
            new(new CertificateStageOptions { Trust = TestPaths.Trusting(_root), Authorization = rule, Profile = profile });

        Make(ValidationProfile.MutualTls).Should().NotBeNull();
        if (names)
        {
            Make(s_exception).Should().NotBeNull();
        }
        else
        {
            FluentActions.Invoking(() => Make(s_exception)).Should().Throw<ArgumentException>()
                .WithMessage("*does not spell out the names of all peers*");
        }
    }

    [Test]
    public void A_rule_that_is_replaced_by_one_without_names_lets_no_such_client_in_any_more([Values] bool forServers)
    {
        var rule = new ReplaceableAuthorization(Authorize.Dns("client.test"));
        var stage = new CertificateStage(
            new CertificateStageOptions { Trust = TestPaths.Trusting(_root), Authorization = Authorize.From(rule), Profile = s_exception });
        using var leaf = forServers ? _root.IssueServer("client.test") : _root.IssueClient("client.test");
        var evidence = new PeerEvidence(PeerRole.Client, [leaf.RawCertificate]);

        stage.Judge(evidence, TimeProvider.System.GetUtcNow()).Should().BeOfType<CertificateVerdict.Accepted>();
        rule.Replace(Authorize.AnyTrustedPeer);

        var verdict = stage.Judge(evidence, TimeProvider.System.GetUtcNow());
        (verdict as CertificateVerdict.Rejected)?.Rejection.Reason.Should().Be(RejectionReason.WrongUsage);
        (verdict is CertificateVerdict.Accepted).Should().Be(!forServers);
    }

    [Test]
    public async Task A_client_with_a_servers_certificate_comes_in_by_the_name_that_the_rule_spells_out([Values] bool isExcepted)
    {
        using var world = new World();
        var server = world.ServerOptions with { Authorization = Authorize.Dns("server.test") };

        await using var ends = await ConnectedPair.ShakeAsync(
            world.ClientOptions with { Identity = world.ServerIdentity }, isExcepted ? server with { Profile = s_exception } : server);

        (ends.Server.Connection?.Peer.Name).Should().Be(isExcepted ? "server.test" : null);
        (ends.Server.Failure as HandshakeException)?.Reason.Should().Be(RejectionReason.WrongUsage);
    }

    [TestCase(30, 30, null)]
    [TestCase(30, 31, RejectionReason.ProfileViolated)]
    [TestCase(null, 4000, null)]
    public void A_certificate_that_was_issued_for_longer_is_rejected(int? longestDays, int days, RejectionReason? expected)
    {
        var now = TimeProvider.System.GetUtcNow();
        using var leaf = _root.Issue(spec => OfAClient(spec) with { NotBefore = now.AddDays(-1), NotAfter = now.AddDays(-1).AddDays(days) });
        var profile = ValidationProfile.MutualTls with { MaximumLifetime = longestDays is { } longest ? TimeSpan.FromDays(longest) : null };

        var result = TestPaths.Validate(leaf, TestPaths.Trusting(_root), profile);

        result.Reason().Should().Be(expected);
        (result.Rejection?.ToString() ?? "31 days").Should().Contain("31 days");
    }

    [Test]
    public void The_lifetime_of_an_authority_is_not_bounded()
    {
        using var leaf = _forServers.Issue(spec => spec with { DnsNames = ["a.test"], ExtendedKeyUsages = [ExtendedKeyUsage.ServerAuth] });

        new PathValidator(ValidationProfile.MutualTls with { MaximumLifetime = TimeSpan.FromDays(40) }).Validate(
            leaf.Read(), [.. leaf.RawChain.Select(der => MutualAuth.Certificates.Certificate.Parse(der))], TestPaths.Trusting(_root), PeerRole.Server,
            TimeProvider.System.GetUtcNow()).Rejection.Should().BeNull();
    }

    [TestCase(60, 60, null)]
    [TestCase(60, 61, RejectionReason.CertificateNotYetValid)]
    [TestCase(0, 0, null)]
    [TestCase(0, 1, RejectionReason.CertificateNotYetValid)]
    public void A_fresh_certificate_counts_as_early_as_the_profile_says(int tolerance, int secondsAhead, RejectionReason? expected)
    {
        var at = new DateTimeOffset(2030, 1, 1, 0, 0, 0, TimeSpan.Zero);
        using var leaf = _root.Issue(spec => OfAClient(spec) with { NotBefore = at.AddSeconds(secondsAhead), NotAfter = at.AddDays(1) });
        var profile = ValidationProfile.MutualTls with { NotBeforeTolerance = TimeSpan.FromSeconds(tolerance) };

        TestPaths.Validate(leaf, TestPaths.Trusting(_root), profile, at).Reason().Should().Be(expected);
    }

    [Test]
    public void The_end_of_a_certificate_is_never_moved()
    {
        var at = new DateTimeOffset(2030, 1, 1, 0, 0, 0, TimeSpan.Zero);
        using var leaf = _root.Issue(spec => OfAClient(spec) with { NotBefore = at.AddDays(-1), NotAfter = at.AddSeconds(-1) });
        var profile = ValidationProfile.MutualTls with { NotBeforeTolerance = TimeSpan.FromHours(1) };

        TestPaths.Validate(leaf, TestPaths.Trusting(_root), profile, at).Reason().Should().Be(RejectionReason.CertificateExpired);
    }

    [Test]
    public void A_profile_takes_no_bound_that_means_nothing()
    {
        var tick = TimeSpan.FromTicks(1);
        FluentActions.Invoking(() => ValidationProfile.MutualTls with { MaximumLifetime = TimeSpan.Zero }).Should().Throw<ArgumentException>();
        FluentActions.Invoking(() => ValidationProfile.MutualTls with { NotBeforeTolerance = -tick }).Should().Throw<ArgumentException>();
        FluentActions.Invoking(() => ValidationProfile.MutualTls with { NotBeforeTolerance = TimeSpan.FromHours(1) + tick }).Should()
            .Throw<ArgumentException>();
        (ValidationProfile.MutualTls with { MaximumLifetime = tick, NotBeforeTolerance = TimeSpan.FromHours(1) }).MaximumLifetime.Should().Be(tick);
    }

    [TestCase(true, "LeafRule.AnyCertificate")]
    [TestCase(false, "with cA false")]
    public void An_authority_as_a_leaf_is_told_what_its_maker_can_do(bool isItself, string hint)
    {
        using var other = _root.IssueIntermediate("Other");
        var leaf = isItself ? _root.Read() : other.Read();

        var rejection = new PathValidator().Validate(leaf, [], TestPaths.Trusting(_root), PeerRole.Client, TimeProvider.System.GetUtcNow())
            .Rejection!;

        rejection.Reason.Should().Be(RejectionReason.CertificateAuthorityAsLeaf);
        rejection.Hint.Should().Contain(hint);
    }

    [TestCase(true, "OPC UA")]
    [TestCase(false, "again without keyCertSign")]
    public void A_leaf_that_may_sign_certificates_is_told_what_its_maker_can_do(bool isItself, string hint)
    {
        static CertificateSpec MaySign(CertificateSpec spec) => spec with
        {
            ExtendedKeyUsages = [ExtendedKeyUsage.ClientAuth],
            KeyUsage = X509KeyUsageFlags.DigitalSignature | X509KeyUsageFlags.KeyCertSign,
        };
        using var leaf = isItself ? SelfSigned.Issue("device.test", MaySign) : _root.Issue(MaySign);
        var trust = isItself ? TrustAnchors.FromDer([leaf.RawCertificate]) : TestPaths.Trusting(_root);

        var rejection = TestPaths.Validate(leaf, [], trust).Rejection!;

        rejection.Reason.Should().Be(RejectionReason.ProfileViolated);
        rejection.Hint.Should().Contain(hint);
    }

    private static CertificateSpec OfAClient(CertificateSpec spec) =>
        spec with { DnsNames = ["client.test"], ExtendedKeyUsages = [ExtendedKeyUsage.ClientAuth] };
}
