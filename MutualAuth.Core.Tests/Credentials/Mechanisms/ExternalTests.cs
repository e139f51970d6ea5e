using MutualAuth.Credentials;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Credentials;

/// <summary>EXTERNAL (RFC 4422 appendix A): the certificate is the credential.</summary>
public sealed class ExternalTests
{
    private static readonly CredentialPolicy s_policy = Sasl.Policy(SaslServer.Certificates(peer => peer.Name == "device.test" ? "alice" : null));

    [Test]
    public async Task The_certificate_that_belongs_to_a_user_logs_it_in()
    {
        await using var server = Sasl.Server(s_policy, peer: Sasl.Peer);

        var (outcome, client) = await Sasl.RunAsync(Login.WithCertificate(), server, null);

        client.Should().BeNull();
        var user = server.ToUser(outcome.Should().BeOfType<SaslServerStep.Succeeded>().Subject);
        (user.Name, user.ActsAs, user.Mechanism, user.Proofs).Should().Be(("alice", "alice", "EXTERNAL", PeerProofs.Certificate));
    }

    [Test]
    public async Task The_same_with_a_certificate_of_nobody_is_refused()
    {
        await using var server = Sasl.Server(s_policy, peer: Sasl.PeerOf(new() { Dns = ["other.test"] }));

        (await Sasl.RunAsync(Login.WithCertificate(), server, null)).Server.Reason().Should().Be(RejectionReason.UserNotAllowed);
    }

    [Test]
    public async Task Without_a_certificate_it_is_not_even_offered()
    {
        await using var server = Sasl.Server(s_policy, peer: null);

        server.Offered.Should().BeEmpty();
        (await server.StartAsync("EXTERNAL", ReadOnlyMemory<byte>.Empty, default)).Reason().Should().Be(RejectionReason.MechanismUnavailable);
    }

    [Test]
    public async Task A_client_that_waits_to_be_asked_is_asked()
    {
        await using var server = Sasl.Server(s_policy, peer: Sasl.Peer);

        (await server.StartAsync("EXTERNAL", null, default)).Text().Should().BeEmpty();
        (await server.ContinueAsync(ReadOnlyMemory<byte>.Empty, default)).Should().BeOfType<SaslServerStep.Succeeded>();
    }

    [TestCase(0, RejectionReason.AttemptsLimited)]
    [TestCase(1, null)]
    public async Task The_limiter_has_its_say(int refusesFrom, RejectionReason? reason)
    {
        var limiter = new NotingLimiter { RefusesFrom = refusesFrom };
        await using var server = Sasl.Server(s_policy with { AttemptLimiter = limiter }, peer: Sasl.Peer);

        var (outcome, _) = await Sasl.RunAsync(Login.WithCertificate(), server, null);

        (outcome as SaslServerStep.Failed)?.Rejection.Reason.Should().Be(reason);
        (outcome is SaslServerStep.Succeeded).Should().Be(reason is null);
        limiter.Attempts.Should().ContainSingle().Which.UserName.Should().Be("alice");
    }

    [TestCase("alice", null)]
    [TestCase("bob", RejectionReason.AuthorizationIdentityRefused)]
    public async Task Acting_as_another_needs_a_rule(string actAs, RejectionReason? reason)
    {
        await using var server = Sasl.Server(s_policy, peer: Sasl.Peer);

        var (outcome, _) = await Sasl.RunAsync(Login.WithCertificate(actAs), server, null);

        (outcome as SaslServerStep.Failed)?.Rejection.Reason.Should().Be(reason);
        (outcome is SaslServerStep.Succeeded).Should().Be(reason is null);
    }

    [TestCase(new byte[] { 0xc3, 0x28 }, TestName = "EXTERNAL: an identity that is no text")]
    [TestCase(new byte[] { (byte)'a', 0 }, TestName = "EXTERNAL: an identity with a NUL")]
    public async Task An_identity_is_text(byte[] message)
    {
        await using var server = Sasl.Server(s_policy, peer: Sasl.Peer);

        (await server.StartAsync("EXTERNAL", message, default)).Reason().Should().Be(RejectionReason.CredentialProtocolViolated);
    }

    [Test]
    public async Task What_says_whose_a_certificate_is_and_throws_refuses()
    {
        await using var server = Sasl.Server(Sasl.Policy(SaslServer.Certificates(_ => throw new InvalidOperationException("down"))), peer: Sasl.Peer);

        (await Sasl.RunAsync(Login.WithCertificate(), server, null)).Server.Reason().Should().Be(RejectionReason.CredentialCheckFaulted);
    }
}
