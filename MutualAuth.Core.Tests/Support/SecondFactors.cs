using System.Text;
using MutualAuth.Credentials;

namespace MutualAuth.Tests.Support;

/// <summary>A second factor of the tests at the server: the user's code, in one message. Each code is worth something once.</summary>
internal sealed class CodeServer(string name = CodeServer.Name, PeerProofs proofs = PeerProofs.OneTimeCode) : ISaslServerMechanism
{
    internal const string Name = "TEST-CODE";

    private readonly HashSet<string> _used = [];

    /// <summary>For each user the codes that are right.</summary>
    internal Dictionary<string, HashSet<string>> Codes { get; } = new() { ["alice"] = ["111111", "222222"], ["bob"] = ["333333"] };

    /// <summary>As whom the code says that it is; null for the user of the code.</summary>
    internal string? Claims { get; init; }

    internal string? AuthorizationIdentity { get; init; }

    internal DateTimeOffset? NotAfter { get; init; }

    internal int Judged { get; private set; }

    public PeerProofs MayProve => proofs;

    public IEnumerable<string> NamesFor(SaslServerContext context) => context.User is null ? [] : [name];

    public ISaslServerExchange Begin(string name, SaslServerContext context) => new Exchange(this, context);

    private SaslServerStep Judge(SaslServerContext context, string code)
    {
        var user = context.User!.Name;
        lock (_used)
        {
            Judged++;
            return !Codes.TryGetValue(user, out var codes)
                ? SaslServerStep.Fail(new Rejection(RejectionReason.SecondFactorMissing, "a user with a code", "one without"))
                : !codes.Contains(code)
                    ? SaslServerStep.Fail(new Rejection(RejectionReason.SecondFactorWrong, "the code", "another"))
                    : !_used.Add(user + code)
                        ? SaslServerStep.Fail(new Rejection(RejectionReason.SecondFactorReused, "a fresh code", "a used one"))
                        : SaslServerStep.Succeed(Claims ?? user, proofs, AuthorizationIdentity, notAfter: NotAfter);
        }
    }

    private sealed class Exchange(CodeServer owner, SaslServerContext context) : ISaslServerExchange
    {
        public ValueTask<SaslServerStep> StepAsync(ReadOnlyMemory<byte> message, CancellationToken cancellationToken) =>
            ValueTask.FromResult(owner.Judge(context, Encoding.UTF8.GetString(message.Span)));

        public void Dispose()
        {
        }
    }
}

/// <summary>A second factor of the tests at the client: says its code, and counts how often it was asked.</summary>
internal sealed class CodeClient(string code, string name = CodeServer.Name) : ISaslClientMechanism
{
    internal int Asked { get; private set; }

    public IEnumerable<string> NamesFor(SaslClientContext context) => [name];

    public ISaslClientExchange Begin(string name, SaslClientContext context) => new Exchange(this, code);

    private sealed class Exchange(CodeClient owner, string code) : ISaslClientExchange
    {
        public ValueTask<ReadOnlyMemory<byte>?> StartAsync(CancellationToken cancellationToken)
        {
            owner.Asked++;
            return ValueTask.FromResult<ReadOnlyMemory<byte>?>(Encoding.UTF8.GetBytes(code));
        }

        public ValueTask<SaslClientStep> StepAsync(ReadOnlyMemory<byte> challenge, CancellationToken cancellationToken) =>
            ValueTask.FromResult(SaslClientStep.Refuse(new Rejection(RejectionReason.CredentialProtocolViolated, "an outcome", "a challenge")));

        public SaslClientEnd Complete(ReadOnlyMemory<byte>? additionalData) => new(null, PeerProofs.None);

        public void Dispose()
        {
        }
    }
}
