using System.Net;
using MutualAuth.Credentials;

namespace MutualAuth.Tests.Credentials;

/// <summary>What a token, a certificate or an application's own mechanism calls a user is held to the one form of a name, as what a password's user
/// is called.</summary>
[CancelAfter(20000)]
public sealed class ProvenNamesTests
{
    private static IEnumerable<TestCaseData> Names()
    {
        foreach (var mechanism in new[] { "EXTERNAL", "OAUTHBEARER", "OWN" })
        {
            yield return Case(mechanism, "alice", true, "a name");
            yield return Case(mechanism, "spiffe://prod.example/api", true, "a SPIFFE ID");
            yield return Case(mechanism, "alice@example.com", true, "a mail address");
            yield return Case(mechanism, "\u5f20\u4f1f", true, "a name beyond Latin");
            yield return Case(mechanism, "al\u00adice", false, "a soft hyphen in it");
            yield return Case(mechanism, "al\nice", false, "a line feed in it");
            yield return Case(mechanism, "alice\0", false, "a NUL behind it");
            yield return Case(mechanism, "a\u202elice", false, "a bidirectional override in it");
            yield return Case(mechanism, "\uff41lice", false, "a fullwidth letter in it");
            yield return Case(mechanism, "jose\u0301", false, "an accent that is not composed");
            yield return Case(mechanism, new string('a', 255), true, "255 octets");
            yield return Case(mechanism, new string('a', 256), false, "256 octets");
            yield return Case(mechanism, "\ud800", false, "half a surrogate pair");
        }

        static TestCaseData Case(string mechanism, string name, bool comesIn, string what) =>
            new TestCaseData(mechanism, name, comesIn).SetArgDisplayNames(mechanism, what);
    }

    [TestCaseSource(nameof(Names))]
    public async Task A_name_that_is_not_in_its_one_form_lets_nobody_in(string mechanism, string name, bool comesIn)
    {
        var policy = Sasl.Policy(SaslServer.Certificates(_ => name), SaslServer.DangerouslyUnboundTokens(new Token(name)), new Own(name));
        await using var server = Sasl.Server(policy, peer: Sasl.Peer);
        var message = mechanism == "OAUTHBEARER" ? Sasl.Utf8("n,,\u0001auth=Bearer t\u0001\u0001") : [];

        var step = await server.StartAsync(mechanism, message, default).AsTask().WaitAsync(TimeSpan.FromSeconds(10));

        if (comesIn)
        {
            server.ToUser(step.Should().BeOfType<SaslServerStep.Succeeded>().Subject).Name.Should().Be(name);
            return;
        }

        step.Reason().Should().Be(RejectionReason.UserNotAllowed);
        ((SaslServerStep.Failed)step).Rejection.ToString().Should().NotContain("\n").And.NotContain("\u202e");
    }

    private sealed class Token(string name) : ITokenValidator
    {
        public ValueTask<TokenVerdict> ValidateAsync(string token, IPAddress? remoteAddress, CancellationToken cancellationToken) =>
            ValueTask.FromResult(TokenVerdict.Valid(name, null));
    }

    private sealed class Own(string name) : ISaslServerMechanism, ISaslServerExchange
    {
        public IEnumerable<string> NamesFor(SaslServerContext context) => ["OWN"];

        public ISaslServerExchange Begin(string mechanism, SaslServerContext context) => this;

        public ValueTask<SaslServerStep> StepAsync(ReadOnlyMemory<byte> message, CancellationToken cancellationToken) =>
            ValueTask.FromResult(SaslServerStep.Succeed(name, PeerProofs.None));

        public void Dispose()
        {
        }
    }
}
