using System.CommandLine;
using System.Globalization;
using System.Security.Cryptography;
using MutualAuth.Credentials;
using MutualAuth.Factors;
using MutualAuth.Samples;

namespace MutualAuth.Tool;

/// <summary>The commands of <c>users</c> about secrets of one-time codes, the keys with which they are stored, and recovery codes.</summary>
internal static class UserFactorCommands
{
    private static readonly Argument<string> s_file = new("FILE") { Description = "The file of keys; made, for its owner alone, if there is none." };

    private static readonly Option<string> s_keys = new("--factor-keys")
    { HelpName = "FILE", Required = true, Description = "The keys with which secrets are stored encrypted, as 'users factor-key' makes it." };

    private static readonly Option<string?> s_keysIfAny = new("--factor-keys")
    { HelpName = "FILE", Description = "The keys with which secrets are stored encrypted. Default: none; the secret is stored in plain text." };

    private static readonly Option<bool> s_readsOnly = new("--reads-only")
    { Description = "The key goes behind the others, and reads only: give the file to every server, and then move its line to the front." };

    private static readonly Option<string> s_id = new("--id")
    { HelpName = "FACTOR", DefaultValueFactory = _ => "phone", Description = "The identifier of the generator. Default: phone." };

    private static readonly Option<string> s_issuer = new("--issuer")
    { HelpName = "TEXT", DefaultValueFactory = _ => "MutualAuth", Description = "The service, as an authenticator app shows it." };

    internal static ToolCommand AddKey() => new ToolCommand("factor-key", "Makes a key for secrets of one-time codes, and puts it into a file.")
    {
        Details =
        [
            "The first line of the file encrypts from now on, and every line reads. Servers see the change by themselves. Run 'users encrypt' then, "
                + "and remove the old line. Keep the file elsewhere than the store, and in another backup.",
        ],
        Examples = ["mutualauth users factor-key /etc/inventory/factor-keys"],
    }.With(s_file, s_readsOnly).Does((arguments, _) => UsersCommand.GuardAsync(() => Task.FromResult(AddKey(arguments))));

    internal static ToolCommand Totp(Argument<string> name, Option<string> store) =>
        new ToolCommand("totp", "Gives a user a generator of one-time codes.")
        {
            Details =
            [
                "Prints the otpauth URI, which contains the secret and is shown once; authenticator apps read it from a QR code. A generator with "
                    + "the same identifier is replaced.",
            ],
            Examples = ["mutualauth users totp alice --store sqlite:users.db --factor-keys /etc/inventory/factor-keys --issuer Inventory"],
        }.With(name, store, s_keysIfAny, s_id, s_issuer)
            .Does((arguments, stop) => UsersCommand.GuardAsync(() => TotpAsync(arguments, store, stop)));

    internal static ToolCommand Encrypt(Option<string> store) =>
        new ToolCommand("encrypt", "Encrypts the secrets of one-time codes in a store with the key that writes.")
        {
            Details =
            [
                "It rewrites those in plain text and those under an earlier key, while servers go on. Those that do not open stay as they are and "
                    + "are named; the exit code is then 2.",
            ],
            Examples = ["mutualauth users encrypt --store postgres:/etc/inventory/database --factor-keys /etc/inventory/factor-keys"],
        }.With(store, s_keys).Does((arguments, stop) => UsersCommand.GuardAsync(() => EncryptAsync(arguments, store, stop)));

    internal static ToolCommand Rehash(Option<string> store) =>
        new ToolCommand("rehash", "Rewrites recovery codes that an earlier version stored as one hash each.")
        {
            Details =
            [
                "The codes stay the same, and no one needs to know them: the hashes go through PBKDF2-HMAC-SHA-512, a tenth of a second each, while "
                    + "servers go on. Sets that cannot be read stay as they are and are named; the exit code is then 2. Upgrade all servers first: "
                    + "earlier versions do not read what it writes.",
            ],
            Examples = ["mutualauth users rehash --store postgres:/etc/inventory/database"],
        }.With(store).Does((arguments, stop) => UsersCommand.GuardAsync(() => RehashAsync(arguments, store, stop)));

