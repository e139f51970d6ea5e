using System.Net;
using Microsoft.Extensions.Logging.Abstractions;
using MutualAuth.Confirmation;
using MutualAuth.Credentials;
using MutualAuth.Evidence;

namespace MutualAuth.Fuzz;

/// <summary>
/// A whole login, as the server meets it: the input is all that the client says, frame after frame, and it waits for none of our answers.
/// </summary>
internal static class LoginTarget
{
    // Known to the corpus, so that whole exchanges can be in it.
    private const string Nonce = "3rfcNHYJY1ZVvWVs7j";

    private static readonly CredentialPolicy s_policy = Policy();
    private static readonly ChannelBinding s_binding = new(ChannelBinding.TlsServerEndPoint, [.. new byte[32]]);

    internal static void Read(byte[] input)
    {
        using var channel = new LoginChannel(new OneWay(input), CancellationToken.None);
        var services = new LoginServices(s_policy, TimeProvider.System);
        var context = new SaslServerContext(s_policy, services, s_binding, null, new IPEndPoint(IPAddress.Loopback, 1)) { Nonce = () => Nonce };
        var evidence = new PeerEvidence(PeerRole.Client, []);
        LoginExchange.AsServerAsync(channel, s_policy, context, evidence, _ => default, NullLogger.Instance, CancellationToken.None)
            .AsTask().GetAwaiter().GetResult();
    }

    private static CredentialPolicy Policy()
    {
        var store = new MemoryCredentialStore();
        var verifier = ScramVerifier.Create(Password.From("pencil"), ScramHash.Sha256, ScramVerifier.MinIterations, new byte[16]);
        store.SetAsync("user", verifier).AsTask().GetAwaiter().GetResult();
        return Require.User(SaslServer.Scram(store), SaslServer.PasswordsInPlain(store), SaslServer.DangerouslyUnboundTokens(new OneToken())) with
        {
            SecondFactors = [new OneCode()],
            LoginFactors = FactorRequirement.AnyOf(
                FactorRequirement.Proofs(PeerProofs.Token), FactorRequirement.Proofs(PeerProofs.Password | PeerProofs.OneTimeCode)),
            AttemptLimiter = new NoLimit(),
            DecoyIterations = ScramVerifier.MinIterations,
            DecoySecret = [.. new byte[16]],
        };
    }

    /// <summary>Every input is judged as if it were the first.</summary>
    private sealed class NoLimit : IAttemptLimiter
    {
        public ValueTask<TimeSpan?> BeginAsync(LoginAttempt attempt, CancellationToken cancellationToken) => default;

        public ValueTask EndAsync(LoginAttempt attempt, AttemptOutcome outcome) => default;
    }

    /// <summary>Whoever logs in by password is asked for this code too.</summary>
    private sealed class OneCode : ISaslServerMechanism
    {
        public PeerProofs MayProve => PeerProofs.OneTimeCode;

        public IEnumerable<string> NamesFor(SaslServerContext context) => ["TOTP"];

        public ISaslServerExchange Begin(string name, SaslServerContext context) => new Exchange(context);

        private sealed class Exchange(SaslServerContext context) : ISaslServerExchange
        {
            public ValueTask<SaslServerStep> StepAsync(ReadOnlyMemory<byte> message, CancellationToken cancellationToken) =>
                new(message.Span.SequenceEqual("123456"u8)
                    ? SaslServerStep.Succeed(context.User!.Name, PeerProofs.OneTimeCode)
                    : message.IsEmpty
                        ? SaslServerStep.Continue(default)
                        : SaslServerStep.Fail(new Rejection(RejectionReason.SecondFactorWrong, "the code", "another")));

            public void Dispose()
            {
            }
        }
    }

    private sealed class OneToken : ITokenValidator
    {
        public ValueTask<TokenVerdict> ValidateAsync(string token, IPAddress? remoteAddress, CancellationToken cancellationToken) =>
            new(token == "good" ? TokenVerdict.Valid("user", null) : TokenVerdict.Invalid("good", "something else"));
    }

    /// <summary>Gives what the client said, and swallows what it is told.</summary>
    private sealed class OneWay(byte[] input) : Stream
    {
        private int _position;

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => throw new NotSupportedException();
            set => throw new NotSupportedException();
        }

        public override void Flush()
        {
        }

        public override int Read(byte[] buffer, int offset, int count)
        {
            count = Math.Min(count, input.Length - _position);
            input.AsSpan(_position, count).CopyTo(buffer.AsSpan(offset));
            _position += count;
            return count;
        }

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            var count = Math.Min(buffer.Length, input.Length - _position);
            input.AsSpan(_position, count).CopyTo(buffer.Span);
            _position += count;
            return new ValueTask<int>(count);
        }

        public override void Write(byte[] buffer, int offset, int count)
        {
        }

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) => default;

        public override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();
    }
}
