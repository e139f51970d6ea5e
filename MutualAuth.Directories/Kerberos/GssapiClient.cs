using System.Net;
using System.Net.Security;
using MutualAuth.Credentials;

namespace MutualAuth.Directories;

/// <summary>GSSAPI at the client (RFC 4752 §3.1).</summary>
internal sealed class GssapiClient(string service, string? actAs) : ISaslClientMechanism
{
    public IEnumerable<string> NamesFor(SaslClientContext context) => [Kerberos.Mechanism];

    public ISaslClientExchange Begin(string name, SaslClientContext context) => new Exchange(service, actAs, context);

    private sealed class Exchange : ISaslClientExchange
    {
        private readonly string _service;
        private readonly string? _actAs;
        private readonly EndPointBinding? _binding;
        private readonly NegotiateAuthentication _context;
        private Rejection? _objection;
        private Stage _stage = Stage.Tokens;

        internal Exchange(string service, string? actAs, SaslClientContext context)
        {
            (_service, _actAs) = (service, actAs);
            _binding = context.ChannelBinding is { } binding ? new EndPointBinding(binding) : null;
            _context = new NegotiateAuthentication(new NegotiateAuthenticationClientOptions
            {
                Package = "Kerberos",
                TargetName = service,
                Credential = CredentialCache.DefaultNetworkCredentials,
                Binding = _binding,
                RequireMutualAuthentication = true,
                RequiredProtectionLevel = ProtectionLevel.Sign,
                AllowedImpersonationLevel = System.Security.Principal.TokenImpersonationLevel.Identification,
            });
        }

        /// <remarks>Blocks its thread while the KDC is asked.</remarks>
        public ValueTask<ReadOnlyMemory<byte>?> StartAsync(CancellationToken cancellationToken)
        {
            var token = _context.GetOutgoingBlob(ReadOnlySpan<byte>.Empty, out var status);
            if (status is NegotiateAuthenticationStatusCode.ContinueNeeded or NegotiateAuthenticationStatusCode.Completed && token is { Length: > 0 })
            {
                return ValueTask.FromResult<ReadOnlyMemory<byte>?>(token);
            }

            // Only an answer to a challenge can be a refusal with a reason: let the server speak first.
            _objection = new Rejection(
                RejectionReason.TicketUnavailable, $"a ticket in force for {Quoted.Text(_service)}", $"none; the platform says {status}")
            {
                Hint = "Get one with kinit, and ask the KDC for the service with kvno.",
            };
            return ValueTask.FromResult<ReadOnlyMemory<byte>?>(null);
        }

        public ValueTask<SaslClientStep> StepAsync(ReadOnlyMemory<byte> challenge, CancellationToken cancellationToken) => ValueTask.FromResult(
            _objection is not null ? SaslClientStep.Refuse(_objection)
            : _stage == Stage.Tokens ? TakeToken(challenge.Span)
            : _stage == Stage.Layers ? TakeOffer(challenge.Span)
            : Refuse("an outcome", "a challenge"));

        public SaslClientEnd Complete(ReadOnlyMemory<byte>? additionalData) => _stage == Stage.Over && IsProven
            ? new SaslClientEnd(null, PeerProofs.Kerberos)
            : new SaslClientEnd(Unproven("success before it"), PeerProofs.None);

        public void Dispose()
        {
            _context.Dispose();
            _binding?.Dispose();
        }

        /// <summary>Whether the server has proven that it holds the service's key.</summary>
        private bool IsProven => _context is { IsAuthenticated: true, IsMutuallyAuthenticated: true, IsSigned: true };

        private SaslClientStep TakeToken(ReadOnlySpan<byte> challenge)
        {
            var token = _context.GetOutgoingBlob(challenge, out var status);
            switch (status)
            {
                case NegotiateAuthenticationStatusCode.ContinueNeeded when token is not null:
                    return SaslClientStep.Answer(token);
                case NegotiateAuthenticationStatusCode.Completed when IsProven:
                    _stage = Stage.Layers;
                    return SaslClientStep.Answer(token ?? ReadOnlyMemory<byte>.Empty);
                default:
                    return SaslClientStep.Refuse(Unproven($"an answer of which the platform says {status}"));
            }
        }

        private SaslClientStep TakeOffer(ReadOnlySpan<byte> challenge)
        {
            if (!SecurityLayer.IsOffer(_context, challenge) || SecurityLayer.Choose(_context, _actAs) is not { } choice)
            {
                return Refuse("an offer without a security layer, protected", "something else");
            }

            _stage = Stage.Over;
            return SaslClientStep.Answer(choice);
        }

        private static Rejection Unproven(string presented) => new(
            RejectionReason.TicketRefused, "a server that proves to hold the service's key", presented)
        {
            Rule = "RFC 4120 §3.2.4",
            Hint = "An impostor that accepts every user cannot prove it.",
        };

        private static SaslClientStep Refuse(string expected, string presented) => SaslClientStep.Refuse(
            new Rejection(RejectionReason.CredentialProtocolViolated, expected, presented) { Rule = "RFC 4752 §3.1" });

        private enum Stage
        {
            Tokens = 1,
            Layers = 2,
            Over = 3,
        }
    }
}
