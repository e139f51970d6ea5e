using System.Collections.Immutable;
using System.Net;
using System.Text;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using MutualAuth.Credentials;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Credentials;

/// <summary>Both sides of a login without a wire, and the pieces that tests need to make one wrong.</summary>
internal static class Sasl
{
    internal const string Salt = "W22ZaJ0SNY7soEsUEjb6gQ==";
    internal const string ClientNonce = "rOprNGfwEbeRWgbNEkqO";
    internal const string ServerNonce = "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";

    /// <summary>The octets 0 to 31.</summary>
    internal static readonly ChannelBinding Binding = new(
        ChannelBinding.TlsServerEndPoint, [.. Enumerable.Range(0, 32).Select(octet => (byte)octet)]);

    internal static readonly ChannelBinding OtherBinding = new(
        ChannelBinding.TlsServerEndPoint, [.. Enumerable.Range(1, 32).Select(octet => (byte)octet)]);

    internal static AuthenticatedPeer Peer { get; } = PeerOf(new TestPeer { Dns = ["device.test"] });

    internal static AuthenticatedPeer PeerOf(TestPeer peer)
    {
        var certificate = peer.Certificate();
        return new AuthenticatedPeer(new Evidence.PeerEvidence(MutualAuth.PeerRole.Client, [certificate.RawData]), [certificate], null);
    }

    internal static ScramVerifier Verifier(string password, ScramHash? hash = null, int iterations = ScramVerifier.MinIterations) =>
        ScramVerifier.Create(Password.From(password), hash ?? ScramHash.Sha256, iterations, Convert.FromBase64String(Salt));

    internal static MemoryCredentialStore Store(params (string User, string Password)[] users)
    {
        var store = new MemoryCredentialStore();
        foreach (var (user, password) in users)
        {
            store.SetAsync(user, Verifier(password)).AsTask().GetAwaiter().GetResult();
        }

        return store;
    }

    internal static CredentialPolicy Policy(params ISaslServerMechanism[] mechanisms) =>
        Require.User(mechanisms) with { DecoyIterations = ScramVerifier.MinIterations };

    internal static SaslServerContext ServerContext(
        CredentialPolicy policy,
        ChannelBinding? binding = null,
        AuthenticatedPeer? peer = null,
        LoginServices? services = null,
        string? nonce = null) =>
        new(policy, services ?? new LoginServices(policy, TimeProvider.System), binding, peer, new IPEndPoint(IPAddress.Parse("192.0.2.1"), 1))
        { Nonce = () => nonce ?? ScramNonce.Create() };

    internal static SaslServerSession Server(CredentialPolicy policy, ChannelBinding? binding =
        null, AuthenticatedPeer? peer = null, LoginServices? services = null, string? nonce = null, ILogger? logger = null) =>
        new(policy, ServerContext(policy, binding, peer, services, nonce), logger ?? NullLogger.Instance);

    internal static SaslClientContext ClientContext(
        ChannelBinding? binding, KeyDerivation? derivation = null, string? nonce = null, params ImmutableArray<string> offered) =>
        new(Peer, binding, offered) { Nonce = () => nonce ?? ScramNonce.Create(), KeyDerivation = derivation ?? KeyDerivation.Unbounded };

    internal static byte[] Utf8(string text) => Encoding.UTF8.GetBytes(text);

    internal static string Text(this SaslServerStep step) => step switch
    {
        SaslServerStep.Challenged challenge => Encoding.UTF8.GetString(challenge.Message.Span),
        SaslServerStep.Succeeded success => Encoding.UTF8.GetString(success.AdditionalData!.Value.Span),
        _ => throw new AssertionException($"Expected a message, got {((SaslServerStep.Failed)step).Rejection}"),
    };

    internal static RejectionReason Reason(this SaslServerStep step) =>
        step is SaslServerStep.Failed failed
            ? failed.Rejection.Reason
            : throw new AssertionException($"Expected a refusal, got {step.GetType().Name}.");

    internal static string Text(this SaslClientStep step) =>
        step.Objection is null ? Encoding.UTF8.GetString(step.Message.Span) : throw new AssertionException(step.Objection.ToString());

    /// <summary>Runs a whole login and says how each side ended.</summary>
    internal static async Task<(SaslServerStep Server, Rejection? Client)> RunAsync(
        ClientCredentials credentials, SaslServerSession server, ChannelBinding? clientBinding, ImmutableArray<string>? offered = null)
    {
        var (client, objection) = SaslClientSession.Begin(credentials, ClientContext(clientBinding, offered: offered ?? server.Offered));
        if (client is null)
        {
            return (SaslServerStep.Continue(default), objection);
        }

        using (client)
        {
            var step = await server.StartAsync(client.Mechanism, await client.StartAsync(default), default);
            while (step is SaslServerStep.Challenged challenge)
            {
                var answer = await client.StepAsync(challenge.Message, default);
                if (answer.Objection is not null)
                {
                    return (step, answer.Objection);
                }

                step = await server.ContinueAsync(answer.Message, default);
            }

            return (step, step is SaslServerStep.Succeeded success ? client.Complete(success.AdditionalData).Objection : null);
        }
    }
}
