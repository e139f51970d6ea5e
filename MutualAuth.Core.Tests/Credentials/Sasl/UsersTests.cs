using MutualAuth.Credentials;

namespace MutualAuth.Tests.Credentials;

/// <summary>Which user may come with which certificate.</summary>
public sealed class UsersTests
{
    private static readonly AuthenticatedPeer s_device =
        Sasl.PeerOf(new() { Dns = ["alice.test"], Emails = ["alice@test.example"], Uris = ["https://users.test/alice"] });

    private static readonly AuthenticatedPeer s_workload = Sasl.PeerOf(new() { Uris = ["spiffe://td.test/alice"] });

    private static readonly AuthenticatedPeer s_employee = Sasl.PeerOf(
        new() { UserPrincipalName = "alice@corp.test", Addresses = ["192.0.2.1"], Subject = "CN=alice" });

    private static readonly UserRule s_devices = UserRules.OfDevice(
        new Dictionary<PeerName, IEnumerable<string>> { [PeerName.Dns("alice.test")] = ["alice", "bob"], [PeerName.Dns("other.test")] = ["carol"] });

    public static IEnumerable<TestCaseData> Cases()
    {
        yield return Case("any user", UserRules.Any, "mallory", false, true);
        yield return Case("a named user", UserRules.Named("alice", "bob"), "bob", false, true);
        yield return Case("another spelling of a named user", UserRules.Named("alice", "bob"), "Bob", false, false);
        yield return Case("a name that SASLprep makes the same", UserRules.Named("\u2168"), "IX", false, true);
        yield return Case("a user that the certificate names by DNS", UserRules.NamedByTheirCertificate, "alice.test", true, true);
        yield return Case("a user that the certificate names by e-mail", UserRules.NamedByTheirCertificate, "alice@test.example", true, true);
        yield return Case("a user that the certificate names by URI", UserRules.NamedByTheirCertificate, "https://users.test/alice", true, true);
        yield return Case("a user that the certificate does not name", UserRules.NamedByTheirCertificate, "bob.test", true, false);
        yield return Case("a user in another case than the certificate", UserRules.NamedByTheirCertificate, "Alice.test", true, false);
        yield return Case("a part of the certificate's name", UserRules.NamedByTheirCertificate, "alice", true, false);
        yield return Case("the same user without a certificate", UserRules.NamedByTheirCertificate, "alice.test", false, false);
        yield return Case("a user of the device", s_devices, "bob", true, true);
        yield return Case("a user of another device", s_devices, "carol", true, false);
        yield return Case("a user of the device without it", s_devices, "bob", false, false);
        yield return Case("a predicate that holds", UserRules.Where("it is alice", (user, _) => user.Name == "alice"), "alice", false, true);
        yield return Case("a predicate that does not hold", UserRules.Where("it is alice", (user, _) => user.Name == "alice"), "bob", false, false);
        yield return Case("all of two rules", UserRules.AllOf(s_devices, UserRules.Named("alice")), "alice", true, true);
        yield return Case("one of two rules", UserRules.AllOf(s_devices, UserRules.Named("alice")), "bob", true, false);
        yield return Case("the other of two rules", UserRules.AllOf(s_devices, UserRules.Named("carol")), "carol", true, false);

        static TestCaseData Case(string name, UserRule rule, string user, bool withDevice, bool comesIn) =>
            new TestCaseData(rule, user, withDevice, comesIn).SetName($"Users: {name} {(comesIn ? "is let in" : "is kept out")}");
    }

    [TestCaseSource(nameof(Cases))]
    public void A_rule_judges(UserRule rule, string user, bool withDevice, bool comesIn)
    {
        var objection = rule.Examine(new AuthenticatedUser(user, null, "PLAIN", PeerProofs.Password, default), withDevice ? s_device : null);

        objection?.Reason.Should().Be(RejectionReason.UserNotAllowed);
        (objection is null).Should().Be(comesIn);
    }

    [TestCase("spiffe://td.test/alice", true)]
    [TestCase("spiffe://td.test/bob", false)]
    public void A_user_may_be_named_by_a_SPIFFE_ID(string user, bool comesIn) => Comes(user, s_workload).Should().Be(comesIn);

    [TestCase("alice@corp.test", true)]
    [TestCase("ALICE@corp.test", false)]
    [TestCase("192.0.2.1", false)] // kinds of names that are no user's
    [TestCase("CN=alice", false)]
    [TestCase("alice", false)]
    public void A_user_may_be_named_by_a_user_principal_name(string user, bool comesIn) => Comes(user, s_employee).Should().Be(comesIn);

    [TestCase(8, false)]
    [TestCase(9, true)]
    public void Of_many_users_a_rule_names_the_first_eight(int count, bool isCut)
    {
        var rule = UserRules.Named(Enumerable.Range(1, count).Select(number => $"user{number}"));

        rule.ToString().Should().Contain("\"user1\", \"user2\"").And.Contain("user8").And.NotContain("user9");
        rule.ToString().Contains('\u2026').Should().Be(isCut);
    }

