using MutualAuth.Factors;

namespace MutualAuth.Snippets;

/// <summary>docs/how-to/second-factors.md</summary>
internal static class SecondFactorPages
{
    internal static void Server(MutualTlsServerOptions serverOptions, MemoryCredentialStore store)
    {
        // snippet
        var passkeys = new PasskeyOptions { RelyingParty = "bank.example" };
        var bank = serverOptions with
        {
            Credentials = Require.User(SaslServer.Scram(store)) with
            {
                SecondFactors = [SecondFactors.Passkeys(store, passkeys), SecondFactors.OneTimeCodes(store)],
                LoginFactors = FactorRequirement.TwoKinds,
            },
        };
        // end
    }

    internal static void Client(Func<CancellationToken, ValueTask<string>> askForCode)
    {
        // snippet
        using var password = Password.FromFile("password");
        using var authenticator = SoftwareAuthenticator.Open("passkeys");              // or your platform's, as an IPasskeyAuthenticator
        var credentials = Login.WithPassword("alice", password).Then(
            SecondFactor.Passkey(authenticator, "bank.example"),
            SecondFactor.OneTimeCode(askForCode));                                     // asked only if the server wants one
        // end
    }

    internal static async Task Enrolling(
        MemoryCredentialStore store,
        PasskeyOptions passkeys,
        IPasskeyAuthenticator authenticator,
        Action<string> show,
        Func<CancellationToken, ValueTask<string>> askForCode)
    {
        // snippet
        var secret = OneTimeCodeSecret.Create();
        show(secret.ToUri("Bank", "alice"));                                           // as a QR code, once; it contains the secret
        var isEnrolled = await secret.EnrolAsync(store, "alice", "phone", await askForCode(CancellationToken.None));

        var paper = await RecoveryCodes.CreateAsync(store, "alice");                   // shown once; the store has derivations

        var registration = await PasskeyRegistration.BeginAsync(store, passkeys, "alice");
        var creation = await authenticator.CreateAsync(registration.Request);          // at the client
        var objection = creation is null ? null : await registration.CompleteAsync(creation);
        // end
    }

    internal static void Recovering(MutualTlsServerOptions serverOptions, MemoryCredentialStore store)
    {
        // snippet
        var recovery = serverOptions with                                              // a listener of its own, with nothing but registering
        {
            Credentials = Require.User(SaslServer.Scram(store)) with
            {
                SecondFactors = [SecondFactors.RecoveryCodes(store)],
                LoginFactors = FactorRequirement.TwoKindsCountingRecoveryCode,
            },
        };
        // end
    }

    internal static async Task Rehashing(FileCredentialStore store)
    {
        // snippet
        var rehashed = await RecoveryCodes.RehashAllAsync(store);                      // once, after the upgrade of all servers
        // end
    }

    internal static async Task Encrypting(FileCredentialStore store, OneTimeCodeSecret secret, string code)
    {
        // snippet
        using var keys = new FactorKeyFile("/etc/bank/factor-keys");                   // mutualauth users factor-key makes it
        var encrypted = new OneTimeCodeOptions { Keys = keys, RequireEncryption = true };
        var oneTimeCodes = SecondFactors.OneTimeCodes(store, encrypted);               // at the server
        var isEnrolled = await secret.EnrolAsync(store, "alice", "phone", code, encrypted);
        var report = await OneTimeCodeSecret.EncryptAllAsync(store, keys);             // before it is demanded, and after each rotation
        // end
    }

    internal static void Fetching(Func<string?, CancellationToken, ValueTask<FactorKey?>> askService)
    {
        // snippet
        var fetched = new FetchedFactorKeys(askService, lifetime: TimeSpan.FromMinutes(10));
        // end
    }

    internal static async Task Paying(MutualTlsConnection connection, Func<StepUpVerifier, Task> converse, Action<Payment> carryOut)
    {
        // snippet
        var payment = new Payment("Example AS, NO93 8601 1117 947", 12.50m, "EUR", "order 7");
        await using var stepUp = connection.BeginStepUp(payment.ToTransaction(), FactorRequirement.TwoKinds);
        await converse(stepUp);
        if (stepUp.Proof is { } proof && proof.TryUse(payment.ToTransaction()))
        {
            carryOut(payment);
        }
        // end
    }
}
