using System.Collections.Immutable;
using System.Net;
using MutualAuth.Credentials;

namespace MutualAuth.Tests.Support;

/// <summary>Second factors without a wire: a user whom an earlier exchange has proven, and one exchange after another.</summary>
internal static class Factor
{
    internal static readonly ChannelBinding Here = new(ChannelBinding.TlsServerEndPoint, [.. Enumerable.Repeat((byte)1, 32)]);

    internal static readonly ChannelBinding Elsewhere = new(ChannelBinding.TlsServerEndPoint, [.. Enumerable.Repeat((byte)2, 32)]);

    /// <summary>How an exchange ended: the server's objection or the client's, or what was proven.</summary>
    internal sealed record End(RejectionReason? Server, RejectionReason? Client, PeerProofs Proofs, Rejection? Objection)
    {
        internal static End Proven(PeerProofs proofs) => new(null, null, proofs, null);

        internal static End Refused(RejectionReason reason) => new(reason, null, PeerProofs.None, null);

        public bool Equals(End? other) => other is not null && (Server, Client, Proofs) == (other.Server, other.Client, other.Proofs);

        public override int GetHashCode() => HashCode.Combine(Server, Client, Proofs);
    }

    internal static SaslServerContext ServerContext(string? user = "alice", ChannelBinding? binding = null)
    {
        var policy = Require.User(SaslServer.Scram(new MemoryCredentialStore()));
        return ServerContext(policy, new LoginServices(policy, TimeProvider.System), user, binding);
    }

    /// <summary>The same over services that others share.</summary>
    internal static SaslServerContext ServerContext(
        CredentialPolicy policy, LoginServices services, string? user = "alice", ChannelBinding? binding = null) =>
        new(policy, services, binding ?? Here, null, new IPEndPoint(IPAddress.Parse("192.0.2.1"), 1))
        {
            User = user is null ? null : new AuthenticatedUser(user, null, "SCRAM-SHA-256-PLUS", PeerProofs.Password, []),
        };

    internal static SaslClientContext ClientContext(ChannelBinding? binding = null) => new(null!, binding ?? Here, []);

    internal static Task<End> RunAsync(
        ISaslServerMechanism server,
        ISaslClientMechanism client,
        string? user = "alice",
        ChannelBinding? clientBinding = null,
        Func<ReadOnlyMemory<byte>, ReadOnlyMemory<byte>>? onTheWay = null) =>
        RunAsync(server, client, ServerContext(user), ClientContext(clientBinding), onTheWay);

    internal static async Task<End> RunAsync(
        ISaslServerMechanism server,
        ISaslClientMechanism client,
        SaslServerContext serverContext,
        SaslClientContext clientContext,
        Func<ReadOnlyMemory<byte>, ReadOnlyMemory<byte>>? onTheWay = null)
    {
        var name = client.NamesFor(clientContext).Intersect(server.NamesFor(serverContext)).First();
        using var there = server.Begin(name, serverContext);
        using var here = client.Begin(name, clientContext);
        var message = (await here.StartAsync(default)).GetValueOrDefault();
        while (true)
        {
            switch (await there.StepAsync(onTheWay?.Invoke(message) ?? message, default))
            {
                case SaslServerStep.Succeeded success:
                    var user = success.ToUser(name);
                    return new End(null, here.Complete(success.AdditionalData).Objection?.Reason, user.Proofs, null);
                case SaslServerStep.Failed failure:
                    return new End(failure.Rejection.Reason, null, PeerProofs.None, failure.Rejection);
                case SaslServerStep.Challenged challenge:
                    var answer = await here.StepAsync(challenge.Message, default);
                    if (answer.Objection is { } objection)
                    {
                        return new End(null, objection.Reason, PeerProofs.None, objection);
                    }

                    message = answer.Message;
                    break;
            }
        }
    }

    internal static ISaslClientMechanism Code(string code) => MutualAuth.Factors.SecondFactor.OneTimeCode(_ => ValueTask.FromResult(code));

    internal static ISaslClientMechanism Paper(string code) => MutualAuth.Factors.SecondFactor.RecoveryCode(_ => ValueTask.FromResult(code));

    internal static ImmutableArray<byte> Utf8(string text) => [.. System.Text.Encoding.UTF8.GetBytes(text)];
}
