// Keeps the users of a server, in a text file or in a SQLite database. A server that is running sees a change within a second. dotnet run --project
// samples/EchoUsers -- add alice --file users dotnet run --project samples/EchoServer -- --listen 127.0.0.1:8443 --credentials users It stores a
// verifier, never the password. A password comes from a prompt or a file, never from the command line.
// Exit codes: 0; 1 the user exists, or does not exist; 2 usage, or a file that cannot be read or written.
using System.CommandLine;
using MutualAuth.Credentials;
using MutualAuth.Factors;
using MutualAuth.Samples;

var name = new Argument<string>("NAME") { Description = "The user." };
var passwordFile = new Option<string?>("--password-file")
{ HelpName = "FILE", Description = "A file whose first line is the password. Default: it is asked for." };
var iterations = new Option<int?>("--iterations")
{ HelpName = "N", Description = "How often the hash is iterated. Default: as OWASP asks for it, 600,000 for SHA-256 and 220,000 for SHA-512." };
var sha512 = new Option<bool>("--sha-512") { Description = "A verifier for SCRAM-SHA-512 as well. Servers offer it when every user has one." };

var storeFlags = new StoreFlags();
var factors = new FactorCommands(storeFlags, name, Verb);
var command = new RootCommand("Adds, changes, disables, unlocks, removes and lists the users of a server.")
{
    Verb("add", "Adds a user.", AddAsync, name, passwordFile, iterations, sha512),
    Verb("change", "Gives a user another password.", ChangeAsync, name, passwordFile, iterations, sha512),
    Verb("disable", "Keeps a user out, who is not forgotten.", (arguments, stop) => SetDisabledAsync(arguments, true, stop), name),
    Verb("enable", "Lets a disabled user in again.", (arguments, stop) => SetDisabledAsync(arguments, false, stop), name),
    Verb("unlock", "Forgets how often in a row logging in as a user has failed.", UnlockAsync, name),
    Verb("remove", "Forgets a user.", RemoveAsync, name),
    Verb("list", "Shows all users, one on a line.", ListAsync),
    factors.Command,
};
storeFlags.AddTo(command);
return await CommandLine.RunAsync(command, args);

async Task<int> AddAsync(ParseResult arguments, CancellationToken stop)
{
    var user = NameOf(arguments);
    var store = await storeFlags.OpenAsync(arguments, mayCreate: true, stop);
    return await store.FindAsync(user, stop) is not null
        ? CommandLine.Fail(1, "user_exists", $"There is a user {user} already; 'change' gives it another password.")
        : await SetPasswordAsync(arguments, store, user, [ScramHash.Sha256], stop);
}

async Task<int> ChangeAsync(ParseResult arguments, CancellationToken stop)
{
    var user = NameOf(arguments);
    var store = await storeFlags.OpenAsync(arguments, mayCreate: false, stop);
    return await store.FindAsync(user, stop) is { } known
        ? await SetPasswordAsync(arguments, store, user, known.Verifiers.Select(verifier => verifier.Hash), stop)
        : NoSuchUser(user);
}

async Task<int> SetPasswordAsync(
    ParseResult arguments, IWritableCredentialStore store, string user, IEnumerable<ScramHash> hashes, CancellationToken stop)
{
    var count = arguments.GetValue(iterations);
    if (count is < ScramVerifier.MinIterations or > ScramVerifier.MaxIterations)
    {
        throw new UsageException($"--iterations wants a number from {ScramVerifier.MinIterations} to {ScramVerifier.MaxIterations}, got {count}.");
    }

    using var password = arguments.GetValue(passwordFile) is { } path ? Password.FromFile(path) : Prompt.ForNewPassword(user);
    await store.SetPasswordAsync(user, password, hashes.Concat(arguments.GetValue(sha512) ? [ScramHash.Sha512] : []), count, stop);
    return 0;
}

async Task<int> SetDisabledAsync(ParseResult arguments, bool isDisabled, CancellationToken stop)
{
    var store = await storeFlags.OpenAsync(arguments, mayCreate: false, stop);
    return await store.SetDisabledAsync(NameOf(arguments), isDisabled, stop) ? 0 : NoSuchUser(NameOf(arguments));
}

async Task<int> UnlockAsync(ParseResult arguments, CancellationToken stop)
{
    var store = await storeFlags.OpenAsync(arguments, mayCreate: false, stop);
    return await ((IFailureCountingStore)store).ClearFailuresAsync(NameOf(arguments), stop) ? 0 : NoSuchUser(NameOf(arguments));
}

async Task<int> RemoveAsync(ParseResult arguments, CancellationToken stop)
{
    var store = await storeFlags.OpenAsync(arguments, mayCreate: false, stop);
    return await store.RemoveAsync(NameOf(arguments), stop) ? 0 : NoSuchUser(NameOf(arguments));
}

async Task<int> ListAsync(ParseResult arguments, CancellationToken stop)
{
    var store = await storeFlags.OpenAsync(arguments, mayCreate: false, stop);
    foreach (var user in await store.ListAsync(stop))
    {
        var verifiers = string.Join(' ', user.Verifiers.Select(verifier => $"{verifier.Hash}/{verifier.Iterations}"));
        var failures = await ((IFailureCountingStore)store).FindFailuresAsync(user.UserName, stop);
        Console.WriteLine($"{CommandLine.Token(user.UserName)} {(user.IsDisabled ? "disabled" : "enabled")} {verifiers}{(failures > 0 ? $" "
            + $"failures={failures}" : string.Empty)}");
    }

    return 0;
}

string NameOf(ParseResult arguments)
{
    var text = arguments.GetRequiredValue(name);
    try
    {
        return UserNames.Prepare(text);
    }
    catch (ArgumentException)
    {
        throw new UsageException(
            $"{CommandLine.Token(text)} is no name for a user: 1 to 255 octets, no colon and no control character, no # and no space "
                + "at the beginning.");
    }
}

static int NoSuchUser(string user) => CommandLine.Fail(1, "no_such_user", $"There is no user {user}; 'list' shows those that there are.");

Command Verb(string verb, string description, Func<ParseResult, CancellationToken, Task<int>> action, params Symbol[] symbols)
{
    var made = new Command(verb, description);
    foreach (var symbol in symbols)
    {
        if (symbol is Argument argument)
        {
            made.Arguments.Add(argument);
        }
        else
        {
            made.Options.Add((Option)symbol);
        }
    }

    made.SetAction((arguments, stop) => StoreFlags.GuardAsync(() => action(arguments, stop)));
    return made;
}
