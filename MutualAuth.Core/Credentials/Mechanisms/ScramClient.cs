using System.Collections.Immutable;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace MutualAuth.Credentials;

/// <summary>Logs in with SCRAM: with channel binding wherever the server's certificate has one, as the policy says.</summary>
internal sealed class ScramClient : ISaslClientMechanism
{
    private readonly string _userName;
    private readonly Password _password;
    private readonly string? _authorizationIdentity;
    private readonly ChannelBindingPolicy _policy;
    private readonly ImmutableArray<ScramHash> _hashes;
    private readonly int _minIterations;
    private readonly IterationFloor _shown = new();

    internal ScramClient(
        string userName,
        Password password,
        string? authorizationIdentity,
        ChannelBindingPolicy policy,
        ImmutableArray<ScramHash> hashes,
        int minIterations = ScramVerifier.MinIterations)
    {
        _minIterations = minIterations;
        _userName = userName;
        _password = password;
        _authorizationIdentity = authorizationIdentity;
        _policy = policy;
        _hashes = hashes;
    }

    public IEnumerable<string> NamesFor(SaslClientContext context)
    {
        var plus = context.ChannelBinding is null ? [] : _hashes.Select(hash => hash.Mechanism + ScramMechanisms.Plus);
        var plain = _policy == ChannelBindingPolicy.DangerouslyOptional
            || (_policy == ChannelBindingPolicy.WhereItExists && context.ChannelBinding is null)
            ? _hashes.Select(hash => hash.Mechanism)
            : [];
        return plus.Concat(plain);
    }

    public ISaslClientExchange Begin(string name, SaslClientContext context)
    {
        var isPlus = name.EndsWith(ScramMechanisms.Plus, StringComparison.Ordinal);
        var hash = ScramHash.ByMechanism(isPlus ? name.AsSpan(0, name.Length - ScramMechanisms.Plus.Length) : name)!;

        // "y" lets a server that offers PLUS detect that its offer was hidden from us. A client that saw the offer and was configured not
        // to use it must not send "y".
        var couldBind = context.ChannelBinding is not null && !context.Offered.Contains(hash.Mechanism + ScramMechanisms.Plus);
        var header = Gs2Header.Create(isPlus ? 'p' : couldBind ? 'y' : 'n', context.ChannelBinding?.Type, _authorizationIdentity);
        return new Exchange(this, hash, header, context);
    }

    private sealed class Exchange(ScramClient owner, ScramHash hash, Gs2Header header, SaslClientContext context) : ISaslClientExchange
    {
        private const int MinServerNonceLength = 8;

        private readonly string _nonce = context.Nonce();
        private byte[]? _serverSignature;
        private int _iterations;
        private bool _hasAnswered;

        private string FirstBare => $"n={ScramText.EscapeName(owner._userName)},r={_nonce}";

        public ValueTask<ReadOnlyMemory<byte>?> StartAsync(CancellationToken cancellationToken) =>
            ValueTask.FromResult<ReadOnlyMemory<byte>?>(Encoding.UTF8.GetBytes(header.Text + FirstBare));

