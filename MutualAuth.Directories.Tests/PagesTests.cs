using System.Reflection;
using Microsoft.Extensions.Logging;
using MutualAuth.Credentials;
using MutualAuth.Directories;
using MutualAuth.Testing;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests;

/// <summary>Holds the pages to the package, and the options to what they refuse.</summary>
public sealed class PagesTests
{
    [Test]
    public void Every_event_has_exactly_one_row_and_a_number_of_our_block()
    {
        var events = (from type in typeof(LdapVerifier).Assembly.GetTypes()
                      from method in type.GetMethods(BindingFlags.Static | BindingFlags.NonPublic | BindingFlags.Public)
                      let attribute = method.GetCustomAttribute<LoggerMessageAttribute>()
                      where attribute is not null
                      select (method.Name, attribute.EventId, attribute.Level)).ToArray();

        events.Select(entry => entry.EventId).Should().OnlyHaveUniqueItems().And.OnlyContain(id => id >= 1340 && id <= 1349);
        DocumentationPage.Open("docs/reference/telemetry.md").RowsUnder("Log events of MutualAuth.Directories").Select(
            cells => (cells[0], cells[1], cells[2]))
            .Should().BeEquivalentTo(events.Select(entry => ($"`{entry.EventId}`", $"`{entry.Name}`", $"{entry.Level}")));
    }

    [TestCase(typeof(LdapVerifierOptions))]
    [TestCase(typeof(KerberosServerOptions))]
    public void Every_option_has_exactly_one_row(Type type) =>
        DocumentationPage.Open("docs/reference/options.md").RowsUnder(type.Name).Select(cells => cells[0]).Should().BeEquivalentTo(
            type.GetProperties(BindingFlags.Public | BindingFlags.Instance | BindingFlags.DeclaredOnly).Where(property => property.CanWrite)
                .Select(option => $"`{option.Name}`"));

    private static IEnumerable<TestCaseData> Wrong()
    {
        static TestCaseData Case(string name, Func<LdapVerifierOptions, LdapVerifierOptions> change) =>
            new TestCaseData(change).SetArgDisplayNames(name);

        yield return Case("no server", options => options with { Servers = [] });
        yield return Case("a port of nothing", options => options with { Servers = [new LdapServer("localhost", 0)] });
        yield return Case("no trust", options => options with { Trust = null! });
        yield return Case("no connection", options => options with { MaxConnections = 0 });
        yield return Case("a negative queue", options => options with { MaxWaiting = -1 });
        yield return Case("no time", options => options with { Timeout = TimeSpan.Zero });
        yield return Case("no time between", options => options with { RetryAfter = TimeSpan.Zero });
        yield return Case("a day unused", options => options with { IdleTimeout = TimeSpan.FromDays(1) });
        yield return Case("a login of no length", options => options with { LoginLifetime = TimeSpan.Zero });
    }

    [TestCaseSource(nameof(Wrong))]
    public void Wrong_options_are_refused(Func<LdapVerifierOptions, LdapVerifierOptions> change)
    {
        using var authority = new TestAuthority();
        using var password = Password.From("right");
        var options = new LdapVerifierOptions
        {
            Servers = [new LdapServer("localhost")],
            Trust = authority.ToTrustAnchors(),
            Users = LdapUsers.BySearch("dc=example", "cn=gateway", password),
        };

        options.Problems().Should().BeEmpty();
        change(options).Problems().Should().ContainSingle();
    }

    [TestCase("uid={0},ou=people", true)]
    [TestCase("uid=x{0},ou=people", false)]
    [TestCase("uid={0}x,ou=people", false)]
    [TestCase("uid={0},ou={0}", false)]
    [TestCase("uid=alice,ou=people", false)]
    public void A_template_has_the_name_once_as_a_whole_value(string template, bool isRight)
    {
        var make = () => LdapUsers.ByTemplate(template);

        if (isRight)
        {
            make.Should().NotThrow();
        }
        else
        {
            make.Should().Throw<ArgumentException>();
        }
    }

    [TestCase("alice", "alice")]
    [TestCase("a,ou=b", "a\\2cou\\3db")]
    [TestCase("\"+;<>#=", "\\22\\2b\\3b\\3c\\3e\\23\\3d")]
    [TestCase("é", "\\c3\\a9")]
    public void A_name_is_one_value_of_a_distinguished_name(string name, string escaped) => LdapUsers.Escape(name).Should().Be(escaped);

    [TestCase("", false)]
    [TestCase("EXAMPLE.COM", true)]
    [TestCase("alice@EXAMPLE.COM", false)]
    public void Realms_are_named(string realm, bool isRight) =>
        new KerberosServerOptions { Realms = [realm] }.Problems().Any().Should().Be(!isRight);

    [Test]
    public void A_lifetime_has_a_length() =>
        new KerberosServerOptions { Realms = ["A"], LoginLifetime = TimeSpan.Zero }.Problems().Should().ContainSingle();

    [TestCase("alice@A", "alice", "A")]
    [TestCase("alice/admin@A", "alice/admin", "A")]
    [TestCase("alice", null, null)]
    [TestCase("a@b@A", null, null)]
    [TestCase("a\\@b@A", null, null)]
    [TestCase("@A", null, null)]
    public void A_principal_is_one_name_in_one_realm(string text, string? name, string? realm) =>
        (KerberosPrincipal.Read(text) is { } read ? (read.Name, read.Realm) : default((string?, string?))).Should().Be((name, realm));

    [TestCase("80090308: LdapErr: DSID-0C090449, comment: AcceptSecurityContext error, data 533, v4563", RejectionReason.AccountLocked)]
    [TestCase("80090308: LdapErr: DSID-0C090449, comment: AcceptSecurityContext error, data 775, v4563", RejectionReason.AccountLocked)]
    [TestCase("80090308: LdapErr: DSID-0C090449, comment: AcceptSecurityContext error, data 532, v4563", RejectionReason.PasswordExpired)]
    [TestCase("80090308: LdapErr: DSID-0C090449, comment: AcceptSecurityContext error, data 52e, v4563", RejectionReason.CredentialsWrong)]
    [TestCase("", RejectionReason.CredentialsWrong)]
    public async Task The_texts_of_Active_Directory_are_read(string text, RejectionReason reason)
    {
        var verdict = LdapVerdicts.Of(new LdapResult(49, text, null), null!);
        using var pair = new TestAuthority().CreatePair();
        using var password = Password.From("right");
        var logsIn = pair with
        {
            Server = pair.Server with { Credentials = Require.CertificateAndUser(SaslServer.PasswordsInPlain(new Saying(verdict))) },
            Client = pair.Client with { Credentials = Login.DangerouslyWithPasswordInPlain("alice", password) },
        };

        await using var outcome = await logsIn.ConnectAsync().WaitAsync(RunningProgram.Deadline);

        outcome.ServerFailure!.Reason.Should().Be(reason);
        outcome.ClientFailure!.PeerReason.Should().Be(PublicReason.CredentialsWrong);
    }

    private sealed class Saying(PasswordVerdict verdict) : IPasswordVerifier
    {
        public ValueTask<PasswordVerdict> VerifyAsync(string userName, Password password, CancellationToken cancellationToken) =>
            ValueTask.FromResult(verdict);
    }
}
