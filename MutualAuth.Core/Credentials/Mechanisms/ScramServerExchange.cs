using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using MutualAuth.Errors;

namespace MutualAuth.Credentials;

/// <summary>The server's side of SCRAM (RFC 5802 §5): client-first, server-first, client-final, server-final.</summary>
internal sealed class ScramServerExchange : ISaslServerExchange
{
    private readonly ScramHash _hash;
    private readonly bool _isPlus;
    private readonly ICredentialStore _store;
    private readonly SaslServerContext _context;

    private Gs2Header? _header;
    private string _userName = string.Empty;
    private string _clientFirstBare = string.Empty;
    private string _serverFirst = string.Empty;
    private string _nonce = string.Empty;
    private ScramVerifier? _verifier;
    private Rejection? _objection;

    internal ScramServerExchange(ScramHash hash, bool isPlus, ICredentialStore store, SaslServerContext context)
    {
        _hash = hash;
        _isPlus = isPlus;
        _store = store;
        _context = context;
    }

    public async ValueTask<SaslServerStep> StepAsync(ReadOnlyMemory<byte> message, CancellationToken cancellationToken)
    {
        if (ScramText.Decode(message.Span) is not { } text)
        {
            return Violation("a message of 1 to 2,048 octets of UTF-8", $"{message.Length} octets");
        }

        return _header is null
            ? await ReadFirstAsync(text, cancellationToken).ConfigureAwait(false)
            : await ReadFinalAsync(text, cancellationToken).ConfigureAwait(false);
    }

    public void Dispose() => _verifier = null;

    private async ValueTask<SaslServerStep> ReadFirstAsync(string message, CancellationToken cancellationToken)
    {
        if (Gs2Header.Read(message) is not var (header, bare)
            || bare.Split(',') is not [var user, var nonce, .. var extensions]
            || !ScramText.AreExtensions(extensions))
        {
            return Violation("client-first-message", "something else");
        }

        // "m=" would stand first, and announces an extension that must be understood (RFC 5802 §5.1).
        if (!ScramText.TryValue(user, 'n', out var escaped) || ScramText.UnescapeName(escaped) is not { } claimed
            || !ScramText.TryValue(nonce, 'r', out var clientNonce) || !ScramText.IsNonce(clientNonce))
        {
            return Violation("a user name and a nonce", "something else");
        }

        if (CheckBinding(header) is { } objection)
        {
            return SaslServerStep.Fail(objection);
        }

        // An impossible name is treated like an unknown one.
        var prepared = UserNames.FromPeer(claimed);
        _userName = prepared ?? "?";
        if (await _context.ForeseeAsync(_userName, cancellationToken).ConfigureAwait(false) is { } limited)
        {
            return SaslServerStep.Fail(limited);
        }

        var decoy = _context.Services.Decoys.For(_userName, _hash);
        var stored = await _context.FindAsync(_store, _userName, cancellationToken).ConfigureAwait(false);
        (_verifier, _objection) = Choose(prepared is null ? null : stored, decoy);
        _header = header;
        _clientFirstBare = bare;
        _nonce = clientNonce + _context.Nonce();
        _serverFirst = string.Create(
            CultureInfo.InvariantCulture, $"r={_nonce},s={Convert.ToBase64String(_verifier.Salt.AsSpan())},i={_verifier.Iterations}");
        return SaslServerStep.Continue(Encoding.UTF8.GetBytes(_serverFirst));
    }

    /// <summary>Only PLUS binds, PLUS must bind, and a client that believes that the server cannot bind must be rejected (RFC 5802 §6).</summary>
    private Rejection? CheckBinding(Gs2Header header)
    {
        const string Rule = "RFC 5802 §6";
        if (_isPlus)
        {
            return header.Flag != 'p'
                ? new Rejection(RejectionReason.CredentialProtocolViolated, "channel binding, as -PLUS has it", $"the flag {header.Flag}")
                { Rule = Rule }
                : header.BindingType != _context.ChannelBinding?.Type
                    ? new Rejection(
                        RejectionReason.ChannelBindingUnavailable,
                        _context.ChannelBinding?.Type ?? "no channel binding",
                        SafeText.Quote(header.BindingType))
                    { Rule = Rule }
                : null;
        }

        return header.Flag switch
        {
            'p' => new Rejection(RejectionReason.CredentialProtocolViolated, "no channel binding without -PLUS", "the flag p") { Rule = Rule },
            'y' when _context.Offered.Contains(_hash.Mechanism + ScramMechanisms.Plus) =>
                new Rejection(
                    RejectionReason.ChannelBindingDowngraded, "a client that has seen our -PLUS mechanisms", "one that believes that we have none")
                {
                    Rule = Rule,
                    Hint = "A man in the middle removed them from the list.",
                },
            _ => null,
        };
    }