    private static int AddKey(ParseResult arguments)
    {
        var day = DateTimeOffset.UtcNow.ToString("yyyyMMdd", CultureInfo.InvariantCulture);
        var id = $"{day}-{RandomNumberGenerator.GetHexString(6, lowercase: true)}";
        var key = FactorKeyFile.AddKey(arguments.GetRequiredValue(s_file), id, isCurrent: !arguments.GetValue(s_readsOnly));
        Report.ToOutput(arguments).Line($"added {key.Id}", ("key", key.Id), ("done", "added"));
        return 0;
    }

    private static async Task<int> TotpAsync(ParseResult arguments, Option<string> store, CancellationToken stop)
    {
        var user = UsersCommand.NameOf(arguments);
        using var open = await UsersCommand.OpenAsync(arguments, store, stop);
        if (await open.Users.FindAsync(user, stop) is null)
        {
            return UsersCommand.NoSuchUser(user);
        }

        var (secret, id) = (OneTimeCodeSecret.Create(), arguments.GetRequiredValue(s_id));
        StoredFactor factor;
        if (arguments.GetValue(s_keysIfAny) is { } file)
        {
            using var keys = new FactorKeyFile(file);
            factor = await secret.ToFactorAsync(user, id, keys, stop);
        }
        else
        {
            CommandLine.Note("the secret is stored in plain text; --factor-keys FILE encrypts it.");
            factor = secret.ToFactor(id);
        }

        await open.Factors.SetFactorAsync(user, factor, stop);
        var uri = secret.ToUri(arguments.GetRequiredValue(s_issuer), user);
        Report.ToOutput(arguments).Line(uri, ("user", user), ("factor", id), ("uri", uri));
        return 0;
    }

    private static async Task<int> EncryptAsync(ParseResult arguments, Option<string> store, CancellationToken stop)
    {
        using var keys = new FactorKeyFile(arguments.GetRequiredValue(s_keys));
        using var open = await UsersCommand.OpenAsync(arguments, store, stop);
        var report = await OneTimeCodeSecret.EncryptAllAsync(open.Factors, keys, stop);
        Report.ToOutput(arguments).Line(
            $"encrypted {report.Rewritten}, unchanged {report.Unchanged}, refused {report.Refused.Length}",
            ("encrypted", report.Rewritten),
            ("unchanged", report.Unchanged),
            ("refused", report.Refused.Length));
        foreach (var refused in report.Refused)
        {
            CommandLine.Note($"{CommandLine.Token(refused.UserName)} {refused.FactorId}: {refused.Objection.Reason.ToCode()}");
        }

        return report.Refused.IsEmpty
            ? 0
            : CommandLine.Fail(CommandLine.UsageExitCode, "not_opened", $"{report.Refused.Length} secrets do not open, and are as they were.");
    }

    private static async Task<int> RehashAsync(ParseResult arguments, Option<string> store, CancellationToken stop)
    {
        using var open = await UsersCommand.OpenAsync(arguments, store, stop);
        var report = await RecoveryCodes.RehashAllAsync(open.Factors, cancellationToken: stop);
        Report.ToOutput(arguments).Line(
            $"rewritten {report.Rewritten}, unchanged {report.Unchanged}, refused {report.Refused.Length}",
            ("rewritten", report.Rewritten),
            ("unchanged", report.Unchanged),
            ("refused", report.Refused.Length));
        foreach (var user in report.Refused)
        {
            CommandLine.Note($"{CommandLine.Token(user)}: the recovery codes cannot be read");
        }

        return report.Refused.IsEmpty
            ? 0
            : CommandLine.Fail(
                CommandLine.UsageExitCode, "not_read", $"{report.Refused.Length} sets of recovery codes cannot be read, and are as they were.");
    }
}
