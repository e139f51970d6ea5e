using System.CommandLine;
using MutualAuth.Credentials;
using MutualAuth.Factors;

namespace MutualAuth.Samples;

/// <summary>What a client must prove, and the file of the users.</summary>
internal sealed class ServerLoginFlags
{
    private readonly Option<string?> _require = new("--require")
    { Description = "What a client must prove itself with. Default: certificate; with --credentials, both." };
    private readonly Option<string?> _credentials = new("--credentials")
    {
        HelpName = "FILE",
        Description = "Users, one on a line: NAME:SCRAM-SHA-256$…; EchoUsers and mutualauth users keep such a file. A change "
        + "counts at once."
    };

    private readonly Option<string?> _relyingParty = new("--relying-party")
    { HelpName = "NAME", Description = "The DNS name with which passkeys were registered. Default: the first one of the server's certificate." };

    private readonly Option<string?> _factorKeys = new("--factor-keys")
    {
        HelpName = "FILE",
        Description = "The keys with which secrets of one-time codes are stored encrypted; those in plain text are refused then. Default: none."
    };

    internal ServerLoginFlags(Command command)
    {
        _require.AcceptOnlyFromAmong("certificate", "user", "both", "either", "user+totp", "user+passkey", "both+totp", "both+passkey");
        command.Options.Add(_require);
        command.Options.Add(_credentials);
        command.Options.Add(_relyingParty);
        command.Options.Add(_factorKeys);
    }

    internal bool LetsUsersIn(ParseResult arguments) => arguments.GetValue(_credentials) is not null && arguments.GetValue(_require) != "certificate";

    /// <summary>Whether clients are asked for a certificate at all.</summary>
    internal bool AsksForCertificate(ParseResult arguments) => arguments.GetValue(_require)?.Split('+')[0] != "user";

    /// <param name="arguments">The command line.</param>
    /// <param name="serverName">A DNS name of the server's certificate; null when it has none.</param>
    internal CredentialPolicy Read(ParseResult arguments, string? serverName)
    {
        var (required, second) = arguments.GetValue(_require)?.Split('+') switch
        {
            null => (null, null),
            [var first] => (first, null),
            [var first, var factor, ..] => ((string?)first, (string?)factor),
            _ => (null, null),
        };
        if (arguments.GetValue(_credentials) is not { } path)
        {
            return required is null or "certificate"
                ? Require.Certificate
                : throw new UsageException($"--require {required} needs the users: give --credentials FILE.");
        }

        var store = FileCredentialStore.Open(path);
        store.Replaced += (_, _) => CommandLine.Note("users replaced.");
        store.Refused += (_, refused) => CommandLine.Note(
            $"users not replaced, and in {new FileCredentialStoreOptions().MaxUnreadable.TotalMinutes} minutes nobody logs in: "
                + $"{refused.Problem.Message}");
        if (store.Health.CanOthersRead)
        {
            CommandLine.Note($"everybody on this machine can read {path}, and try passwords against it; chmod o-r {path}");
        }

        var users = store.ListAsync().AsTask().GetAwaiter().GetResult(); // a file is read at once
        if (required == "certificate")
        {
            CommandLine.Note("--require certificate lets nobody log in; --credentials is not used.");
            return Require.Certificate;
        }

        // Clients take the strongest that is offered: a hash is useful only when every user has a verifier for it.
        ScramHash[] common =
            [.. new[] { ScramHash.Sha512, ScramHash.Sha256 }.Where(hash => users.All(user => user.Verifiers.Any(verifier => verifier.Hash == hash)))];
        var scram = SaslServer.Scram(store, users.IsEmpty || common.Length == 0 ? [ScramHash.Sha256] : common);
        var policy = required switch
        {
            "user" => Require.User(scram),
            "either" => Require.CertificateOrUser(scram),
            _ => Require.CertificateAndUser(scram),
        };
        policy = policy with { DecoyIterations = CommonIterations(users) };
        var codes = arguments.GetValue(_factorKeys) is { } keys
            ? new OneTimeCodeOptions { Keys = new FactorKeyFile(keys), RequireEncryption = true }
            : new OneTimeCodeOptions();
        return WithSecond(policy, store, second, codes, arguments.GetValue(_relyingParty) ?? serverName);
    }

    /// <summary>A password and a second factor; a recovery code stands in for it, which a payment service must not permit.</summary>
    private static CredentialPolicy WithSecond(
        CredentialPolicy policy, FileCredentialStore store, string? second, OneTimeCodeOptions codes, string? relyingParty) => second switch
        {
            null => policy,
            "totp" => policy with
            {
                SecondFactors = [SecondFactors.OneTimeCodes(store, codes), SecondFactors.RecoveryCodes(store)],
                LoginFactors = FactorRequirement.TwoKindsCountingRecoveryCode,
            },
            _ => policy with
            {
                SecondFactors =
                [
                    SecondFactors.Passkeys(
                    store,
                    new PasskeyOptions
                    { RelyingParty = relyingParty ?? throw new UsageException("Passkeys belong to a DNS name: give --relying-party NAME.") }),
                SecondFactors.RecoveryCodes(store),
            ],
                LoginFactors = FactorRequirement.TwoKindsCountingRecoveryCode,
            },
        };

    // A different iteration count must not reveal that a user does not exist.
    private static int? CommonIterations(IEnumerable<StoredCredential> users)
    {
        ScramVerifier[] verifiers = [.. users.SelectMany(user => user.Verifiers)];
        return verifiers.All(verifier => verifier.Iterations == verifier.Hash.DefaultIterations)
            ? null // each hash's own
            : Math.Clamp(
                verifiers.CountBy(verifier => verifier.Iterations).MaxBy(count => count.Value).Key,
                ScramVerifier.MinIterations,
                ScramVerifier.MaxIterations);
    }
}
