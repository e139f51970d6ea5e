using System.CommandLine;
using MutualAuth.Credentials;

namespace MutualAuth.Samples;

/// <summary>What a client must prove, and the file of the users.</summary>
internal sealed class LoginFlags
{
    private readonly Option<string?> _require = new("--require")
    { Description = "What a client must prove itself with. Default: certificate; with --credentials, both." };
    private readonly Option<string?> _credentials = new("--credentials")
    { HelpName = "FILE", Description = "Users, one on a line: NAME:SCRAM-SHA-256$…; EchoUsers keeps such a file. A change counts at once." };

    internal LoginFlags(RootCommand command)
    {
        _require.AcceptOnlyFromAmong("certificate", "user", "both", "either");
        command.Options.Add(_require);
        command.Options.Add(_credentials);
    }

    internal bool LetsUsersIn(ParseResult arguments) => arguments.GetValue(_credentials) is not null && arguments.GetValue(_require) != "certificate";

    /// <summary>Whether clients are asked for a certificate at all.</summary>
    internal bool AsksForCertificate(ParseResult arguments) => arguments.GetValue(_require) != "user";

    internal CredentialPolicy Read(ParseResult arguments)
    {
        var required = arguments.GetValue(_require);
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
        return policy with { DecoyIterations = CommonIterations(users) };
    }

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