    private (ScramVerifier Verifier, Rejection? Objection) Choose(StoredCredential? stored, ScramVerifier decoy)
    {
        // Every objection waits for the proof: until then all users look alike.
        if (stored is null || !string.Equals(stored.UserName, _userName, StringComparison.Ordinal))
        {
            return (decoy, ScramMechanisms.Unknown());
        }

        if (stored.IsDisabled)
        {
            return (stored.For(_hash) ?? decoy, Wrong("a user who is disabled"));
        }

        if (stored.For(_hash) is not { } verifier)
        {
            return (decoy, Wrong($"a user without a {_hash.Mechanism} verifier"));
        }

        return verifier.Iterations is < ScramVerifier.MinIterations or > ScramVerifier.MaxIterations
            ? (decoy, ScramMechanisms.IterationsOutOfRange(verifier.Iterations))
            : (verifier, null);
    }

    private async ValueTask<SaslServerStep> ReadFinalAsync(string message, CancellationToken cancellationToken)
    {
        var parts = message.Split(',');
        if (parts.Length < 3
            || !ScramText.AreExtensions(parts.AsSpan(2..^1))
            || !ScramText.TryValue(parts[0], 'c', out var binding)
            || !ScramText.TryValue(parts[1], 'r', out var nonce)
            || !ScramText.TryValue(parts[^1], 'p', out var proofText)
            || ScramText.FromBase64(proofText) is not { } proof
            || proof.Length != _hash.Length
            || ScramText.FromBase64(binding) is not { } presented)
        {
            return Violation("client-final-message", "something else");
        }

        if (!FixedTimeEquals(nonce, _nonce))
        {
            return Violation("the nonce of this exchange", "another");
        }

        if (await _context.AdmitAsync(_userName, cancellationToken).ConfigureAwait(false) is { } limited)
        {
            return SaslServerStep.Fail(limited);
        }

        if (_context.OnlyUser is not null && _objection is null && !await IsStillInForceAsync(cancellationToken).ConfigureAwait(false))
        {
            _objection = Wrong("a user who was disabled, or whose password was changed, since the challenge");
        }

        if (!CryptographicOperations.FixedTimeEquals(presented, ScramMechanisms.BindingInput(_header!, _context.ChannelBinding)))
        {
            return SaslServerStep.Fail(ScramMechanisms.BindingMismatch());
        }

        return Verify(message.AsSpan(0, message.LastIndexOf(",p=", StringComparison.Ordinal)), proof);
    }

    /// <summary>A step-up, unlike a handshake, has no deadline: the facts may have changed since it began.</summary>
    private async ValueTask<bool> IsStillInForceAsync(CancellationToken cancellationToken) =>
        await _context.FindAsync(_store, _userName, cancellationToken).ConfigureAwait(false) is { IsDisabled: false } stored
        && string.Equals(stored.UserName, _userName, StringComparison.Ordinal)
        && stored.For(_hash) is { } verifier && verifier.StoredKey.AsSpan().SequenceEqual(_verifier!.StoredKey.AsSpan());

    private SaslServerStep Verify(ReadOnlySpan<char> withoutProof, byte[] proof)
    {
        var verifier = _verifier!;
        _verifier = null;
        var authMessage = ScramText.AuthMessage(_clientFirstBare, _serverFirst, withoutProof);
        var clientKey = _hash.Hmac(verifier.StoredKey.AsSpan(), authMessage);
        ScramHash.Xor(clientKey, proof);
        var isProven = CryptographicOperations.FixedTimeEquals(_hash.H(clientKey), verifier.StoredKey.AsSpan());
        CryptographicOperations.ZeroMemory(clientKey);
        var signature = _hash.Hmac(verifier.ServerKey.AsSpan(), authMessage);
        if (!isProven || _objection is not null)
        {
            return SaslServerStep.Fail(_objection ?? Wrong("a wrong password"));
        }

        var proofs = PeerProofs.Password | (_isPlus ? PeerProofs.ChannelBinding : PeerProofs.None);
        return SaslServerStep.Succeed(
            _userName,
            proofs,
            _header!.AuthorizationIdentity,
            default,
            Encoding.UTF8.GetBytes("v=" + Convert.ToBase64String(signature)),
            facts: [LoginFacts.Verifier(_store, _userName, verifier)]);
    }

    private Rejection Wrong(string what) => ScramMechanisms.Wrong(_userName, what);

    private static bool FixedTimeEquals(string left, string right) =>
        CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(left), Encoding.UTF8.GetBytes(right));

    private static SaslServerStep Violation(string expected, string presented) =>
        SaslServerStep.Fail(RejectionReason.CredentialProtocolViolated, expected, presented, "RFC 5802 §7");
}
