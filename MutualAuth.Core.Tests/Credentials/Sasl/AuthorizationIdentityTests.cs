using System.Net;
using MutualAuth.Credentials;

namespace MutualAuth.Tests.Credentials;

/// <summary>
/// As whom a user wants to act is a name like any other: prepared before it is compared, and refused where it cannot be (docs/protocol.md §12.1).
/// </summary>
[CancelAfter(20000)]
public sealed class AuthorizationIdentityTests
{
    private static readonly string[] s_mechanisms = ["PLAIN", "SCRAM-SHA-256", "EXTERNAL"];

    public static IEnumerable<TestCaseData> Identities()
    {
        foreach (var mechanism in s_mechanisms)
        {
            yield return Case(mechanism, "operator", "operator", "another, as the rule grants it");
            yield return Case(mechanism, "oper\u00adator", "operator", "the same with a soft hyphen");
            yield return Case(mechanism, "\u2168", "IX", "a compatibility character");
            yield return Case(mechanism, "al\u00adice", "alice", "the user itself with a soft hyphen");
            yield return Case(mechanism, "root", null, "one that the rule does not grant");
            yield return Case(mechanism, "ro\u00adot", null, "the same with a soft hyphen");
            yield return Case(mechanism, "a\nb", null, "a line feed");
            yield return Case(mechanism, "a\u202eb", null, "a bidirectional override");
            yield return Case(mechanism, "a\u2066b", null, "a bidirectional isolate, younger than SASLprep's tables");
            yield return Case(mechanism, "\u00ad", null, "one of which nothing is left");
            yield return Case(mechanism, new string('a', 256), null, "one of more than 255 octets");
        }

        yield return Case("OAUTHBEARER", "operator", "operator", "another, as the rule grants it");
        yield return Case("OAUTHBEARER", "a\nb", null, "a line feed");

        static TestCaseData Case(string mechanism, string identity, string? actsAs, string what) =>
            new TestCaseData(mechanism, identity, actsAs).SetName($"{mechanism}: acting as {what}");
    }

    [TestCaseSource(nameof(Identities))]
    public async Task It_is_prepared_before_it_is_granted(string mechanism, string identity, string? actsAs)
    {
        var store = Sasl.Store(("alice", "right"));
        var policy = Sasl.Policy(
            SaslServer.Scram(store),
            SaslServer.PasswordsInPlain(store),
            SaslServer.Certificates(_ => "alice"),
            SaslServer.DangerouslyUnboundTokens(new AliceToken()))
            with
        { MayActAs = (_, other) => other != "root" };
        await using var server = Sasl.Server(policy, peer: Sasl.Peer);

        var step = mechanism == "SCRAM-SHA-256"
            ? await ScramAsync(server, identity)
            : await server.StartAsync(mechanism, Sasl.Utf8(mechanism switch
            {
                "PLAIN" => $"{identity}\0alice\0right",
                "EXTERNAL" => identity,
                _ => $"n,a={identity},\u0001auth=Bearer good\u0001\u0001",
            }), default);

        if (actsAs is null)
        {
            step.Reason().Should().BeOneOf(RejectionReason.AuthorizationIdentityRefused, RejectionReason.CredentialProtocolViolated);
        }
        else
        {
            server.ToUser(step.Should().BeOfType<SaslServerStep.Succeeded>().Subject).ActsAs.Should().Be(actsAs);
        }
    }

    [Test]
    public void A_client_does_not_ask_for_an_identity_that_nobody_can_have([Values("a\nb", "\u00ad", "a\u202eb")] string actAs)
    {
        FluentActions.Invoking(() => Login.WithPassword("alice", Password.From("right"), actAs)).Should().Throw<ArgumentException>();
        FluentActions.Invoking(() => Login.DangerouslyWithPasswordInPlain("alice", Password.From("right"), actAs))
            .Should().Throw<ArgumentException>();
        FluentActions.Invoking(() => Login.WithToken(_ => ValueTask.FromResult("t"), actAs)).Should().Throw<ArgumentException>();
        FluentActions.Invoking(() => Login.WithCertificate(actAs)).Should().Throw<ArgumentException>();
        FluentActions.Invoking(() => Login.WithCertificate("operator")).Should().NotThrow();
    }

    /// <summary>By hand, as a client that prepares nothing.</summary>
    private static async Task<SaslServerStep> ScramAsync(SaslServerSession server, string identity)
    {
        var credentials = new ClientCredentials(
            new ScramClient("alice", Password.From("right"), identity, ChannelBindingPolicy.WhereItExists, [ScramHash.Sha256]));
        return (await Sasl.RunAsync(credentials, server, null)).Server;
    }

    private sealed class AliceToken : ITokenValidator
    {
        public ValueTask<TokenVerdict> ValidateAsync(string token, IPAddress? remoteAddress, CancellationToken cancellationToken) =>
            ValueTask.FromResult(TokenVerdict.Valid("alice", null));
    }
}
