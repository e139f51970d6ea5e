namespace MutualAuth.Snippets;

/// <summary>docs/how-to/log-in.md</summary>
internal static class LogIn
{
    internal static void Server(MutualTlsServerOptions serverOptions, ICredentialStore store)
    {
        // snippet
        var users = SaslServer.Scram(store);                                       // passwords that never leave the client

        var both = serverOptions with { Credentials = Require.CertificateAndUser(users) };
        var either = serverOptions with { Credentials = Require.CertificateOrUser(users) };
        var userAlone = serverOptions with { Credentials = Require.User(users), Authorization = Authorize.Nobody };
        // end
    }

    internal static async Task Client(MutualTlsClientOptions clientOptions)
    {
        // snippet
        using var password = Password.FromFile("password");
        var client = new MutualTlsClient(clientOptions with
        {
            Identity = ClientIdentity.None,                                        // or a certificate, where the server wants both
            Credentials = Login.WithPassword("alice", password),
        });
        await using var connection = await client.ConnectAsync("server.example", 8443);
        Console.WriteLine(connection.Peer.Proofs);                                 // Certificate, Password, ChannelBinding: the server knows our verifier
        // end
    }

    internal static void Devices(MutualTlsServerOptions serverOptions, ICredentialStore store)
    {
        // snippet
        var devices = new Dictionary<PeerName, IEnumerable<string>>
        {
            [PeerName.Dns("laptop-1.example")] = ["alice"],
            [PeerName.Dns("laptop-2.example")] = ["bob", "carol"],
        };
        var gateway = serverOptions with
        {
            Credentials = Require.CertificateAndUser(SaslServer.Scram(store)) with { Users = UserRules.OfDevice(devices) },
        };
        // end
    }

    internal static void Tokens(
        MutualTlsServerOptions serverOptions, MutualTlsClientOptions clientOptions, ITokenValidator validator,
        Func<CancellationToken, ValueTask<string>> currentToken)
    {
        // snippet
        var service = serverOptions with
        {
            Authorization = Authorize.MemberOf("prod.example"),
            Credentials = Require.CertificateAndUser(SaslServer.BoundTokens(validator)) with { Users = UserRules.NamedByTheirCertificate },
        };
        var workload = clientOptions with { Credentials = Login.WithToken(currentToken) };
        // end
    }

    internal static void SecondFactors(
        MutualTlsServerOptions serverOptions,
        MutualTlsClientOptions clientOptions,
        ICredentialStore store,
        ISaslServerMechanism oneTimeCodes,
        ISaslServerMechanism passkeys,
        ISaslClientMechanism oneTimeCode,
        Password password)
    {
        // snippet
        var strong = serverOptions with
        {
            Credentials = Require.User(SaslServer.Scram(store)) with
            {
                SecondFactors = [passkeys, oneTimeCodes],
                LoginFactors = FactorRequirement.TwoKinds,
                StepUpFactors = FactorRequirement.AnyOf(
                    FactorRequirement.Proofs(PeerProofs.Passkey | PeerProofs.UserVerification),
                    FactorRequirement.Proofs(PeerProofs.Password | PeerProofs.OneTimeCode)),
            },
        };
        var withCode = clientOptions with { Credentials = Login.WithPassword("alice", password).Then(oneTimeCode) };
        // end
    }

    internal static void Limits(MutualTlsServerOptions serverOptions, ICredentialStore store, Func<LockOutNotice, CancellationToken, ValueTask> mail)
    {
        // snippet
        var sessions = new SessionLimits { MaxPerUser = 1, MaxPerDevice = 2, WhenFull = WhenSessionsAreFull.EndOldest };
        var payments = serverOptions with
        {
            SessionLimits = sessions,                                              // the same object in each server that counts along
            Credentials = Require.CertificateAndUser(SaslServer.Scram(store)) with
            {
                LockOut = new LockOutPolicy { Failures = 5, Duration = TimeSpan.FromMinutes(15), TellUser = mail },
                UniformRefusalTime = TimeSpan.FromMilliseconds(250),
            },
        };
        // end
    }

    internal static async Task StepUpServer(MutualTlsConnection connection, byte[] transaction)
    {
        // snippet
        await using var stepUp = connection.BeginStepUp(transaction);
        await SendAsync(stepUp.FirstMessage);
        while (!stepUp.IsOver && await stepUp.AnswerAsync(await ReceiveAsync()) is { } reply)
        {
            await SendAsync(reply);
        }

        if (stepUp.Proof is { } proof && proof.TryUse(transaction))                // true once
        {
            CarryOut(transaction, proof);
        }
        // end

        static Task SendAsync(ReadOnlyMemory<byte> message) => Task.CompletedTask;
        static Task<byte[]> ReceiveAsync() => throw new NotSupportedException();
        static void CarryOut(byte[] transaction, StepUpProof proof) => throw new NotSupportedException();
    }

    internal static async Task<bool> StepUpClient(MutualTlsConnection connection, ClientCredentials typedOnceMore, byte[] shown)
    {
        // snippet
        using var responder = connection.AnswerStepUp(typedOnceMore, shown);
        while (!responder.IsOver && await responder.AnswerAsync(await ReceiveAsync()) is { } reply)
        {
            await SendAsync(reply);
        }

        return responder.IsConfirmed;                                              // and the server has proven itself once more
        // end

        static Task SendAsync(ReadOnlyMemory<byte> message) => Task.CompletedTask;
        static Task<byte[]> ReceiveAsync() => throw new NotSupportedException();
    }
}
