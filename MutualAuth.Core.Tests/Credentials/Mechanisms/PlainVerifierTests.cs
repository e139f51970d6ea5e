using MutualAuth.Credentials;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Credentials;

/// <summary>PLAIN with a password that somebody else checks: what is asked, and when.</summary>
public sealed class PlainVerifierTests
{
    [TestCase("\0alice\0right", null)]
    [TestCase("\0alice\0wrong", RejectionReason.CredentialsWrong)]
    [TestCase("\0nobody\0right", RejectionReason.CredentialsWrong)]
    [TestCase("bob\0alice\0right", RejectionReason.AuthorizationIdentityRefused)]
    [TestCase("\0locked\0right", RejectionReason.AccountLocked)]
    [TestCase("\0alice\0", RejectionReason.CredentialProtocolViolated)]
    [TestCase("\0\0right", RejectionReason.CredentialProtocolViolated)]
    public async Task The_verifiers_word_counts(string message, RejectionReason? reason)
    {
        await using var server = Sasl.Server(Sasl.Policy(SaslServer.PasswordsInPlain(new Verifier())));

        var step = await server.StartAsync("PLAIN", Sasl.Utf8(message), default);

        if (reason is null)
        {
            step.Should().BeOfType<SaslServerStep.Succeeded>().Which.UserName.Should().Be("alice");
        }
        else
        {
            step.Reason().Should().Be(reason);
        }
    }

    [Test]
    public async Task It_is_not_asked_for_an_empty_password_nor_for_a_name_that_nobody_can_have()
    {
        var verifier = new Verifier();
        var policy = Sasl.Policy(SaslServer.PasswordsInPlain(verifier));
        foreach (var message in new[] { "\0alice\0", "\0al\u0007ice\0right" })
        {
            await using var server = Sasl.Server(policy);
            await server.StartAsync("PLAIN", Sasl.Utf8(message), default);
        }

        verifier.Asked.Should().Be(0);
    }

    [Test]
    public async Task The_limiter_is_asked_first()
    {
        var verifier = new Verifier();
        var policy = Sasl.Policy(SaslServer.PasswordsInPlain(verifier));
        var services = new LoginServices(policy, TimeProvider.System);
        var reason = RejectionReason.CredentialsWrong;
        for (var attempt = 0; attempt < 20 && reason == RejectionReason.CredentialsWrong; attempt++)
        {
            await using var server = Sasl.Server(policy, services: services);
            reason = (await server.StartAsync("PLAIN", Sasl.Utf8("\0alice\0wrong"), default)).Reason();
        }

        reason.Should().Be(RejectionReason.AttemptsLimited);
        var asked = verifier.Asked;
        await using var last = Sasl.Server(policy, services: services);
        (await last.StartAsync("PLAIN", Sasl.Utf8("\0alice\0right"), default)).Reason().Should().Be(RejectionReason.AttemptsLimited);
        verifier.Asked.Should().Be(asked);
    }

    [Test]
    public async Task A_directory_that_is_away_is_no_failed_attempt()
    {
        var policy = Sasl.Policy(SaslServer.PasswordsInPlain(new Verifier()));
        var services = new LoginServices(policy, TimeProvider.System);
        for (var attempt = 0; attempt < 20; attempt++)
        {
            await using var server = Sasl.Server(policy, services: services);
            (await server.StartAsync("PLAIN", Sasl.Utf8("\0away\0right"), default)).Reason().Should().Be(RejectionReason.DirectoryUnavailable);
        }
    }

    [Test]
    public async Task A_verifier_that_throws_lets_nobody_in()
    {
        await using var server = Sasl.Server(Sasl.Policy(SaslServer.PasswordsInPlain(new Verifier())));

        (await server.StartAsync("PLAIN", Sasl.Utf8("\0thrower\0right"), default)).Reason().Should().Be(RejectionReason.CredentialCheckFaulted);
    }

    private sealed class Verifier : IPasswordVerifier
    {
        internal int Asked { get; private set; }

        public ValueTask<PasswordVerdict> VerifyAsync(string userName, Password password, CancellationToken cancellationToken)
        {
            Asked++;
            var isRight = password.DangerouslyCopyUtf8().AsSpan().SequenceEqual("right"u8);
            return ValueTask.FromResult(userName switch
            {
                "alice" => isRight ? PasswordVerdict.Right() : PasswordVerdict.Wrong(),
                "locked" => PasswordVerdict.Refused(new Rejection(RejectionReason.AccountLocked, "a", "b")),
                "away" => PasswordVerdict.Refused(new Rejection(RejectionReason.DirectoryUnavailable, "a", "b")),
                "thrower" => throw new InvalidOperationException(),
                _ => PasswordVerdict.UnknownUser(),
            });
        }
    }
}