        public async ValueTask<SaslClientStep> StepAsync(ReadOnlyMemory<byte> challenge, CancellationToken cancellationToken)
        {
            if (_hasAnswered
                || ScramText.Decode(challenge.Span) is not { } serverFirst
                || serverFirst.Split(',') is not [var nonce, var salt, var count, .. var extensions]
                || !ScramText.AreExtensions(extensions)
                || !ScramText.TryValue(nonce, 'r', out var wholeNonce)
                || !ScramText.TryValue(salt, 's', out var saltText)
                || !ScramText.TryValue(count, 'i', out var countText)
                || ScramText.FromBase64(saltText) is not { Length: <= 256 } saltBytes)
            {
                return Refuse(RejectionReason.CredentialProtocolViolated, "server-first-message", "something else", "RFC 5802 §7");
            }

            if (!ScramText.IsNonce(wholeNonce)
                || !wholeNonce.StartsWith(_nonce, StringComparison.Ordinal)
                || wholeNonce.Length < _nonce.Length + MinServerNonceLength)
            {
                return Refuse(RejectionReason.CredentialProtocolViolated, "our nonce, continued by the server's", "another", "RFC 5802 §5.1");
            }

            // Before anything is derived: 2,147,483,647 iterations would keep a core busy for a quarter of an hour.
            if (!long.TryParse(countText, NumberStyles.None, CultureInfo.InvariantCulture, out var iterations) || iterations < owner._minIterations
                || iterations > ScramVerifier.MaxIterations)
            {
                return SaslClientStep.Refuse(ScramMechanisms.IterationsOutOfRange(iterations, owner._minIterations));
            }

            // An impostor with a certificate that we accept could ask for few, and test passwords offline against the proof that it gets
            // (RFC 5802 §9).
            if (owner._shown.FloorOf(context.Server.ProvenName, hash) is var floor && iterations < floor)
            {
                return SaslClientStep.Refuse(ScramMechanisms.IterationsLowered(hash, iterations, floor));
            }

            _hasAnswered = true;
            _iterations = (int)iterations;
            var saltedPassword = (await context.KeyDerivation.HiAsync(hash, owner._password, saltBytes, (int)iterations, null, isFamiliar: true,
                cancellationToken).ConfigureAwait(false))!;
            var withoutProof = $"c={Convert.ToBase64String(ScramMechanisms.BindingInput(header, context.ChannelBinding))},r={wholeNonce}";
            var proof = Prove(saltedPassword, ScramText.AuthMessage(FirstBare, serverFirst, withoutProof));
            return SaslClientStep.Answer(Encoding.UTF8.GetBytes($"{withoutProof},p={proof}"));
        }

        public SaslClientEnd Complete(ReadOnlyMemory<byte>? additionalData)
        {
            // A server that accepts too early has not proven anything.
            var expected = _serverSignature is null ? null : "v=" + Convert.ToBase64String(_serverSignature);
            var isProven = expected is not null
                && additionalData is { } data
                && ScramText.Decode(data.Span)?.Split(',') is [var signature, .. var extensions]
                && ScramText.AreExtensions(extensions)
                && CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(signature), Encoding.UTF8.GetBytes(expected));
            Dispose();
            if (isProven)
            {
                owner._shown.Remember(context.Server.ProvenName, hash, _iterations);
            }

            return isProven
                ? new SaslClientEnd(null, PeerProofs.Password | (header.Flag == 'p' ? PeerProofs.ChannelBinding : PeerProofs.None))
                : new SaslClientEnd(
                    new Rejection(
                        RejectionReason.ServerSignatureWrong,
                        "proof that the server knows our verifier",
                        expected is null || additionalData is null ? "none" : "a wrong one")
                    { Rule = "RFC 5802 §3" },
                    PeerProofs.None);
        }

        public void Dispose()
        {
            CryptographicOperations.ZeroMemory(_serverSignature);
            _serverSignature = null;
        }

        private string Prove(byte[] saltedPassword, byte[] authMessage)
        {
            var clientKey = hash.ClientKey(saltedPassword);
            var serverKey = hash.ServerKey(saltedPassword);
            ScramHash.Xor(clientKey, hash.Hmac(hash.H(clientKey), authMessage));
            _serverSignature = hash.Hmac(serverKey, authMessage);
            var proof = Convert.ToBase64String(clientKey);
            CryptographicOperations.ZeroMemory(saltedPassword);
            CryptographicOperations.ZeroMemory(clientKey);
            CryptographicOperations.ZeroMemory(serverKey);
            return proof;
        }

        private static SaslClientStep Refuse(RejectionReason reason, string expected, string presented, string rule) =>
            SaslClientStep.Refuse(new Rejection(reason, expected, presented) { Rule = rule });
    }
}
