using System.Text;
using MutualAuth.Credentials;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Credentials;

/// <summary>
/// Replays published exchanges, octet by octet, at both sides: RFC 7677 §3, the same for SHA-512 as other implementations have it, and two with
/// channel binding that were computed by an independent program. They stand in docs/protocol.md, which is what this reads.
/// </summary>
public sealed class ScramVectorTests
{
    private static IEnumerable<TestCaseData> Vectors()
    {
        var lines = DocumentationPage.Open("docs/protocol.md").Block("scram").ToArray();
        for (var at = 0; at < lines.Length; at += 6)
        {
            var head = lines[at].Split(" | ");
            yield return new TestCaseData(
                head[0],
                head[1],
                head[2],
                head[3],
                lines[at + 1][3..],
                lines[at + 2][3..],
                lines[at + 3][3..],
                lines[at + 4][3..],
                lines[at + 5][10..])
                .SetArgDisplayNames(head[0], head[1]);
        }
    }

    [TestCaseSource(nameof(Vectors))]
    public async Task The_client_says_what_the_vector_says(
        string mechanism, string user, string password, string actAs, string clientFirst, string serverFirst, string clientFinal, string serverFinal,
        string verifier)
    {
        verifier.Should().NotBeEmpty();
        var isPlus = mechanism.EndsWith("-PLUS", StringComparison.Ordinal);
        var credentials = Login.WithPassword(user, Password.From(password), actAs == "-" ? null : actAs) with { OnlyMechanism = mechanism };
        var (session, objection) = SaslClientSession.Begin(
            credentials, Sasl.ClientContext(isPlus ? Sasl.Binding : null, nonce: Sasl.ClientNonce, offered: mechanism));
        objection.Should().BeNull();

        Encoding.UTF8.GetString((await session!.StartAsync(default))!.Value.Span).Should().Be(clientFirst);
        (await session.StepAsync(Sasl.Utf8(serverFirst), default)).Text().Should().Be(clientFinal);
        session.Complete(Sasl.Utf8(serverFinal)).Objection.Should().BeNull();
    }

    [TestCaseSource(nameof(Vectors))]
    public async Task The_server_says_what_the_vector_says(
        string mechanism, string user, string password, string actAs, string clientFirst, string serverFirst, string clientFinal, string serverFinal,
        string verifier)
    {
        var isPlus = mechanism.EndsWith("-PLUS", StringComparison.Ordinal);
        var hash = ScramHash.ByMechanism(isPlus ? mechanism[..^5] : mechanism)!;
        var store = new MemoryCredentialStore();
        await store.SetAsync(user, ScramVerifier.Parse(verifier));
        var policy = Sasl.Policy(SaslServer.Scram(store, hash)) with { MayActAs = (_, other) => other == actAs };
        await using var session = Sasl.Server(policy, isPlus ? Sasl.Binding : null, nonce: Sasl.ServerNonce);

        (await session.StartAsync(mechanism, Sasl.Utf8(clientFirst), default)).Text().Should().Be(serverFirst);
        (await session.ContinueAsync(Sasl.Utf8(clientFinal), default)).Text().Should().Be(serverFinal);
        Sasl.Verifier(password, hash).ToString().Should().Be(verifier);
    }

    [Test]
    public void The_page_has_the_example_of_RFC_7677() =>
        Vectors().Select(vector => vector.Arguments[6]).Should().Contain(
            "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=");
}
