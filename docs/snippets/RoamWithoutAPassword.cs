using System.Security.Cryptography;
using MutualAuth.Credentials;

namespace MutualAuth.Snippets;

/// <summary>docs/how-to/roam-without-a-password.md</summary>
internal static class RoamWithoutAPassword
{
    internal static void Server(MutualTlsServerOptions serverOptions, MemoryCredentialStore store, ISaslServerMechanism oneTimeCodes)
    {
        // snippet
        using var reconnects = new ReconnectCredentials(new ReconnectCredentialsOptions { Server = "vpn.example", Store = store });
        var gateway = serverOptions with
        {
            Credentials = Require.CertificateAndUser(SaslServer.Scram(store), reconnects.Mechanism) with
            {
                SecondFactors = [oneTimeCodes],
                LoginFactors = FactorRequirement.Proofs(PeerProofs.Password | PeerProofs.OneTimeCode),
            },
        };
        // end
    }

    internal static async Task IssuingAsync(
        MutualTlsConnection connection,
        ReconnectCredentials reconnects,
        Func<ReadOnlyMemory<byte>, CancellationToken, Task> sendAsync,
        CancellationToken cancellationToken)
    {
        // snippet
        var issue = await connection.IssueReconnectCredentialAsync(reconnects, cancellationToken);
        if (issue.Octets is { } octets)
        {
            await sendAsync(octets, cancellationToken);                                 // as one of your messages, on this connection
            CryptographicOperations.ZeroMemory(octets);
        }
        // end
    }

    internal static void Client(MutualTlsClientOptions clientOptions, Password password, ISaslClientMechanism oneTimeCode)
    {
        // snippet
        using var held = new HeldReconnectCredential();                                 // one for each server
        var client = new MutualTlsClient(clientOptions with
        {
            Credentials = Login.WithPassword("alice", password).Then(oneTimeCode).Reconnecting(held),
        });
        // end
    }

    internal static void Receiving(MutualTlsConnection connection, HeldReconnectCredential held, byte[] octets)
    {
        // snippet
        var isHeld = held.Receive(connection.Peer, octets);                             // what the server has sent
        // end
    }

    internal static void Both(ReconnectCredentialsOptions options)
    {
        // snippet
        var both = options with { StandsFor = PeerProofs.Password | PeerProofs.OneTimeCode };
        // end
    }

    internal static Task<MutualTlsConnection> Roaming(MutualTlsClient client, HeldReconnectCredential held)
    {
        return ConnectAsync(client, held);

        // snippet
        static async Task<MutualTlsConnection> ConnectAsync(MutualTlsClient client, HeldReconnectCredential held)
        {
            try
            {
                return await client.ConnectAsync("vpn.example", 443);
            }
            catch (HandshakeException refused) when (refused.PeerReason == PublicReason.CredentialsWrong && held.Forget())
            {
                return await client.ConnectAsync("vpn.example", 443);                   // nothing is held: in full
            }
        }
        // end
    }
}
