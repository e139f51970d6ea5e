using System.Text;
using MutualAuth.Credentials;

namespace MutualAuth.Factors;

/// <summary>A code in the client's only message.</summary>
internal sealed class CodeClient(string name, Func<CancellationToken, ValueTask<string>> code) : ISaslClientMechanism
{
    public IEnumerable<string> NamesFor(SaslClientContext context) => [name];

    public ISaslClientExchange Begin(string name, SaslClientContext context) => new Exchange(name, code);

    private sealed class Exchange(string name, Func<CancellationToken, ValueTask<string>> code) : ISaslClientExchange
    {
        private const int MaxLength = 64;

        public async ValueTask<ReadOnlyMemory<byte>?> StartAsync(CancellationToken cancellationToken)
        {
            var typed = (await code(cancellationToken).ConfigureAwait(false) ?? string.Empty).Trim();
            var plain = name == OneTimeCodeServer.Name ? typed.Replace(" ", string.Empty, StringComparison.Ordinal) : typed;
            return plain.Length is > 0 and <= MaxLength && Ascii.IsValid(plain)
                ? Encoding.ASCII.GetBytes(plain)
                : throw new InvalidOperationException($"The code is empty, longer than {MaxLength} characters, or not ASCII.");
        }

        public ValueTask<SaslClientStep> StepAsync(ReadOnlyMemory<byte> challenge, CancellationToken cancellationToken) =>
            ValueTask.FromResult(SaslClientStep.Refuse(
                new Rejection(RejectionReason.CredentialProtocolViolated, "an outcome after the code", "a challenge")));

        public SaslClientEnd Complete(ReadOnlyMemory<byte>? additionalData) => FactorEnd.Of(additionalData);

        public void Dispose()
        {
        }
    }
}

/// <summary>How every second factor ends at the client: the server proves nothing more by it.</summary>
internal static class FactorEnd
{
    internal static SaslClientEnd Of(ReadOnlyMemory<byte>? additionalData) => new(
        additionalData is null ? null : new Rejection(RejectionReason.CredentialProtocolViolated, "no additional data", "some"), PeerProofs.None);
}
