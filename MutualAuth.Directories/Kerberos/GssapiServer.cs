using System.Net;
using System.Net.Security;
using MutualAuth.Credentials;

namespace MutualAuth.Directories;

/// <summary>GSSAPI at the server (RFC 4752 §3.2): tokens, then the layers that are offered, then the client's choice and identity.</summary>
internal sealed class GssapiServer(KerberosServerOptions options) : ISaslServerMechanism
{
    public IEnumerable<string> NamesFor(SaslServerContext context) =>
        context.ChannelBindingPolicy == ChannelBindingPolicy.Required ? [] : [Kerberos.Mechanism];

    public ISaslServerExchange Begin(string name, SaslServerContext context) => new Exchange(options, context);

    private sealed class Exchange(KerberosServerOptions options, SaslServerContext context) : ISaslServerExchange
    {
        // The key is the first of the key table that the ticket is for: there is no password, and no name of the service's to choose.
        private readonly NegotiateAuthentication _context = new(new NegotiateAuthenticationServerOptions
        {
            Package = "Kerberos",
            Credential = CredentialCache.DefaultNetworkCredentials,
            RequiredProtectionLevel = ProtectionLevel.Sign,
        });

        private Stage _stage = Stage.Tokens;
        private string? _user;

        public ValueTask<SaslServerStep> StepAsync(ReadOnlyMemory<byte> message, CancellationToken cancellationToken) => _stage switch
        {
            Stage.Tokens => TakeTokenAsync(message, cancellationToken),
            Stage.Acknowledged => ValueTask.FromResult(message.IsEmpty ? OfferLayers() : Violated("an empty message", message.Length)),
            Stage.Layers => ValueTask.FromResult(TakeChoice(message)),
            _ => ValueTask.FromResult(Violated("nothing more", message.Length)),
        };

        public void Dispose() => _context.Dispose();

        private async ValueTask<SaslServerStep> TakeTokenAsync(ReadOnlyMemory<byte> message, CancellationToken cancellationToken)
        {
            if (message.IsEmpty)
            {
                return Violated("a token of GSS-API", 0);
            }

            var token = _context.GetOutgoingBlob(message.Span, out var status);
            if (status == NegotiateAuthenticationStatusCode.ContinueNeeded && token is not null)
            {
                return SaslServerStep.Continue(token);
            }

            if (status != NegotiateAuthenticationStatusCode.Completed)
            {
                _stage = Stage.Over;
                return SaslServerStep.Fail(new Rejection(
                    RejectionReason.TicketRefused, "a ticket in force for a key in our key table, and shown once", $"another; it says {status}")
                {
                    Rule = "RFC 4120 §3.2.3",
                    Hint = "Compare klist -k of the server with klist of the client, and both clocks.",
                });
            }

            if (Refuse() is { } refused)
            {
                _stage = Stage.Over;
                return SaslServerStep.Fail(refused);
            }

            if (await context.AdmitAsync(_user!, cancellationToken).ConfigureAwait(false) is { } limited)
            {
                _stage = Stage.Over;
                return SaslServerStep.Fail(limited);
            }

            if (token is not { Length: > 0 })
            {
                return OfferLayers();
            }

            _stage = Stage.Acknowledged;
            return SaslServerStep.Continue(token);
        }

        /// <summary>Whether the ticket that was accepted is of a user whom we accept.</summary>
        private Rejection? Refuse()
        {
            if (!_context.IsAuthenticated || !_context.IsSigned || _context.Package != "Kerberos")
            {
                return new Rejection(RejectionReason.TicketRefused, "Kerberos with integrity", $"{_context.Package} without")
                { Rule = "RFC 4752 §3.1" };
            }

            var shown = _context.RemoteIdentity.Name;
            if (KerberosPrincipal.Read(shown) is not { } principal)
            {
                return new Rejection(RejectionReason.RealmNotAccepted, "a principal of one name and one realm", Quoted.Text(shown ?? string.Empty));
            }

            if (!options.Realms.Contains(principal.Realm, StringComparer.Ordinal))
            {
                return new Rejection(
                    RejectionReason.RealmNotAccepted, $"a user of {string.Join(" or ", options.Realms)}", $"one of {Quoted.Text(principal.Realm)}");
            }

            _user = options.UserOf is { } userOf ? userOf(principal) : principal.ToString();
            return string.IsNullOrEmpty(_user)
                ? new Rejection(RejectionReason.UserNotAllowed, "a principal that belongs to a user", Quoted.Text(principal.ToString()))
                : null;
        }

        private SaslServerStep OfferLayers()
        {
            if (SecurityLayer.Offer(_context) is not { } offer)
            {
                throw new InvalidOperationException("The platform could not protect a message.");
            }

            _stage = Stage.Layers;
            return SaslServerStep.Continue(offer);
        }

        private SaslServerStep TakeChoice(ReadOnlyMemory<byte> message)
        {
            _stage = Stage.Over;
            return SecurityLayer.ReadChoice(_context, message.Span) is (true, var identity)
                ? SaslServerStep.Succeed(
                    _user!, PeerProofs.Kerberos, identity, notAfter: options.TimeProvider.GetUtcNow() + options.LoginLifetime)
                : Violated("the choice of no security layer, protected", message.Length);
        }

        private static SaslServerStep Violated(string expected, int length) => SaslServerStep.Fail(
            new Rejection(RejectionReason.CredentialProtocolViolated, expected, $"{length} octets of something else") { Rule = "RFC 4752 §3" });

        private enum Stage
        {
            Tokens = 1,
            Acknowledged = 2,
            Layers = 3,
            Over = 4,
        }
    }
}
