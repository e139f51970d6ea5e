using MutualAuth.Credentials;

namespace MutualAuth.Tests.Credentials;

/// <summary>What holds for every mechanism at the client: which one is chosen, and how long it goes on.</summary>
[CancelAfter(20000)]
public sealed class ClientSessionTests
{
    [Test]
    public async Task Eight_challenges_are_answered_and_no_ninth()
    {
        var (session, _) = SaslClientSession.Begin(Login.With(new Patient("OWN")), Sasl.ClientContext(null, offered: "OWN"));
        for (var round = 1; round <= 8; round++)
        {
            (await session!.StepAsync(Array.Empty<byte>(), default)).Objection.Should().BeNull();
        }

        (await session!.StepAsync(Array.Empty<byte>(), default)).Objection!.Reason.Should().Be(RejectionReason.CredentialProtocolViolated);
    }

    [TestCase("ONE TWO", null, "ONE", null)]
    [TestCase("TWO", null, "TWO", null)]
    [TestCase("ONE TWO", "TWO", "TWO", null)]
    [TestCase("ONE", "TWO", null, RejectionReason.MechanismUnavailable)]
    [TestCase("THREE", null, null, RejectionReason.MechanismUnavailable)]
    [TestCase("", null, null, RejectionReason.MechanismUnavailable)]
    public void The_first_of_ours_that_the_server_offers_is_taken(string offered, string? only, string? chosen, RejectionReason? reason)
    {
        var credentials = Login.With(new Patient("ONE"), new Patient("TWO")) with { OnlyMechanism = only };

        var (session, objection) = SaslClientSession.Begin(
            credentials, Sasl.ClientContext(null, offered: [.. offered.Split(' ', StringSplitOptions.RemoveEmptyEntries)]));

        (session?.Mechanism, objection?.Reason).Should().Be((chosen, reason));
        (objection?.Hint).Should().BeNull("nothing points to a man in the middle");
    }

    private sealed class Patient(string name) : ISaslClientMechanism, ISaslClientExchange
    {
        public IEnumerable<string> NamesFor(SaslClientContext context) => [name];

        public ISaslClientExchange Begin(string chosen, SaslClientContext context) => this;

        public ValueTask<ReadOnlyMemory<byte>?> StartAsync(CancellationToken cancellationToken) => default;

        public ValueTask<SaslClientStep> StepAsync(ReadOnlyMemory<byte> challenge, CancellationToken cancellationToken) =>
            ValueTask.FromResult(SaslClientStep.Answer(challenge));

        public SaslClientEnd Complete(ReadOnlyMemory<byte>? additionalData) => new(null, PeerProofs.None);

        public void Dispose()
        {
        }
    }
}