    [TestCase("spiffe://bank.test/vault", "spiffe://bank.test/vault")]
    [TestCase("user:alice", "user:alice")]
    [TestCase("CN=vault,O=Bank", "subject:CN=vault,O=Bank")]
    public void A_device_is_not_taken_for_another_by_how_its_name_looks(string forged, string named)
    {
        var rule = UserRules.OfDevice(
            new Dictionary<PeerName, IEnumerable<string>> { [PeerName.Parse(named)] = ["operator"], [PeerName.Dns("vault.test")] = ["operator"] });
        var user = new AuthenticatedUser("operator", null, "PLAIN", PeerProofs.Password, default);

        rule.Examine(user, Sasl.PeerOf(new() { Dns = [forged] }))!.Reason.Should().Be(RejectionReason.UserNotAllowed);
        rule.Examine(user, Sasl.PeerOf(new() { Dns = ["elsewhere.test", "vault.test"] })).Should().BeNull("each name of the device counts");
    }

    [Test]
    public async Task The_rule_is_asked_after_the_credentials_and_by_the_name_that_was_proven_not_the_one_acted_as()
    {
        var policy = Sasl.Policy(SaslServer.PasswordsInPlain(Sasl.Store(("alice", "right"), ("bob", "right")))) with
        { Users = UserRules.Named("bob"), MayActAs = (_, _) => true };
        await using var acting = Sasl.Server(policy);
        await using var wrong = Sasl.Server(policy);
        await using var bob = Sasl.Server(policy);

        (await acting.StartAsync("PLAIN", Sasl.Utf8("bob\0alice\0right"), default)).Reason().Should().Be(RejectionReason.UserNotAllowed);
        (await wrong.StartAsync("PLAIN", Sasl.Utf8("\0alice\0wrong"), default)).Reason().Should().Be(RejectionReason.CredentialsWrong);
        (await bob.StartAsync("PLAIN", Sasl.Utf8("\0bob\0right"), default)).Should().BeOfType<SaslServerStep.Succeeded>();
    }

    [Test]
    public async Task A_rule_that_throws_refuses()
    {
        var policy = Sasl.Policy(SaslServer.PasswordsInPlain(Sasl.Store(("alice", "right")))) with
        { Users = UserRules.Where("the directory says so", (_, _) => throw new InvalidOperationException()) };
        await using var server = Sasl.Server(policy);

        (await server.StartAsync("PLAIN", Sasl.Utf8("\0alice\0right"), default)).Reason().Should().Be(RejectionReason.CredentialCheckFaulted);
    }

    [Test]
    public async Task A_rule_for_acting_that_throws_refuses()
    {
        var policy = Sasl.Policy(SaslServer.PasswordsInPlain(Sasl.Store(("alice", "right")))) with
        { MayActAs = (_, _) => throw new InvalidOperationException() };
        await using var server = Sasl.Server(policy);

        (await server.StartAsync("PLAIN", Sasl.Utf8("bob\0alice\0right"), default)).Reason().Should().Be(RejectionReason.CredentialCheckFaulted);
    }

    [Test]
    public void Rules_about_nobody_are_mistakes()
    {
        FluentActions.Invoking(() => UserRules.Named()).Should().Throw<ArgumentException>();
        FluentActions.Invoking(() => UserRules.Named("a:b")).Should().Throw<ArgumentException>();
        FluentActions.Invoking(() => UserRules.AllOf()).Should().Throw<ArgumentException>();
        FluentActions.Invoking(() => UserRules.AllOf(UserRules.Any, null!)).Should().Throw<ArgumentException>();
        FluentActions.Invoking(() => UserRules.OfDevice(new Dictionary<PeerName, IEnumerable<string>> { [PeerName.Dns("d")] = [] }))
            .Should().Throw<ArgumentException>();
    }

    private static bool Comes(string user, AuthenticatedPeer peer) => UserRules.NamedByTheirCertificate.Examine(
        new AuthenticatedUser(user, null, "PLAIN", PeerProofs.Password, default), peer) is null;

    [Test]
    public void A_policy_reads_as_a_sentence()
    {
        var scram = SaslServer.Scram(new MemoryCredentialStore());

        (Require.CertificateAndUser(scram) with { Users = UserRules.Named("alice") }).ToString().Should().Be(
            "A client needs a certificate and a user, and only \"alice\" may log in.");
        Require.User(scram).ToString().Should().Be("A client needs a user.");
        (Require.CertificateOrUser(scram) with { Users = UserRules.AllOf(UserRules.NamedByTheirCertificate, s_devices) }).ToString()
            .Should().Be(
                "A client needs a certificate or a user, and users log in with a certificate that names them, and each device has its users.");
    }
}
